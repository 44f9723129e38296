//! `counterfoil serve`: the server, until it is told to stop.

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Output, Setup};
use crate::app::App;
use crate::base::environment::Environment;
use crate::base::failure::{Failure, Result};
use crate::config::Config;
use crate::portal::{links, users};
use crate::web::server;

/// Settings are the flags that every verb has.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Serves.
pub(super) async fn run(_: Args, setup: &Setup, output: &Output) -> Result<()> {
    let config = &setup.config;
    // Before the first signal can come, so that none ends us half-way.
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::internal)?;
    let listener = server::listen(config.listen).await?;
    let address = listener.local_addr().map_err(Failure::internal)?;
    let config = &config.clone().bound_to(address);
    let app = App::open(config, setup.clock.clone(), setup.random.clone()).await?;
    let link = first_link(&app, config).await?;
    let said = match &link {
        Some(link) => json!({ "listening": address.to_string(), "sign_in_link": link }),
        None => json!({ "listening": address.to_string() }),
    };
    output.answer(&said, &welcome(config, address, link.as_deref()))?;
    app.serve(listener, async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("Stopping: requests in hand are finished first.");
    })
    .await;
    tracing::info!("Stopped.");
    Ok(())
}

/// In a sandbox whose first owner has never signed in: the link for that, good for a quarter of an hour.
async fn first_link(app: &App, config: &Config) -> Result<Option<String>> {
    if config.environment != Environment::Sandbox {
        return Ok(None);
    }
    match users::of_sandbox(&app.ctx).await? {
        Some(owner) => links::sign_in_link(&app.ctx, &owner, app.portal.origin()).await.map(Some),
        None => Ok(None),
    }
}

/// What somebody who has just started it wants to know, and the line that scripts wait for.
fn welcome(config: &Config, address: std::net::SocketAddr, link: Option<&str>) -> String {
    let url = config.public_url.as_str();
    let mut text = format!(
        "Counterfoil {} ({})\n\n  Portal      {url}/portal\n  API         {url}/v1\n  Documents   {url}/docs\n  Keys        \
         {url}/.well-known/jwks.json\n",
        env!("CARGO_PKG_VERSION"),
        config.environment.as_str(),
    );
    if let Some(link) = link {
        text.push_str(
            "\nSign in at the portal with this link. It works once, within 15 minutes:\n\n  ",
        );
        text.push_str(link);
        text.push('\n');
    }
    if config.environment == Environment::Sandbox {
        text.push_str(
            "\nWithout a browser, make a merchant and a credential, then call:\n\n  \
             counterfoil merchant create --name Shop --email owner@shop.example\n  \
             counterfoil credential register --merchant MERCHANT_ID --generate es256 \
             --private-key-out shop.pem --profile-out counterfoil-profile.toml\n  \
             counterfoil call GET /v1/credential\n",
        );
    }
    text + &format!("\nListening on {address}")
}
