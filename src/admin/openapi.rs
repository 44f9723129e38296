//! `counterfoil openapi`: the API document, as it is checked in under `openapi/`.

use serde_json::Value;

use super::Output;
use crate::base::failure::{Failure, Result};
use crate::web::openapi::{JSON, YAML};

/// How to print it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print YAML instead of JSON
    #[arg(long)]
    yaml: bool,
}

/// Prints it; needs no database and no keys.
pub(super) fn run(args: &Args, output: Output) -> Result<()> {
    let text = if args.yaml { YAML } else { JSON };
    let value: Value = serde_json::from_str(JSON).map_err(Failure::internal)?;
    output.answer(&value, text.trim_end())
}
