//! What every method takes and refuses, and that nothing of a value is said.

use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_000_000);

fn faults(word: &str, credentials: &Value) -> Vec<String> {
    let found = InstrumentMethod::find(word).unwrap().check(credentials, NOW);
    let told = |fault: CredentialFault| format!("{} {}", fault.field, fault.rule);
    found.err().unwrap_or_default().into_iter().map(told).collect()
}

fn shown(word: &str, credentials: &Value) -> Shown {
    InstrumentMethod::find(word).unwrap().check(credentials, NOW).unwrap().shown
}

#[test]
fn every_fault_is_told() {
    let found = faults(
        "us_bank",
        &json!({ "routing_number": "021000022", "account_number": 12_345, "sort_code": "1" }),
    );
    assert_eq!(
        found,
        [
            "credentials.sort_code unknown_field",
            "credentials.account_number form",
            "credentials.account_type required",
            "credentials.routing_number aba_mod10",
        ]
    );
    assert_eq!(faults("iban", &json!("DE89")), ["credentials form"]);
}

#[test]
fn no_fault_quotes_a_value_even_in_the_wrong_place() {
    let credentials = json!({
        "pan": "4242424242424241", "expiry_month": 13, "expiry_year": 1_999, "cvv": "737",
        "4000056655665556": "pan",
    });
    let found = InstrumentMethod::find("card").unwrap().check(&credentials, NOW).unwrap_err();
    let told = format!("{found:?}");
    for value in ["4242424242424241", "737", "4000056655665556", "1999", "13,"] {
        assert!(!told.contains(value), "{told}");
    }
    assert!(found.iter().any(|f| f.field == "credentials.cvv" && f.rule == "unknown_field"));
}

#[test]
fn the_published_methods_are_all_there_once_and_the_schema_names_the_rules() {
    let words: std::collections::BTreeSet<_> = METHODS.iter().map(|m| m.word).collect();
    assert_eq!((METHODS.len(), words.len()), (26, 26));
    let schema = InstrumentMethod::find("iban").unwrap().schema();
    assert_eq!(schema["properties"]["iban"]["x-checksum"], "iban_mod97");
    assert_eq!(schema["properties"]["iban"]["pattern"], "^[A-Z0-9]{15,34}$");
    let card = InstrumentMethod::find("card").unwrap().schema();
    assert_eq!(card["properties"]["pan"]["x-rules"], json!(["luhn", "card_length"]));
    let served = |code: &str| -> Vec<&str> {
        let country = code.parse().unwrap();
        METHODS.iter().filter(|m| m.serves(country)).map(|m| m.word).collect()
    };
    assert_eq!(served("US"), ["us_bank", "swift", "card", "crypto", "mobile_money"]);
    assert_eq!(served("DE"), ["iban", "swift", "card", "crypto", "mobile_money"]);
}

#[test]
fn each_rule_and_each_mask_looks_at_a_field_that_its_method_has() {
    for method in METHODS {
        let has = |name: &str| method.fields.iter().any(|field| field.name == name);
        assert!(has(method.account), "{method:?}");
        for rule in method.rules {
            assert!(has(rule.field) && rule.with.iter().all(|name| has(name)), "{}", rule.name);
        }
    }
}

#[test]
fn masks_are_as_documented_and_give_nothing_away() {
    let german = shown("iban", &json!({ "iban": "DE89370400440532013000" }));
    assert_eq!(german.masked.as_deref(), Some("DE89****3000"));
    assert_eq!((german.last4.as_deref(), german.bank.as_deref()), (Some("3000"), Some("37040044")));
    let british = shown("uk_bank", &json!({ "account_number": "00765432", "sort_code": "123456" }));
    assert_eq!(british.masked.as_deref(), Some("****5432"));
    let card = json!({ "pan": "4242424242424242", "expiry_month": 12, "expiry_year": 2030 });
    let card = shown("card", &card);
    assert_eq!((card.masked.as_deref(), card.network.as_deref()), (Some("****4242"), Some("visa")));
    // Half of a short name, never all of it.
    assert_eq!(shown("upi", &json!({ "vpa": "ab@cd" })).masked.as_deref(), Some("****cd"));
}

#[test]
fn a_card_is_good_until_its_month_has_ended() {
    // The clock shows 18 November 2026.
    let faults = |month: u32, year: u32| {
        let pan = "4242424242424242";
        faults("card", &json!({ "pan": pan, "expiry_month": month, "expiry_year": year }))
    };
    assert_eq!(faults(11, 2026), [""; 0]);
    assert_eq!(faults(12, 2046), [""; 0]);
    for (month, year) in [(10, 2026), (12, 2025), (1, 2047)] {
        assert_eq!(faults(month, year), ["credentials.expiry_year card_expiry"], "{month}/{year}");
    }
}

#[test]
fn the_rules_that_stand_across_fields_wait_for_both() {
    let bad_kind = json!({ "key_type": "moon", "key": "whatever" });
    assert_eq!(faults("pix", &bad_kind), ["credentials.key_type form"]);
    let tag = |network: &str, address: &str, tag: &str| {
        let credentials = json!({
            "network": network, "wallet_address": address, "token_symbol": "USDC",
            "destination_tag": tag,
        });
        faults("crypto", &credentials)
    };
    let ripple = "rDTXLQ7ZKZVKz33zJbHjgVShjsBnqMBhmN";
    assert_eq!(tag("ripple", ripple, "4294967295"), [""; 0]);
    assert_eq!(
        tag("ripple", ripple, "4294967296"),
        ["credentials.destination_tag destination_tag"]
    );
    let ethereum = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    assert_eq!(tag("ethereum", ethereum, "1"), ["credentials.destination_tag destination_tag"]);
}
