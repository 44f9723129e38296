//! `counterfoil serve`: the server, until it is told to stop.

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Output, Setup};
use crate::app::App;
use crate::base::environment::Environment;
use crate::base::failure::{Failure, Result};
use crate::config::Config;
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
    output.answer(&json!({ "listening": address.to_string() }), &welcome(config, address))?;
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

/// What somebody who has just started it wants to know, and the line that scripts wait for.
fn welcome(config: &Config, address: std::net::SocketAddr) -> String {
    let url = config.public_url.as_str();
    let mut text = format!(
        "Counterfoil {} ({})\n\n  API         {url}/v1\n  Documents   {url}/docs\n  Keys        \
         {url}/.well-known/jwks.json\n",
        env!("CARGO_PKG_VERSION"),
        config.environment.as_str(),
    );
    if config.environment == Environment::Sandbox {
        text.push_str(
            "\nTo sign in, make a merchant and a credential, then call:\n\n  \
             counterfoil merchant create --name Shop --email owner@shop.example\n  \
             counterfoil credential register --merchant MERCHANT_ID --generate es256 \
             --private-key-out shop.pem --profile-out counterfoil-profile.toml\n  \
             counterfoil call GET /v1/credential\n",
        );
    }
    text + &format!("\nListening on {address}")
}
