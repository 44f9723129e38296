//! Counting, and comparing with the caps.

use super::store;
use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    db::Tx,
    money::{Amount, Currency},
};

/// The most that may go out, each cap for its own currency; without one there is none.
#[derive(Clone, Debug, Default)]
pub struct Caps {
    /// In a day (UTC).
    pub daily: Vec<Amount>,
    /// In a calendar month (UTC).
    pub monthly: Vec<Amount>,
}

/// Counts a payout that is being made.
pub async fn count(tx: &mut Tx, merchant: MerchantId, amount: Amount, at: Timestamp) -> Result<()> {
    Ok(store::count(tx, merchant, &day(at), 1, amount).await?)
}

/// Takes one out that came to nothing.
pub async fn uncount(
    tx: &mut Tx,
    merchant: MerchantId,
    amount: Amount,
    at: Timestamp,
) -> Result<()> {
    let back = amount.negated().map_err(Failure::internal)?;
    Ok(store::count(tx, merchant, &day(at), -1, back).await?)
}

/// Which cap a payout of that moment goes over, itself counted; in words, for the merchant.
pub async fn exceeded(
    tx: &mut Tx,
    caps: &Caps,
    merchant: MerchantId,
    currency: Currency,
    at: Timestamp,
) -> Result<Option<String>> {
    let day = day(at);
    let month = day.get(..7).unwrap_or_default().to_owned();
    let spans = [("daily", &caps.daily, day.clone()), ("monthly", &caps.monthly, month)];
    for (word, caps, prefix) in spans {
        let Some(cap) = caps.iter().find(|cap| cap.currency() == currency) else { continue };
        let sent = store::sent(tx, merchant, &prefix, currency).await?;
        if sent > cap.minor() {
            return Ok(Some(format!("the {word} limit of {} {currency} is reached", cap.render())));
        }
    }
    Ok(None)
}

fn day(at: Timestamp) -> String {
    let date = at.date_time().date();
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}
