//! One moment, counted in microseconds.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Serialize, Serializer};
use sqlx::{encode::IsNull, error::BoxDynError};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Microseconds since the Unix epoch, UTC.
///
/// Both engines store it as a 64-bit integer: `SQLite` would otherwise keep RFC 3339 text whose
/// trimmed fractions sort wrongly, and `PostgreSQL` would round what the clock said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const MICROS: i64 = 1_000_000;
/// Room for the longest text of RFC 3339.
const LONGEST: usize = 40;

impl Timestamp {
    /// Reads a stored or computed count of microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Reads a wire value in whole seconds; the far future is clamped rather than wrapped.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS))
    }

    /// The stored form.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The form that JWTs and Unix-second dialects carry, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// Milliseconds, the resolution of the time inside a ULID; before the epoch counts as zero.
    pub fn unix_millis(self) -> u64 {
        u64::try_from(self.0.div_euclid(1_000)).unwrap_or(0)
    }

    /// A later moment. Saturates, because a time-out of "for ever" must not wrap into the past.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// An earlier moment, saturating likewise.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The calendar view, for rules that speak of days and months.
    pub fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(moment: OffsetDateTime) -> Self {
        let micros = moment.unix_timestamp_nanos().div_euclid(1_000);
        Self(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

impl From<SystemTime> for Timestamp {
    /// Without a detour over the calendar: every request asks for the time several times.
    fn from(moment: SystemTime) -> Self {
        match moment.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(0).plus(since),
            Err(before) => Self(0).minus(before.duration()),
        }
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, with as much fraction as there is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; LONGEST];
        let mut rest = buffer.as_mut_slice();
        let written = self.date_time().format_into(&mut rest, &Rfc3339).is_ok();
        // What is left tells the length; the count that `format_into` returns leaves a fraction out.
        let length = LONGEST - rest.len();
        match buffer.get(..length).map(str::from_utf8) {
            Some(Ok(text)) if written => f.write_str(text),
            _ => write!(f, "{}us", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = time::error::Parse;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &Rfc3339).map(Self::from)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<DB: sqlx::Database> sqlx::Type<DB> for Timestamp
where
    i64: sqlx::Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <i64 as sqlx::Type<DB>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        <i64 as sqlx::Type<DB>>::compatible(ty)
    }
}

impl<'q, DB: sqlx::Database> sqlx::Encode<'q, DB> for Timestamp
where
    i64: sqlx::Encode<'q, DB>,
{
    fn encode_by_ref(&self, buf: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.0.encode_by_ref(buf)
    }
}

impl<'r, DB: sqlx::Database> sqlx::Decode<'r, DB> for Timestamp
where
    i64: sqlx::Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        i64::decode(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_keeps_microseconds_and_round_trips() {
        let moment = Timestamp::from_micros(1_795_232_172_123_456);
        assert_eq!(moment.to_string(), "2026-11-21T03:36:12.123456Z");
        assert_eq!(moment.to_string().parse::<Timestamp>().unwrap(), moment);
        assert_eq!(Timestamp::from_unix_seconds(0).to_string(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn seconds_round_down_on_both_sides_of_the_epoch() {
        assert_eq!(Timestamp::from_micros(1_999_999).unix_seconds(), 1);
        assert_eq!(Timestamp::from_micros(-1).unix_seconds(), -1);
    }

    #[test]
    fn the_machine_and_the_calendar_tell_one_time() {
        let moment = UNIX_EPOCH + Duration::from_nanos(1_795_232_172_123_456_789);
        assert_eq!(Timestamp::from(moment), Timestamp::from(OffsetDateTime::from(moment)));
        assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(1)).unix_seconds(), -1);
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::from_micros(i64::MAX).plus(Duration::MAX).micros(), i64::MAX);
        let earlier = Timestamp::from_micros(5);
        assert_eq!(earlier.since(Timestamp::from_micros(9)), Duration::ZERO);
    }
}
