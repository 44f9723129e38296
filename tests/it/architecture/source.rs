//! Just enough of Rust's grammar to see what a file imports: words and paths, without comments
//! and texts.

/// One source file of the house.
pub(crate) struct Source {
    /// From `src/`, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A path as written, `crate` and `super` resolved: `["base", "clock", "Clock"]`, with the line it
/// starts on. `root` is `crate` for the house itself, or the outside crate's name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) root: String,
    pub(crate) rest: Vec<String>,
    pub(crate) line: usize,
}

/// A word or a sign, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The first part of the path: the room, or the file at the roof.
    pub(crate) fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// The file's own name.
    pub(crate) fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The module that the file is: `payouts/batches/store.rs` is `payouts::batches::store`.
    fn module(&self) -> Vec<String> {
        let path = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let roof = matches!(path, "lib" | "main");
        if roof { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
    }

    /// Words and signs, without comments and without what stands between quotes.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        Lexer { rest: &self.text, line: 1, tokens: Vec::new() }.run()
    }

    /// Every path with two parts or more, in `use` lines and elsewhere.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let tokens = self.tokens();
        let mut module = self.module();
        let mut inner: Vec<usize> = Vec::new();
        let mut depth = 0;
        let mut found = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let text = |offset: usize| tokens.get(at + offset).map_or("", |token| &token.text);
            match text(0) {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    if inner.last() == Some(&depth) {
                        inner.pop();
                        module.pop();
                    }
                }
                "mod" if text(2) == "{" => {
                    module.push(text(1).to_owned());
                    inner.push(depth);
                }
                word if is_word(word) && text(1) == "::" => {
                    let line = tokens[at].line;
                    let mut paths = Vec::new();
                    at = read_path(&tokens, at, &[], &mut paths);
                    found.extend(paths.into_iter().map(|path| resolve(path, &module, line)));
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        found
    }
}

/// Reads `a::b::{c, d::e}` from `at`; gives the position after it.
fn read_path(
    tokens: &[Token],
    mut at: usize,
    before: &[String],
    paths: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = before.to_vec();
    loop {
        let text = tokens.get(at).map_or("", |token| &token.text);
        if text == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|token| token.text != "}") {
                let after = read_path(tokens, at, &path, paths);
                at = after.max(at + 1);
            }
            return at + 1;
        }
        if !is_word(text) && text != "*" {
            // A generic argument, `::<`, or the comma of a list: the path ends here.
            break;
        }
        path.push(text.to_owned());
        at += 1;
        if tokens.get(at).is_none_or(|token| token.text != "::") {
            break;
        }
        at += 1;
    }
    if path.len() > before.len() {
        paths.push(path);
    }
    at
}

fn resolve(path: Vec<String>, module: &[String], line: usize) -> Import {
    let mut parts = path.into_iter().peekable();
    let first = parts.next().unwrap_or_default();
    let mut rest = match first.as_str() {
        "crate" | "counterfoil" => Vec::new(),
        "self" | "Self" => module.to_vec(),
        "super" => {
            let mut outer = module.to_vec();
            outer.pop();
            while parts.next_if(|part| part == "super").is_some() {
                outer.pop();
            }
            outer
        }
        _ => return Import { root: first, rest: parts.collect(), line },
    };
    rest.extend(parts);
    Import { root: "crate".to_owned(), rest, line }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn run(mut self) -> Vec<Token> {
        while let Some(next) = self.rest.chars().next() {
            let length = match next {
                '/' if self.rest.starts_with("//") => {
                    self.rest.find('\n').unwrap_or(self.rest.len())
                }
                '/' if self.rest.starts_with("/*") => block_comment(self.rest),
                '"' => quoted(self.rest, '"'),
                '\'' => character_or_lifetime(self.rest),
                'r' | 'b' | 'c' if raw_text(self.rest).is_some() => {
                    raw_text(self.rest).unwrap_or(1)
                }
                c if c.is_alphanumeric() || c == '_' => {
                    let end = |c: char| !c.is_alphanumeric() && c != '_';
                    let length = self.rest.find(end).unwrap_or(self.rest.len());
                    self.push(length);
                    length
                }
                c if c.is_whitespace() => c.len_utf8(),
                _ => {
                    let length = if self.rest.starts_with("::") { 2 } else { next.len_utf8() };
                    self.push(length);
                    length
                }
            };
            let (passed, rest) = self.rest.split_at(length);
            self.line += passed.matches('\n').count();
            self.rest = rest;
        }
        self.tokens
    }

    fn push(&mut self, length: usize) {
        self.tokens.push(Token { text: self.rest[..length].to_owned(), line: self.line });
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of a text from its opening to its closing quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `'a'` and `'\n'` are characters, `'a` is a lifetime.
fn character_or_lifetime(text: &str) -> usize {
    let mut chars = text.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(text, '\''),
        _ => 1,
    }
}

/// The length of `r"…"`, `r#"…"#`, `b"…"`, `br"…"`; none when a plain word begins here.
fn raw_text(text: &str) -> Option<usize> {
    let prefix = text.find(|c| !matches!(c, 'r' | 'b' | 'c'))?;
    let after = &text[prefix..];
    if prefix > 2 {
        return None;
    }
    if !text[..prefix].contains('r') {
        return after.starts_with('"').then(|| prefix + quoted(after, '"'));
    }
    let hashes = after.find(|c| c != '#')?;
    if !after[hashes..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = &after[hashes + 1..];
    Some(prefix + hashes + 1 + body.find(&end)? + end.len())
}
