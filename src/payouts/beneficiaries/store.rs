//! The statements of beneficiaries, and of the record of who saw personal data.

use std::collections::BTreeMap;

use super::{Beneficiary, BeneficiaryStatus, BeneficiaryType, Filter};
use crate::{
    base::{ids::MerchantId, metadata::Metadata, pagination::PageRequest, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, expect_one},
    money::Country,
    payouts::{BeneficiaryId, PiiAccessId},
};

const INSERT: &str = "INSERT INTO beneficiaries
    (merchant_id, id, type, status, display_name, country, external_ref, metadata,
     source_batch_id, pii, fingerprint, created_at_us, updated_at_us)
    VALUES ($1, $2, $3, 'active', $4, $5, $6, $7, $8, $9, $10, $11, $11)
    ON CONFLICT (merchant_id, fingerprint) DO NOTHING";

const TWIN: &str = "SELECT id FROM beneficiaries WHERE merchant_id = $1 AND fingerprint = $2";

const FIND: &str = "SELECT merchant_id, id, type, status, status_since_us, status_reason,
        display_name, country, external_ref, metadata, source_batch_id, created_at_us, updated_at_us
    FROM beneficiaries WHERE merchant_id = $1 AND id = $2 AND deleted_at_us IS NULL";

const FIND_EVER: &str = "SELECT merchant_id, id, type, status, status_since_us, status_reason,
        display_name, country, external_ref, metadata, source_batch_id, created_at_us, updated_at_us
    FROM beneficiaries WHERE merchant_id = $1 AND id = $2";

/// The ids come as a list in JSON, whatever their number.
const NAMES: Statement = Statement {
    sqlite: "SELECT id, display_name FROM beneficiaries
        WHERE merchant_id = $1 AND id IN (SELECT value FROM json_each($2)) LIMIT 1000",
    postgres: "SELECT id, display_name FROM beneficiaries
        WHERE merchant_id = $1 AND id = ANY (ARRAY(SELECT json_array_elements_text(CAST($2 AS JSON))))
        LIMIT 1000",
};

const FIND_TO_CHANGE: Statement = db::statement!(
    "SELECT merchant_id, id, type, status, status_since_us, status_reason,
        display_name, country, external_ref, metadata, source_batch_id, created_at_us, updated_at_us
    FROM beneficiaries WHERE merchant_id = $1 AND id = $2 AND deleted_at_us IS NULL ",
    FOR_UPDATE,
    ""
);

/// One list for the primary key and one for the index of references. An empty text narrows nothing.
macro_rules! list {
    ($index:literal, $narrow:literal) => {
        db::statement!(
            "SELECT merchant_id, id, type, status, status_since_us, status_reason,
                display_name, country, external_ref, metadata, source_batch_id, created_at_us,
                updated_at_us
            FROM beneficiaries",
            INDEXED_BY($index),
            concat!(
                "WHERE merchant_id = $1 AND id < $2 AND id >= $3",
                $narrow,
                " AND deleted_at_us IS NULL
                AND ($5 = '' OR status = $5) AND ($6 = '' OR type = $6) AND ($7 = '' OR country = $7)
                ORDER BY id DESC LIMIT $4"
            )
        )
    };
}

/// The last id among so many, deleted ones with them, by the same index as the list.
macro_rules! floor {
    ($index:literal, $narrow:literal) => {
        db::statement!(
            "SELECT id FROM beneficiaries",
            INDEXED_BY($index),
            concat!(
                "WHERE merchant_id = $1 AND id < $2",
                $narrow,
                " ORDER BY id DESC LIMIT 1 OFFSET $3"
            )
        )
    };
}

const LIST: Statement = list!("sqlite_autoindex_beneficiaries_1", "");
const LIST_BY_REF: Statement = list!("beneficiaries_by_external_ref", " AND external_ref = $8");
const FLOOR: Statement = floor!("sqlite_autoindex_beneficiaries_1", "");
const FLOOR_BY_REF: Statement = floor!("beneficiaries_by_external_ref", " AND external_ref = $4");

