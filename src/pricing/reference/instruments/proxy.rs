//! Names that stand for an account: Pix, UPI, `PayNow`, FPS, `PromptPay`, Interac.

use super::{
    digits::{is_monotonous, last, weighed},
    rule::Given,
};
use crate::base::contact::{is_e164, is_email};

/// Brazil: what a Pix key must be depends on its kind.
pub(super) fn pix(given: &Given<'_>) -> bool {
    let key = given.text("key");
    match given.text("key_type") {
        "cpf" => cpf(key),
        "cnpj" => cnpj(key),
        "email" => key.len() <= 77 && is_email(key),
        "phone" => is_e164(key) && key.starts_with("+55"),
        "random" => is_uuid(key),
        _ => false,
    }
}

/// A person's tax number: nine digits and two that check them, modulo eleven.
fn cpf(key: &str) -> bool {
    let digits = key.len() == 11 && key.bytes().all(|b| b.is_ascii_digit());
    digits && !is_monotonous(key) && brazilian(key, 11)
}

/// A business's tax number: twelve characters (since 2026 letters too, each worth its code less that of
/// `0`) and two digits that check them.
fn cnpj(key: &str) -> bool {
    let Some((body, checks)) = key.split_at_checked(12) else { return false };
    let known = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
    let formed =
        body.bytes().all(known) && checks.len() == 2 && checks.bytes().all(|b| b.is_ascii_digit());
    formed && body != "000000000000" && brazilian(key, 9)
}

/// Both check digits: the weights grow from 2 at the right, and begin anew after `most`.
fn brazilian(key: &str, most: u32) -> bool {
    let check = |body: &str| {
        let weights = (2..=most).cycle();
        let values = body.bytes().rev().map(|b| u32::from(b.saturating_sub(b'0')));
        let sum: u32 = values.zip(weights).map(|(value, weight)| value * weight).sum();
        match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }
    };
    let end = key.len().saturating_sub(2);
    let (Some(body), Some(longer)) = (key.get(..end), key.get(..end + 1)) else { return false };
    last(longer) == Some(check(body)) && last(key) == Some(check(longer))
}

/// The form of RFC 9562, in lower case.
fn is_uuid(text: &str) -> bool {
    let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let mut parts = text.split('-');
    [8, 4, 4, 4, 12].into_iter().all(|length| {
        parts.next().is_some_and(|part| part.len() == length && part.bytes().all(hexadecimal))
    }) && parts.next().is_none()
}

/// India: a name, `@`, a provider.
pub(super) fn upi(given: &Given<'_>) -> bool {
    let Some((name, provider)) = given.text("vpa").split_once('@') else { return false };
    let named = (2..=256).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    named
        && (2..=64).contains(&provider.len())
        && provider.starts_with(|first: char| first.is_ascii_alphabetic())
        && provider.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Canada.
pub(super) fn interac(given: &Given<'_>) -> bool {
    is_email(given.text("email"))
}

/// Singapore: a mobile number, a person's number, a business's number.
pub(super) fn paynow(given: &Given<'_>) -> bool {
    let value = given.text("proxy_value");
    match given.text("proxy_type") {
        "mobile" => value
            .strip_prefix("+65")
            .is_some_and(|rest| rest.len() == 8 && is_e164(value) && rest.starts_with(['8', '9'])),
        "nric" => nric(value),
        "uen" => uen(value),
        _ => false,
    }
}

/// Seven digits, weighed 2, 7, 6, 5, 4, 3, 2, between two letters.
fn nric(value: &str) -> bool {
    let (Some(kind), Some(body), Some(check)) = (value.get(..1), value.get(1..8), value.get(8..))
    else {
        return false;
    };
    let (letters, offset) = match kind {
        "S" => ("JZIHGFEDCBA", 0),
        "T" => ("JZIHGFEDCBA", 4),
        "F" => ("XWUTRQPNMLK", 0),
        "G" => ("XWUTRQPNMLK", 4),
        "M" => ("XWUTRQPNJLK", 3),
        _ => return false,
    };
    weighed(body, &[2, 7, 6, 5, 4, 3, 2]).is_some_and(|sum| at(letters, sum + offset) == check)
}

/// The three kinds of business numbers, each with its letters.
fn uen(value: &str) -> bool {
    let Some((body, check)) =
        value.len().checked_sub(1).and_then(|end| value.split_at_checked(end))
    else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let sum = |weights: &[u32]| weighed(body, weights).unwrap_or_default();
    match body.len() {
        8 if digits(body) => check == at("XMKECAWLJDB", sum(&[10, 4, 9, 3, 8, 2, 7, 1])),
        9 if digits(body) => check == at("ZKCMDNERGWH", sum(&[10, 8, 6, 4, 9, 7, 5, 3, 1])),
        9 => other_entity(body, check),
        _ => false,
    }
}

/// A letter for the century, two digits of the year, two letters of the kind, four digits.
fn other_entity(body: &str, check: &str) -> bool {
    const LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVWX0123456789";
    const KINDS: &[&str] = &[
        "CC", "CD", "CH", "CL", "CM", "CP", "CS", "CX", "DP", "FB", "FC", "FM", "FN", "GA", "GB",
        "GS", "HS", "LL", "LP", "MB", "MC", "MD", "MH", "MM", "MQ", "NB", "NR", "PA", "PB", "PF",
        "RF", "RP", "SM", "SS", "TC", "TU", "VH", "XL",
    ];
    let digits = |part: Option<&str>| part.is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()));
    let formed = body.starts_with(['R', 'S', 'T'])
        && digits(body.get(1..3))
        && body.get(3..5).is_some_and(|kind| KINDS.contains(&kind))
        && digits(body.get(5..9));
    let values = body.chars().map(|letter| LETTERS.find(letter));
    let weighed = values.zip([4, 3, 5, 3, 10, 2, 2, 5, 7]);
    let sum = weighed.map(|(value, weight)| Some(value? * weight)).sum::<Option<usize>>();
    // 5 less, modulo eleven.
    let place = sum.and_then(|sum| u32::try_from(sum + 6).ok());
    formed && place.is_some_and(|place| at(LETTERS, place % 11) == check)
}

/// The letter at a place, counted modulo eleven.
fn at(letters: &str, place: u32) -> &str {
    let place = usize::try_from(place % 11).unwrap_or_default();
    letters.get(place..=place).unwrap_or_default()
}

/// Hong Kong.
pub(super) fn fps_hk(given: &Given<'_>) -> bool {
    let value = given.text("proxy_value");
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match given.text("proxy_type") {
        "mobile" => value.strip_prefix("+852").is_some_and(|rest| rest.len() == 8 && digits(rest)),
        "email" => is_email(value),
        "fps_id" => [7, 9].contains(&value.len()) && digits(value),
        _ => false,
    }
}

/// Thailand; the thirteenth digit of a national number checks the others, modulo eleven.
pub(super) fn promptpay(given: &Given<'_>) -> bool {
    let value = given.text("proxy_value");
    match given.text("proxy_type") {
        "mobile" => {
            value.len() == 10 && ["06", "08", "09"].iter().any(|start| value.starts_with(start))
        }
        "national_id" => {
            let Some((body, check)) = value.split_at_checked(12) else { return false };
            let sum = weighed(body, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
            value.len() == 13 && sum.map(|sum| (11 - sum % 11) % 10) == last(check)
        }
        "ewallet" => value.len() == 15,
        _ => false,
    }
}
