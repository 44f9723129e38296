//! Domestic account numbers with check digits.
//!
//! British sort codes, Australian BSBs, and Canadian, Japanese, South African, Philippine and
//! Colombian accounts have none that are published for free use (the modulus tables of Pay.UK are
//! not): their form is all that is checked.

use super::{
    digits::{is_monotonous, last, luhn, weighed},
    rule::Given,
};

/// United States: nine digits weighed 3, 7, 1, of a Federal Reserve district that exists (the first two
/// digits: 00 the government, 01–12 banks, 21–32 thrifts, 61–72 electronic, 80 cheques).
pub(super) fn aba(given: &Given<'_>) -> bool {
    let number = given.text("routing_number");
    let district = number.get(..2).and_then(|two| two.parse::<u8>().ok());
    let exists = district.is_some_and(|two| matches!(two, 0..=12 | 21..=32 | 61..=72 | 80));
    exists && weighed(number, &[3, 7, 1]).is_some_and(|sum| sum.is_multiple_of(10))
}

/// Mexico: eighteen digits, the last of which makes the others, weighed 3, 7, 1, a multiple of ten.
pub(super) fn clabe(given: &Given<'_>) -> bool {
    // Each product counts by its last digit, which changes nothing modulo ten.
    let Some((body, check)) = given.text("clabe").split_at_checked(17) else { return false };
    weighed(body, &[3, 7, 1]).map(|sum| (10 - sum % 10) % 10) == last(check)
}

/// Argentina: both blocks, weighed 7, 1, 3, 9 and 3, 9, 7, 1 from the left; the check digit counts once.
pub(super) fn cbu(given: &Given<'_>) -> bool {
    let Some((bank, account)) = given.text("cbu").split_at_checked(8) else { return false };
    let ends = |text, weights: &[u32]| weighed(text, weights).is_some_and(|sum| sum % 10 == 0);
    ends(bank, &[7, 1, 3, 9, 7, 1, 3, 1])
        && ends(account, &[3, 9, 7, 1, 3, 9, 7, 1, 3, 9, 7, 1, 3, 1])
}

/// Peru: the last two digits are the Luhn digits of bank and branch, and of the account.
pub(super) fn cci(given: &Given<'_>) -> bool {
    let cci = given.text("cci");
    let (Some(bank), Some(account)) = (cci.get(..6), cci.get(6..18)) else { return false };
    let (Some(first), Some(second)) = (cci.get(18..19), cci.get(19..20)) else { return false };
    luhn(&format!("{bank}{first}")) && luhn(&format!("{account}{second}"))
}

/// India: four letters of the bank, a zero, six characters of the branch.
pub(super) fn ifsc(given: &Given<'_>) -> bool {
    let ifsc = given.text("ifsc");
    let bank = ifsc.get(..4).is_some_and(|four| four.bytes().all(|b| b.is_ascii_uppercase()));
    bank && ifsc.get(4..5) == Some("0")
}

/// Nigeria (NUBAN): the tenth digit checks bank code and serial number, weighed 3, 7, 3. Since 2020
/// codes have six digits: three of a bank follow 000, five of another institution follow 9.
pub(super) fn nuban(given: &Given<'_>) -> bool {
    let code = given.text("bank_code");
    let code = match code.len() {
        3 => format!("000{code}"),
        5 => format!("9{code}"),
        6 => code.to_owned(),
        _ => return false,
    };
    let Some((serial, check)) = given.text("account_number").split_at_checked(9) else {
        return false;
    };
    let sum = weighed(&format!("{code}{serial}"), &[3, 7, 3]);
    sum.map(|sum| (10 - sum % 10) % 10) == last(check)
}

/// New Zealand, by the Inland Revenue's table: bank (2), branch (4), account (7), suffix (2 or 3).
/// Banks 09, 26, 28 and 29 add the digits of each product, about which the published descriptions
/// differ, and 31 has no check; they pass, as do banks that are newer than the table.
pub(super) fn new_zealand(given: &Given<'_>) -> bool {
    let number = given.text("account_number");
    let (Some(bank), Some(account)) = (number.get(..2), number.get(6..13)) else { return false };
    let sums_to = |weights: &[u32], modulus: u32| {
        weighed(number.get(..13).unwrap_or_default(), weights)
            .is_some_and(|sum| sum.is_multiple_of(modulus))
    };
    match bank {
        "08" => sums_to(&[0, 0, 0, 0, 0, 0, 7, 6, 5, 4, 3, 2, 1], 11),
        "25" | "33" => sums_to(&[0, 0, 0, 0, 0, 0, 1, 7, 3, 1, 7, 3, 1], 10),
        "01" | "02" | "03" | "04" | "06" | "10" | "11" | "12" | "13" | "14" | "15" | "16"
        | "17" | "18" | "19" | "20" | "21" | "22" | "23" | "24" | "27" | "30" | "35" | "38" => {
            if account < "0990000" {
                sums_to(&[0, 0, 6, 3, 7, 9, 0, 10, 5, 8, 4, 2, 1], 11)
            } else {
                sums_to(&[0, 0, 0, 0, 0, 0, 0, 10, 5, 8, 4, 2, 1], 11)
            }
        }
        _ => true,
    }
}

/// Chile: the check character of a RUT, modulo eleven, after an optional hyphen.
pub(super) fn rut(given: &Given<'_>) -> bool {
    let rut = given.text("rut");
    let Some((body, check)) = rut.len().checked_sub(1).and_then(|end| rut.split_at_checked(end))
    else {
        return false;
    };
    let body = body.strip_suffix('-').unwrap_or(body);
    if !(7..=8).contains(&body.len()) || !body.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let reversed: String = body.chars().rev().collect();
    let wanted = weighed(&reversed, &[2, 3, 4, 5, 6, 7]).map(|sum| (11 - sum % 11) % 11);
    wanted == if check == "K" { Some(10) } else { last(check) }
}

/// An account number of one repeated digit is a placeholder, whatever its check digits say.
pub(super) fn not_a_placeholder(given: &Given<'_>) -> bool {
    !is_monotonous(given.text("account_number"))
}
