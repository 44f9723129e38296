//! What is written about the API is what the API does.

use std::{fs, path::Path};

use counterfoil::{base::failure::Code, web::openapi};
use serde_json::Value;

use crate::support::{app::TestApp, both::TestDb, http::Request};

fn checked_in(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_default()
}

/// A room that is served and forgotten in `src/router/document.rs` would have nobody ask it for a token.
#[test]
fn every_handler_is_in_the_document() {
    fn count(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let in_one = |path: std::path::PathBuf| {
            if path.is_dir() {
                return count(&path);
            }
            fs::read_to_string(&path).unwrap_or_default().matches("#[utoipa::path(").count()
        };
        entries.map(in_one).sum()
    }
    let document: Value = serde_json::from_str(openapi::JSON).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let described: usize = paths.map(|methods| methods.as_object().unwrap().len()).sum();
    assert_eq!(count(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")), described);
}

#[test]
fn every_error_code_is_listed_with_its_status_and_text() {
    let listed = checked_in("docs/errors.md");
    let missing: Vec<String> = Code::ALL
        .iter()
        .map(|code| {
            let (text, status) = (code.as_str(), code.kind().status());
            format!("| `{text}` | {status} | {} |", code.message())
        })
        .filter(|line| !listed.contains(line.as_str()))
        .collect();
    assert!(missing.is_empty(), "docs/errors.md lacks:\n{}", missing.join("\n"));
}

#[tokio::test]
async fn the_document_and_its_page_are_served_without_anything_from_elsewhere() {
    let db = TestDb::sqlite().await;
    let app = TestApp::start(&db).await;
    let json = app.send(Request::get("/openapi.json")).await.expect_status(200);
    assert_eq!(json.header("Content-Type").unwrap(), "application/json");
    let same = json.text() == checked_in("openapi/openapi.json");
    assert!(same, "the server was built with another document than is there now: build it again");
    let yaml = app.send(Request::get("/openapi.yaml")).await.expect_status(200);
    assert_eq!(yaml.header("Content-Type").unwrap(), "application/yaml");
    assert!(
        yaml.text() == checked_in("openapi/openapi.yaml")
            && yaml.text().starts_with("openapi: 3.1")
    );
    let page = app.send(Request::get("/docs")).await.expect_status(200);
    let policy = page.header("Content-Security-Policy").unwrap();
    assert!(policy.contains("style-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let text = page.text();
    assert!(text.contains("/oauth/token") && text.contains("/v1/credential"));
    for elsewhere in ["src=\"http", "href=\"http", "url(", "<script"] {
        assert!(!text.contains(elsewhere), "{elsewhere}");
    }
    app.send(Request::get("/docs/style.css")).await.expect_status(200);
    app.stop().await;
}
