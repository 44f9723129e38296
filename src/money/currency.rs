//! Currencies: ISO 4217 from a kept crate, and the three coins that the payouts API names.

use std::{cmp::Ordering, fmt, str::FromStr};

use iso_currency::IntoEnumIterator;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Country, MoneyError};

/// A currency in which amounts can be counted. One byte: pass it around freely.
///
/// ISO codes without a minor unit (gold, test codes, baskets) and money that is no more (the
/// kuna, the lev) are not among them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(Inner);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Inner {
    Iso(iso_currency::Currency),
    Btc,
    Usdc,
    Usdt,
}

/// What a currency is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CurrencyKind {
    /// Issued by a state.
    Fiat,
    /// Issued by nobody.
    Crypto,
    /// A token that promises a state's money.
    Stablecoin,
}

impl Currency {
    /// The euro, in which the reference rates are quoted.
    pub const EUR: Self = Self(Inner::Iso(iso_currency::Currency::EUR));
    /// The US dollar.
    pub const USD: Self = Self(Inner::Iso(iso_currency::Currency::USD));
    /// Bitcoin.
    pub const BTC: Self = Self(Inner::Btc);
    /// USD Coin.
    pub const USDC: Self = Self(Inner::Usdc);
    /// Tether.
    pub const USDT: Self = Self(Inner::Usdt);

    /// Every currency, ordered by code.
    pub fn all() -> Vec<Self> {
        let iso = iso_currency::Currency::iter()
            .filter(|iso| iso.exponent().is_some() && is_current(*iso));
        let mut all: Vec<Self> = iso.map(|iso| Self(Inner::Iso(iso))).collect();
        all.extend([Self::BTC, Self::USDC, Self::USDT]);
        all.sort_unstable();
        all
    }

    /// The code, as on the wire and in the database.
    pub fn code(self) -> &'static str {
        match self.0 {
            Inner::Iso(iso) => iso.code(),
            Inner::Btc => "BTC",
            Inner::Usdc => "USDC",
            Inner::Usdt => "USDT",
        }
    }

    /// How many decimal places its minor unit has.
    pub fn scale(self) -> u32 {
        match self.0 {
            // `parse` and `all` let nothing in that has no exponent.
            Inner::Iso(iso) => iso.exponent().map_or(0, u32::from),
            Inner::Btc => 8,
            Inner::Usdc | Inner::Usdt => 6,
        }
    }

    /// The English name, for lists.
    pub fn name(&self) -> &str {
        match &self.0 {
            Inner::Iso(iso) => iso.name(),
            Inner::Btc => "Bitcoin",
            Inner::Usdc => "USD Coin",
            Inner::Usdt => "Tether USD",
        }
    }

    /// The three digits of ISO 4217; coins have none.
    pub fn numeric(self) -> Option<u16> {
        match self.0 {
            Inner::Iso(iso) => Some(iso.numeric()),
            Inner::Btc | Inner::Usdc | Inner::Usdt => None,
        }
    }

    /// The countries it is used in. Funds and units of account are nobody's money.
    pub fn used_in(self) -> Vec<Country> {
        let Inner::Iso(iso) = self.0 else { return Vec::new() };
        if iso.is_fund() {
            return Vec::new();
        }
        let listed =
            iso.used_by().into_iter().filter_map(|country| country.to_string().parse().ok());
        // The crate's table has an empty cell in the row of the Namibian dollar.
        let missing = (iso == iso_currency::Currency::NAD).then(|| "NA".parse().ok()).flatten();
        listed.chain(missing).collect()
    }

    /// What it is made of.
    pub fn kind(self) -> CurrencyKind {
        match self.0 {
            Inner::Iso(_) => CurrencyKind::Fiat,
            Inner::Btc => CurrencyKind::Crypto,
            Inner::Usdc | Inner::Usdt => CurrencyKind::Stablecoin,
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        if !(3..=5).contains(&code.len()) || !code.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(MoneyError::CurrencyPattern);
        }
        match code {
            "BTC" => Ok(Self::BTC),
            "USDC" => Ok(Self::USDC),
            "USDT" => Ok(Self::USDT),
            _ => {
                let iso =
                    iso_currency::Currency::from_code(code).ok_or(MoneyError::UnknownCurrency)?;
                iso.exponent().ok_or(MoneyError::NoMinorUnit)?;
                if is_current(iso) {
                    Ok(Self(Inner::Iso(iso)))
                } else {
                    Err(MoneyError::UnknownCurrency)
                }
            }
        }
    }
}

/// Whether ISO still lists it. The crate calls the bolívar VES superseded; ISO lists it beside VED.
fn is_current(iso: iso_currency::Currency) -> bool {
    iso.is_superseded().is_none() || iso == iso_currency::Currency::VES
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        code.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back_and_scales_are_those_the_api_names() {
        for currency in Currency::all() {
            assert_eq!(currency.code().parse(), Ok(currency));
            assert!(currency.scale() <= 8, "{currency}");
        }
        for (code, scale) in
            [("USD", 2), ("JPY", 0), ("BHD", 3), ("BTC", 8), ("USDC", 6), ("USDT", 6)]
        {
            assert_eq!(code.parse::<Currency>().unwrap().scale(), scale, "{code}");
        }
    }

    #[test]
    fn each_refusal_says_which_one_it_is() {
        for wrong in ["", "US", "usd", "USDCOIN", "U5D", "ÜSD", "USD "] {
            assert_eq!(wrong.parse::<Currency>(), Err(MoneyError::CurrencyPattern), "{wrong:?}");
        }
        assert_eq!("ABC".parse::<Currency>(), Err(MoneyError::UnknownCurrency));
        assert_eq!("HRK".parse::<Currency>(), Err(MoneyError::UnknownCurrency), "is no more");
        assert_eq!("XAU".parse::<Currency>(), Err(MoneyError::NoMinorUnit));
    }

    /// The second source: the list that ISO's maintenance agency publishes, as packed by others.
    #[test]
    fn exponents_agree_with_the_published_list() {
        let mut listed = vec![Currency::BTC, Currency::USDC, Currency::USDT];
        for line in include_str!("iso4217.tsv").lines().filter(|line| !line.starts_with('#')) {
            let (code, scale) = line.split_once('\t').unwrap();
            let currency: Currency = code.parse().unwrap();
            assert_eq!(currency.scale().to_string(), scale, "{code}");
            listed.push(currency);
        }
        listed.sort_unstable();
        assert_eq!(Currency::all(), listed);
    }

    #[test]
    fn it_is_written_as_its_code() {
        assert_eq!(serde_json::to_string(&Currency::USDC).unwrap(), "\"USDC\"");
        assert_eq!(serde_json::from_str::<Currency>("\"EUR\"").unwrap(), Currency::EUR);
        assert!(serde_json::from_str::<Currency>("\"eur\"").is_err());
    }
}