const UPDATE: &str = "UPDATE beneficiaries SET status = $3, status_since_us = $4,
        status_reason = $5, display_name = $6, country = $7, external_ref = $8, metadata = $9,
        updated_at_us = $10
    WHERE merchant_id = $1 AND id = $2 AND deleted_at_us IS NULL";

const REPLACE_PII: &str = "UPDATE beneficiaries SET pii = $3, fingerprint = $4
    WHERE merchant_id = $1 AND id = $2 AND deleted_at_us IS NULL";

const DELETE: &str = "UPDATE beneficiaries
    SET deleted_at_us = $3, updated_at_us = $3, fingerprint = NULL
    WHERE merchant_id = $1 AND id = $2 AND deleted_at_us IS NULL";

const SEALED: &str = "SELECT pii FROM beneficiaries
    WHERE merchant_id = $1 AND id = $2 AND deleted_at_us IS NULL";

/// Deleted or not: whom money is under way to must still be known.
const SEALED_EVER: &str = "SELECT pii FROM beneficiaries WHERE merchant_id = $1 AND id = $2";

const OWNER: &str = "SELECT merchant_id FROM beneficiaries
    WHERE id = $1 AND deleted_at_us IS NULL";

const AUDIT: &str = "INSERT INTO pii_audit
    (merchant_id, id, beneficiary_id, client_id, request_id, action, at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

const WIPE: &str = "DELETE FROM beneficiaries WHERE merchant_id = $1";

/// After every id in the order of bytes.
const AFTER_ALL: &str = "ben_~";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT),
    Statement::same(TWIN),
    Statement::same(FIND),
    Statement::same(FIND_EVER),
    NAMES,
    FIND_TO_CHANGE,
    LIST,
    LIST_BY_REF,
    FLOOR,
    FLOOR_BY_REF,
    Statement::same(UPDATE),
    Statement::same(REPLACE_PII),
    Statement::same(DELETE),
    Statement::same(SEALED),
    Statement::same(SEALED_EVER),
    Statement::same(OWNER),
    Statement::same(AUDIT),
    Statement::same(WIPE),
];

db::row! {
    struct Row {
        merchant_id: MerchantId,
        id: BeneficiaryId,
        r#type: String,
        status: String,
        status_since_us: Option<Timestamp>,
        status_reason: Option<String>,
        display_name: String,
        country: String,
        external_ref: Option<String>,
        metadata: String,
        source_batch_id: Option<String>,
        created_at_us: Timestamp,
        updated_at_us: Timestamp,
    }
}

impl TryFrom<Row> for Beneficiary {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let kind: Result<BeneficiaryType, _> = row.r#type.parse();
        let country = row.country.parse();
        let status = match (&*row.status, row.status_since_us, row.status_reason) {
            ("active", None, None) => BeneficiaryStatus::Active,
            ("archived", Some(at), None) => BeneficiaryStatus::Archived { at },
            ("blocked", Some(at), Some(reason)) => BeneficiaryStatus::Blocked { at, reason },
            _ => return Err(DbError::unreadable("beneficiary status", "its facts differ")),
        };
        let metadata = Metadata::stored(&row.metadata);
        Ok(Self {
            id: row.id,
            merchant: row.merchant_id,
            kind: kind.map_err(|error| DbError::unreadable("beneficiary type", error))?,
            status,
            display_name: row.display_name,
            country: country.map_err(|error| DbError::unreadable("country", error))?,
            external_ref: row.external_ref,
            metadata: metadata.map_err(|error| DbError::unreadable("metadata", error))?,
            source_batch_id: row.source_batch_id,
            created_at: row.created_at_us,
            updated_at: row.updated_at_us,
        })
    }
}

