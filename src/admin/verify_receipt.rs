//! `counterfoil verify-receipt`: judges a receipt with nothing but the published keys.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;

use super::Output;
use crate::base::failure::{Code, Failure, Result};
use crate::client::receipt::{Jwks, Receipt};

/// Which receipt, and by whose keys.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The receipt: a compact JWS, or the answer of `/v1/payouts/{id}/receipt`
    file: PathBuf,
    /// The published keys, such as <https://pay.example/.well-known/jwks.json> or a copy
    #[arg(long, value_name = "URL|FILE")]
    jwks: String,
}

#[derive(Serialize)]
struct Judged<'a> {
    valid: bool,
    kid: String,
    alg: &'static str,
    quote_verified: bool,
    receipt: &'a Value,
}

/// Does it; exit code 1 when the receipt is not to be believed.
pub(super) async fn run(args: Args, output: &Output) -> Result<()> {
    let cannot = |name: &str, error: std::io::Error| {
        Failure::because(Code::InvalidParameter, format!("{name} cannot be read: {error}"))
    };
    let name = args.file.display().to_string();
    let text = fs::read_to_string(&args.file).map_err(|error| cannot(&name, error))?;
    let keys = if args.jwks.starts_with("https://") || args.jwks.starts_with("http://") {
        Jwks::fetch(&args.jwks).await?
    } else {
        Jwks::read(&fs::read(&args.jwks).map_err(|error| cannot(&args.jwks, error))?)?
    };
    let receipt = Receipt::verify(&text, &keys)?;
    let judged = Judged {
        valid: true,
        kid: receipt.kid.to_string(),
        alg: receipt.alg.name(),
        quote_verified: receipt.quote_verified,
        receipt: &receipt.says,
    };
    output.answer(&judged, &shown(&receipt))
}

fn shown(receipt: &Receipt) -> String {
    let says = &receipt.says;
    let word = |name: &str| text(says, name);
    let end = match says.get("final").and_then(Value::as_bool) {
        Some(true) => "final",
        _ => "not final",
    };
    let mut shown = String::new();
    let mut line = |name: &str, what: String| _ = writeln!(shown, "{name:12} {what}");
    line("payout", format!("{}: {} ({end})", word("payout_id"), word("status")));
    line("issued at", format!("{} by {} with {}", word("issued_at"), receipt.kid, receipt.alg));
    line("merchant", word("merchant_id"));
    let to = says.get("instrument").map(|to| text(to, "masked_account")).unwrap_or_default();
    line("beneficiary", format!("{} by {} to {to}", word("beneficiary_id"), word("method")));
    line("source", format!("{} {}", word("source_amount"), word("source_currency")));
    line("arrives", format!("{} {}", word("dest_amount"), word("dest_currency")));
    if says.get("exchange_rate").is_some() {
        line("rate", word("exchange_rate"));
    }
    let (fee, currency) = (word("fee"), word("fee_currency"));
    line("fee", format!("{fee} {currency}, borne by the {}", word("fee_bearer")));
    let quote = says.get("quote").map(|quote| text(quote, "quote_id")).unwrap_or_default();
    let judged =
        if receipt.quote_verified { "its signature fits" } else { "its key is not in the JWKS" };
    line("quote", format!("{quote}, {judged}"));
    if says.get("rail_provider").is_some() {
        line("rail", format!("{} {}", word("rail_provider"), word("rail_reference")));
    }
    for step in says.get("timeline").and_then(Value::as_array).into_iter().flatten() {
        let (to, at) = (text(step, "to"), text(step, "at"));
        line(
            &format!("step {}", text(step, "number")),
            format!("{at} {to} ({})", text(step, "actor")),
        );
    }
    shown.push_str("The signature fits.");
    shown
}

/// A member as it is written. What a control character could do to a terminal, it does not do here.
fn text(says: &Value, name: &str) -> String {
    let text = says.get(name).and_then(Value::as_str).unwrap_or("-");
    text.chars().filter(|c| !c.is_control()).collect()
}
