//! `counterfoil credential register`.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Serialize;

use super::key_source::KeySource;
use crate::admin::{Output, Setup};
use crate::app;
use crate::base::failure::{Code, Failure, Result};
use crate::base::ids::MerchantId;
use crate::base::private_file::Reserved;
use crate::client::profile;
use crate::oauth::credentials::{self, NewCredential, Possession, Registered};
use crate::oauth::scopes::{Scope, Scopes};

const LONGEST_LABEL: usize = 100;

/// What the credential shall be.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose it will be
    #[arg(long, value_name = "ID")]
    merchant: MerchantId,
    #[command(flatten)]
    key: KeySource,
    /// A right it gets; may be given several times [default: every one]
    #[arg(long, value_name = "SCOPE", num_args = 1.., value_parser = scopes)]
    scope: Vec<Scopes>,
    /// What you call it
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = label)]
    label: String,
    /// A network it may be used from; may be given several times [default: anywhere]
    #[arg(long, value_name = "CIDR", num_args = 1.., value_parser = network)]
    ip: Vec<IpNet>,
    /// Write a profile for `counterfoil call`, readable by you only; an existing file is kept
    #[arg(long, value_name = "FILE", requires = "generate", conflicts_with = "public_jwk")]
    profile_out: Option<PathBuf>,
}

/// The contract that scripts rely on.
#[derive(Serialize)]
struct Answer<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    jkt: &'a str,
}

/// Registers it and says its secret.
pub(super) async fn run(args: Args, setup: &Setup, output: &Output) -> Result<()> {
    let profile = args.profile_out.as_deref().map(Reserved::new).transpose()?;
    let key = args.key.key(&setup.random)?;
    let scopes = match args.scope.as_slice() {
        [] => Scopes::all(),
        some => some.iter().flat_map(Scopes::iter).collect(),
    };
    let new = NewCredential {
        merchant_id: args.merchant,
        label: args.label,
        scopes,
        addresses: args.ip,
        key: key.public,
    };
    let ctx = setup.open().await?;
    let hasher = app::hasher(&setup.config, &ctx.random)?;
    let environment = setup.config.environment;
    let made = credentials::register(&ctx, &hasher, environment, &new, Possession::Vouched).await;
    ctx.db.close().await;
    let made = made.map_err(no_such_merchant)?;
    let key_file = key.save()?;
    let mut text = told(&made);
    if let Some(file) = &key_file {
        _ = write!(text, "\n  private key  {}", file.display());
    }
    if let (Some(profile), Some(key_file)) = (profile, &key_file) {
        _ = write!(text, "\n  profile      {}", profile.path().display());
        let base_url = setup.config.public_url.as_str();
        let client_id = made.credential.client_id.as_str();
        profile::write(profile, base_url, client_id, &made.secret, key_file)?;
    }
    text.push_str("\n\nThe secret is not shown again.");
    let answer = Answer {
        client_id: made.credential.client_id.as_str(),
        client_secret: made.secret.expose(),
        jkt: made.jkt.as_str(),
    };
    output.answer(&answer, &text)
}

fn told(made: &Registered) -> String {
    format!(
        "Credential {}\n  secret       {}\n  jkt          {}",
        made.credential.client_id,
        made.secret.expose(),
        made.jkt
    )
}

fn no_such_merchant(failure: Failure) -> Failure {
    if failure.code() == Code::NotFound {
        let next = "there is no merchant with this id; `counterfoil merchant create` makes one";
        Failure::because(Code::NotFound, next)
    } else {
        failure
    }
}

/// One scope or several in one word, as the token endpoint writes them.
fn scopes(text: &str) -> Result<Scopes, String> {
    text.parse().map_err(|_| {
        let all: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!("the scopes are {}", all.join(", "))
    })
}

fn label(text: &str) -> Result<String, String> {
    let fits = text.chars().count() <= LONGEST_LABEL && !text.chars().any(char::is_control);
    fits.then(|| text.trim().to_owned())
        .ok_or_else(|| format!("at most {LONGEST_LABEL} printable characters"))
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().map(|network| network.trunc());
    network
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "an address or a network, such as 192.0.2.7 or 10.0.0.0/8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_cut_to_its_mask_and_an_address_stands_for_itself() {
        assert_eq!(network("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(network("192.0.2.7").unwrap().to_string(), "192.0.2.7/32");
        for wrong in ["", "10.0.0.0/33", "example.com", "10.0.0.0/8,11.0.0.0/8"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_scope_is_answered_with_the_known_ones() {
        assert_eq!(scopes("payouts:read pricing:read").unwrap().iter().count(), 2);
        assert!(scopes("payouts:own").unwrap_err().contains("payouts:write"));
    }

    #[test]
    fn a_label_is_one_short_line() {
        assert_eq!(label(" till 4 ").unwrap(), "till 4");
        assert!(label("a\nb").is_err() && label(&"x".repeat(101)).is_err());
    }
}
