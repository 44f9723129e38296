//! Accounts and transactions as callers and events show them.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Coordinates, Transaction};
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    ledger::Balance,
};

/// What moved your money.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = MerchantTransaction)]
pub struct TransactionBody {
    /// That of the ledger's entry; of the two sides of an exchange each has its currency at the end.
    #[schema(pattern = "^txn_[a-zA-Z0-9]+$")]
    id: String,
    /// `deposit`, `hold`, `release`, `payout`, `return`, `fee`, `fx_exchange` or `reversal`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// `posted`, or `reversed` when a later transaction has undone it.
    status: &'static str,
    /// What came in (or, negative, went out) of everything that is yours: these add up to `total`.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    amount: String,
    /// What became usable (or ceased to be): a hold moves this and not `amount`. These add up to `available`.
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    available_amount: String,
    #[schema(pattern = "^[A-Z]{3,5}$")]
    currency: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^bal_[a-zA-Z0-9]+$")]
    account_id: Option<String>,
    /// A sender's words, or the id of what caused it: a payout, an exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Who paid in.
    #[serde(skip_serializing_if = "Option::is_none")]
    counterparty_name: Option<String>,
}

impl From<Transaction> for TransactionBody {
    fn from(transaction: Transaction) -> Self {
        Self {
            id: transaction.id,
            kind: transaction.kind,
            status: transaction.status.as_str(),
            amount: transaction.amount.render(),
            available_amount: transaction.available.render(),
            currency: transaction.amount.currency().code(),
            created_at: transaction.at,
            account_id: transaction.account,
            reference: transaction.reference,
            counterparty_name: transaction.counterparty,
        }
    }
}

/// The account that money in one currency comes into and goes out of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountBody {
    /// Also the id of the balance.
    #[schema(pattern = "^bal_[a-zA-Z0-9]+$")]
    id: String,
    #[schema(pattern = "^mer_[a-zA-Z0-9]+$")]
    merchant_id: String,
    #[schema(pattern = "^[A-Z]{3,5}$")]
    currency: &'static str,
    /// `active`.
    status: &'static str,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    available: String,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    pending: String,
    #[schema(pattern = r"^-?\d{1,12}(\.\d+)?$")]
    total: String,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl AccountBody {
    pub(super) fn of(merchant: MerchantId, balance: &Balance) -> Result<Self> {
        Ok(Self {
            id: balance.id.to_string(),
            merchant_id: merchant.to_string(),
            currency: balance.currency().code(),
            status: "active",
            available: balance.available.render(),
            pending: balance.pending.render(),
            total: balance.total().map_err(Failure::internal)?.render(),
            updated_at: balance.updated_at,
        })
    }
}

/// Where to pay money in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountDetails)]
pub(super) struct DetailsBody {
    #[schema(pattern = "^[A-Z]{3,5}$")]
    currency: &'static str,
    #[schema(pattern = "^[A-Z]{2}$")]
    country: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    iban: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_code: Option<String>,
    bank_name: String,
    /// Whose account it is.
    holder_name: String,
    /// National codes, such as `aba`, by their names.
    routing_codes: BTreeMap<String, String>,
}

impl From<Coordinates> for DetailsBody {
    fn from(coordinates: Coordinates) -> Self {
        Self {
            currency: coordinates.currency.code(),
            country: coordinates.country.code(),
            iban: coordinates.iban,
            bic: coordinates.bic,
            account_number: coordinates.account_number,
            sort_code: coordinates.sort_code,
            bank_name: coordinates.bank_name,
            holder_name: coordinates.holder_name,
            routing_codes: coordinates.routing_codes,
        }
    }
}
