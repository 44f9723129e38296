//! The rules of the house, as tables; each breach is one sentence with its place.

use super::source::{Import, Source};

/// The rooms, ground floor first. A room imports what lies below it, and never its neighbours on
/// the same line: two of them meet through events, or what they share moves down.
const LEVELS: &[&[&str]] = &[
    &["base"],
    &["money"],
    &["db"],
    &["config"],
    &["telemetry"],
    &["ctx"],
    &["vault"],
    &["jobs"],
    &["web"],
    &["ledger", "transparency"],
    &["oauth"],
    &["client"],
    &["events"],
    &["pricing"],
    &["payments", "payouts"],
    &["checkout"],
    &["stores"],
    &["portal"],
    FRAME,
    &["admin"],
    &["lib", "main"],
];

/// What puts the rooms together; the one level whose files know each other. `admin` stands on it,
/// because `serve` is one of its verbs.
const FRAME: &[&str] = &["app", "router"];

/// Rooms that know less than their level would let them, and why.
const NARROW: &[(&str, &[&str], &str)] = &[(
    "client",
    &["base", "oauth::jose", "oauth::keys"],
    "a client that shares the server's checks shares its mistakes",
)];

/// Rooms that count money, where a binary fraction has no business.
const MONEY_ROOMS: &[&str] =
    &["money", "ledger", "pricing", "payments", "payouts", "checkout", "stores"];

/// Words that are at home in some files only: the word, where it may stand, and why.
const AT_HOME: &[(&str, &[&str], &str)] = &[
    (
        "sqlx",
        &["db/", "*/store.rs", "base/ids.rs", "base/timestamp.rs"],
        "SQL lives in store.rs; elsewhere ask the store",
    ),
    ("db::row", &["db/", "*/store.rs"], "SQL lives in store.rs; elsewhere ask the store"),
    (
        "axum",
        &["web/", "*/http.rs", "router.rs", "app.rs", "oauth/access.rs", "oauth/access/"],
        "HTTP lives in http.rs; rules must work without it",
    ),
    ("std::env", &["config/", "main.rs"], "only the configuration reads the environment"),
    ("SystemTime::now", &["base/clock.rs"], "ask the clock, so that a test can wind it"),
    ("OffsetDateTime::now_utc", &["base/clock.rs"], "ask the clock, so that a test can wind it"),
];

/// Words that stand nowhere in `src/`.
const BANNED: &[(&str, &str)] = &[
    ("FIXME", "finish it, or write an issue"),
    ("XXX", "finish it, or write an issue"),
    ("HACK", "say what is surprising and why"),
    ("TODO", "finish it, or write an issue"),
];

/// The vocabulary of rooms below that models may speak: ids and words, no behaviour.
const VOCABULARY: &[&str] =
    &["ledger::HoldId", "pricing::Method", "pricing::PlanId", "pricing::QuoteId"];

const LONGEST_FILE: usize = 500;

/// Every breach in these files of `src/`.
pub(crate) fn breaches_in_source(files: &[Source]) -> Vec<String> {
    files.iter().flat_map(breaches_of_one).collect()
}

/// Every breach in these files of `tests/`: the rules that keep a test from lying.
pub(crate) fn breaches_in_tests(files: &[Source]) -> Vec<String> {
    const BANNED: &[(&str, &str)] = &[
        ("sleep", "wait for the thing itself: a sleep is either too short or too long"),
        ("ignore", "a test that never runs is not a test"),
    ];
    let mut breaches = Vec::new();
    for file in files {
        too_long(file, &mut breaches);
        for token in file.tokens() {
            for (word, why) in BANNED.iter().filter(|(word, _)| token.text == *word) {
                breaches.push(format!("tests/{}:{}: `{word}`: {why}", file.path, token.line));
            }
        }
    }
    breaches
}

fn breaches_of_one(file: &Source) -> Vec<String> {
    let mut breaches = Vec::new();
    let imports = file.imports();
    too_long(file, &mut breaches);
    if level(file.room()).is_none() {
        let room = file.room();
        breaches.push(at(file, 1, &format!("room `{room}` has no level: give it one in LEVELS")));
    }
    for import in imports.iter().filter(|import| import.root == "crate") {
        breaches.extend(wrong_way(file, import).map(|why| at(file, import.line, &why)));
    }
    strangers(file, &imports, &mut breaches);
    words(file, &mut breaches);
    breaches
}

