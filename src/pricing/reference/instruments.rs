//! How beneficiaries are paid: each instrument method with the form of its credentials.
//!
//! One table makes the JSON Schema that `GET /v1/payment-methods` shows, and checks the credentials
//! of a new instrument, so that the two cannot say different things.

use serde_json::{Map, Value, json};

use super::checksum::{Checksum, iban_length};
use crate::{base::failure::FieldFault, money::Country};

/// A credential format: not the rail, but what must be known to pay somebody.
#[derive(Debug)]
pub struct InstrumentMethod {
    /// The published word.
    pub word: &'static str,
    /// As shown to people.
    pub name: &'static str,
    countries: Countries,
    /// What its credentials are made of.
    pub fields: &'static [Field],
}

/// One member of the credentials.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Its form.
    pub form: Form,
    /// The rule of its check digits, if it has any.
    pub checksum: Option<Checksum>,
}

/// The form of a text, or of a number.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// So many digits.
    Digits(usize, usize),
    /// So many capital letters and digits.
    Capitals(usize, usize),
    /// So many visible characters without spaces.
    Visible(usize, usize),
    /// E.164.
    Phone,
    /// One of these.
    Words(&'static [&'static str]),
    /// A whole number.
    Whole(i64, i64),
}

#[derive(Debug)]
enum Countries {
    /// Everywhere.
    All,
    /// Where there are IBANs.
    Iban,
    /// Only there.
    Only(&'static [&'static str]),
}

/// The chains that the API names.
const CHAINS: &[&str] = &[
    "ethereum",
    "polygon",
    "arbitrum",
    "optimism",
    "base",
    "avalanche",
    "bsc",
    "tron",
    "solana",
    "bitcoin",
    "lightning",
    "stellar",
    "ripple",
];

const KINDS: &[&str] = &["checking", "savings"];

const fn must(name: &'static str, form: Form) -> Field {
    Field { name, required: true, form, checksum: None }
}

const fn may(name: &'static str, form: Form) -> Field {
    Field { name, required: false, form, checksum: None }
}

const fn checked(name: &'static str, form: Form, rule: Checksum) -> Field {
    Field { name, required: true, form, checksum: Some(rule) }
}

const BIC: Form = Form::Capitals(8, 11);

macro_rules! methods {
    ($($word:literal $name:literal $countries:expr => [$($field:expr),+];)+) => {
        /// Every instrument method, in the published order.
        pub const METHODS: &[InstrumentMethod] = &[$(InstrumentMethod {
            word: $word, name: $name, countries: $countries, fields: &[$($field),+],
        },)+];
    };
}

use Countries::{All, Only};
use Form::{Capitals, Digits, Phone, Visible, Whole, Words};

