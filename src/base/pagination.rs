//! Keyset pages: a limit, an opaque cursor, and one row more than asked to know whether to go on.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{
    failure::{Code, Failure},
    ids,
};

/// What a caller gets without asking for a size.
pub const DEFAULT_LIMIT: u16 = 20;
/// The most a caller may ask for.
pub const MAX_LIMIT: u16 = 100;

/// The query parameters of a list, as they came.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PageQuery {
    /// How many rows, as text, so that a bad number is our error and not the parser's.
    pub limit: Option<String>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A list request after its parameters were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// 1 to 100.
    pub limit: u16,
    /// The id after which the page starts.
    pub after: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    id: String,
}

impl PageQuery {
    /// Checks both parameters; `prefix` is what a cursor of this list must name.
    pub fn check(&self, prefix: &'static str) -> Result<PageRequest, Failure> {
        self.check_by(|id| ids::parse(id, prefix).is_ok())
    }

    /// The same for a list whose cursors name something else than an id.
    pub fn check_by(&self, is_place: impl Fn(&str) -> bool) -> Result<PageRequest, Failure> {
        let limit = match self.limit.as_deref() {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| bad("limit", "must be a whole number from 1 to 100"))?,
        };
        let after = match self.cursor.as_deref() {
            None => None,
            Some(text) => Some(
                open(text)
                    // Cursors are not signed: what a caller wrote into one must be an id before
                    // it meets a statement.
                    .filter(|id| is_place(id))
                    .ok_or_else(|| bad("cursor", "must be the next_cursor of an earlier page"))?,
            ),
        };
        Ok(PageRequest { limit, after })
    }
}

impl PageRequest {
    /// How many rows to fetch: one more than shown, whose presence is `has_more`.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page of a list, in the published envelope.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// The only end signal: the last page may be full.
    pub has_more: bool,
    /// Present only when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts the extra row off and makes the cursor from the last row shown.
    pub fn cut(mut rows: Vec<T>, request: &PageRequest, id: impl Fn(&T) -> String) -> Self {
        let limit = usize::from(request.limit);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| seal(id(row)));
        Self { data: rows, has_more, next_cursor }
    }

    /// The page of a search that looked no further than a place: one that was not filled goes on from there.
    pub fn searched(
        rows: Vec<T>,
        request: &PageRequest,
        floor: Option<impl ToString>,
        id: impl Fn(&T) -> String,
    ) -> Self {
        let found = Self::cut(rows, request, id);
        match floor {
            Some(floor) if !found.has_more => {
                Self { has_more: true, next_cursor: Some(cursor_of(&floor)), ..found }
            }
            _ => found,
        }
    }

    /// Whether there is anything to download: a search that has found nothing yet may find something.
    pub fn may_have_rows(&self) -> bool {
        !self.data.is_empty() || self.has_more
    }

    /// A page of a search that may end before its rows do: the next one goes on from a place.
    pub fn up_to(data: Vec<T>, place: Option<String>) -> Self {
        Self { data, has_more: place.is_some(), next_cursor: place.map(seal) }
    }

    /// What to ask for next, if there is more.
    pub fn onward(&self, limit: u16) -> Option<PageRequest> {
        let after = self.next_cursor.as_deref().and_then(open)?;
        Some(PageRequest { limit, after: Some(after) })
    }

    /// The same page in another shape, typically from model to wire.
    pub fn map<U>(self, shape: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(shape).collect(),
            has_more: self.has_more,
            next_cursor: self.next_cursor,
        }
    }
}

/// The cursor behind a place, for a list that ends a page where no row was shown.
pub fn cursor_of(id: &impl ToString) -> String {
    seal(id.to_string())
}

fn seal(id: String) -> String {
    let json = serde_json::to_vec(&Cursor { id }).unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

fn open(cursor: &str) -> Option<String> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    serde_json::from_slice::<Cursor>(&json).ok().map(|cursor| cursor.id)
}

fn bad(parameter: &str, message: &str) -> Failure {
    Failure::new(Code::InvalidParameter).field(parameter, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(limit: Option<&str>, cursor: Option<&str>) -> Result<PageRequest, Failure> {
        let owned = |text: &str| text.to_owned();
        PageQuery { limit: limit.map(owned), cursor: cursor.map(owned) }.check("pay_")
    }

    #[test]
    fn limits_are_one_to_a_hundred() {
        assert_eq!(query(None, None).unwrap().limit, 20);
        assert_eq!(query(Some("100"), None).unwrap().limit, 100);
        for wrong in ["0", "101", "-1", "1.0", "", "ten"] {
            assert_eq!(query(Some(wrong), None).unwrap_err().code(), Code::InvalidParameter);
        }
    }

    fn page_after(cursor: &str) -> Page<()> {
        Page { data: Vec::new(), has_more: true, next_cursor: Some(cursor.to_owned()) }
    }

    #[test]
    fn a_cursor_leads_to_the_next_page_of_its_own_list_only() {
        let request = PageRequest { limit: 2, after: None };
        let id = |end| format!("pay_01HX8Z9K0M2N3P4Q5R6S7T8VA{end}");
        let rows = vec![id(1), id(2), id(3)];
        let page = Page::cut(rows, &request, String::clone);
        assert!(page.has_more);
        assert_eq!(page.data.len(), 2);
        let cursor = page.next_cursor.unwrap();
        assert_eq!(query(None, Some(&cursor)).unwrap().after, Some(id(2)));
        let next = PageRequest { limit: 9, after: Some(id(2)) };
        assert_eq!(page_after(&cursor).onward(9), Some(next));
        assert!(PageQuery { limit: None, cursor: Some(cursor) }.check("ben_").is_err());
        assert!(query(None, Some("!")).is_err());
    }

    #[test]
    fn a_cursor_names_an_id_and_nothing_else() {
        let ulid = "01HX8Z9K0M2N3P4Q5R6S7T8VA1";
        assert!(query(None, Some(&seal(format!("pay_{ulid}")))).is_ok());
        for wrong in ["", "pay_", "pay_\0", "pay_1", "pay_01HX8Z9K0M2N3P4Q5R6S7T8VA\0", "' OR 1=1"]
        {
            let refused = query(None, Some(&seal(wrong.to_owned()))).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidParameter, "{wrong:?}");
        }
        for long in [format!("pay_{ulid}0"), format!("pay_{}", ulid.to_lowercase())] {
            assert!(query(None, Some(&seal(long))).is_err());
        }
    }

    #[test]
    fn a_search_that_ends_early_goes_on_from_where_it_looked() {
        let request = PageRequest { limit: 2, after: None };
        let onward = |page: Page<i32>| page.onward(2).and_then(|request| request.after);
        let search = |rows, floor: Option<i32>| {
            onward(Page::searched(rows, &request, floor, ToString::to_string))
        };
        assert_eq!(search(vec![9], Some(5)), Some("5".to_owned()));
        assert_eq!(
            search(vec![9, 8, 7], Some(5)),
            Some("8".to_owned()),
            "a full page ends at its last row"
        );
        assert_eq!(search(vec![9], None), None);
    }

    #[test]
    fn a_full_last_page_has_no_cursor() {
        let request = PageRequest { limit: 2, after: None };
        let page = Page::cut(vec![1, 2], &request, ToString::to_string);
        assert!(!page.has_more && page.next_cursor.is_none());
    }
}
