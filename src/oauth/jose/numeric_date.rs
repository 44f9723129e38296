//! Times as JWTs write them: seconds, possibly with a fraction (RFC 7519 §2).

use crate::base::timestamp::Timestamp;

use super::json::Json;

/// More letters than any honest time has; bounds the arithmetic below.
const LONGEST: usize = 32;

/// Reads a time exactly, cut to microseconds. `None` for anything that is not a number, negative,
/// or beyond what we can store: a time that has to be guessed is no time.
pub fn read(value: &Json<'_>) -> Option<Timestamp> {
    let Json::Number(text) = value else { return None };
    if text.len() > LONGEST || text.starts_with('-') {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (*text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(fraction.bytes()).try_fold(0_u128, |sum, digit| {
        sum.checked_mul(10)?.checked_add(u128::from(digit.checked_sub(b'0')?))
    })?;
    let shift = exponent.checked_add(6)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let micros = match 10_u128.checked_pow(shift.unsigned_abs()) {
        Some(power) if shift >= 0 => digits.checked_mul(power)?,
        Some(power) => digits.checked_div(power)?,
        None if digits == 0 || shift < 0 => 0,
        None => return None,
    };
    i64::try_from(micros).ok().map(Timestamp::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        read(&Json::Number(text)).map(Timestamp::micros)
    }

    #[test]
    fn times_are_read_exactly() {
        for (text, expected) in [
            ("0", 0),
            ("1562262616", 1_562_262_616_000_000),
            ("1562262616.5", 1_562_262_616_500_000),
            ("1562262616.123456789", 1_562_262_616_123_456),
            ("1562262616.0000000000000000000", 1_562_262_616_000_000),
            ("1.562262616e9", 1_562_262_616_000_000),
            ("15622626160000E-4", 1_562_262_616_000_000),
            ("9007199254.740993", 9_007_199_254_740_993),
            ("1e-40", 0),
            ("0e99", 0),
        ] {
            assert_eq!(micros(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let long = "1".repeat(33);
        for bad in ["-1", "-0", "1e400", "1e30", "9223372036855", "1e99999999999", &long] {
            assert_eq!(micros(bad), None, "{bad}");
        }
        for bad in [Json::Null, Json::Bool(true), Json::Text("1562262616".into())] {
            assert_eq!(read(&bad), None);
        }
    }
}
