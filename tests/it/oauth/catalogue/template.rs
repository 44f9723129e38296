//! The small language of the catalogue's texts.
//!
//! `${name}` is a value of the request under construction, `${now-61}` a moment, and three functions
//! take the rest as their argument: `${b64 ${id}:${secret}}`, `${percent abc}`, `${times 257 x}`.

use std::fmt::Write as _;

use base64::{Engine, prelude::BASE64_STANDARD};

/// Fills in a text. `value` knows the names.
pub(super) fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let end = closing_brace(after).unwrap_or_else(|| panic!("no end of ${{ in {text}"));
        filled.push_str(&resolve(&fill(&after[..end], value), value));
        rest = &after[end + 1..];
    }
    filled + rest
}

/// Where the brace that was opened before `text` closes.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1;
    text.char_indices().find_map(|(at, letter)| {
        open += i32::from(letter == '{') - i32::from(letter == '}');
        (open == 0).then_some(at)
    })
}

fn resolve(name: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    if let Some(found) = value(name) {
        return found;
    }
    let (function, argument) =
        name.split_once(' ').unwrap_or_else(|| panic!("the catalogue has no ${{{name}}}"));
    match function {
        "b64" => BASE64_STANDARD.encode(argument),
        "percent" => argument.bytes().fold(String::new(), |mut text, byte| {
            write!(text, "%{byte:02X}").unwrap();
            text
        }),
        "times" => {
            let (count, what) = argument.split_once(' ').unwrap();
            what.repeat(count.parse().unwrap())
        }
        _ => panic!("the catalogue has no function {function}"),
    }
}

#[test]
fn templates_nest() {
    let value = |name: &str| (name == "id").then(|| "me".to_owned());
    assert_eq!(fill("a ${id} ${b64 ${id}:x} ${times 3 ab}.", &value), "a me bWU6eA== ababab.");
    assert_eq!(fill("{\"a\":{}} ${percent ~}", &value), "{\"a\":{}} %7E");
}
