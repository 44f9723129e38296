//! Countries: ISO 3166-1 from a kept crate.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::MoneyError;

/// A country, by its two letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

impl Country {
    /// Every country, ordered by code.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> =
            rust_iso3166::ALL.iter().map(|country| Self(country.alpha2)).collect();
        all.sort_unstable();
        all
    }

    /// The two letters.
    pub const fn code(self) -> &'static str {
        self.0
    }

    /// The English short name, for lists.
    pub fn name(self) -> &'static str {
        rust_iso3166::from_alpha2(self.0).map_or(self.0, |country| country.name)
    }

    /// The three letters, for lists.
    pub fn alpha3(self) -> &'static str {
        rust_iso3166::from_alpha2(self.0).map_or(self.0, |country| country.alpha3)
    }
}

impl FromStr for Country {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(MoneyError::CountryPattern);
        }
        let country = rust_iso3166::from_alpha2(code).ok_or(MoneyError::UnknownCountry)?;
        Ok(Self(country.alpha2))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        code.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back_and_strangers_do_not() {
        assert!(Country::all().len() >= 249);
        for country in Country::all() {
            assert_eq!(country.code().parse(), Ok(country));
            assert!(country.name().len() > 2 && country.alpha3().len() == 3);
        }
        for wrong in ["", "D", "DEU", "de", "D1"] {
            assert_eq!(wrong.parse::<Country>(), Err(MoneyError::CountryPattern), "{wrong}");
        }
        assert_eq!("ZZ".parse::<Country>(), Err(MoneyError::UnknownCountry));
    }
}
