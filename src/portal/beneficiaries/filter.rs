//! What a list of beneficiaries is narrowed to, as people fill it in.

use crate::{
    base::failure::Result,
    payouts::beneficiaries::{Filter, STATUSES},
    web::query::Query,
};

/// What narrows the list, and the file of it.
pub(in crate::portal) const NARROW: &[&str] = &["status", "type", "country", "external_ref"];
/// The parameters of the list.
pub(super) const KNOWN: &[&str] = &["status", "type", "country", "external_ref", "cursor"];

/// Reads them.
pub(in crate::portal) fn read(query: &Query) -> Result<Filter> {
    let status = |word: &str| {
        let known = STATUSES.iter().find(|known| **known == word).copied();
        known.ok_or("must be active, archived or blocked")
    };
    Ok(Filter {
        status: query.filter("status", status)?,
        kind: query.filter("type", str::parse)?,
        country: query.filter("country", |text| text.trim().to_uppercase().parse())?,
        external_ref: query.get("external_ref").map(|text| text.trim().to_owned()),
    })
}
