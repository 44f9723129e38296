//! `[payouts]`: what may leave, and how.

use super::Around;
use super::deposits::{DepositAccount, deposit_account};
use crate::base::environment::Environment;
use crate::config::reader::Reader;
use crate::config::values::{Parsed, Raw, choice, integer, list, text};
use crate::money::{Amount, Currency};

/// How money leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RailName {
    /// It does not: play money.
    Sandbox,
    /// Somebody sends it and says so.
    Manual,
}

/// Payouts.
#[derive(Debug, Clone)]
pub struct Payouts {
    /// The rail.
    pub rail: RailName,
    /// Set aside on top of an exchange without a locked rate, in hundredths of a per cent.
    pub buffer_bps: u32,
    /// From these amounts on somebody has to approve.
    pub approval_from: Vec<Amount>,
    /// From these amounts on the first payout through a new instrument is held.
    pub review_new_from: Vec<Amount>,
    /// The most that a merchant may pay out in a day.
    pub daily_caps: Vec<Amount>,
    /// The most that a merchant may pay out in a month.
    pub monthly_caps: Vec<Amount>,
    /// From this likeness on, of a hundred, a name is taken for one on a list.
    pub screening_score: usize,
    /// Where merchants pay money in.
    pub deposit_accounts: Vec<DepositAccount>,
}

impl Payouts {
    pub(in crate::config) fn read(reader: &mut Reader, around: &Around<'_>) -> Self {
        let usual = match around.environment {
            Environment::Sandbox => RailName::Sandbox,
            Environment::Staging | Environment::Production => RailName::Manual,
        };
        let rails = &[("sandbox", RailName::Sandbox), ("manual", RailName::Manual)];
        let amounts = || list(amount);
        Self {
            rail: reader.optional("payouts.rail", choice(rails)).unwrap_or(usual),
            buffer_bps: reader.or("payouts.buffer_bps", 45, integer(0..=2_000)),
            approval_from: reader.or("payouts.approval_from", Vec::new(), amounts()),
            review_new_from: reader.or("payouts.review_new_from", Vec::new(), amounts()),
            daily_caps: reader.or("payouts.daily_caps", Vec::new(), amounts()),
            monthly_caps: reader.or("payouts.monthly_caps", Vec::new(), amounts()),
            screening_score: reader.or("payouts.screening_score", 88, integer(50..=100)),
            deposit_accounts: reader.or(
                "payouts.deposit_accounts",
                Vec::new(),
                list(deposit_account),
            ),
        }
    }
}

fn amount(raw: &Raw) -> Parsed<Amount> {
    let written = text(raw)?;
    let wanted = || "amounts such as \"10000.00 USD\"".to_owned();
    let (number, currency) = written.split_once(' ').ok_or_else(wanted)?;
    let currency: Currency = currency.parse().map_err(|_| wanted())?;
    Amount::parse(number, currency).ok().filter(|amount| amount.is_positive()).ok_or_else(wanted)
}
