//! The statements of instruments. An instrument whose beneficiary was deleted is not found.

use super::{Filter, Instrument, InstrumentMethod, InstrumentStatus, SealedCredentials, Shown};
use crate::{
    base::{ids::MerchantId, pagination::PageRequest, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, expect_one},
    money::{Country, Currency},
    payouts::{BeneficiaryId, InstrumentId},
};

const INSERT: &str = "INSERT INTO instruments
    (merchant_id, id, beneficiary_id, method, status, default_for, currency, country, label,
     display_last4, display_bank, display_network, masked_account, credentials,
     created_at_us, updated_at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)";

macro_rules! columns {
    () => {
        "SELECT i.merchant_id, i.id, i.beneficiary_id, i.method, i.status, i.default_for,
            i.currency, i.country, i.label, i.display_last4, i.display_bank,
            i.display_network, i.masked_account, i.credentials, i.created_at_us, i.updated_at_us
        FROM instruments i "
    };
}

macro_rules! selected {
    ($rest:literal) => {
        concat!(
            columns!(),
            "JOIN beneficiaries b ON b.merchant_id = i.merchant_id AND b.id = i.beneficiary_id
            WHERE i.merchant_id = $1 AND i.deleted_at_us IS NULL AND b.deleted_at_us IS NULL ",
            $rest
        )
    };
}

const FIND: &str = selected!("AND i.id = $2");

const FIND_EVER: &str = concat!(columns!(), "WHERE i.merchant_id = $1 AND i.id = $2");

/// Held until the transaction ends, its beneficiary too: two new defaults must not meet.
const FIND_TO_CHANGE: Statement =
    Statement { sqlite: FIND, postgres: selected!("AND i.id = $2 FOR UPDATE") };

const LIST: &str = selected!(
    "AND i.id < $2 AND ($3 = '' OR i.method = $3) AND ($4 = '' OR i.status = $4)
    ORDER BY i.id DESC LIMIT $5"
);

/// Apart from `LIST`, so that the index by beneficiary answers.
const LIST_OF: &str = selected!(
    "AND i.beneficiary_id = $6
    AND i.id < $2 AND ($3 = '' OR i.method = $3) AND ($4 = '' OR i.status = $4)
    ORDER BY i.id DESC LIMIT $5"
);

const UPDATE: &str = "UPDATE instruments
    SET status = $3, default_for = $4, label = $5, updated_at_us = $6
    WHERE merchant_id = $1 AND id = $2 AND deleted_at_us IS NULL";

const STEP_BACK: &str = "UPDATE instruments SET default_for = NULL, updated_at_us = $5
    WHERE merchant_id = $1 AND beneficiary_id = $2 AND default_for = $3 AND id <> $4
    RETURNING id";

const DELETE: &str = "UPDATE instruments
    SET deleted_at_us = $3, updated_at_us = $3, default_for = NULL
    WHERE merchant_id = $1 AND id = $2 AND deleted_at_us IS NULL";

const WIPE: &str = "DELETE FROM instruments WHERE merchant_id = $1";

/// After every id in the order of bytes.
const AFTER_ALL: &str = "ins_~";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT),
    Statement::same(FIND),
    Statement::same(FIND_EVER),
    FIND_TO_CHANGE,
    Statement::same(LIST),
    Statement::same(LIST_OF),
    Statement::same(UPDATE),
    Statement::same(STEP_BACK),
    Statement::same(DELETE),
    Statement::same(WIPE),
];

db::row! {
    struct Row {
        merchant_id: MerchantId,
        id: InstrumentId,
        beneficiary_id: BeneficiaryId,
        method: String,
        status: String,
        default_for: Option<String>,
        currency: Option<String>,
        country: Option<String>,
        label: Option<String>,
        display_last4: Option<String>,
        display_bank: Option<String>,
        display_network: Option<String>,
        masked_account: Option<String>,
        credentials: Vec<u8>,
        created_at_us: Timestamp,
        updated_at_us: Timestamp,
    }
}

