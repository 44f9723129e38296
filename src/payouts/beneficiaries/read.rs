//! Bodies in: what is personal, member by member, all faults together.

use time::{Date, macros::format_description};

use super::{Address, BeneficiaryType, Business, Individual, Pii, short_text};
use crate::{
    base::contact::{is_e164, is_email},
    money::Country,
    web::json::{Fields, text},
};

/// The personal half of a body: exactly one of `individual` and `business`, as the type says.
pub(super) fn pii(
    fields: &mut Fields<'_>,
    kind: Option<BeneficiaryType>,
    today: Date,
) -> Option<Pii> {
    let person = fields.nested("individual", |fields| individual(fields, today));
    let business = fields.nested("business", |fields| business(fields, today));
    let (person, business) = (person?, business?);
    let (wanted, other) = match kind? {
        BeneficiaryType::Individual => ("individual", "business"),
        BeneficiaryType::Business => ("business", "individual"),
    };
    match (kind?, person, business) {
        (BeneficiaryType::Individual, Some(person), None) => Some(Pii::Individual(person)),
        (BeneficiaryType::Business, None, Some(business)) => Some(Pii::Business(business)),
        (_, None, None) => {
            fields.fault(wanted, &format!("is required when type is {wanted}"));
            None
        }
        _ => {
            fields.fault(other, &format!("must be left out when type is {wanted}"));
            None
        }
    }
}

fn individual(fields: &mut Fields<'_>, today: Date) -> Option<Individual> {
    let first_name = fields.required("first_name", text(short_text));
    let middle_name = fields.optional("middle_name", text(short_text));
    let last_name = fields.required("last_name", text(short_text));
    let email = fields.required("email", text(email));
    let phone = fields.required("phone", text(phone));
    let date_of_birth = fields.required("date_of_birth", text(|text| date(text, today)));
    let nationality = fields.required("nationality", text(str::parse::<Country>));
    let address = required_address(fields);
    Some(Individual {
        first_name: first_name?,
        middle_name: middle_name?,
        last_name: last_name?,
        email: email?,
        phone: phone?,
        date_of_birth: date_of_birth?,
        nationality: nationality?,
        address: address?,
    })
}

fn business(fields: &mut Fields<'_>, today: Date) -> Option<Business> {
    let legal_name = fields.required("legal_name", text(short_text));
    let trading_name = fields.optional("trading_name", text(short_text));
    let registration_number = fields.required("registration_number", text(short_text));
    let tax_id = fields.optional("tax_id", text(short_text));
    let entity_type = fields.optional("entity_type", text(short_text));
    let country = fields.optional("incorporation_country", text(str::parse::<Country>));
    let founded = fields.optional("incorporation_date", text(|text| date(text, today)));
    let email = fields.required("email", text(email));
    let phone = fields.required("phone", text(phone));
    let website = fields.optional("website", text(website));
    let address = required_address(fields);
    Some(Business {
        legal_name: legal_name?,
        trading_name: trading_name?,
        registration_number: registration_number?,
        tax_id: tax_id?,
        entity_type: entity_type?,
        incorporation_country: country?,
        incorporation_date: founded?,
        email: email?,
        phone: phone?,
        website: website?,
        address: address?,
    })
}

fn required_address(fields: &mut Fields<'_>) -> Option<Address> {
    let address = fields.nested("address", |fields| {
        let street_line_1 = fields.required("street_line_1", text(short_text));
        let street_line_2 = fields.optional("street_line_2", text(short_text));
        let city = fields.required("city", text(short_text));
        let state = fields.optional("state", text(short_text));
        let postal_code = fields.required("postal_code", text(short_text));
        let country = fields.required("country", text(str::parse::<Country>));
        Some(Address {
            street_line_1: street_line_1?,
            street_line_2: street_line_2?,
            city: city?,
            state: state?,
            postal_code: postal_code?,
            country: country?,
        })
    })?;
    if address.is_none() {
        fields.fault("address", "is required");
    }
    address
}

fn email(text: &str) -> Result<String, &'static str> {
    let wanted = "must be an e-mail address such as name@example.com";
    if is_email(text) { Ok(text.to_owned()) } else { Err(wanted) }
}

fn phone(text: &str) -> Result<String, &'static str> {
    let wanted = "must be an international phone number such as +4915112345678";
    if is_e164(text) { Ok(text.to_owned()) } else { Err(wanted) }
}

fn website(text: &str) -> Result<String, String> {
    let web = text.starts_with("https://") || text.starts_with("http://");
    if !web || text.contains(char::is_whitespace) || !text.contains('.') {
        return Err("must be a URL that starts with https:// or http://".to_owned());
    }
    short_text(text)
}

fn date(text: &str, today: Date) -> Result<String, &'static str> {
    if text.chars().count() != 10 {
        return Err("must be exactly 10 characters");
    }
    let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
    match day {
        Ok(day) if day > today => Err("must not be in the future"),
        Ok(day) if day.year() < 1_800 => Err("must be after 1800"),
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("must be a date such as 1990-01-31"),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    #[test]
    fn dates_are_ten_characters_and_days_that_have_been() {
        let read = |text| super::date(text, date!(2026 - 11 - 18));
        assert!(read("2026-11-18").is_ok() && read("2000-02-29").is_ok());
        assert_eq!(read("1990-1-31"), Err("must be exactly 10 characters"));
        for wrong in ["2026-11-19", "1990-02-30", "1990/01/31", "31-01-1990", "1799-01-01"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn websites_have_a_scheme() {
        assert!(super::website("https://shop.example/about").is_ok());
        for wrong in ["shop.example", "ftp://shop.example", "https://a b.example", "https://x"] {
            assert!(super::website(wrong).is_err(), "{wrong}");
        }
    }
}
