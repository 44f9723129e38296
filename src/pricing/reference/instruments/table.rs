//! Every instrument method, in the published order.

use super::{
    Countries, InstrumentMethod, bank, card,
    field::{Field, Form},
    iban, proxy,
    rule::Rule,
    wallet,
};
use Countries::{All, Only};
use Form::{Capitals, Digits, Phone, Visible, Whole, Words};

const KINDS: &[&str] = &["checking", "savings"];
const BIC: Form = Capitals(8, 11);

const fn must(name: &'static str, form: Form) -> Field {
    Field { name, required: true, form }
}

const fn may(name: &'static str, form: Form) -> Field {
    Field { name, required: false, form }
}

const VALID_BIC: Rule = Rule::new(
    "bic",
    "iso9362",
    iban::bic_passes,
    "must be 8 or 11 characters: four letters of the bank, a country, the place and the branch",
);
const NOT_A_PLACEHOLDER: Rule = Rule::new(
    "account_number",
    "not_a_placeholder",
    bank::not_a_placeholder,
    "must not be one digit repeated; send the real number",
);
/// What stands for an account depends on its kind.
const fn proxy(
    field: &'static str,
    name: &'static str,
    passes: fn(&super::rule::Given<'_>) -> bool,
    kind: &'static [&'static str],
) -> Rule {
    const OTHERWISE: &str =
        "does not have the form and the check digits of its kind; compare both with their source";
    Rule::new(field, name, passes, OTHERWISE).with(kind)
}

macro_rules! methods {
    ($($word:literal $name:literal $countries:expr, $account:literal =>
        [$($field:expr),+] [$($rule:expr),*];)+) => {
        /// Every instrument method, in the published order.
        pub const METHODS: &[InstrumentMethod] = &[$(InstrumentMethod {
            word: $word,
            name: $name,
            countries: $countries,
            account: $account,
            fields: &[$($field),+],
            rules: &[$($rule),*],
        },)+];
    };
}

