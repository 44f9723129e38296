//! JSON with line breaks, every number and text as it came.

/// Indents a JSON document; what is no JSON is given back as it is.
pub(super) fn json(text: &str) -> String {
    if serde_json::from_str::<&serde_json::value::RawValue>(text).is_err() {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if in_text {
            shown.push(letter);
            in_text = escaped || letter != '"';
            escaped = letter == '\\' && !escaped;
            continue;
        }
        match letter {
            '{' | '[' => {
                shown.push(letter);
                while letters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = letters.next_if(|next| ['}', ']'].contains(next)) {
                    shown.push(end);
                } else {
                    depth += 1;
                    break_line(&mut shown, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut shown, depth);
                shown.push(letter);
            }
            ',' => {
                shown.push(letter);
                break_line(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            _ if letter.is_ascii_whitespace() => {}
            _ => {
                in_text = letter == '"';
                shown.push(letter);
            }
        }
    }
    shown
}

fn break_line(shown: &mut String, depth: usize) {
    shown.push('\n');
    shown.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_like_everybody_elses() {
        let text = r#"{ "a":[1,{"b":"x, \"{y}\": \\"},[ ],{}],"c" : null }"#;
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(json(text), serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn numbers_keep_their_letters_and_other_text_is_left_alone() {
        assert_eq!(json("[1.10,1e400]"), "[\n  1.10,\n  1e400\n]");
        for other in ["", "plain", "<html>{}</html>", "{\"a\":}"] {
            assert_eq!(json(other), other);
        }
    }
}
