//! What a list of payouts is narrowed to, as people fill it in.

use std::time::Duration;

use time::{Date, macros::format_description};

use crate::{
    base::{
        failure::{Failure, Result},
        timestamp::Timestamp,
    },
    payouts::{
        PayoutId,
        payout::{Filter, PayoutStatus},
    },
    web::query::Query,
};

/// What narrows the list, and the file of it.
pub(in crate::portal) const NARROW: &[&str] =
    &["status", "method", "currency", "from", "until", "reference", "beneficiary"];
/// The parameters of the list.
pub(super) const KNOWN: &[&str] =
    &["status", "method", "currency", "from", "until", "reference", "beneficiary", "cursor"];

/// Reads them all; whatever cannot be read is told together.
pub(in crate::portal) fn read(query: &Query) -> Result<Filter> {
    let mut faults = Vec::new();
    let status = |word: &str| PayoutStatus::parse(word).ok_or("must be a state of payouts");
    let filter = Filter {
        status: kept(query.filter("status", status), &mut faults),
        method: kept(query.filter("method", str::parse), &mut faults),
        currency: kept(query.filter("currency", currency), &mut faults),
        from: kept(query.filter("from", day), &mut faults),
        until: kept(query.filter("until", day), &mut faults).map(|day| day.plus(A_DAY)),
        reference: query.get("reference").map(|text| text.trim().to_owned()),
        beneficiary: kept(query.filter("beneficiary", trimmed), &mut faults),
        quote: None,
    };
    let fields = faults.iter().flat_map(Failure::fields).cloned().collect::<Vec<_>>();
    if fields.is_empty() { Ok(filter) } else { Err(Failure::invalid(fields)) }
}

const A_DAY: Duration = Duration::from_hours(24);

fn kept<T>(read: Result<Option<T>>, faults: &mut Vec<Failure>) -> Option<T> {
    read.unwrap_or_else(|failure| {
        faults.push(failure);
        None
    })
}

/// Whoever pastes an id brings blanks with it.
fn trimmed<T: std::str::FromStr>(text: &str) -> Result<T, T::Err> {
    text.trim().parse()
}

fn currency<T: std::str::FromStr>(text: &str) -> Result<T, T::Err> {
    text.trim().to_uppercase().parse()
}

/// The beginning of a day, in UTC as all times here.
fn day(text: &str) -> Result<Timestamp, &'static str> {
    let day = Date::parse(text.trim(), format_description!("[year]-[month]-[day]"));
    let day = day.map_err(|_| "must be a day such as 2026-01-31")?;
    Ok(Timestamp::from_unix_seconds(day.midnight().assume_utc().unix_timestamp()))
}

/// A payout that is named where a reference could stand: somebody has pasted its id.
pub(super) fn named(query: &Query) -> Option<PayoutId> {
    query.get("reference").and_then(|text| text.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::read(&format!("/x?{text}").parse().unwrap(), KNOWN).unwrap()
    }

    #[test]
    fn a_day_is_whole() {
        let filter = read(&query("from=2026-03-01&until=2026-03-01&currency=+eur")).unwrap();
        let (from, until) = (filter.from.unwrap(), filter.until.unwrap());
        assert_eq!(from.to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(until.since(from), A_DAY);
        assert_eq!(filter.currency.unwrap().code(), "EUR");
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let told = read(&query("from=1.3.2026&until=soon&status=lost&method=mail&beneficiary=Ada"));
        let told = told.unwrap_err();
        let fields: Vec<_> = told.fields().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["status", "method", "from", "until", "beneficiary"]);
    }
}