fn too_long(file: &Source, breaches: &mut Vec<String>) {
    let lines = file.text.lines().count();
    if lines > LONGEST_FILE {
        breaches.push(at(file, lines, &format!("{lines} lines; {LONGEST_FILE} are the most")));
    }
}

/// Why this import inside the house may not be, if so.
fn wrong_way(file: &Source, import: &Import) -> Option<String> {
    let (own, other) = (file.room(), import.rest.first()?.as_str());
    let path = import.rest.join("::");
    let crosses = own != other;
    let known = level(other).is_some();
    if crosses && known {
        let framed = FRAME.contains(&own) && FRAME.contains(&other);
        if level(other) >= level(own) && !framed {
            return Some(format!("`{path}`: `{own}` may only import what lies below it"));
        }
        for (_, allowed, why) in NARROW.iter().filter(|(room, _, _)| *room == own) {
            let may = |known: &&str| path == **known || path.starts_with(&format!("{known}::"));
            if !allowed.iter().any(may) {
                return Some(format!("`{path}`: {why}"));
            }
        }
        if mentions(import, "store") {
            return Some(format!("`{path}`: another room's store is its own; ask its face"));
        }
    }
    match file.file() {
        "model.rs"
            if crosses
                && known
                && !["base", "money"].contains(&other)
                && !VOCABULARY.contains(&path.as_str()) =>
        {
            Some(format!("`{path}`: a model knows base, money and its own room"))
        }
        "model.rs" if ["store", "service", "http"].iter().any(|part| mentions(import, part)) => {
            Some(format!("`{path}`: a model does not know who saves, uses or shows it"))
        }
        "store.rs" if ["service", "http"].iter().any(|part| mentions(import, part)) => {
            Some(format!("`{path}`: a store does not know who uses or shows it"))
        }
        "service.rs" if mentions(import, "http") => {
            Some(format!("`{path}`: a service does not know who shows it"))
        }
        _ => None,
    }
}

/// Whether a module of this name lies on the way, the last part included.
fn mentions(import: &Import, module: &str) -> bool {
    import.rest.iter().skip(1).any(|part| part == module)
}

/// Words and paths outside the files where they are at home.
fn strangers(file: &Source, imports: &[Import], breaches: &mut Vec<String>) {
    for (word, homes, why) in AT_HOME {
        if homes.iter().any(|home| is_home(file, home)) {
            continue;
        }
        let lines: Vec<usize> = if let Some((root, rest)) = word.split_once("::") {
            let same = |import: &&Import| {
                let mut parts = std::iter::once(&import.root).chain(&import.rest);
                parts.any(|part| part == root) && import.rest.iter().any(|part| part == rest)
            };
            imports.iter().filter(same).map(|import| import.line).collect()
        } else {
            let tokens = file.tokens().into_iter();
            tokens.filter(|token| token.text == *word).map(|token| token.line).collect()
        };
        breaches.extend(lines.first().map(|line| at(file, *line, &format!("`{word}`: {why}"))));
    }
}

/// A home is a folder (`db/`), one file (`base/ids.rs`), or a file of this name in any room
/// (`*/store.rs`).
fn is_home(file: &Source, home: &str) -> bool {
    match home.strip_prefix("*/") {
        Some(name) => file.file() == name,
        None if home.ends_with('/') => file.path.starts_with(home),
        None => file.path == home,
    }
}

fn words(file: &Source, breaches: &mut Vec<String>) {
    for (number, line) in file.text.lines().enumerate() {
        for (word, why) in BANNED {
            let whole = |part: &str| part == *word;
            if line.split(|c: char| !c.is_alphanumeric() && c != '_').any(whole) {
                breaches.push(at(file, number + 1, &format!("`{word}`: {why}")));
            }
        }
    }
    for token in file.tokens() {
        let word = token.text.as_str();
        if MONEY_ROOMS.contains(&file.room()) && ["f32", "f64"].contains(&word) {
            breaches.push(at(
                file,
                token.line,
                &format!("`{word}`: money is counted, not measured"),
            ));
        }
        if file.file() == "model.rs" && ["async", "await"].contains(&word) {
            breaches.push(at(file, token.line, "`async`: a model decides, it never waits"));
        }
    }
}

fn level(room: &str) -> Option<usize> {
    LEVELS.iter().position(|rooms| rooms.contains(&room))
}

fn at(file: &Source, line: usize, what: &str) -> String {
    format!("src/{}:{line}: {what}", file.path)
}
