//! Cards: ISO/IEC 7812.

use time::Date;

use super::{digits::luhn, rule::Given};

/// Cards are issued for fewer years than that; a later date is a slip.
const MOST_YEARS: i64 = 20;

/// The Luhn digit.
pub(super) fn pan_passes(given: &Given<'_>) -> bool {
    luhn(given.text("pan"))
}

/// Whether the number is as long as those of its brand.
pub(super) fn length_passes(given: &Given<'_>) -> bool {
    let pan = given.text("pan");
    match brand(pan) {
        Some("visa") => [13, 16, 19].contains(&pan.len()),
        Some("mastercard") => pan.len() == 16,
        Some("amex") => pan.len() == 15,
        Some("discover" | "jcb" | "unionpay") => (16..=19).contains(&pan.len()),
        Some("diners") => (14..=19).contains(&pan.len()),
        _ => true,
    }
}

/// A card is good until its month has ended, and none is good for decades.
pub(super) fn expiry_passes(given: &Given<'_>) -> bool {
    let today: Date = given.now.date_time().date();
    let this_month = (i64::from(today.year()), i64::from(u8::from(today.month())));
    let (year, month) = (given.whole("expiry_year"), given.whole("expiry_month"));
    (year, month) >= this_month && year <= this_month.0 + MOST_YEARS
}

/// The brand, by the ranges that the networks publish.
pub(super) fn brand(pan: &str) -> Option<&'static str> {
    let first = |digits: usize| pan.get(..digits).and_then(|text| text.parse::<u32>().ok());
    let (one, two, three, four) = (first(1)?, first(2)?, first(3)?, first(4)?);
    Some(match (one, two, three, four) {
        (4, ..) => "visa",
        (_, 51..=55, ..) | (.., 2_221..=2_720) => "mastercard",
        (_, 34 | 37, ..) => "amex",
        (.., 6_011) | (_, _, 644..=649, _) | (_, 65, ..) => "discover",
        (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => "diners",
        (.., 3_528..=3_589) => "jcb",
        (_, 62 | 81, ..) => "unionpay",
        (_, 50 | 56..=58, ..) | (6, ..) => "maestro",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brands_are_known_by_their_first_digits() {
        for (pan, wanted) in [
            ("4242424242424242", Some("visa")),
            ("5555555555554444", Some("mastercard")),
            ("2223003122003222", Some("mastercard")),
            ("378282246310005", Some("amex")),
            ("6011111111111117", Some("discover")),
            ("3056930009020004", Some("diners")),
            ("3566002020360505", Some("jcb")),
            ("6200000000000005", Some("unionpay")),
            ("6759649826438453", Some("maestro")),
            ("9999999999999995", None),
        ] {
            assert_eq!(brand(pan), wanted, "{pan}");
        }
    }
}
