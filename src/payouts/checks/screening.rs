//! Comparing names with lists of those who may not be paid.
//!
//! Names are written in Latin letters, in lower case, and their words in alphabetical order, so that
//! neither an alphabet, nor an accent, nor "Lovelace, Ada" hides anybody. Two are as alike as the number
//! of slips (a letter more, less, other, or swapped with its neighbour) leaves of a hundred.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use deunicode::deunicode;
use strsim::damerau_levenshtein;

use super::store;
use crate::{
    base::{
        failure::{Failure, Result},
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Owner},
};

/// The longest name of a list.
const LONGEST_LIST: usize = 40;
/// Shorter names are met by too many.
const SHORTEST_NAME: usize = 3;

/// One name on a list, as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Which list.
    pub list: String,
    /// The list's own number for whom it is; somebody may have several names.
    pub entry: String,
    /// The name, folded.
    pub folded: String,
}

/// A name that is on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which list.
    pub list: String,
    /// Its number for whom it is.
    pub entry: String,
    /// How alike the names are, of a hundred.
    pub score: usize,
}

/// The lists, in memory, kept up with the database.
#[derive(Clone)]
pub struct Screening {
    from: usize,
    seen: Arc<RwLock<Arc<Seen>>>,
}

#[derive(Default)]
struct Seen {
    version: i64,
    names: Vec<Listed>,
}

impl fmt::Debug for Screening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Screening(from {} of 100)", self.from)
    }
}

impl Screening {
    /// From this likeness on two names are taken for one, of a hundred.
    pub fn new(from: usize) -> Self {
        Self { from, seen: Arc::default() }
    }

    /// The most alike name on any list, if one is alike enough.
    pub async fn check(&self, ctx: &Ctx, name: &str) -> Result<Option<Hit>> {
        let seen = self.up_to_date(ctx).await?;
        let folded = fold(name);
        let score = |listed: &Listed| likeness(&folded, &listed.folded, self.from);
        let best = seen.names.iter().filter_map(|listed| Some((score(listed)?, listed)));
        let best = best.max_by_key(|(score, _)| *score);
        Ok(best.map(|(score, listed)| Hit {
            list: listed.list.clone(),
            entry: listed.entry.clone(),
            score,
        }))
    }

    /// A payout must not go out by yesterday's list: the version is asked every time, the names are
    /// read when it has changed.
    async fn up_to_date(&self, ctx: &Ctx) -> Result<Arc<Seen>> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner).clone();
        let version = db::read!(ctx.db, |tx| Ok(store::version(tx).await?))?;
        if seen.version == version {
            return Ok(seen);
        }
        let fresh = Arc::new(read_all(ctx).await?);
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        Ok(fresh)
    }
}

async fn read_all(ctx: &Ctx) -> Result<Seen> {
    db::read!(ctx.db, |tx| {
        tx.snapshot().await?;
        let (version, mut names) = (store::version(tx).await?, Vec::<Listed>::new());
        loop {
            let after = names.last().cloned().unwrap_or_default();
            let page = store::page(tx, &after).await?;
            if page.is_empty() {
                return Ok(Seen { version, names });
            }
            names.extend(page);
        }
    })
}

/// Puts a list in the place of its last version, whole or not at all. Gives the number of names.
pub async fn import(ctx: &Ctx, names: &[Listed], list: &str, now: Timestamp) -> Result<usize> {
    db::write!(ctx.db, Owner::House, |tx| Ok(store::replace(tx, list, names, now).await?))?;
    tracing::info!(list, names = names.len(), "A screening list was imported.");
    Ok(names.len())
}

/// A list as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct List {
    /// Its name.
    pub name: String,
    /// How many names are on it.
    pub names: i64,
    /// How often it was imported.
    pub version: i64,
    /// When it was imported last.
    pub imported_at: Timestamp,
}

/// Every list.
pub async fn lists(ctx: &Ctx) -> Result<Vec<List>> {
    db::read!(ctx.db, |tx| Ok(store::lists(tx).await?))
}

