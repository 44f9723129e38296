//! `counterfoil verify`: recomputes what can be recomputed, compares, and says where it differs.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Output, Setup};
use crate::app;
use crate::base::failure::{Code, Failure, Result};
use crate::ctx::Ctx;
use crate::events;
use crate::ledger;
use crate::oauth::credentials;
use crate::oauth::keys::Ring;
use crate::payouts::{days, payout};
use crate::pricing::quotes;

/// Nothing to choose: everything is verified.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

#[derive(Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    looked_at: u64,
    faults: Vec<String>,
}

/// Does it; exit code 1 when anything differs.
pub(super) async fn run(_: Args, setup: &Setup, output: &Output) -> Result<()> {
    let db = setup.connect().await?;
    db.check_version().await?;
    let ctx = Ctx { db, clock: setup.clock.clone(), random: setup.random.clone() };
    let checks = vec![
        line("database", 1, ctx.db.check_integrity().await?),
        keys(setup),
        credentials_line(&ctx).await?,
        quotes_line(&ctx).await?,
        ledger_line(&ctx).await?,
        payouts_line(&ctx).await?,
        days_line(&ctx).await?,
        events_line(&ctx).await?,
    ];
    ctx.db.close().await;
    let ok = checks.iter().all(|check| check.faults.is_empty());
    let report = Report { ok, checks };
    output.answer(&report, &text(&report))?;
    if ok { Ok(()) } else { Err(Failure::because(Code::InvalidState, "verification has failed")) }
}

fn keys(setup: &Setup) -> Line {
    // Looking must not make one: a restore that forgot the keys has to be noticed here.
    if !Ring::is_kept_in(&setup.config.keys_dir) {
        let missing = format!("there are none in {}", setup.config.keys_dir.display());
        return line("signing keys", 0, vec![missing]);
    }
    let faults = match app::ring(&setup.config, &setup.clock, &setup.random) {
        Ok(_) => Vec::new(),
        Err(failure) => vec![failure.cause_chain().unwrap_or_default()],
    };
    line("signing keys", 1, faults)
}

async fn credentials_line(ctx: &Ctx) -> Result<Line> {
    let (looked_at, faults) = credentials::verify(ctx).await?;
    Ok(line("credentials", looked_at, faults))
}

async fn quotes_line(ctx: &Ctx) -> Result<Line> {
    let (looked_at, faults) = quotes::verify(ctx).await?;
    Ok(line("quotes", looked_at, faults))
}

async fn ledger_line(ctx: &Ctx) -> Result<Line> {
    let findings = ledger::audit::verify(ctx).await?;
    Ok(line("ledger accounts", findings.accounts, findings.faults))
}

async fn payouts_line(ctx: &Ctx) -> Result<Line> {
    let (looked_at, faults) = payout::audit::verify(ctx).await?;
    Ok(line("payouts", looked_at, faults))
}

async fn days_line(ctx: &Ctx) -> Result<Line> {
    let (looked_at, faults) = days::verify(ctx).await?;
    Ok(line("payout days", looked_at, faults))
}

async fn events_line(ctx: &Ctx) -> Result<Line> {
    let (looked_at, faults) = events::log::verify(ctx).await?;
    Ok(line("events", looked_at, faults))
}

fn line(name: &'static str, looked_at: u64, faults: Vec<String>) -> Line {
    Line { name, looked_at, faults }
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    for check in &report.checks {
        let word = if check.faults.is_empty() { "ok" } else { "DIFFERS" };
        _ = writeln!(text, "{word:8} {} ({} looked at)", check.name, check.looked_at);
        for fault in &check.faults {
            _ = writeln!(text, "         {fault}");
        }
    }
    text.push_str(if report.ok { "Everything agrees." } else { "Something differs; see above." });
    text
}
