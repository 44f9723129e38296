//! Lists as files, written page by page while they are read.
//!
//! # How a list becomes a file
//!
//! One route beside that of the list, with the same parameters, that answers with
//!
//! ```text
//! csv::sheet("payouts", &["id", "status"], cells, async move |page| payout::list(&ctx, merchant, &filter, &page).await).await
//! ```
//!
//! where `cells` gives the cells of one row in the order of the heads; on the page, [`download`] makes the link.
//! However long the list is, one page of it is in memory, and no connection to the database is held
//! between two pages. Whoever goes away stops it.

use std::fmt;

use futures_util::{
    future::BoxFuture,
    stream::{self, BoxStream, StreamExt, try_unfold},
};
use maud::{Markup, html};

use super::{http::Reply, list};
use crate::{
    base::{
        failure::Result,
        pagination::{Page, PageRequest},
    },
    web::query::Query,
};

/// How many rows one query reads: few enough to be quick, many enough that a million are done soon.
const STRIDE: u16 = 500;
const MEDIA: &str = "text/csv; charset=utf-8; header=present";

/// A file on its way.
pub(in crate::portal) struct File {
    /// What browsers call it when they keep it.
    pub(in crate::portal) name: String,
    /// Of which kind it is.
    pub(in crate::portal) media: &'static str,
    /// Its text, in pieces.
    pub(in crate::portal) text: BoxStream<'static, Result<String>>,
}

impl File {
    /// One that is there already.
    pub(in crate::portal) fn whole(name: String, media: &'static str, text: String) -> Self {
        Self { name, media, text: stream::once(async move { Ok(text) }).boxed() }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({})", self.name)
    }
}

/// What reads a page of the list.
type Read<T> = Box<dyn Fn(PageRequest) -> BoxFuture<'static, Result<Page<T>>> + Send + Sync>;

/// A list as a file. The first page is read before anything is answered, so that what refuses it is
/// shown as a page; what breaks later breaks the download off, and no half of a list looks whole.
pub(in crate::portal) async fn sheet<T, F>(
    name: &str,
    heads: &[&str],
    cells: fn(&T) -> Vec<String>,
    read: impl Fn(PageRequest) -> F + Send + Sync + 'static,
) -> Result<Reply>
where
    T: Send + Sync + 'static,
    F: Future<Output = Result<Page<T>>> + Send + 'static,
{
    let read: Read<T> = Box::new(move |page| Box::pin(read(page)));
    let first = read(PageRequest { limit: STRIDE, after: None }).await?;
    let mut text = line(heads.iter().copied());
    let next = append(&mut text, &first, cells);
    let rest = try_unfold((next, read), move |(next, read)| async move {
        let Some(request) = next else { return Ok(None) };
        let page = read(request).await.inspect_err(|failure| {
            tracing::warn!(cause = failure.cause_chain(), "A download broke off.");
        })?;
        let mut text = String::new();
        let next = append(&mut text, &page, cells);
        Ok(Some((text, (next, read))))
    });
    let begun = stream::once(async move { Ok(text) });
    let (name, text) = (format!("{name}.csv"), begun.chain(rest).boxed());
    Ok(Reply::File(File { name, media: MEDIA, text }))
}

/// A short list, which is read at once.
pub(in crate::portal) fn whole<T>(
    name: &str,
    heads: &[&str],
    cells: fn(&T) -> Vec<String>,
    rows: &[T],
) -> Reply {
    let mut text = line(heads.iter().copied());
    for row in rows {
        text.push_str(&line(cells(row).iter().map(String::as_str)));
    }
    Reply::File(File::whole(format!("{name}.csv"), MEDIA, text))
}

fn append<T>(
    text: &mut String,
    page: &Page<T>,
    cells: fn(&T) -> Vec<String>,
) -> Option<PageRequest> {
    for row in &page.data {
        text.push_str(&line(cells(row).iter().map(String::as_str)));
    }
    page.onward(STRIDE)
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.map(cell).collect();
    cells.join(",") + "\r\n"
}

/// One cell by RFC 4180. Whatever could be more than a word is quoted: a program that splits at
/// semicolons or tabs shall find the same cells.
fn cell(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.:/".contains(c);
    let text = if is_formula(text) { format!("'{text}") } else { text.to_owned() };
    if text.chars().all(plain) { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// What a spreadsheet would run instead of showing it. Stops formula injection: a beneficiary called
/// `=HYPERLINK(…)` must not send the rest of the sheet away when a colleague opens it.
fn is_formula(text: &str) -> bool {
    const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    text.starts_with(BEGINNINGS)
}

/// The link beside a list that downloads all of it, narrowed as it is shown. `assets/page.js` tells how
/// far it is; without it, it is a download like any other.
pub(in crate::portal) fn download(path: &str, query: &Query) -> Markup {
    html! {
        span.download {
            a.button href=(list::address(path, query, None)) data-download { "Download CSV" }
            span.sub role="status" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_by_the_standard() {
        assert_eq!(line(["a", "b c", "", "d\"e"].into_iter()), "a,\"b c\",,\"d\"\"e\"\r\n");
        assert_eq!(cell("one\r\ntwo"), "\"one\r\ntwo\"");
        assert_eq!(cell("a;=1+1"), "\"a;=1+1\"");
        assert_eq!(cell("2026-01-31T10:00:00.000Z"), "2026-01-31T10:00:00.000Z");
        assert_eq!(cell("Zürich"), "Zürich");
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"] {
            let shown = cell(bad);
            assert!(shown.trim_start_matches('"').starts_with('\''), "{bad:?} is {shown}");
        }
        assert_eq!(cell("=cmd|'/c calc'!A1"), "\"'=cmd|'/c calc'!A1\"");
        assert_eq!(cell("a=1"), "\"a=1\"");
    }
}