/// What is personal, as it is stored.
#[derive(Clone)]
pub(super) struct Sealed {
    pub(super) pii: Vec<u8>,
    pub(super) fingerprint: [u8; 32],
}

/// False when the merchant has this person already.
pub(super) async fn insert(
    tx: &mut Tx,
    new: &Beneficiary,
    sealed: &Sealed,
) -> Result<bool, DbError> {
    let changed = db::exec!(
        tx,
        INSERT,
        new.merchant,
        new.id,
        new.kind.as_str(),
        &new.display_name,
        new.country.code(),
        new.external_ref.as_deref(),
        new.metadata.to_json(),
        new.source_batch_id.as_deref(),
        sealed.pii.as_slice(),
        sealed.fingerprint.as_slice(),
        new.created_at,
    )?;
    Ok(changed == 1)
}

/// Who has this fingerprint.
pub(super) async fn twin(
    tx: &mut Tx,
    merchant: MerchantId,
    fingerprint: &[u8; 32],
) -> Result<Option<BeneficiaryId>, DbError> {
    let row = db::optional!(tx, (BeneficiaryId,), TWIN, merchant, fingerprint.as_slice())?;
    Ok(row.map(|(id,)| id))
}

/// A beneficiary that was not deleted, whatever its status.
pub async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BeneficiaryId,
) -> Result<Option<Beneficiary>, DbError> {
    db::optional!(tx, Row, FIND, merchant, id)?.map(Beneficiary::try_from).transpose()
}

/// A beneficiary, deleted or not: whoever is being paid is compared with the lists.
pub async fn find_ever(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BeneficiaryId,
) -> Result<Option<Beneficiary>, DbError> {
    db::optional!(tx, Row, FIND_EVER, merchant, id)?.map(Beneficiary::try_from).transpose()
}

/// The names to show of some beneficiaries, deleted or not: a list of payouts asks once for all.
pub async fn names(
    tx: &mut Tx,
    merchant: MerchantId,
    ids: &[BeneficiaryId],
) -> Result<BTreeMap<BeneficiaryId, String>, DbError> {
    let ids = serde_json::to_string(ids).map_err(|error| DbError::unreadable("ids", error))?;
    let statement = NAMES.on(tx.engine());
    let rows = db::all!(tx, (BeneficiaryId, String), statement, merchant, ids)?;
    Ok(rows.into_iter().collect())
}

/// One that was not deleted, held until the transaction ends: two changes must not lose one another.
pub(super) async fn find_to_change(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BeneficiaryId,
) -> Result<Option<Beneficiary>, DbError> {
    let statement = FIND_TO_CHANGE.on(tx.engine());
    db::optional!(tx, Row, statement, merchant, id)?.map(Beneficiary::try_from).transpose()
}

/// The newest first, none of them older than the floor.
pub(super) async fn list(
    tx: &mut Tx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
    floor: Option<BeneficiaryId>,
) -> Result<Vec<Beneficiary>, DbError> {
    let after = page.after.as_deref().unwrap_or(AFTER_ALL);
    let status = filter.status.unwrap_or_default();
    let kind = filter.kind.map(BeneficiaryType::as_str).unwrap_or_default();
    let country = filter.country.map(Country::code).unwrap_or_default();
    let (fetch, floor) = (page.fetch(), floor.map(|id| id.to_string()).unwrap_or_default());
    let rows = if let Some(wanted) = filter.external_ref.as_deref() {
        let sql = LIST_BY_REF.on(tx.engine());
        db::all!(tx, Row, sql, merchant, after, floor, fetch, status, kind, country, wanted)?
    } else {
        let sql = LIST.on(tx.engine());
        db::all!(tx, Row, sql, merchant, after, floor, fetch, status, kind, country)?
    };
    rows.into_iter().map(Beneficiary::try_from).collect()
}

