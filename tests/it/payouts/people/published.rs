//! Published examples of every kind of number: those that are right, and those that are known to be wrong.

use counterfoil::{base::timestamp::Timestamp, pricing::reference::InstrumentMethod};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_000_000);

pub(super) fn accepted(method: &str, credentials: &Value) -> bool {
    InstrumentMethod::find(method).unwrap().check(credentials, NOW).is_ok()
}

/// One of each method.
pub(super) fn samples() -> Vec<(&'static str, Value)> {
    let account = "12345678";
    vec![
        ("iban", json!({ "iban": "DE89370400440532013000", "bic": "COBADEFFXXX" })),
        ("uk_bank", json!({ "account_number": "31926819", "sort_code": "601613" })),
        (
            "us_bank",
            json!({ "routing_number": "021000021", "account_number": account, "account_type": "checking" }),
        ),
        (
            "ca_bank",
            json!({ "institution_number": "003", "transit_number": "12345", "account_number": account }),
        ),
        ("au_bank", json!({ "bsb": "062000", "account_number": account })),
        ("nz_bank", json!({ "account_number": "010242010019400" })),
        (
            "jp_bank",
            json!({ "bank_code": "0001", "branch_code": "123", "account_number": "1234567", "account_type": "savings" }),
        ),
        ("in_bank", json!({ "ifsc": "HDFC0000001", "account_number": "123456789" })),
        ("za_bank", json!({ "branch_code": "632005", "account_number": "1234567890" })),
        ("ng_bank", json!({ "bank_code": "011", "account_number": "0000014579" })),
        ("ph_bank", json!({ "bank_code": "BOPIPHMM", "account_number": account })),
        (
            "cl_bank",
            json!({ "bank_code": "012", "account_number": account, "rut": "12531909-2", "account_type": "checking" }),
        ),
        (
            "co_bank",
            json!({ "bank_code": "1007", "account_number": account, "document_number": "1020304050", "account_type": "savings" }),
        ),
        ("swift", json!({ "bic": "NEDSZAJJXXX", "account_number": "1234567890" })),
        ("clabe", json!({ "clabe": "032180000118359719" })),
        ("cbu", json!({ "cbu": "2850590940090418135201" })),
        ("cci", json!({ "cci": "01136600010003254221" })),
        ("pix", json!({ "key_type": "cpf", "key": "39053344705" })),
        ("upi", json!({ "vpa": "ada.lovelace@okbank" })),
        ("interac", json!({ "email": "ada@example.com" })),
        ("paynow", json!({ "proxy_type": "uen", "proxy_value": "00192200M" })),
        ("fps_hk", json!({ "proxy_type": "fps_id", "proxy_value": "1234567" })),
        ("promptpay", json!({ "proxy_type": "mobile", "proxy_value": "0812345678" })),
        ("card", json!({ "pan": "4242424242424242", "expiry_month": 12, "expiry_year": 2030 })),
        (
            "crypto",
            json!({
                "wallet_address": "rDTXLQ7ZKZVKz33zJbHjgVShjsBnqMBhmN", "network": "ripple",
                "token_symbol": "XRP", "destination_tag": "12345",
            }),
        ),
        ("mobile_money", json!({ "phone": "+254712345678", "provider": "mpesa" })),
    ]
}

#[test]
fn there_is_a_sample_of_each_method_and_all_pass() {
    let samples = samples();
    assert_eq!(samples.len(), 26);
    for (method, credentials) in samples {
        let found = InstrumentMethod::find(method).unwrap().check(&credentials, NOW);
        assert!(found.is_ok(), "{method}: {found:?}");
    }
}

