//! The API document: as JSON, as YAML, and as a page that can be read without a script.
//!
//! A test makes it of the handlers (`src/router/document.rs`), and it is served as it is checked in: a release carries
//! two texts, and not the code that would write them again at each start.

mod page;

use axum::{
    Router,
    body::Bytes,
    http::header,
    routing::{MethodRouter, get},
};

use crate::base::failure::{Failure, Result};

/// The document as JSON.
pub const JSON: &str = include_str!("../../../openapi/openapi.json");

/// The document as YAML.
pub const YAML: &str = include_str!("../../../openapi/openapi.yaml");

/// `/openapi.json`, `/openapi.yaml`, `/docs` and its style sheet.
pub fn router<S: Clone + Send + Sync + 'static>() -> Result<Router<S>> {
    let page = page::html(&serde_json::from_str(JSON).map_err(Failure::internal)?);
    Ok(Router::new()
        .route("/openapi.json", serve("application/json", JSON))
        .route("/openapi.yaml", serve("application/yaml", YAML))
        .route("/docs", serve("text/html; charset=utf-8", page))
        .route("/docs/style.css", serve("text/css", include_str!("style.css"))))
}

fn serve<S: Clone + Send + Sync + 'static>(
    media: &'static str,
    text: impl Into<Bytes>,
) -> MethodRouter<S> {
    let text = text.into();
    get(async move || ([(header::CONTENT_TYPE, media)], text.clone()))
}