/// Reads a list: one entry a line, `NUMBER;NAME;OTHER NAME;…`. Lines that are empty or begin with `#`
/// say nothing.
pub fn read_list(list: &str, text: &str) -> Result<Vec<Listed>> {
    let mut refused = Failure::invalid(Vec::new());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if list.is_empty() || list.len() > LONGEST_LIST || !list.chars().all(plain) {
        refused = refused.field("list", "must have 1 to 40 letters, digits, `-`, `_` or `.`");
    }
    let mut names = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (entry, rest) = line.split_once(';').unwrap_or((line, ""));
        let folded: Vec<_> =
            rest.split(';').map(fold).filter(|name| name.len() >= SHORTEST_NAME).collect();
        if entry.trim().is_empty() || folded.is_empty() {
            let field = format!("line {}", number + 1);
            refused =
                refused.field(field, "must be NUMBER;NAME, with more names behind further `;`");
        }
        let (list, entry) = (list.to_owned(), entry.trim().to_owned());
        let listed = |folded| Listed { list: list.clone(), entry: entry.clone(), folded };
        names.extend(folded.into_iter().map(listed));
    }
    if refused.fields().is_empty() { Ok(names) } else { Err(refused) }
}

/// A name as it is compared.
fn fold(name: &str) -> String {
    let latin = deunicode(name).to_ascii_lowercase();
    let mut words: Vec<_> =
        latin.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
}

/// How alike two folded names are, of a hundred; nothing when it is less than asked.
fn likeness(one: &str, other: &str, from: usize) -> Option<usize> {
    let longest = one.len().max(other.len());
    let slips = longest * 100_usize.saturating_sub(from) / 100;
    // Most names differ by more than that in length or in letters, which is quick to see.
    if longest == 0 || one.len().abs_diff(other.len()) > slips || letters_apart(one, other) > slips
    {
        return None;
    }
    let score = 100 - damerau_levenshtein(one, other) * 100 / longest;
    Some(score).filter(|score| *score >= from)
}

/// Each slip changes at most one letter of the one and one of the other.
fn letters_apart(one: &str, other: &str) -> usize {
    let mut counts = [0_isize; 128];
    for (name, by) in [(one, 1), (other, -1)] {
        for byte in name.bytes() {
            if let Some(count) = counts.get_mut(usize::from(byte)) {
                *count += by;
            }
        }
    }
    counts.iter().map(|count| count.unsigned_abs()).sum::<usize>().div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_alphabet_nor_accent_nor_order_hides_anybody() {
        for (one, other) in [
            ("Lovelace, Ada", "Ada  LOVELACE"),
            ("Müller Straße", "Muller Strasse"),
            ("Иван Петров", "Ivan Petrov"),
            ("José-María", "Jose Maria"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
    }

    #[test]
    fn slips_cost_what_they_should_and_short_cuts_change_nothing() {
        let names = ["ivan petrov", "ivan petrovv", "ivna petrov", "ada lovelace", "iv", ""];
        for one in names {
            for other in names {
                let longest = one.len().max(other.len()).max(1);
                let exact = 100 - damerau_levenshtein(one, other) * 100 / longest;
                let wanted =
                    Some(exact).filter(|s| *s >= 88 && !(one.is_empty() && other.is_empty()));
                assert_eq!(likeness(one, other, 88), wanted, "{one} / {other}");
            }
        }
        assert_eq!(likeness("ivan petrov", "ivna petrov", 88), Some(91));
    }

    #[test]
    fn a_list_is_read_whole_or_refused_line_by_line() {
        let text = "# sanctions\n\n7;Ivan Petrov;Иван Петров\n8;Ada Lovelace\n";
        let names = read_list("test", text).unwrap();
        assert_eq!(names.len(), 3);
        assert_eq!((names[1].entry.as_str(), names[1].folded.as_str()), ("7", "ivan petrov"));
        let refused = read_list("no spaces", "Ivan Petrov\n9;\n;x y z\n").unwrap_err();
        let fields: Vec<_> = refused.fields().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["list", "line 1", "line 2", "line 3"]);
    }
}
