//! ISO 7064 MOD 97-10: the check digits of account numbers.

/// What is left of letters and digits, read as one long number, divided by 97; nothing for other characters.
pub fn remainder(text: &str) -> Option<u32> {
    text.chars().try_fold(0, |rest, letter| {
        let value = letter.to_digit(36).filter(|_| !letter.is_ascii_lowercase())?;
        let shift = if value > 9 { 100 } else { 10 };
        Some((rest * shift + value) % 97)
    })
}

/// An international account number (ISO 13616) with its check digits.
pub fn iban(country: &str, account: &str) -> Option<String> {
    let check = 98 - remainder(&format!("{account}{country}00"))?;
    Some(format!("{country}{check:02}{account}"))
}

/// Whether the check digits of an international account number are right.
pub fn is_iban(text: &str) -> bool {
    let sized = (15..=34).contains(&text.len());
    let turned = text.split_at_checked(4).map(|(head, account)| format!("{account}{head}"));
    sized && turned.and_then(|turned| remainder(&turned)) == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_pass_and_slips_do_not() {
        for good in [
            "DE89370400440532013000",
            "GB82WEST12345698765432",
            "FR1420041010050500013M02606",
            "NO9386011117947",
        ] {
            assert!(is_iban(good), "{good}");
            assert_eq!(iban(&good[..2], &good[4..]).as_deref(), Some(good));
        }
        for slip in [
            "DE89370400440532013001",
            "DE98370400440532013000",
            "de89370400440532013000",
            "",
            "DE89",
        ] {
            assert!(!is_iban(slip), "{slip}");
        }
    }
}
