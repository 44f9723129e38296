//! E-mail addresses and phone numbers: their form. Whether somebody reads or answers, no form can tell.

/// Whether a text has the form of an e-mail address: the part of RFC 5321 that people use.
///
/// Quoted local parts, comments and address literals are refused: banks and proxies refuse them too.
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let dots = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    text.len() <= 254
        && (1..=64).contains(&local.len())
        && local.bytes().all(allowed)
        && !dots(local)
        && domain.contains('.')
        && domain.split('.').all(label)
        && !top.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text is a phone number in the form of E.164: `+`, a country code, 15 digits at most.
pub fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_have_pass_and_slips_do_not() {
        for good in ["a@b.co", "jane.doe+pay@mail.example.com", "o'neil@xn--bcher-kva.example"] {
            assert!(is_email(good), "{good}");
        }
        for wrong in [
            "",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a b@c.de",
            "a@b..co",
            ".a@b.co",
            "a.@b.co",
            "a@b.1",
            "a@-b.co",
            "a@@b.co",
            "a@b.co ",
            "\"a b\"@c.de",
            "ä@b.co",
        ] {
            assert!(!is_email(wrong), "{wrong}");
        }
        assert!(!is_email(&format!("{}@b.co", "a".repeat(65))));
    }

    #[test]
    fn phone_numbers_are_international() {
        assert!(is_e164("+4915112345678") && is_e164("+2901234"));
        for wrong in
            ["", "+", "4915112345678", "+0123456789", "+1234567890123456", "+49 151 1", "+12345"]
        {
            assert!(!is_e164(wrong), "{wrong}");
        }
    }
}
