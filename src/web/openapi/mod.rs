//! The API document: as JSON, as YAML, and as a page that can be read without a script.

mod page;

use std::sync::Arc;

use axum::{Router, http::header, response::IntoResponse, routing::get};
use utoipa::openapi::OpenApi;

use crate::base::failure::{Failure, Result};

/// The document as it is checked in: JSON with an end of line.
pub fn json(document: &OpenApi) -> Result<String> {
    let mut text = document.to_pretty_json().map_err(Failure::internal)?;
    text.push('\n');
    Ok(text)
}

/// The same as YAML.
pub fn yaml(document: &OpenApi) -> Result<String> {
    document.to_yaml().map_err(Failure::internal)
}

/// `/openapi.json`, `/openapi.yaml`, `/docs` and its style sheet.
pub fn router<S: Clone + Send + Sync + 'static>(document: &OpenApi) -> Result<Router<S>> {
    let serve = |media: &'static str, text: String| {
        let text: Arc<str> = text.into();
        get(async move || ([(header::CONTENT_TYPE, media)], text.to_string()).into_response())
    };
    let html = page::html(&serde_json::to_value(document).map_err(Failure::internal)?);
    Ok(Router::new()
        .route("/openapi.json", serve("application/json", json(document)?))
        .route("/openapi.yaml", serve("application/yaml", yaml(document)?))
        .route("/docs", serve("text/html; charset=utf-8", html))
        .route("/docs/style.css", serve("text/css", include_str!("style.css").to_owned())))
}