methods! {
    "iban" "IBAN" Countries::Iban, "iban" => [must("iban", Capitals(15, 34)), may("bic", BIC)] [
        Rule::new("iban", "iban_mod97", iban::passes, "does not have the check digits, the length and the structure of an IBAN of its country; compare it with its source"),
        VALID_BIC
    ];
    "uk_bank" "UK account" Only(&["GB"]), "account_number" => [
        must("account_number", Digits(8, 8)), must("sort_code", Digits(6, 6))
    ] [NOT_A_PLACEHOLDER];
    "us_bank" "US account" Only(&["US"]), "account_number" => [
        must("routing_number", Digits(9, 9)), must("account_number", Digits(4, 17)), must("account_type", Words(KINDS))
    ] [Rule::digits("routing_number", "aba_mod10", bank::aba)];
    "ca_bank" "Canadian account" Only(&["CA"]), "account_number" => [
        must("institution_number", Digits(3, 3)), must("transit_number", Digits(5, 5)), must("account_number", Digits(7, 12))
    ] [];
    "au_bank" "Australian account" Only(&["AU"]), "account_number" => [
        must("bsb", Digits(6, 6)), must("account_number", Digits(5, 10))
    ] [];
    "nz_bank" "New Zealand account" Only(&["NZ"]), "account_number" => [
        must("account_number", Digits(15, 16))
    ] [Rule::digits("account_number", "nz_mod11", bank::new_zealand)];
    "jp_bank" "Japanese account" Only(&["JP"]), "account_number" => [
        must("bank_code", Digits(4, 4)), must("branch_code", Digits(3, 3)), must("account_number", Digits(7, 7)),
        must("account_type", Words(KINDS))
    ] [];
    "in_bank" "Indian account" Only(&["IN"]), "account_number" => [
        must("ifsc", Capitals(11, 11)), must("account_number", Digits(9, 18))
    ] [Rule::new("ifsc", "ifsc", bank::ifsc, "must be four letters, a zero and six letters or digits")];
    "za_bank" "South African account" Only(&["ZA"]), "account_number" => [
        must("branch_code", Digits(6, 6)), must("account_number", Digits(7, 11))
    ] [];
    "ng_bank" "Nigerian account (NUBAN)" Only(&["NG"]), "account_number" => [
        must("bank_code", Digits(3, 6)), must("account_number", Digits(10, 10))
    ] [Rule::digits("account_number", "nuban_mod10", bank::nuban).with(&["bank_code"])];
    "ph_bank" "Philippine account" Only(&["PH"]), "account_number" => [
        must("bank_code", Visible(3, 11)), must("account_number", Digits(6, 17))
    ] [];
    "cl_bank" "Chilean account" Only(&["CL"]), "account_number" => [
        must("bank_code", Digits(3, 3)), must("account_number", Digits(5, 20)), must("rut", Visible(8, 10)),
        must("account_type", Words(KINDS))
    ] [Rule::digits("rut", "rut_mod11", bank::rut)];
    "co_bank" "Colombian account" Only(&["CO"]), "account_number" => [
        must("bank_code", Digits(2, 4)), must("account_number", Digits(5, 20)), must("document_number", Digits(5, 12)),
        must("account_type", Words(KINDS))
    ] [];
    "swift" "International account" All, "account_number" => [
        must("bic", BIC), must("account_number", Visible(4, 34))
    ] [VALID_BIC];
    "clabe" "CLABE" Only(&["MX"]), "clabe" => [must("clabe", Digits(18, 18))] [
        Rule::digits("clabe", "clabe_mod10", bank::clabe)
    ];
    "cbu" "CBU" Only(&["AR"]), "cbu" => [must("cbu", Digits(22, 22))] [
        Rule::digits("cbu", "cbu_mod10", bank::cbu)
    ];
    "cci" "CCI" Only(&["PE"]), "cci" => [must("cci", Digits(20, 20))] [
        Rule::digits("cci", "cci_mod10", bank::cci)
    ];
    "pix" "Pix" Only(&["BR"]), "key" => [
        must("key_type", Words(&["cpf", "cnpj", "email", "phone", "random"])), must("key", Visible(5, 77))
    ] [proxy("key", "pix_key", proxy::pix, &["key_type"])];
    "upi" "UPI" Only(&["IN"]), "vpa" => [must("vpa", Visible(3, 255))] [
        Rule::new("vpa", "upi_vpa", proxy::upi, "must be a name, @ and a provider, such as name@bank")
    ];
    "interac" "Interac e-Transfer" Only(&["CA"]), "email" => [must("email", Visible(3, 254))] [
        Rule::new("email", "email", proxy::interac, "must be an e-mail address such as name@example.com")
    ];
    "paynow" "PayNow" Only(&["SG"]), "proxy_value" => [
        must("proxy_type", Words(&["mobile", "nric", "uen"])), must("proxy_value", Visible(8, 20))
    ] [proxy("proxy_value", "paynow_proxy", proxy::paynow, &["proxy_type"])];
    "fps_hk" "FPS" Only(&["HK"]), "proxy_value" => [
        must("proxy_type", Words(&["mobile", "email", "fps_id"])), must("proxy_value", Visible(3, 254))
    ] [proxy("proxy_value", "fps_proxy", proxy::fps_hk, &["proxy_type"])];
    "promptpay" "PromptPay" Only(&["TH"]), "proxy_value" => [
        must("proxy_type", Words(&["mobile", "national_id", "ewallet"])), must("proxy_value", Digits(10, 15))
    ] [proxy("proxy_value", "promptpay_proxy", proxy::promptpay, &["proxy_type"])];
    "card" "Card" All, "pan" => [
        must("pan", Digits(12, 19)), must("expiry_month", Whole(1, 12)), must("expiry_year", Whole(2_000, 2_199))
    ] [
        Rule::digits("pan", "luhn", card::pan_passes),
        Rule::new("pan", "card_length", card::length_passes, "does not have as many digits as cards of its brand; compare it with the card"),
        Rule::new("expiry_year", "card_expiry", card::expiry_passes, "is not a date at which this card is good; ask for the card's own expiry").with(&["expiry_month"])
    ];
    "crypto" "Wallet on a chain" All, "wallet_address" => [
        must("wallet_address", Visible(3, 1_023)), must("network", Words(wallet::CHAINS)), must("token_symbol", Capitals(2, 10)),
        may("destination_tag", Digits(1, 10)), may("memo", Visible(1, 64))
    ] [
        Rule::new("wallet_address", "wallet_address", wallet::address_passes, "is not an address of this network with a right checksum; copy it again from the wallet").with(&["network"]),
        Rule::new("token_symbol", "native_token", wallet::token_passes, "is not on this network; name a token that is").with(&["network"]),
        Rule::new("destination_tag", "destination_tag", wallet::tag_passes, "must be a number below 4294967296, on the network ripple only").with(&["network"]),
        Rule::new("memo", "memo", wallet::memo_passes, "must have at most 28 characters, on the network stellar only").with(&["network"])
    ];
    "mobile_money" "Mobile money" All, "phone" => [must("phone", Phone), must("provider", Visible(2, 40))] [];
}
