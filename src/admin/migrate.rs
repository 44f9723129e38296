//! `counterfoil migrate`: bring the schema up to date. Safe to run from several places at once.

use serde::Serialize;

use super::{Output, Setup};
use crate::base::failure::Result;
use crate::db::latest_version;

/// Takes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

#[derive(Serialize)]
struct Answer {
    version: i64,
}

/// Migrates and says which version the schema has now.
pub(super) async fn run(_: Args, setup: &Setup, output: &Output) -> Result<()> {
    let db = setup.connect().await?;
    db.migrate().await?;
    db.close().await;
    let version = latest_version();
    output.answer(&Answer { version }, &format!("The database is at version {version}."))
}
