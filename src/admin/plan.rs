//! `counterfoil plan import`: what the house charges, from a file.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use super::{Output, Setup};
use crate::base::environment::Environment;
use crate::base::failure::{Code, Failure, Result};
use crate::pricing::plans::{self, Change, ChangeKind, FieldChange, Format};

/// What to do with fee plans.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Import fee plans: all of the file, or nothing and every fault
    ///
    /// A key that is new makes a plan; one that exists gets a new version if anything differs. Plans
    /// that the file does not name stay as they are.
    Import {
        /// TOML or JSON, by its ending
        file: PathBuf,
        /// Say what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Serialize)]
struct Imported {
    dry_run: bool,
    plans: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    key: String,
    change: &'static str,
    version: u32,
    effective_from: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldChange>,
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let Action::Import { file, dry_run } = args.action;
    let format = match file.extension().and_then(|ending| ending.to_str()) {
        Some("toml") => Format::Toml,
        Some("json") => Format::Json,
        _ => return Err(unusable("the file must end in .toml or .json".to_owned())),
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|error| unusable(format!("{} cannot be read: {error}", file.display())))?;
    // Before anything is opened: a file with faults needs no database to be told so.
    let drafts = plans::drafts(&text, format)?;
    let ctx = setup.open().await?;
    let changes = if dry_run {
        plans::preview(&ctx, &drafts).await
    } else {
        // A sandbox begins with its own plans, whether it is served or imported into first.
        if setup.config.environment == Environment::Sandbox {
            plans::ensure_sandbox(&ctx).await?;
        }
        plans::import(&ctx, &drafts).await
    };
    ctx.db.close().await;
    let imported = Imported { dry_run, plans: changes?.into_iter().map(line).collect() };
    output.answer(&imported, &shown(&imported))
}

fn unusable(why: String) -> Failure {
    Failure::because(Code::InvalidParameter, why)
}

fn line(change: Change) -> Line {
    let (word, fields) = match change.kind {
        ChangeKind::New => ("new", Vec::new()),
        ChangeKind::NewVersion(fields) => ("new_version", fields),
        ChangeKind::Unchanged => ("unchanged", Vec::new()),
    };
    Line {
        key: change.key,
        change: word,
        version: change.version.number,
        effective_from: change.version.effective_from.to_string(),
        fields,
    }
}

fn shown(imported: &Imported) -> String {
    let mut text = String::new();
    for Line { key, change, version, effective_from, fields } in &imported.plans {
        let word = change.replace('_', " ");
        _ = writeln!(text, "{word:12} {key}, version {version}, from {effective_from}");
        for FieldChange { field, old, new } in fields {
            let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
            _ = writeln!(text, "             {field}: {} becomes {}", part(old), part(new));
        }
    }
    let end = if imported.dry_run { "Nothing was changed." } else { "Imported." };
    text.push_str(end);
    text
}
