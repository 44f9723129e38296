//! The members of credentials and their forms; what is shown as JSON Schema checks them too.

use serde_json::{Value, json};

use crate::base::contact;

/// One member of the credentials.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Its form.
    pub form: Form,
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

use Form::{Capitals, Digits, Phone, Visible, Whole, Words};

impl Field {
    /// Its form as JSON Schema; `x-checksum` names the rule of its check digits, and `x-rules` every
    /// rule that it must pass.
    pub(super) fn schema(&self, rules: &[&str]) -> Value {
        let mut schema = match self.form {
            Words(words) => json!({ "type": "string", "enum": words }),
            Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Digits(least, most) => text("[0-9]", least, most),
            Capitals(least, most) => text("[A-Z0-9]", least, most),
            Visible(least, most) => text("[!-~]", least, most),
            Phone => json!({ "type": "string", "pattern": "^\\+[1-9][0-9]{6,14}$" }),
        };
        if let (Some(first), Some(schema)) = (rules.first(), schema.as_object_mut()) {
            schema.insert("x-checksum".to_owned(), json!(first));
            schema.insert("x-rules".to_owned(), json!(rules));
        }
        schema
    }

    /// What is wrong with the form of a value, if anything is.
    pub(super) fn refuses(&self, value: &Value) -> Option<String> {
        if let Whole(least, most) = self.form {
            let fits = value.as_i64().is_some_and(|number| (least..=most).contains(&number));
            return (!fits).then(|| format!("must be a whole number from {least} to {most}"));
        }
        let Some(text) = value.as_str() else { return Some("must be a string".to_owned()) };
        (!self.form.fits(text)).then(|| self.form.wanted())
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
            Phone => contact::is_e164(text),
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