/// Wraps a value as the credentials of its family.
pub(super) fn credentials(family: &str, value: &str) -> (&'static str, Value) {
    let chain = |network: &str| {
        let token = if network == "bitcoin" || network == "lightning" { "BTC" } else { "USDC" };
        ("crypto", json!({ "wallet_address": value, "network": network, "token_symbol": token }))
    };
    let pix = |kind: &str| ("pix", json!({ "key_type": kind, "key": value }));
    let paynow = |kind: &str| ("paynow", json!({ "proxy_type": kind, "proxy_value": value }));
    match family {
        "iban" => ("iban", json!({ "iban": value })),
        "bic" => ("swift", json!({ "bic": value, "account_number": "1234567890" })),
        "aba" => (
            "us_bank",
            json!({ "routing_number": value, "account_number": "12345678", "account_type": "savings" }),
        ),
        "nz" => ("nz_bank", json!({ "account_number": value })),
        "nuban" => {
            let (bank_code, account) = value.split_once('/').unwrap();
            ("ng_bank", json!({ "bank_code": bank_code, "account_number": account }))
        }
        "clabe" => ("clabe", json!({ "clabe": value })),
        "cbu" => ("cbu", json!({ "cbu": value })),
        "cci" => ("cci", json!({ "cci": value })),
        "rut" => (
            "cl_bank",
            json!({ "bank_code": "012", "account_number": "12345678", "rut": value, "account_type": "checking" }),
        ),
        "card" => ("card", json!({ "pan": value, "expiry_month": 12, "expiry_year": 2030 })),
        "cpf" => pix("cpf"),
        "cnpj" => pix("cnpj"),
        "pix_random" => pix("random"),
        "pix_phone" => pix("phone"),
        "pix_email" => pix("email"),
        "upi" => ("upi", json!({ "vpa": value })),
        "nric" => paynow("nric"),
        "uen" => paynow("uen"),
        "paynow_mobile" => paynow("mobile"),
        "thai" => ("promptpay", json!({ "proxy_type": "national_id", "proxy_value": value })),
        "ifsc" => ("in_bank", json!({ "ifsc": value, "account_number": "123456789" })),
        network => chain(network),
    }
}

