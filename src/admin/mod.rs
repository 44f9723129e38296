//! The `counterfoil` command: one file per verb, one place that prints.
//!
//! A verb's file has `pub struct Args` (what clap reads) and `pub async fn run(args, &Setup, &Output)`.
//! To add one: write its file, add it to `Verb` and to `run`. Verbs call services, never stores.
//!
//! Exit codes: 0 done; 1 refused or failed; 2 the command line or the configuration cannot be used.
//! With `--json` stdout carries one JSON document and stderr `{"error":{"code":…,"message":…}}`.

mod balance;
mod beneficiary;
mod call;
mod credential;
mod funding;
mod keys;
mod merchant;
mod migrate;
mod openapi;
mod output;
mod payout;
mod plan;
mod screening;
mod serve;
mod setup;
mod verify;
mod verify_receipt;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use output::Output;
pub use setup::Setup;

use crate::base::clock::Clock;
use crate::base::failure::{Failure, Result};
use crate::base::random::Random;
use crate::config::{Config, Log, Otlp, Sources};
use crate::telemetry::Telemetry;

/// A self-hosted payments server.
#[derive(Debug, Parser)]
#[command(name = "counterfoil", version)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// Settings that can be given as flags, before or after the verb. They win over variables and file.
#[derive(Debug, Args)]
struct Settings {
    /// The configuration file [default: counterfoil.toml if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// The address to listen on
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<String>,
    /// The address of the database, for sqlite or postgres
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Where signing keys are kept
    #[arg(long, global = true, value_name = "DIR")]
    keys_dir: Option<String>,
    /// The address callers use
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the server; also what happens without a verb
    Serve(serve::Args),
    /// Bring the database's schema up to date
    Migrate(migrate::Args),
    /// Merchants
    Merchant(merchant::Args),
    /// Balances
    Balance(balance::Args),
    /// Beneficiaries
    Beneficiary(beneficiary::Args),
    /// Money that comes in
    Funding(funding::Args),
    /// Fee plans
    Plan(plan::Args),
    /// Payouts of every merchant
    Payout(payout::Args),
    /// Lists of those who may not be paid
    Screening(screening::Args),
    /// Credentials of integrating servers
    Credential(credential::Args),
    /// The keys that sign access tokens
    Keys(keys::Args),
    /// Call the API as a credential: mint a token, sign a proof, send
    Call(call::Args),
    /// Print the API document
    Openapi(openapi::Args),
    /// Recompute what can be recomputed and compare
    Verify(verify::Args),
    /// Judge the receipt of a payout by the published keys
    VerifyReceipt(verify_receipt::Args),
}

impl Settings {
    fn over(&self, sources: Sources) -> Sources {
        sources
            .flag("listen", self.listen.clone())
            .flag("database_url", self.database_url.clone())
            .flag("keys_dir", self.keys_dir.clone())
            .flag("public_url", self.public_url.clone())
    }
}

/// Runs one command line and says how it went.
pub async fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // A command line that cannot be parsed still says how its error is to be shown.
    let output = Output::new(arguments.iter().any(|argument| argument == "--json"));
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return output.usage(&error),
    };
    let sources = Sources::of_process(cli.settings.config.clone());
    let config = match Config::load(&cli.settings.over(sources)) {
        Ok(config) => config,
        Err(fault) => return output.unusable("invalid_configuration", &fault.to_string()),
    };
    let setup = Setup { config, clock: Clock::system(), random: Random::system() };
    let verb = cli.verb.unwrap_or(Verb::Serve(serve::Args {}));
    match start_and_run(verb, &setup, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.failed(&failure),
    }
}

async fn start_and_run(verb: Verb, setup: &Setup, output: &Output) -> Result<()> {
    let config = &setup.config;
    // Whoever types a command reads its answer; the log only adds what is wrong.
    let quiet = Log { filter: "warn".to_owned(), ..config.log.clone() };
    let silent = Otlp { endpoint: None };
    let (log, otlp) = match verb {
        Verb::Serve(_) => (&config.log, &config.otlp),
        _ => (&quiet, &silent),
    };
    let telemetry = Telemetry::start(log, otlp, config.environment).map_err(Failure::internal)?;
    let outcome = run(verb, setup, output).await;
    telemetry.stop().await;
    outcome
}

async fn run(verb: Verb, setup: &Setup, output: &Output) -> Result<()> {
    match verb {
        Verb::Serve(args) => serve::run(args, setup, output).await,
        Verb::Migrate(args) => migrate::run(args, setup, output).await,
        Verb::Merchant(args) => merchant::run(args, setup, output).await,
        Verb::Balance(args) => balance::run(args, setup, output).await,
        Verb::Beneficiary(args) => beneficiary::run(args, setup, output).await,
        Verb::Funding(args) => funding::run(args, setup, output).await,
        Verb::Plan(args) => plan::run(args, setup, output).await,
        Verb::Payout(args) => payout::run(args, setup, output).await,
        Verb::Screening(args) => screening::run(args, setup, output).await,
        Verb::Credential(args) => credential::run(args, setup, output).await,
        Verb::Call(args) => call::run(args, setup, output).await,
        Verb::Keys(args) => keys::run(args, setup, *output).await,
        Verb::Openapi(args) => openapi::run(&args, *output),
        Verb::Verify(args) => verify::run(args, setup, output).await,
        Verb::VerifyReceipt(args) => verify_receipt::run(args, output).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_stand_before_or_after_the_verb() {
        for line in [
            "counterfoil --json --database-url sqlite://a.db migrate",
            "counterfoil migrate --json --database-url sqlite://a.db",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert!(cli.settings.json);
            assert_eq!(cli.settings.database_url.as_deref(), Some("sqlite://a.db"));
        }
    }

    #[test]
    fn each_flag_sets_its_key() {
        let line = "counterfoil migrate --listen 127.0.0.1:1 --public-url http://127.0.0.1:2 \
                    --keys-dir k --database-url sqlite://x.db";
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
        let config = Config::load(&cli.settings.over(Sources::none())).unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.public_url.as_str(), "http://127.0.0.1:2");
        assert_eq!(config.keys_dir, PathBuf::from("k"));
        assert_eq!(config.database_url.expose(), "sqlite://x.db");
    }
}
