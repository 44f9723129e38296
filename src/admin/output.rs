//! The one place that prints: answers to stdout, errors to stderr, as text or as JSON.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use crate::base::failure::{Code, Failure, Result};

/// Refused or failed.
const FAILED: u8 = 1;
/// The command line or the configuration cannot be used.
const UNUSABLE: u8 = 2;

/// How this command line wants its answers.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// With or without `--json`.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints what a verb has to say: the document with `--json`, else the text.
    pub fn answer(&self, document: &impl Serialize, text: &str) -> Result<()> {
        let shown = self.shown(document, text)?;
        match writeln!(io::stdout().lock(), "{shown}") {
            // `counterfoil … | head -1` has what it wanted.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome.map_err(Failure::internal),
        }
    }

    /// Prints a failure and gives the exit code. The operator at the terminal, unlike a caller of the
    /// API, is told the cause of a breakdown.
    pub fn failed(&self, failure: &Failure) -> ExitCode {
        self.complain(&document(failure), &text(failure));
        ExitCode::from(FAILED)
    }

    /// Prints why nothing was tried, and gives the exit code.
    pub fn unusable(&self, code: &str, message: &str) -> ExitCode {
        self.complain(&json!({ "error": { "code": code, "message": message } }), message);
        ExitCode::from(UNUSABLE)
    }

    /// Prints clap's error, or the help and version that it also calls errors.
    pub(super) fn usage(self, error: &clap::Error) -> ExitCode {
        if !error.use_stderr() {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        if self.json {
            return self.unusable("usage", error.to_string().trim_end());
        }
        let _ = error.print();
        ExitCode::from(UNUSABLE)
    }

    fn shown(self, document: &impl Serialize, text: &str) -> Result<String> {
        if self.json {
            serde_json::to_string(document).map_err(Failure::internal)
        } else {
            Ok(text.to_owned())
        }
    }

    /// A closed stderr leaves nobody to complain to; the exit code still tells.
    fn complain(self, document: &Value, text: &str) {
        let shown = if self.json { document.to_string() } else { format!("counterfoil: {text}") };
        let _ = writeln!(io::stderr().lock(), "{shown}");
    }
}

/// What the operator should read first. Callers of the API are told little about a breakdown of
/// ours; here the cause is the sentence that says what to do.
fn headline(failure: &Failure) -> (String, Option<String>) {
    match (failure.code(), failure.cause_chain()) {
        (Code::NotConfigured | Code::Unavailable, Some(cause)) => (cause, None),
        (_, cause) => (failure.message().to_owned(), cause),
    }
}

fn document(failure: &Failure) -> Value {
    let (message, cause) = headline(failure);
    let mut error = json!({ "code": failure.code().as_str(), "message": message });
    if let Some(error) = error.as_object_mut() {
        if !failure.fields().is_empty() {
            error.insert("fields".to_owned(), json!(failure.fields()));
        }
        if let Some(cause) = cause {
            error.insert("cause".to_owned(), json!(cause));
        }
    }
    json!({ "error": error })
}

fn text(failure: &Failure) -> String {
    let (mut text, cause) = headline(failure);
    for fault in failure.fields() {
        let _ = write!(text, "\n  {} {}", fault.field, fault.message);
    }
    if let Some(cause) = cause {
        let _ = write!(text, "\n  because: {cause}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_document_or_the_text_and_never_both() {
        let document = json!({ "version": 3 });
        let shown = |json| Output::new(json).shown(&document, "version 3").unwrap();
        assert_eq!(shown(true), "{\"version\":3}");
        assert_eq!(shown(false), "version 3");
    }

    #[test]
    fn a_failure_tells_code_message_faults_and_cause() {
        let refused = Failure::new(Code::ValidationError).field("name", "must be short");
        assert_eq!(
            document(&refused),
            json!({ "error": {
                "code": "validation_error",
                "message": "validation failed",
                "fields": [{ "field": "name", "message": "must be short" }],
            }})
        );
        assert_eq!(text(&refused), "validation failed\n  name must be short");

        let taken = Failure::new(Code::NotConfigured).caused_by("another program listens there");
        assert_eq!(text(&taken), "another program listens there");
        assert_eq!(document(&taken)["error"]["message"], "another program listens there");

        let broken = Failure::internal("the disk is full");
        assert_eq!(document(&broken)["error"]["cause"], "the disk is full");
        assert!(text(&broken).ends_with("because: the disk is full"));
    }
}
