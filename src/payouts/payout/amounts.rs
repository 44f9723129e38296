//! The amounts of a payout: what is debited, what arrives, and who bears the fee.

use crate::{
    base::failure::{Failure, FieldFault, Result},
    money::{Amount, Currency, MoneyError, Rate, Rounding},
    pricing::quotes::Quote,
    words,
};

words! {
    /// Who bears the fee.
    FeeBearer {
        /// It is debited on top.
        Merchant = "merchant",
        /// It is taken from what arrives.
        Beneficiary = "beneficiary",
    }
}

words! {
    /// Which amount the merchant has fixed; the other one follows from the rate.
    FixedSide {
        /// What is debited.
        Source = "fixed_source",
        /// What arrives.
        Dest = "fixed_dest",
    }
}

/// The amounts, as they were promised when the payout was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// Debited before fees.
    pub source: Amount,
    /// What the beneficiary gets.
    pub dest: Amount,
    /// The fee, in the currency that its plan names.
    pub fee: Amount,
    /// Who bears it.
    pub bearer: FeeBearer,
    /// Which amount was fixed.
    pub fixed: FixedSide,
    /// Set aside until the payout is final, in the source currency: an exchange can cost more than was
    /// thought.
    pub buffer: Amount,
    /// From source to destination, if they differ.
    pub rate: Option<Rate>,
    /// What the house keeps of the exchange, in the currency of the destination.
    pub margin: Amount,
}

/// What the amounts follow from, beside the quote.
#[derive(Clone, Copy, Debug)]
pub struct Priced {
    /// Which amount was fixed.
    pub fixed: FixedSide,
    /// The amount of the destination, if that is the fixed one.
    pub dest: Amount,
    /// Who bears the fee.
    pub bearer: FeeBearer,
    /// Whether the merchant holds a quote: then the rate is locked and needs no buffer.
    pub locked: bool,
    /// The buffer of an exchange whose rate is not locked, in hundredths of a per cent.
    pub buffer_bps: u32,
}

impl Amounts {
    /// Follows from a quote and who pays what.
    pub fn of(quote: &Quote, priced: &Priced) -> Result<Self> {
        let (source, to) = (quote.facts.payment.amount, quote.facts.payment.dest_currency);
        let rate = quote.facts.exchange_rate.as_ref();
        let gross = match priced.fixed {
            FixedSide::Source => quote.outcome.dest_amount,
            FixedSide::Dest => priced.dest,
        };
        let fee = quote.outcome.fee.amount;
        let dest = match priced.bearer {
            FeeBearer::Merchant => gross,
            FeeBearer::Beneficiary => {
                let taken = taken_from(fee, source.currency(), to, rate.map(|used| used.rate))?;
                gross.minus(taken).map_err(Failure::internal)?
            }
        };
        if !dest.is_positive() {
            return Err(refused("dest_amount", "is not more than the fee that is taken from it"));
        }
        let buffer = match rate {
            Some(_) if !priced.locked => share(source, priced.buffer_bps)?,
            _ => Amount::zero(source.currency()),
        };
        let mut amounts = Self {
            source,
            dest,
            fee,
            bearer: priced.bearer,
            fixed: priced.fixed,
            buffer,
            rate: rate.map(|used| used.rate),
            margin: Amount::zero(to),
        };
        if let Some(used) = rate {
            // At the middle rate the same money would have come to more; the rest is the house's.
            let middle = used.mid.convert(amounts.principal()?, to, Rounding::Down);
            let mut kept = middle.and_then(|middle| middle.minus(dest)).map_err(too_large)?;
            if let Some(fee) = amounts.fee_on_arrival() {
                kept = kept.minus(fee).map_err(too_large)?;
            }
            amounts.margin = if kept.is_positive() { kept } else { Amount::zero(to) };
        }
        Ok(amounts)
    }

    /// What leaves in the source currency for the beneficiary, the fee apart.
    pub fn principal(&self) -> Result<Amount> {
        match self.bearer {
            FeeBearer::Beneficiary if self.fee_in_source() => {
                self.source.minus(self.fee).map_err(Failure::internal)
            }
            _ => Ok(self.source),
        }
    }

    /// Everything that is set aside in the source currency.
    pub fn total_debited(&self) -> Result<Amount> {
        let total = self.source.plus(self.buffer).map_err(too_large)?;
        match self.bearer {
            FeeBearer::Merchant if self.fee_in_source() => total.plus(self.fee).map_err(too_large),
            _ => Ok(total),
        }
    }

    /// A fee on top in another currency than the source: it is set aside in that one.
    pub fn fee_apart(&self) -> Option<Amount> {
        let apart = self.bearer == FeeBearer::Merchant && !self.fee_in_source();
        Some(self.fee).filter(|fee| apart && fee.is_positive())
    }

    /// A fee that is taken out of what arrives, in the currency of the destination.
    pub fn fee_on_arrival(&self) -> Option<Amount> {
        let taken = self.bearer == FeeBearer::Beneficiary && !self.fee_in_source();
        Some(self.fee).filter(|fee| taken && fee.is_positive())
    }

    /// Whether the fee is of the same currency as what is debited.
    pub fn fee_in_source(&self) -> bool {
        self.fee.currency() == self.source.currency()
    }

    /// Whether one currency becomes another on the way.
    pub fn is_exchanged(&self) -> bool {
        self.source.currency() != self.dest.currency()
    }
}

/// What a fee comes to where the beneficiary is.
fn taken_from(fee: Amount, from: Currency, to: Currency, rate: Option<Rate>) -> Result<Amount> {
    match (fee.currency() == to, fee.currency() == from, rate) {
        (true, _, _) => Ok(fee),
        (false, true, Some(rate)) => rate.convert(fee, to, Rounding::Up).map_err(too_large),
        _ => {
            let currency = fee.currency();
            let why =
                format!("must be merchant: the fee is in {currency}, and what arrives is not");
            Err(refused("fee_bearer", why))
        }
    }
}

fn share(amount: Amount, basis_points: u32) -> Result<Amount> {
    let product = i128::from(amount.minor()) * i128::from(basis_points);
    let minor = Rounding::Up.quotient(product, 10_000).map_err(too_large)?;
    let minor = i64::try_from(minor).map_err(Failure::internal)?;
    Ok(Amount::from_minor(minor, amount.currency()))
}

fn too_large(error: MoneyError) -> Failure {
    Failure::invalid(vec![error.at("source_amount")])
}

fn refused(field: &str, message: impl Into<String>) -> Failure {
    Failure::invalid(vec![FieldFault { field: field.to_owned(), message: message.into() }])
}