methods! {
    "iban" "IBAN" Countries::Iban => [checked("iban", Capitals(15, 34), Checksum::Iban), may("bic", BIC)];
    "uk_bank" "UK account" Only(&["GB"]) => [must("account_number", Digits(8, 8)), must("sort_code", Digits(6, 6))];
    "us_bank" "US account" Only(&["US"]) => [
        checked("routing_number", Digits(9, 9), Checksum::AbaRouting),
        must("account_number", Digits(4, 17)), must("account_type", Words(KINDS))
    ];
    "ca_bank" "Canadian account" Only(&["CA"]) => [
        must("institution_number", Digits(3, 3)), must("transit_number", Digits(5, 5)), must("account_number", Digits(7, 12))
    ];
    "au_bank" "Australian account" Only(&["AU"]) => [must("bsb", Digits(6, 6)), must("account_number", Digits(5, 10))];
    "nz_bank" "New Zealand account" Only(&["NZ"]) => [must("account_number", Digits(15, 16))];
    "jp_bank" "Japanese account" Only(&["JP"]) => [
        must("bank_code", Digits(4, 4)), must("branch_code", Digits(3, 3)), must("account_number", Digits(7, 7)),
        must("account_type", Words(KINDS))
    ];
    "in_bank" "Indian account" Only(&["IN"]) => [must("ifsc", Capitals(11, 11)), must("account_number", Digits(9, 18))];
    "za_bank" "South African account" Only(&["ZA"]) => [must("branch_code", Digits(6, 6)), must("account_number", Digits(7, 11))];
    "ng_bank" "Nigerian account (NUBAN)" Only(&["NG"]) => [must("bank_code", Digits(3, 6)), must("account_number", Digits(10, 10))];
    "ph_bank" "Philippine account" Only(&["PH"]) => [must("bank_code", Visible(3, 11)), must("account_number", Digits(6, 17))];
    "cl_bank" "Chilean account" Only(&["CL"]) => [
        must("bank_code", Digits(3, 3)), must("account_number", Digits(5, 20)), must("rut", Visible(8, 12)),
        must("account_type", Words(KINDS))
    ];
    "co_bank" "Colombian account" Only(&["CO"]) => [
        must("bank_code", Digits(2, 4)), must("account_number", Digits(5, 20)), must("document_number", Digits(5, 12)),
        must("account_type", Words(KINDS))
    ];
    "swift" "International account" All => [must("bic", BIC), must("account_number", Visible(4, 34))];
    "clabe" "CLABE" Only(&["MX"]) => [checked("clabe", Digits(18, 18), Checksum::Clabe)];
    "cbu" "CBU" Only(&["AR"]) => [checked("cbu", Digits(22, 22), Checksum::Cbu)];
    "cci" "CCI" Only(&["PE"]) => [must("cci", Digits(20, 20))];
    "pix" "Pix" Only(&["BR"]) => [
        must("key_type", Words(&["cpf", "cnpj", "email", "phone", "random"])), must("key", Visible(5, 77))
    ];
    "upi" "UPI" Only(&["IN"]) => [must("vpa", Visible(3, 255))];
    "interac" "Interac e-Transfer" Only(&["CA"]) => [must("email", Visible(3, 254))];
    "paynow" "PayNow" Only(&["SG"]) => [
        must("proxy_type", Words(&["mobile", "nric", "uen"])), must("proxy_value", Visible(8, 20))
    ];
    "fps_hk" "FPS" Only(&["HK"]) => [
        must("proxy_type", Words(&["mobile", "email", "fps_id"])), must("proxy_value", Visible(3, 254))
    ];
    "promptpay" "PromptPay" Only(&["TH"]) => [
        must("proxy_type", Words(&["mobile", "national_id", "ewallet"])), must("proxy_value", Digits(10, 15))
    ];
    "card" "Card" All => [
        checked("pan", Digits(12, 19), Checksum::Luhn), must("expiry_month", Whole(1, 12)), must("expiry_year", Whole(2_000, 2_099))
    ];
    "crypto" "Wallet on a chain" All => [
        must("wallet_address", Visible(20, 128)), must("network", Words(CHAINS)), must("token_symbol", Capitals(2, 10)),
        may("destination_tag", Digits(1, 10)), may("memo", Visible(1, 64))
    ];
    "mobile_money" "Mobile money" All => [must("phone", Phone), must("provider", Visible(2, 40))];
}

impl InstrumentMethod {
    /// The method of a word.
    pub fn find(word: &str) -> Option<&'static Self> {
        METHODS.iter().find(|method| method.word == word)
    }

    /// Whether somebody in this country can be paid by it.
    pub fn serves(&self, country: Country) -> bool {
        match self.countries {
            All => true,
            Countries::Iban => iban_length(country).is_some(),
            Only(codes) => codes.contains(&country.code()),
        }
    }

    /// The form of its credentials as JSON Schema (2020-12); `x-checksum` names the rule of a field's
    /// check digits.
    pub fn schema(&self) -> Value {
        let shown = |field: &Field| (field.name.to_owned(), field.schema());
        let properties: Map<String, Value> = self.fields.iter().map(shown).collect();
        let required = self.fields.iter().filter(|field| field.required).map(|field| field.name);
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": required.collect::<Vec<_>>(),
            "additionalProperties": false,
        })
    }

    /// Checks credentials against the same table; every fault, with its path. No fault quotes a value:
    /// these are account numbers.
    pub fn check(&self, credentials: &Value) -> Vec<FieldFault> {
        let fault = |name: &str, message: String| FieldFault {
            field: format!("credentials.{name}").trim_end_matches('.').to_owned(),
            message,
        };
        let Value::Object(members) = credentials else {
            return vec![fault("", "must be an object".to_owned())];
        };
        let known = |name: &str| self.fields.iter().any(|field| field.name == name);
        let unknown = members.keys().filter(|name| !known(name));
        let mut faults: Vec<FieldFault> = unknown
            .map(|name| {
                fault(&name.chars().take(64).collect::<String>(), "is not a known field".to_owned())
            })
            .collect();
        for field in self.fields {
            match members.get(field.name).filter(|value| !value.is_null()) {
                None if field.required => faults.push(fault(field.name, "is required".to_owned())),
                None => {}
                Some(value) => {
                    faults.extend(field.refuses(value).map(|why| fault(field.name, why)));
                }
            }
        }
        faults
    }
}

impl Field {
    fn schema(&self) -> Value {
        let mut schema = match self.form {
            Words(words) => json!({ "type": "string", "enum": words }),
            Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Digits(least, most) => text("[0-9]", least, most),
            Capitals(least, most) => text("[A-Z0-9]", least, most),
            Visible(least, most) => text("[!-~]", least, most),
            Phone => json!({ "type": "string", "pattern": "^\\+[1-9][0-9]{6,14}$" }),
        };
        if let (Some(rule), Some(schema)) = (self.checksum, schema.as_object_mut()) {
            schema.insert("x-checksum".to_owned(), json!(rule.as_str()));
        }
        schema
    }

