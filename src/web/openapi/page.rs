//! The document as one page of HTML.

#![expect(clippy::format_collect, reason = "made once, at the start: the shorter text wins")]

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

/// Renders the whole document; done once at the start.
pub(super) fn html(document: &Value) -> String {
    let info = document.get("info").unwrap_or(&Value::Null);
    let title = text(info, "title");
    let mut page = format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><link rel=stylesheet href=/docs/style.css></head><body><main>\
         <h1>{title} <small>{}</small></h1>{}\
         <p>As <a href=/openapi.json>JSON</a> or <a href=/openapi.yaml>YAML</a>.</p>",
        text(info, "version"),
        prose(info),
        title = title,
    );
    let operations = by_tag(document);
    page.push_str("<nav aria-label=Endpoints><ul>");
    for (anchor, method, path, _) in operations.values().flatten() {
        _ = write!(page, "<li><a href=\"#{anchor}\">{method} {path}</a>");
    }
    page.push_str("</ul></nav>");
    for (tag, operations) in &operations {
        _ = write!(page, "<section><h2>{tag}</h2>");
        for (anchor, method, path, operation) in operations {
            _ = write!(
                page,
                "<article id=\"{anchor}\"><h3><span class=method>{method}</span> {path}</h3>{}{}{}{}</article>",
                prose(operation),
                parameters(operation),
                body(operation),
                answers(operation),
            );
        }
        page.push_str("</section>");
    }
    page.push_str(&schemas(document));
    page.push_str("</main></body></html>");
    page
}

type Operation<'a> = (String, String, String, &'a Value);

fn by_tag(document: &Value) -> BTreeMap<String, Vec<Operation<'_>>> {
    let mut tags: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (path, methods) in members(document, "paths") {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let tag = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or("other");
            let anchor = text(operation, "operationId");
            let entry = (anchor, method.to_uppercase(), escape(path), operation);
            tags.entry(escape(tag)).or_default().push(entry);
        }
    }
    tags
}

fn parameters(operation: &Value) -> String {
    let rows = operation.get("parameters").and_then(Value::as_array);
    let rows: String = rows
        .into_iter()
        .flatten()
        .map(|parameter| {
            let kind = shape(parameter.get("schema").unwrap_or(&Value::Null));
            let (name, place) = (text(parameter, "name"), text(parameter, "in"));
            row(&[&format!("<code>{name}</code>"), &place, &kind, &prose(parameter)])
        })
        .collect();
    table("Parameters", &["Name", "In", "Type", "Meaning"], &rows)
}

fn body(operation: &Value) -> String {
    let content = operation.pointer("/requestBody/content");
    content
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(media, content)| {
            let kind = shape(content.get("schema").unwrap_or(&Value::Null));
            format!("<p>Body: <code>{}</code> {kind}</p>", escape(media))
        })
        .collect()
}

fn answers(operation: &Value) -> String {
    let rows: String = members(operation, "responses")
        .map(|(status, answer)| {
            let schema = answer
                .get("content")
                .and_then(Value::as_object)
                .and_then(|content| content.values().next())
                .and_then(|content| content.get("schema"));
            let kind = schema.map(shape).unwrap_or_default();
            row(&[&escape(status), &prose(answer), &kind])
        })
        .collect();
    table("Answers", &["Status", "Meaning", "Body"], &rows)
}

fn schemas(document: &Value) -> String {
    let schemas = document.pointer("/components/schemas").unwrap_or(&Value::Null);
    let articles: String = schemas
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let required: Vec<_> = schema
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let rows: String = members(schema, "properties")
                .map(|(member, schema)| {
                    let need = if required.contains(&member.as_str()) { "always" } else { "" };
                    let name = format!("<code>{}</code>", escape(member));
                    row(&[&name, need, &shape(schema), &prose(schema)])
                })
                .collect();
            let name = escape(name);
            let members = table("Members", &["Name", "There", "Type", "Meaning"], &rows);
            let kind = if rows.is_empty() { format!("<p>{}</p>", shape(schema)) } else { members };
            format!(
                "<article id=\"schema-{name}\"><h3>{name}</h3>{}{kind}</article>",
                prose(schema)
            )
        })
        .collect();
    format!("<section><h2>Shapes</h2>{articles}</section>")
}

/// A type in a few words, with a link where it has a name.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let name = escape(name.rsplit('/').next().unwrap_or(name));
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        return choices.iter().map(shape).collect::<Vec<_>>().join(" or ");
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        Some(Value::String(kind)) => kind.clone(),
        _ => String::new(),
    };
    let mut words = escape(&kind);
    if let Some(items) = schema.get("items") {
        _ = write!(words, " of {}", shape(items));
    }
    for (name, label) in [("pattern", "matching"), ("format", "as"), ("const", "always")] {
        if let Some(value) = schema.get(name).and_then(Value::as_str) {
            _ = write!(words, " {label} <code>{}</code>", escape(value));
        }
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let values: Vec<_> = values
            .iter()
            .filter_map(Value::as_str)
            .map(|value| format!("<code>{}</code>", escape(value)))
            .collect();
        _ = write!(words, ": {}", values.join(" "));
    }
    words
}

fn table(caption: &str, heads: &[&str], rows: &str) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: String = heads.iter().map(|head| format!("<th scope=col>{head}")).collect();
    format!("<table><caption hidden>{caption}</caption><thead><tr>{heads}<tbody>{rows}</table>")
}

fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}")).collect();
    format!("<tr>{cells}")
}

fn prose(value: &Value) -> String {
    let parts = ["summary", "description"].map(|name| text(value, name));
    parts.iter().filter(|part| !part.is_empty()).map(|part| format!("<p>{part}</p>")).collect()
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(name).and_then(Value::as_object).into_iter().flatten()
}

fn text(value: &Value, name: &str) -> String {
    escape(value.get(name).and_then(Value::as_str).unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_page_shows_the_document_and_escapes_it() {
        let page = html(&json!({
            "info": { "title": "T<b>", "version": "1", "description": "d" },
            "paths": { "/v1/x": { "post": {
                "tags": ["things"], "operationId": "make_x", "summary": "Makes <x>",
                "requestBody": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/X" } } } },
                "responses": { "422": { "description": "refused" } },
            } } },
            "components": { "schemas": { "X": {
                "properties": { "a": { "type": "string", "pattern": "^\"$" } }, "required": ["a"],
            } } },
        }));
        assert!(page.contains("T&lt;b&gt;") && page.contains("Makes &lt;x&gt;"));
        assert!(page.contains("<a href=\"#schema-X\">X</a>") && page.contains("<td>422<td>"));
        assert!(page.contains("matching <code>^&quot;$</code>") && page.contains("<td>always"));
        assert!(!page.contains("<script"));
    }
}
