//! The arithmetic that check digits share.

/// The sum of the digits, weighed in turn, each product as it is; nothing when there is no digit.
pub(super) fn weighed(text: &str, weights: &[u32]) -> Option<u32> {
    let digits = text.chars().zip(weights.iter().cycle());
    digits.map(|(digit, weight)| Some(digit.to_digit(10)? * weight)).sum()
}

/// The last digit of a number.
pub(super) fn last(text: &str) -> Option<u32> {
    text.chars().next_back()?.to_digit(10)
}

/// ISO/IEC 7812-1: from the right, every second digit is doubled, and the digits of that added.
pub(super) fn luhn(text: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum = text.chars().rev().enumerate().try_fold(0, |sum, (place, digit)| {
        let digit = digit.to_digit(10)?;
        Some(sum + if place.is_multiple_of(2) { digit } else { doubled(digit) })
    });
    sum.is_some_and(|sum: u32| sum.is_multiple_of(10))
}

/// Whether all characters are one: a placeholder that many check digits let through.
pub(super) fn is_monotonous(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| characters.all(|other| other == first))
}