impl TryFrom<Row> for Instrument {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let method = InstrumentMethod::find(&row.method)
            .ok_or_else(|| DbError::unreadable("instrument method", "it is unknown"))?;
        let status: Result<InstrumentStatus, _> = row.status.parse();
        let currency = row.currency.as_deref().map(str::parse).transpose();
        let country = row.country.as_deref().map(str::parse).transpose();
        Ok(Self {
            id: row.id,
            merchant: row.merchant_id,
            beneficiary: row.beneficiary_id,
            method,
            status: status.map_err(|error| DbError::unreadable("instrument status", error))?,
            is_default: row.default_for.is_some(),
            currency: currency.map_err(|error| DbError::unreadable("currency", error))?,
            country: country.map_err(|error| DbError::unreadable("country", error))?,
            label: row.label,
            shown: Shown {
                last4: row.display_last4,
                bank: row.display_bank,
                network: row.display_network,
                masked: row.masked_account,
            },
            credentials: SealedCredentials(row.credentials),
            created_at: row.created_at_us,
            updated_at: row.updated_at_us,
        })
    }
}

pub(super) async fn insert(tx: &mut Tx, new: &Instrument) -> Result<(), DbError> {
    db::exec!(
        tx,
        INSERT,
        new.merchant,
        new.id,
        new.beneficiary,
        new.method.word,
        new.status.as_str(),
        new.default_for(),
        new.currency.map(Currency::code),
        new.country.map(Country::code),
        new.label.as_deref(),
        new.shown.last4.as_deref(),
        new.shown.bank.as_deref(),
        new.shown.network.as_deref(),
        new.shown.masked.as_deref(),
        new.credentials.0.as_slice(),
        new.created_at,
    )?;
    Ok(())
}

/// An instrument that was not deleted, nor its beneficiary.
pub async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: InstrumentId,
) -> Result<Option<Instrument>, DbError> {
    db::optional!(tx, Row, FIND, merchant, id)?.map(Instrument::try_from).transpose()
}

/// An instrument, deleted or not: payouts that were made through it go on, and are told of for ever.
pub async fn find_ever(
    tx: &mut Tx,
    merchant: MerchantId,
    id: InstrumentId,
) -> Result<Option<Instrument>, DbError> {
    db::optional!(tx, Row, FIND_EVER, merchant, id)?.map(Instrument::try_from).transpose()
}

pub(super) async fn find_to_change(
    tx: &mut Tx,
    merchant: MerchantId,
    id: InstrumentId,
) -> Result<Option<Instrument>, DbError> {
    let statement = FIND_TO_CHANGE.on(tx.engine());
    db::optional!(tx, Row, statement, merchant, id)?.map(Instrument::try_from).transpose()
}

/// The newest first.
pub(super) async fn list(
    tx: &mut Tx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Vec<Instrument>, DbError> {
    let after = page.after.as_deref().unwrap_or(AFTER_ALL);
    let method = filter.method.map(|method| method.word).unwrap_or_default();
    let status = filter.status.map(InstrumentStatus::as_str).unwrap_or_default();
    let fetch = page.fetch();
    let rows = match filter.beneficiary {
        Some(of) => db::all!(tx, Row, LIST_OF, merchant, after, method, status, fetch, of)?,
        None => db::all!(tx, Row, LIST, merchant, after, method, status, fetch)?,
    };
    rows.into_iter().map(Instrument::try_from).collect()
}

/// Everything of it that may change.
pub(super) async fn update(tx: &mut Tx, changed: &Instrument) -> Result<(), DbError> {
    expect_one(db::exec!(
        tx,
        UPDATE,
        changed.merchant,
        changed.id,
        changed.status.as_str(),
        changed.default_for(),
        changed.label.as_deref(),
        changed.updated_at,
    )?)
}

/// Makes room for a new default: the old one, if there is one, is none any more.
pub(super) async fn step_back(
    tx: &mut Tx,
    new: &Instrument,
    at: Timestamp,
) -> Result<Option<InstrumentId>, DbError> {
    let Some(default_for) = new.default_for() else { return Ok(None) };
    let Instrument { merchant, beneficiary, id, .. } = new;
    let row =
        db::optional!(tx, (InstrumentId,), STEP_BACK, merchant, beneficiary, default_for, id, at)?;
    Ok(row.map(|(id,)| id))
}

/// Soft: the row stays, because payouts refer to it.
pub(super) async fn delete(
    tx: &mut Tx,
    merchant: MerchantId,
    id: InstrumentId,
    at: Timestamp,
) -> Result<(), DbError> {
    expect_one(db::exec!(tx, DELETE, merchant, id, at)?)
}

/// For a sandbox that begins anew, after payouts and before beneficiaries.
pub async fn wipe(tx: &mut Tx, merchant: MerchantId) -> Result<u64, DbError> {
    db::exec!(tx, WIPE, merchant)
}
