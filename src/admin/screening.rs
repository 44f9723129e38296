//! `counterfoil screening`: the lists of those who may not be paid.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;

use super::{Output, Setup};
use crate::base::failure::{Code, Failure, Result};
use crate::payouts::checks;

/// What to do with lists.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Put a list in the place of its last version: all of the file, or nothing and every fault
    ///
    /// One entry a line, `NUMBER;NAME;OTHER NAME`. Every running server compares with it from its next
    /// payout on.
    Import {
        /// The name of the list
        #[arg(long, value_name = "NAME")]
        list: String,
        /// The names
        file: PathBuf,
        /// Take a file without any name, which empties the list
        #[arg(long)]
        empty: bool,
    },
    /// Show each list, how many names it has, and when it was imported
    List,
}

/// Does it.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    match args.action {
        Action::Import { list, file, empty } => import(&list, &file, empty, setup, output).await,
        Action::List => show(setup, output).await,
    }
}

async fn import(
    list: &str,
    file: &std::path::Path,
    empty: bool,
    setup: &Setup,
    output: &Output,
) -> Result<()> {
    let unusable = |why: String| Failure::because(Code::InvalidParameter, why);
    let text = std::fs::read_to_string(file)
        .map_err(|error| unusable(format!("{} cannot be read: {error}", file.display())))?;
    // Before anything is opened: a file with faults needs no database to be told so.
    let names = checks::read_list(list, &text)?;
    if names.is_empty() && !empty {
        // A download that went wrong must not let everybody through.
        let why = format!("{} names nobody; to empty the list, say --empty", file.display());
        return Err(unusable(why));
    }
    let ctx = setup.open().await?;
    let imported = checks::import(&ctx, &names, list, ctx.now()).await;
    ctx.db.close().await;
    let count = imported?;
    output.answer(
        &json!({ "list": list, "names": count }),
        &format!("{count} names were imported; the list {list} has no others."),
    )
}

async fn show(setup: &Setup, output: &Output) -> Result<()> {
    let ctx = setup.open().await?;
    let lists = checks::lists(&ctx).await;
    ctx.db.close().await;
    let lists = lists?;
    let mut text = String::new();
    for list in &lists {
        let checks::List { name, names, version, imported_at } = list;
        _ = writeln!(text, "{name}: {names} names, version {version}, imported {imported_at}");
    }
    text.push_str(if lists.is_empty() { "There are no lists." } else { "These are all." });
    output.answer(&json!({ "lists": lists }), &text)
}