    /// What is wrong with a value, if anything is.
    fn refuses(&self, value: &Value) -> Option<String> {
        if let Whole(least, most) = self.form {
            let fits = value.as_i64().is_some_and(|number| (least..=most).contains(&number));
            return (!fits).then(|| format!("must be a whole number from {least} to {most}"));
        }
        let Some(text) = value.as_str() else { return Some("must be a string".to_owned()) };
        if !self.form.fits(text) {
            return Some(self.form.wanted());
        }
        let rule = self.checksum.filter(|rule| !rule.passes(text))?;
        Some(format!("does not pass its check digits ({}); look for a slip", rule.as_str()))
    }
}

impl Form {
    fn fits(self, text: &str) -> bool {
        let of = |least, most, good: fn(&u8) -> bool| {
            (least..=most).contains(&text.len()) && text.as_bytes().iter().all(good)
        };
        match self {
            Digits(least, most) => of(least, most, u8::is_ascii_digit),
            Capitals(least, most) => {
                of(least, most, |b| b.is_ascii_uppercase() || b.is_ascii_digit())
            }
            Visible(least, most) => of(least, most, u8::is_ascii_graphic),
            Phone => text
                .strip_prefix('+')
                .is_some_and(|digits| !digits.starts_with('0') && Digits(7, 15).fits(digits)),
            Words(words) => words.contains(&text),
            Whole(..) => false,
        }
    }

    fn wanted(self) -> String {
        let count = |least, most, what: &str| {
            if least == most {
                format!("must be exactly {least} {what}")
            } else {
                format!("must be {least} to {most} {what}")
            }
        };
        match self {
            Digits(least, most) => count(least, most, "digits"),
            Capitals(least, most) => count(least, most, "capital letters and digits"),
            Visible(least, most) => count(least, most, "characters without spaces"),
            Phone => "must be a phone number such as +4915112345678".to_owned(),
            Words(words) => format!("must be {}", words.join(", ")),
            Whole(least, most) => format!("must be a whole number from {least} to {most}"),
        }
    }
}

fn text(class: &str, least: usize, most: usize) -> Value {
    let count = if least == most { least.to_string() } else { format!("{least},{most}") };
    json!({ "type": "string", "pattern": format!("^{class}{{{count}}}$") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(word: &str, credentials: &Value) -> Vec<String> {
        let found = InstrumentMethod::find(word).unwrap().check(credentials);
        found.into_iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect()
    }

    #[test]
    fn the_documented_shapes_pass() {
        for (word, credentials) in [
            ("iban", json!({ "iban": "DE89370400440532013000" })),
            ("uk_bank", json!({ "account_number": "12345678", "sort_code": "123456" })),
            (
                "us_bank",
                json!({ "routing_number": "021000021", "account_number": "123456789", "account_type": "checking" }),
            ),
            ("card", json!({ "pan": "4242424242424242", "expiry_month": 12, "expiry_year": 2030 })),
            ("mobile_money", json!({ "phone": "+254712345678", "provider": "mpesa" })),
        ] {
            assert_eq!(faults(word, &credentials), [""; 0], "{word}");
        }
    }

    #[test]
    fn every_fault_is_told_and_no_value_is_quoted() {
        let found = faults(
            "us_bank",
            &json!({ "routing_number": "021000022", "account_number": 12_345, "sort_code": "1" }),
        );
        assert_eq!(
            found,
            [
                "credentials.sort_code is not a known field",
                "credentials.routing_number does not pass its check digits (aba_mod10); look for a slip",
                "credentials.account_number must be a string",
                "credentials.account_type is required",
            ]
        );
        assert_eq!(faults("iban", &json!("DE89")), ["credentials must be an object"]);
    }

    #[test]
    fn the_published_methods_are_all_there_once_and_the_schema_names_the_rule() {
        let words: std::collections::BTreeSet<_> = METHODS.iter().map(|m| m.word).collect();
        assert_eq!((METHODS.len(), words.len()), (26, 26));
        let schema = InstrumentMethod::find("iban").unwrap().schema();
        assert_eq!(schema["properties"]["iban"]["x-checksum"], "iban_mod97");
        assert_eq!(schema["properties"]["iban"]["pattern"], "^[A-Z0-9]{15,34}$");
        let served = |code: &str| -> Vec<&str> {
            let country = code.parse().unwrap();
            METHODS.iter().filter(|m| m.serves(country)).map(|m| m.word).collect()
        };
        assert_eq!(served("US"), ["us_bank", "swift", "card", "crypto", "mobile_money"]);
        assert_eq!(served("DE"), ["iban", "swift", "card", "crypto", "mobile_money"]);
    }
}
