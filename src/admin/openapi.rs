//! `counterfoil openapi`: the API document, as it is checked in under `openapi/`.

use super::Output;
use crate::base::failure::{Failure, Result};
use crate::router;
use crate::web::openapi;

/// How to print it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print YAML instead of JSON
    #[arg(long)]
    yaml: bool,
}

/// Prints it; needs no database and no keys.
pub(super) fn run(args: &Args, output: Output) -> Result<()> {
    let document = router::document();
    let text = if args.yaml { openapi::yaml(&document)? } else { openapi::json(&document)? };
    let value = serde_json::to_value(&document).map_err(Failure::internal)?;
    output.answer(&value, text.trim_end())
}