/// The last of so many beneficiaries that the index of a filter leads through, if there are as many.
pub(super) async fn floor(
    tx: &mut Tx,
    merchant: MerchantId,
    filter: &Filter,
    page: &PageRequest,
    many: i64,
) -> Result<Option<BeneficiaryId>, DbError> {
    let after = page.after.as_deref().unwrap_or(AFTER_ALL);
    let row = if let Some(wanted) = filter.external_ref.as_deref() {
        let sql = FLOOR_BY_REF.on(tx.engine());
        db::optional!(tx, (BeneficiaryId,), sql, merchant, after, many - 1, wanted)?
    } else {
        let sql = FLOOR.on(tx.engine());
        db::optional!(tx, (BeneficiaryId,), sql, merchant, after, many - 1)?
    };
    Ok(row.map(|(id,)| id))
}

/// Everything of it that may change, except what is personal.
pub(super) async fn update(tx: &mut Tx, changed: &Beneficiary) -> Result<(), DbError> {
    let (since, reason) = match &changed.status {
        BeneficiaryStatus::Active => (None, None),
        BeneficiaryStatus::Archived { at } => (Some(*at), None),
        BeneficiaryStatus::Blocked { at, reason } => (Some(*at), Some(reason.as_str())),
    };
    expect_one(db::exec!(
        tx,
        UPDATE,
        changed.merchant,
        changed.id,
        changed.status.as_str(),
        since,
        reason,
        &changed.display_name,
        changed.country.code(),
        changed.external_ref.as_deref(),
        changed.metadata.to_json(),
        changed.updated_at,
    )?)
}

pub(super) async fn replace_pii(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BeneficiaryId,
    sealed: &Sealed,
) -> Result<(), DbError> {
    let (pii, fingerprint) = (sealed.pii.as_slice(), sealed.fingerprint.as_slice());
    expect_one(db::exec!(tx, REPLACE_PII, merchant, id, pii, fingerprint)?)
}

/// Soft: the row stays, because payouts refer to it; its fingerprint goes.
pub(super) async fn delete(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BeneficiaryId,
    at: Timestamp,
) -> Result<(), DbError> {
    expect_one(db::exec!(tx, DELETE, merchant, id, at)?)
}

pub(super) async fn sealed_pii(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BeneficiaryId,
) -> Result<Option<Vec<u8>>, DbError> {
    Ok(db::optional!(tx, (Vec<u8>,), SEALED, merchant, id)?.map(|(pii,)| pii))
}

/// The same of somebody who may have been deleted.
pub(super) async fn sealed_ever(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BeneficiaryId,
) -> Result<Option<Vec<u8>>, DbError> {
    Ok(db::optional!(tx, (Vec<u8>,), SEALED_EVER, merchant, id)?.map(|(pii,)| pii))
}

/// Whose it is, for the operator, who names no merchant.
pub(super) async fn owner(tx: &mut Tx, id: BeneficiaryId) -> Result<Option<MerchantId>, DbError> {
    Ok(db::optional!(tx, (MerchantId,), OWNER, id)?.map(|(merchant,)| merchant))
}

/// One line of the record of who saw personal data.
pub(super) struct Access<'a> {
    pub(super) id: PiiAccessId,
    pub(super) merchant: MerchantId,
    pub(super) beneficiary: BeneficiaryId,
    pub(super) client: &'a str,
    pub(super) request: &'a str,
    pub(super) action: &'static str,
    pub(super) at: Timestamp,
}

pub(super) async fn note_access(tx: &mut Tx, access: &Access<'_>) -> Result<(), DbError> {
    let Access { id, merchant, beneficiary, client, request, action, at } = access;
    db::exec!(tx, AUDIT, merchant, id, beneficiary, *client, *request, *action, at)?;
    Ok(())
}

/// For a sandbox that begins anew, after instruments and payouts: nothing is left of them, deleted or
/// not, but the record of who saw personal data.
pub async fn wipe(tx: &mut Tx, merchant: MerchantId) -> Result<u64, DbError> {
    db::exec!(tx, WIPE, merchant)
}
