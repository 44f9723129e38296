//! What the lists of reference data are made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    money::{Amount, Country, Currency},
    pricing::{Method, plans::PlanBook},
};

/// A country and the money that is used there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryFacts {
    /// The country.
    pub country: Country,
    /// Current money, by code; a few territories have none of their own.
    pub currencies: Vec<Currency>,
}

/// Every country, by code.
pub fn countries() -> &'static [CountryFacts] {
    static COUNTRIES: LazyLock<Vec<CountryFacts>> = LazyLock::new(|| {
        let mut used: BTreeMap<&str, BTreeSet<Currency>> = BTreeMap::new();
        for currency in Currency::all() {
            for country in currency.used_in() {
                used.entry(country.code()).or_default().insert(currency);
            }
        }
        let facts = |country: Country| CountryFacts {
            country,
            currencies: used.get(country.code()).into_iter().flatten().copied().collect(),
        };
        Country::all().into_iter().map(facts).collect()
    });
    &COUNTRIES
}

/// A way for money to travel that has a price; what is absent is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Corridor {
    /// Paid from this currency.
    pub source_currency: Option<Currency>,
    /// Got in this one.
    pub dest_currency: Option<Currency>,
    /// Got there.
    pub dest_country: Option<Country>,
    /// Delivered so.
    pub method: Option<Method>,
    /// At least so much, in minor units of the source currency.
    min_minor: Option<i64>,
    /// At most so much, likewise.
    max_minor: Option<i64>,
}

impl Corridor {
    /// At least so much of the source currency.
    pub fn min_amount(&self) -> Option<Amount> {
        self.min_minor.zip(self.source_currency).map(|(minor, of)| Amount::from_minor(minor, of))
    }

    /// At most so much of the source currency.
    pub fn max_amount(&self) -> Option<Amount> {
        self.max_minor.zip(self.source_currency).map(|(minor, of)| Amount::from_minor(minor, of))
    }
}

/// The corridors that a merchant may use at a moment, without doubles.
pub fn corridors(book: &PlanBook, merchant: MerchantId, at: Timestamp) -> BTreeSet<Corridor> {
    book.visible_to(merchant)
        .filter_map(|plan| plan.version_at(at))
        .filter(|version| version.active)
        .map(|version| Corridor {
            source_currency: version.covers.source_currency,
            dest_currency: version.covers.dest_currency,
            dest_country: version.covers.dest_country,
            method: version.covers.method,
            min_minor: version.covers.min_amount.map(Amount::minor),
            max_minor: version.covers.max_amount.map(Amount::minor),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_where_it_is_used() {
        let codes = |wanted: &str| -> Vec<&str> {
            let facts = countries().iter().find(|facts| facts.country.code() == wanted).unwrap();
            facts.currencies.iter().map(|currency| currency.code()).collect()
        };
        assert_eq!(codes("DE"), ["EUR"]);
        assert_eq!(codes("BG"), ["EUR"], "the lev is gone");
        assert_eq!(codes("NA"), ["NAD", "ZAR"]);
        assert_eq!(codes("CH"), ["CHF"], "accounting units are nobody's money");
        assert_eq!(codes("AQ"), [""; 0]);
    }
}
