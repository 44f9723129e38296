//! Typed identifiers: a prefix that names the kind and a ULID that orders them by time.

use super::{clock::Clock, random::Random, timestamp::Timestamp};

/// Why a text is no id of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text does not have the published pattern.
    #[error("must start with {0} and go on with letters and digits")]
    Pattern(&'static str),
    /// The text has the pattern, but we never make such an id: nothing can be found under it.
    #[error("names nothing that was made here")]
    NeverMade,
}

/// A fresh ULID from the injected time and randomness.
pub fn ulid(clock: &Clock, random: &Random) -> u128 {
    ulid_of(clock.now(), random)
}

/// A fresh ULID for something that happened at a moment.
pub fn ulid_of(moment: Timestamp, random: &Random) -> u128 {
    let noise = u128::from_be_bytes(random.bytes());
    ulid::Ulid::from_parts(moment.unix_millis(), noise).0
}

/// The letters of the first ULID of a moment: ids that were made earlier come before it.
pub fn first_at(at: Timestamp) -> String {
    const LATEST: u64 = (1 << 48) - 1;
    encode(ulid::Ulid::from_parts(at.unix_millis().min(LATEST), 0).0)
}

/// Splits `prefix_` from a ULID; what the id types share.
pub fn parse(text: &str, prefix: &'static str) -> Result<u128, IdError> {
    let body = text.strip_prefix(prefix).ok_or(IdError::Pattern(prefix))?;
    if body.is_empty() || !body.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(IdError::Pattern(prefix));
    }
    let ulid = ulid::Ulid::from_string(body).map_err(|_| IdError::NeverMade)?;
    // Decoding forgives case and look-alike letters; one id must have one spelling, or a unique
    // key could be met twice under two names.
    if encode(ulid.0) == body { Ok(ulid.0) } else { Err(IdError::NeverMade) }
}

/// The 26 letters of a ULID.
pub fn encode(value: u128) -> String {
    letters(value, &mut [0; ulid::ULID_LEN]).to_owned()
}

/// The same, written where the caller says: ids are rendered many times in each request.
pub fn letters(value: u128, buffer: &mut [u8; ulid::ULID_LEN]) -> &str {
    ulid::Ulid(value).array_to_str(buffer)
}

/// Declares id types: `ids! { /// A merchant. MerchantId = "mer_"; }`.
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What each id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, later in order than those made before it.
            pub fn make(clock: &$crate::base::clock::Clock, random: &$crate::base::random::Random) -> Self {
                Self($crate::base::ids::ulid(clock, random))
            }

            /// A new id of something that is written down later than it happened.
            pub fn of(
                moment: $crate::base::timestamp::Timestamp,
                random: &$crate::base::random::Random,
            ) -> Self {
                Self($crate::base::ids::ulid_of(moment, random))
            }

            /// Picks one of `ways` for this id, the same one every time: lanes, shards, jitter.
            pub fn spread(self, ways: usize) -> usize {
                // The low bits are the random ones.
                let ways = u128::try_from(ways.max(1)).unwrap_or(1);
                usize::try_from(self.0 % ways).unwrap_or(0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($prefix)?;
                f.write_str($crate::base::ids::letters(self.0, &mut [0; _]))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::base::ids::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::base::ids::parse(text, $prefix).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<DB: sqlx::Database> sqlx::Type<DB> for $name where String: sqlx::Type<DB> {
            fn type_info() -> DB::TypeInfo { <String as sqlx::Type<DB>>::type_info() }
            fn compatible(ty: &DB::TypeInfo) -> bool { <String as sqlx::Type<DB>>::compatible(ty) }
        }

        impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for $name where String: sqlx::Encode<'q, DB> {
            fn encode_by_ref(
                &self,
                buf: &mut <DB as sqlx::Database>::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                sqlx::Encode::<DB>::encode(self.to_string(), buf)
            }
        }

        impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for $name where &'r str: sqlx::Decode<'r, DB> {
            fn decode(value: <DB as sqlx::Database>::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(<&str as sqlx::Decode<'r, DB>>::decode(value)?.parse()?)
            }
        }
    )+};
}

ids! {
    /// A merchant: the tenant that owns every other row, and the first column of every key.
    MerchantId = "mer_";
    /// One HTTP request, on answers and in logs.
    RequestId = "req_";
    /// A unit of background work.
    JobId = "job_";
    /// A process that serves.
    ReplicaId = "rep_";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_at(seconds: i64) -> MerchantId {
        let (clock, _) = Clock::hand_wound(Timestamp::from_unix_seconds(seconds));
        MerchantId::make(&clock, &Random::seeded(7))
    }

    #[test]
    fn an_id_reads_back_and_orders_by_time() {
        let id = made_at(1_700_000_000);
        assert_eq!(id.to_string().len(), 4 + 26);
        assert_eq!(id.to_string().parse::<MerchantId>().unwrap(), id);
        assert!(made_at(1_700_000_001).to_string() > id.to_string());
    }

    #[test]
    fn the_first_id_of_a_moment_comes_between_those_of_others() {
        let first = |seconds| format!("mer_{}", first_at(Timestamp::from_unix_seconds(seconds)));
        let made = made_at(1_700_000_000).to_string();
        assert!(first(1_700_000_000) <= made && made < first(1_700_000_001));
        assert!(first(-1) < first(1) && first(i64::MAX / 2_000_000) >= first(1 << 33));
    }

    #[test]
    fn one_id_has_one_spelling() {
        let text = made_at(1_700_000_000).to_string();
        let lower = format!("mer_{}", text[4..].to_lowercase());
        assert_eq!(lower.parse::<MerchantId>(), Err(IdError::NeverMade));
        assert_eq!("mer_short1".parse::<MerchantId>(), Err(IdError::NeverMade));
        for wrong in ["", "mer_", "pay_01HX8Z9K0M2N3P4Q5R6S7T8VAB", "mer_01HX-"] {
            assert_eq!(wrong.parse::<MerchantId>(), Err(IdError::Pattern("mer_")), "{wrong}");
        }
    }
}
