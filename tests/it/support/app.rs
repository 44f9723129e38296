//! A real server on a port of its own, with a hand-wound clock.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use counterfoil::{
    app::App,
    base::{
        clock::{Clock, HandWound},
        random::Random,
        timestamp::Timestamp,
    },
    config::{Config, Sources},
    ctx::Ctx,
    db::{self, Db},
    events::{self, Events, courier::Courier},
    jobs::{self, Runner},
    ledger,
    oauth::{authority::Authority, replicas::Replica},
    payouts::{Payouts, days, payout},
    pricing::quotes,
    vault::Vault,
    web::requests::RequestLog,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{
    both::TestDb,
    http::{Request, Response},
    scratch,
};

/// When the clock of every test starts.
pub(crate) const START: Timestamp = Timestamp::from_unix_seconds(1_795_000_000);

/// A server that belongs to this test.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    /// The public base, which is also the issuer.
    pub(crate) base: String,
    pub(crate) hands: HandWound,
    pub(crate) ctx: Ctx,
    pub(crate) authority: Authority,
    pub(crate) vault: Vault,
    pub(crate) payouts: Payouts,
    pub(crate) keys_dir: std::path::PathBuf,
    pub(crate) replica: Replica,
    pub(crate) events: Events,
    pub(crate) requests: RequestLog,
    courier: Courier,
    runner: Runner,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl TestApp {
    /// With the defaults of a sandbox, cheap argon2, and limits that no test meets by accident.
    pub(crate) async fn start(db: &TestDb) -> Self {
        Self::with(db, |_| ()).await
    }

    /// With settings of its own.
    pub(crate) async fn with(db: &TestDb, change: impl FnOnce(&mut Config)) -> Self {
        let (clock, hands) = Clock::hand_wound(START);
        Self::at(db, clock, hands, scratch::directory("keys"), change).await
    }

    /// By the machine's clock, as clients of other makers tell the time; `hands` turn nothing.
    pub(crate) async fn in_real_time(db: &TestDb, change: impl FnOnce(&mut Config)) -> Self {
        let (_, hands) = Clock::hand_wound(START);
        Self::at(db, Clock::system(), hands, scratch::directory("keys"), change).await
    }

    /// Beside or after another one: the same clock, the same keys.
    pub(crate) async fn beside(&self, db: &TestDb, change: impl FnOnce(&mut Config)) -> Self {
        let (clock, hands) = (self.ctx.clock.clone(), self.hands.clone());
        Self::at(db, clock, hands, self.keys_dir.clone(), change).await
    }

    pub(crate) async fn at(
        db: &TestDb,
        clock: Clock,
        hands: HandWound,
        keys_dir: std::path::PathBuf,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        static SEED: AtomicU64 = AtomicU64::new(1);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = settings(&db.url, address, &keys_dir);
        change(&mut config);
        let base = config.public_url.as_str().to_owned();
        // A seed of its own for each server, or two servers on one database would make equal ids.
        let random = Random::seeded(SEED.fetch_add(1, Ordering::Relaxed));
        let app = App::open(&config, clock, random).await.expect("the server opens");
        let (ctx, runner, authority) = (app.ctx.clone(), app.runner.clone(), app.authority.clone());
        let (replica, vault) = (app.replica.clone(), app.vault.clone());
        let payouts = app.payouts.clone();
        let (events, courier) = (app.events.clone(), app.courier.clone());
        let requests = app.requests.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        #[expect(clippy::disallowed_methods, reason = "the test itself waits for it")]
        let serving = tokio::spawn(app.serve_without_jobs(listener, async {
            // A dropped sender stops it too.
            drop(stopped.await);
        }));
        Self {
            address,
            base,
            hands,
            ctx,
            authority,
            vault,
            payouts,
            keys_dir,
            replica,
            events,
            requests,
            courier,
            runner,
            stop,
            serving,
        }
    }

    /// The address of a path, as callers sign it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request) -> Response {
        request.send(self.address).await
    }

    /// Runs every job and every delivery that is due by the test's clock.
    pub(crate) async fn run_due_jobs(&self) {
        loop {
            let ran = self.runner.run_due_jobs().await.expect("jobs can be leased");
            let visits = self.courier.run_due().await.expect("endpoints can be taken");
            if ran + visits == 0 {
                return;
            }
        }
    }

    /// Checks what must hold whatever the test did, and drains.
    pub(crate) async fn stop(self) {
        // Loops that sleep by the test's clock are due again; nothing else may be left undone.
        let stuck = stuck_jobs(&self.ctx.db).await;
        assert!(stuck.is_empty(), "jobs have failed: {stuck:?}");
        self.verify().await;
        drop(self.stop);
        self.serving.await.expect("the server ends by itself");
    }

    /// What `counterfoil verify` recomputes, now and not only at the end.
    pub(crate) async fn verify(&self) {
        let books = ledger::audit::verify(&self.ctx).await.expect("the database answers");
        assert!(books.faults.is_empty(), "{:#?}", books.faults);
        let (_, faults) = payout::audit::verify(&self.ctx).await.expect("the database answers");
        assert!(faults.is_empty(), "{faults:#?}");
        let (_, faults) = days::verify(&self.ctx).await.expect("the database answers");
        assert!(faults.is_empty(), "{faults:#?}");
        let (_, faults) = quotes::verify(&self.ctx).await.expect("the database answers");
        assert!(faults.is_empty(), "{faults:#?}");
        let (_, faults) = events::log::verify(&self.ctx).await.expect("the database answers");
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

async fn stuck_jobs(db: &Db) -> Vec<(String, i64)> {
    let counts = db::read!(db, |tx| jobs::count(tx).await).expect("the database answers");
    counts.into_iter().filter(|(state, _)| state == "dead").collect()
}

/// What every test server starts with.
pub(crate) fn settings(
    database_url: &str,
    address: SocketAddr,
    keys_dir: &std::path::Path,
) -> Config {
    let sources = Sources::none()
        .flag("listen", Some(address.to_string()))
        .flag("database_url", Some(database_url.to_owned()))
        .flag("keys_dir", Some(keys_dir.display().to_string()));
    let mut config = Config::load(&sources).expect("these settings are complete");
    config.oauth.argon2_memory_kib = 8;
    config.oauth.argon2_iterations = 1;
    config.oauth.argon2_queue = 1_000;
    config.limits.merchant_per_minute = 1_000_000;
    config.limits.address_per_minute = 1_000_000;
    config.limits.oauth_address_per_minute = 1_000_000;
    config.limits.token_per_minute = 1_000_000;
    config.limits.fx_per_minute = 1_000_000;
    config.limits.failures_per_minute = 100_000;
    config.limits.sensitive_per_minute = 1_000_000;
    config.http.drain_timeout = Duration::from_secs(10);
    config
}