const GOOD: &[(&str, &[&str])] = &[
    (
        "iban",
        &[
            "DE89370400440532013000",
            "GB29NWBK60161331926819",
            "FR1420041010050500013M02606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "SA0380000000608010167519",
            "BR1800360305000010009795493C1",
            "LC55HEMM000100010012001200023015",
            "PK36SCBL0000001123456702",
        ],
    ),
    ("bic", &["DEUTDEFF", "NEDSZAJJXXX", "COBADEFFXXX", "DABAIE2D"]),
    ("aba", &["021000021", "011401533", "322271627"]),
    ("clabe", &["032180000118359719", "646180157000000004"]),
    ("cbu", &["2850590940090418135201"]),
    ("cci", &["01136600010003254221", "01124100019000658270"]),
    ("nuban", &["011/0000014579", "000011/0000014579"]),
    ("nz", &["010242010019400", "0102420100194000"]),
    ("rut", &["12531909-2", "125319092", "76086428-5"]),
    ("card", &["4242424242424242", "378282246310005", "5555555555554444", "6200000000000005"]),
    ("ifsc", &["SBIN0000300", "HDFC0000001"]),
    ("cpf", &["39053344705"]),
    ("cnpj", &["16727230000197", "12ABC34501DE35", "00000000000191"]),
    ("pix_random", &["123e4567-e89b-12d3-a456-426655440000"]),
    ("pix_phone", &["+5510998765432"]),
    ("pix_email", &["pix@bcb.gov.br"]),
    ("upi", &["john.doe-1@upi", "9876543210@ybl"]),
    ("nric", &["S1234567D", "F1234567N", "G1234567X", "M1234567K"]),
    ("uen", &["00192200M", "197401143C", "S16FC0121D", "T01FC6132D"]),
    ("paynow_mobile", &["+6591234567"]),
    ("thai", &["3100600445635"]),
    (
        "ethereum",
        &[
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
            "0x52908400098527886E0F7030069857D2E4169EE7",
            "0xde709f2102306220921060314715629080e2fb77",
        ],
    ),
    (
        "bitcoin",
        &[
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        ],
    ),
    ("tron", &["TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"]),
    (
        "solana",
        &["11111111111111111111111111111111", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"],
    ),
    ("stellar", &["GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"]),
    ("ripple", &["rDTXLQ7ZKZVKz33zJbHjgVShjsBnqMBhmN", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"]),
    (
        "lightning",
        &[
            "ada@wallet.example",
            "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS",
        ],
    ),
];

const WRONG: &[(&str, &[&str])] = &[
    (
        "iban",
        &[
            "DE8937040044053201300",
            "DE89370400440532013001",
            "ZZ89370400440532013000",
            "GB29NWBK6016133192681A",
            "RE1420041010050500013M02606",
            "DE89 3704 0044 0532 0130 00",
        ],
    ),
    ("bic", &["DEUTDEF", "DEUTZZFF", "D3UTDEFF", "DEUTDEFFXX"]),
    ("aba", &["021000022", "131000021", "991000021"]),
    ("cpf", &["39053344704", "11111111111"]),
    ("cnpj", &["16727230000196", "00000000000000", "12abc34501de35"]),
    ("pix_random", &["123E4567-E89B-12D3-A456-426655440000", "123e4567e89b12d3a456426655440000"]),
    ("pix_phone", &["+4915112345678", "10998765432"]),
    ("upi", &["a@upi", "ada@", "ada@1bank", "a b@upi", "ada@ok.bank"]),
    ("nric", &["S1234567E", "X1234567D"]),
    ("paynow_mobile", &["+6561234567", "+659123456", "91234567"]),
    ("ifsc", &["SBIN1000300", "SB1N0000300"]),
    ("rut", &["12531909-1", "1253190-92", "--------K"]),
    ("card", &["4242424242424241", "42424242424242424", "3782822463100050"]),
    ("nuban", &["011/0000014578", "0011/0000014579"]),
    (
        "ethereum",
        &[
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
            "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
        ],
    ),
    (
        "bitcoin",
        &[
            "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
            "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
        ],
    ),
    ("tron", &["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T"]),
    (
        "solana",
        &["EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwy", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"],
    ),
    (
        "stellar",
        &[
            "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGA",
            "SBCVMMCBEDB64TVJZFYJOJAERZC4YVVUOE6SYR2Y76CBTENGUSGWRRVO",
        ],
    ),
    ("ripple", &["rDTXLQ7ZKZVKz33zJbHjgVShjsBnqMBhmM", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]),
    (
        "lightning",
        &["ada@", "lntb1qqqqqqqqqqqqqqqqqqqqqqqqqqq", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"],
    ),
];

#[test]
fn published_examples_pass() {
    for (family, values) in GOOD {
        for value in *values {
            let (method, credentials) = credentials(family, value);
            let found = InstrumentMethod::find(method).unwrap().check(&credentials, NOW);
            assert!(found.is_ok(), "{family} {value}: {found:?}");
        }
    }
}

#[test]
fn known_slips_do_not() {
    for (family, values) in WRONG {
        for value in *values {
            let (method, credentials) = credentials(family, value);
            assert!(!accepted(method, &credentials), "{family} {value}");
        }
    }
}

/// Check digits are for this: any one digit that is another one is noticed.
#[test]
fn any_other_digit_is_noticed() {
    let checked = ["iban", "aba", "clabe", "cbu", "cci", "nuban", "card", "nric"];
    for (family, values) in GOOD.iter().filter(|(family, _)| checked.contains(family)) {
        for value in *values {
            for (place, digit) in value.char_indices().filter(|(_, digit)| digit.is_ascii_digit()) {
                let other = char::from_digit((digit.to_digit(10).unwrap() + 1) % 10, 10).unwrap();
                let mut wrong = (*value).to_owned();
                wrong.replace_range(place..=place, &other.to_string());
                let (method, credentials) = credentials(family, &wrong);
                assert!(!accepted(method, &credentials), "{family} {wrong}");
            }
        }
    }
}
