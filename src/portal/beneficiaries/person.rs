//! What is personal, line by line.

use maud::{Markup, html};

use crate::{
    money::Country,
    payouts::beneficiaries::{Address, Business, Individual, Pii},
};

/// Who it is.
pub(super) fn shown(pii: &Pii) -> Markup {
    html! {
        dl.facts #person {
            @match pii {
                Pii::Individual(person) => (individual(person)),
                Pii::Business(business) => (self::business(business)),
            }
        }
    }
}

fn line(name: &str, text: &str) -> Markup {
    html! { dt { (name) } dd { (text) } }
}

fn perhaps(name: &str, text: Option<&str>) -> Markup {
    html! { @if let Some(text) = text { (line(name, text)) } }
}

fn individual(person: &Individual) -> Markup {
    html! {
        (line("First name", &person.first_name))
        (perhaps("Middle name", person.middle_name.as_deref()))
        (line("Last name", &person.last_name))
        (line("Born", &person.date_of_birth))
        (line("Nationality", person.nationality.code()))
        (line("E-mail", &person.email))
        (line("Phone", &person.phone))
        (address(&person.address))
    }
}

fn business(business: &Business) -> Markup {
    html! {
        (line("Legal name", &business.legal_name))
        (perhaps("Trading name", business.trading_name.as_deref()))
        (line("Registration", &business.registration_number))
        (perhaps("Tax number", business.tax_id.as_deref()))
        (perhaps("Form", business.entity_type.as_deref()))
        (perhaps("Registered in", business.incorporation_country.map(Country::code)))
        (perhaps("Since", business.incorporation_date.as_deref()))
        (line("E-mail", &business.email))
        (line("Phone", &business.phone))
        // Not a link: nobody shall follow one that somebody else has chosen.
        (perhaps("Website", business.website.as_deref()))
        (address(&business.address))
    }
}

fn address(address: &Address) -> Markup {
    html! {
        dt { "Address" }
        dd {
            (address.street_line_1) br;
            @if let Some(second) = &address.street_line_2 { (second) br; }
            (address.postal_code) " " (address.city) br;
            @if let Some(state) = &address.state { (state) ", " }
            (address.country.code())
        }
    }
}
