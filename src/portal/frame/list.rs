//! A page of a list: what narrows it, its rows, and the way on.

use maud::{Markup, html};

use super::words::{notice, sentence};
use crate::{
    base::{failure::Failure, pagination::DEFAULT_LIMIT},
    web::query::Query,
};

/// The head of a column.
#[derive(Clone, Copy, Debug)]
pub(in crate::portal) enum Head {
    /// Words.
    Text(&'static str),
    /// Figures, which end below each other.
    Number(&'static str),
    /// What is done with the row; heard, and not seen.
    Deed(&'static str),
}

/// Something that narrows a list. Its name is that of the parameter, and what was chosen stays chosen.
#[derive(Clone, Copy, Debug)]
pub(in crate::portal) enum Narrow<'a> {
    /// One of some words, or any.
    OneOf { name: &'a str, label: &'a str, words: &'a [&'a str] },
    /// Something typed.
    Text { name: &'a str, label: &'a str, example: &'a str },
    /// A day of the calendar, as `2026-01-31`.
    Day { name: &'a str, label: &'a str },
}

/// The table of a list, which may be wider than the screen and is then moved by itself.
pub(in crate::portal) fn table(label: &str, heads: &[Head], rows: &[Markup]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) {
            table {
                thead { tr { @for head in heads { (column(*head)) } } }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}

fn column(head: Head) -> Markup {
    html! {
        @match head {
            Head::Text(name) => th scope="col" { (name) },
            Head::Number(name) => th.number scope="col" { (name) },
            Head::Deed(name) => th scope="col" { span.unseen { (name) } },
        }
    }
}

/// What stands in place of rows: what there is not, and what to do next.
pub(in crate::portal) fn empty(nothing: &str, next: &Markup) -> Markup {
    html! { div.empty { p { strong { (nothing) } } p { (next) } } }
}

/// What stands below a page that a search has not filled: it looks at some thousand rows and no more, so that
/// nobody waits however many there are.
pub(in crate::portal) fn looked_through(
    what: &str,
    query: &Query,
    rows: usize,
    next: Option<&str>,
    hint: &str,
) -> Markup {
    let wanted = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(DEFAULT_LIMIT);
    html! {
        @if next.is_some() && rows < usize::from(wanted) {
            (empty(&format!("The last few thousand {what} were looked through."), &html! { "“Older” looks further back" (hint) "." }))
        }
    }
}

/// The form above a list. It is sent as a query, so that a narrowed list has an address to hand on.
pub(in crate::portal) fn filters(path: &str, query: &Query, fields: &[Narrow<'_>]) -> Markup {
    let narrowed = query.pairs().any(|(name, _)| name != "cursor");
    html! {
        form.narrow method="get" action=(path) role="search" {
            @for field in fields { div { (narrow(query, *field)) } }
            div.actions {
                button { "Show" }
                @if narrowed { a href=(path) { "Show all" } }
            }
        }
    }
}

fn narrow(query: &Query, field: Narrow<'_>) -> Markup {
    let id = |name: &str| format!("narrow-{name}");
    let now = |name: &str| query.get(name).unwrap_or_default().to_owned();
    html! {
        @match field {
            Narrow::OneOf { name, label, words } => {
                label for=(id(name)) { (label) }
                select id=(id(name)) name=(name) {
                    option value="" { "Any" }
                    @for word in words {
                        option value=(word) selected[now(name) == *word] { (word.replace('_', " ")) }
                    }
                }
            }
            Narrow::Text { name, label, example } => {
                label for=(id(name)) { (label) }
                input type="search" id=(id(name)) name=(name) value=(now(name)) placeholder=(example) autocomplete="off";
            }
            Narrow::Day { name, label } => {
                label for=(id(name)) { (label) }
                input type="date" id=(id(name)) name=(name) value=(now(name));
            }
        }
    }
}

/// What could not be read of the form above a list; what was typed still stands in it.
pub(in crate::portal) fn unread(failure: &Failure) -> Markup {
    html! {
        @if failure.fields().is_empty() { (notice("bad", &sentence(failure.message()))) }
        @for fault in failure.fields() {
            (notice("bad", &sentence(&format!("{} {}", fault.field.replace('_', " "), fault.message))))
        }
    }
}

/// The way to the next page and back to the first one.
pub(in crate::portal) fn onward(path: &str, query: &Query, next: Option<&str>) -> Markup {
    html! {
        @if next.is_some() || query.get("cursor").is_some() {
            nav.onward aria-label="Pages" {
                @if query.get("cursor").is_some() { a.button href=(address(path, query, None)) { "← Newest" } }
                @if next.is_some() { a.button href=(address(path, query, next)) { "Older →" } }
            }
        }
    }
}

/// The address of a list that is narrowed in the same way, from a place on.
pub(super) fn address(path: &str, query: &Query, cursor: Option<&str>) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(query.pairs().filter(|(name, _)| *name != "cursor"));
    text.extend_pairs(cursor.map(|cursor| ("cursor", cursor)));
    let text = text.finish();
    if text.is_empty() { path.to_owned() } else { format!("{path}?{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_narrowed_like_this_one() {
        let uri = "/x?status=sent&reference=a%26b&cursor=old&method=".parse().unwrap();
        let query = Query::read(&uri, &["status", "reference", "cursor", "method"]).unwrap();
        assert_eq!(address("/x", &query, Some("new")), "/x?status=sent&reference=a%26b&cursor=new");
        assert_eq!(address("/x", &query, None), "/x?status=sent&reference=a%26b");
    }
}
