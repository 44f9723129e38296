//! Everything built once from the configuration.

use std::{fmt, future::Future, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::Router;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::{net::TcpListener, sync::Semaphore};

use crate::{
    base::{
        clock::Clock,
        environment::Environment,
        failure::{Code, Failure, Result},
        random::Random,
        tasks::Tasks,
    },
    config::{
        Config, Http, NonceMode, RailName, RateFile, ReplayStore as ReplayHome, SigningAlg,
        WebOrigin,
    },
    ctx::Ctx,
    db::{self, Db, Owner},
    events::{Events, courier::Courier, deliveries},
    jobs::{self, NewJob, Runner},
    ledger,
    money::Precision,
    oauth::{
        authority::{Authority, Nonces, Parts, Rules},
        dpop::replay::{self, Place, Replay},
        jose::Alg,
        keys::{Protection, Ring},
        lifecycle,
        replicas::Replica,
        secrets::{Cost, Hasher},
        selftest,
    },
    payouts::{self, Payouts, People, checks::Screening, days, payout, rails},
    portal::{self, Portal},
    pricing::{self, Pricing, fx, plans},
    router::{self, Rooms},
    telemetry::Prometheus,
    vault::{Kek, Vault},
    web::{
        edge::Edge,
        headers::Https,
        health::{Check, Readiness},
        idempotency,
        limits::{Arrival, Limits},
        places::Places,
        rate_limit::{PerAddress, Quota, RateLimiter, Shared},
        server::{self, Tls},
    },
};

/// How long Redis may take to answer, once connected.
const REDIS_PATIENCE: Duration = Duration::from_millis(500);

/// What happens again and again.
const RECURRING: [&str; 7] = [
    days::Counting::KIND,
    portal::Housekeeping::KIND,
    lifecycle::Housekeeping::KIND,
    fx::Refresh::KIND,
    ledger::ExpireHolds::KIND,
    idempotency::ForgetAnswers::KIND,
    deliveries::Housekeeping::KIND,
];

/// A server that is ready to accept.
pub struct App {
    /// The database, the time, the dice.
    pub ctx: Ctx,
    /// Tokens, proofs, keys.
    pub authority: Authority,
    /// What rests encrypted.
    pub vault: Vault,
    /// Money on its way.
    pub payouts: Payouts,
    /// Endpoints and what is delivered to them.
    pub events: Events,
    /// Deliveries; tests run them by hand.
    pub courier: Courier,
    /// People's pages.
    pub portal: Portal,
    /// Background jobs; tests run them by hand.
    pub runner: Runner,
    router: Router,
    tasks: Tasks,
    /// This process among the replicas.
    pub replica: Replica,
    replay: Replay,
    tls: Option<Tls>,
    config: Config,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "App({})", self.config.public_url.as_str())
    }
}

impl App {
    /// Opens and builds everything; whatever cannot be used stops the start with one sentence.
    pub async fn open(config: &Config, clock: Clock, random: Random) -> Result<Self> {
        selftest::run().map_err(Failure::internal)?;
        let db = open_database(config).await?;
        let ctx = Ctx { db, clock, random };
        let tasks = Tasks::default();
        let redis = connect_redis(config).await?;
        let ring = ring(config, &ctx.clock, &ctx.random)?;
        let vault = vault(config, &ctx).await?;
        let limiter = RateLimiter::new(ctx.clock.clone(), redis.clone().map(Shared::new));
        let replica = Replica::join(&ctx, replay_name(config.oauth.replay_store)).await?;
        let replay = open_replay(config, &ctx, redis.clone()).await?;
        let parts = Parts {
            ring,
            hasher: hasher(config, &ctx.random)?,
            limiter: limiter.clone(),
            replay: replay.clone(),
            tasks: tasks.clone(),
            ctx: ctx.clone(),
        };
        let authority = Authority::new(rules(config), parts)?;
        let tls = match &config.http.tls {
            Some(files) => Some(Tls::load(files.cert.clone(), files.key.clone())?),
            None => None,
        };
        let pricing = pricing(config, &ctx, &authority, &limiter).await?;
        let payouts = payouts(config, &ctx, &pricing, &vault);
        let people = People { ctx: ctx.clone(), vault: vault.clone() };
        let events = Events::configured(config, &ctx, &vault, &limiter)?;
        let shown = portal::Rooms {
            pricing: pricing.clone(),
            people: people.clone(),
            payouts: payouts.clone(),
            events: events.clone(),
        };
        let portal = Portal::of(config, &authority, &limiter, &vault, shown)?;
        let parts = (&pricing, &people, &payouts, &events);
        let rooms = rooms(config, (&authority, &portal), &limiter, redis, &tasks, parts);
        let router = router::build(&rooms)?;
        let runner = Runner::new(ctx.clone(), handlers(config, &payouts)?, config.jobs.concurrency);
        let app = Self {
            ctx,
            authority,
            vault,
            payouts,
            courier: Courier::new(events.clone()),
            events,
            portal,
            runner,
            router,
            tasks,
            replica,
            replay,
            tls,
            config: config.clone(),
        };
        app.schedule().await?;
        Ok(app)
    }

    /// Serves until `stop` resolves, then drains: no accepted request is cut, no acknowledged write
    /// is lost.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        self.spawn_background(stop);
        self.serve_until_stopped(listener).await;
    }

    /// Serves requests only; jobs run when a test says so.
    pub async fn serve_without_jobs(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        stop_when(&self.tasks, stop);
        self.serve_until_stopped(listener).await;
    }

    async fn serve_until_stopped(self, listener: TcpListener) {
        let drain = self.config.http.drain_timeout;
        let options = listening(&self.config.http, self.tls.clone());
        server::serve(listener, self.router, options, self.tasks.clone()).await;
        if !self.tasks.drain(drain).await {
            tracing::warn!("Some work did not end in time and is cut.");
        }
        if let Err(failure) = self.replay.close().await {
            tracing::warn!(cause = failure.cause_chain(), "The replay record was not closed.");
        }
        if let Err(failure) = self.replica.leave().await {
            tracing::warn!(cause = failure.cause_chain(), "The replica could not say goodbye.");
        }
        self.ctx.db.close().await;
    }

    fn spawn_background(&self, stop: impl Future<Output = ()> + Send + 'static) {
        let tasks = &self.tasks;
        stop_when(tasks, stop);
        if self.config.jobs.concurrency > 0 {
            let poll = self.config.jobs.poll_interval;
            tasks.spawn(self.runner.clone().run(tasks.clone(), poll));
            tasks.spawn(self.courier.clone().run(tasks.clone(), poll));
        }
        tasks.spawn(self.replica.clone().keep_up(tasks.clone()));
        let prometheus = Prometheus::of_process();
        prometheus.keep_up(tasks);
        if let Some(tls) = self.tls.clone() {
            tasks.spawn(tls.keep_up(tasks.clone()));
        }
        if let (true, Some(address)) = (self.config.metrics.enabled, self.config.metrics.listen) {
            tasks.spawn(metrics_listener(address, prometheus, tasks.clone()));
        }
    }

    /// Queues what happens again and again; a second replica queues nothing twice.
    async fn schedule(&self) -> Result<()> {
        let now = self.ctx.now();
        db::write!(self.ctx.db, Owner::House, |tx| {
            for kind in RECURRING {
                jobs::enqueue(tx, &self.ctx, &NewJob::new(kind, now, &())?.unique(kind)).await?;
            }
            Ok(())
        })?;
        if self.config.oauth.replay_store == ReplayHome::Postgres {
            replay::schedule(&self.ctx).await?;
        }
        Ok(())
    }
}

fn listening(http: &Http, tls: Option<Tls>) -> server::Options {
    let connections = server::Connections {
        places: Places::new(http.max_connections, http.max_connections_per_address),
        proxies: http.trusted_proxies.as_slice().into(),
        head: http.head_timeout,
        idle: http.idle_timeout,
    };
    server::Options { head_limit: http.header_limit, drain: http.drain_timeout, tls, connections }
}

fn stop_when(tasks: &Tasks, stop: impl Future<Output = ()> + Send + 'static) {
    let stopping = tasks.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = stop => stopping.stop(),
            () = stopping.stopping() => {}
        }
    });
}

/// Opens the database; in a sandbox it is made and migrated on the way, elsewhere only `migrate`
/// changes a schema.
pub async fn open_database(config: &Config) -> Result<Db> {
    let db = Db::connect(config.database_url.expose(), &config.database).await?;
    if config.environment == Environment::Sandbox {
        db.migrate().await?;
    } else {
        db.check_version().await?;
    }
    Ok(db)
}

/// The signing keys of this installation.
pub fn ring(config: &Config, clock: &Clock, random: &Random) -> Result<Ring> {
    let protection = match &config.keys.encryption_key {
        Some(key) => Protection::Sealed(key.clone()),
        None => Protection::Plain,
    };
    let alg = match config.oauth.signing_alg {
        SigningAlg::Es256 => Alg::Es256,
        SigningAlg::Ed25519 => Alg::EdDsa,
    };
    let (clock, random) = (clock.clone(), random.clone());
    Ring::open(&config.keys_dir, protection, alg, config.oauth.token_lifetime, clock, random)
}

/// The vault of this installation; in a sandbox its key is beside the signing keys.
pub async fn vault(config: &Config, ctx: &Ctx) -> Result<Vault> {
    let configured = config.keys.encryption_key.as_ref();
    let kek = Kek::configured_or_in(configured, &config.keys_dir, &ctx.random)?;
    Vault::open(ctx, kek).await
}

/// argon2 at the configured cost.
pub fn hasher(config: &Config, random: &Random) -> Result<Hasher> {
    let oauth = &config.oauth;
    let cost = Cost {
        memory_kib: oauth.argon2_memory_kib,
        passes: oauth.argon2_iterations,
        at_once: oauth.argon2_concurrency,
        queue: oauth.argon2_queue,
    };
    Hasher::new(cost, random)
}

fn handlers(config: &Config, payouts: &Payouts) -> Result<Vec<Box<dyn jobs::Handler>>> {
    let source: Option<Box<dyn fx::RateSource>> = match &config.fx.rates {
        Some(RateFile::Path(path)) => Some(Box::new(fx::EcbFile(path.clone()))),
        Some(RateFile::Url(url)) => Some(Box::new(fx::EcbUrl::new(url)?)),
        None => None,
    };
    Ok(vec![
        Box::new(lifecycle::Housekeeping),
        Box::new(ledger::ExpireHolds),
        Box::new(idempotency::ForgetAnswers),
        Box::new(portal::Housekeeping),
        Box::new(days::Counting),
        Box::new(replay::Sweep),
        Box::new(fx::Refresh::new(source, config.fx.refresh)),
        Box::new(payout::Advance(payouts.clone())),
        Box::new(deliveries::Housekeeping::new(config.webhooks.retention)),
    ])
}

/// Plans, quotes and rates. A sandbox starts with plans and with one day's rates.
async fn pricing(
    config: &Config,
    ctx: &Ctx,
    authority: &Authority,
    limiter: &RateLimiter,
) -> Result<Pricing> {
    let sandbox = config.environment == Environment::Sandbox;
    let built_in = sandbox && config.fx.rates.is_none();
    if sandbox {
        plans::ensure_sandbox(ctx).await?;
    }
    if built_in {
        fx::ensure_snapshot(ctx).await?;
    }
    let policy = fx::Policy {
        markup_bps: config.fx.markup_bps,
        precision: Precision::PUBLISHED,
        max_age_business_days: (!built_in).then_some(config.fx.max_age_business_days),
    };
    let source = if built_in { fx::Source::Snapshot } else { fx::Source::Ecb };
    Ok(Pricing::new(pricing::Parts {
        ctx: ctx.clone(),
        plans: plans::Plans::default(),
        rates: fx::Rates::new(source, policy),
        ring: authority.ring().clone(),
        limiter: limiter.clone(),
        fx_quote_life: config.fx.quote_lifetime,
        fx_per_minute: config.limits.fx_per_minute,
    }))
}

/// Payouts, by the operator's rules and through the operator's rail.
fn payouts(config: &Config, ctx: &Ctx, pricing: &Pricing, vault: &Vault) -> Payouts {
    let settings = &config.payouts;
    let rail: Box<dyn rails::Rail> = match settings.rail {
        RailName::Sandbox => Box::new(rails::Sandbox),
        RailName::Manual => Box::new(rails::Manual),
    };
    Payouts::new(payouts::Parts {
        ctx: ctx.clone(),
        pricing: pricing.clone(),
        vault: vault.clone(),
        policy: payouts::Policy::of(config),
        screening: Screening::new(settings.screening_score),
        rail,
    })
}

fn rules(config: &Config) -> Rules {
    let (oauth, limits) = (&config.oauth, &config.limits);
    Rules {
        issuer: oauth.issuer.as_str().to_owned(),
        origins: config.origins().map(|origin| origin.as_str().to_owned()).collect(),
        token_life: oauth.token_lifetime,
        window: oauth.proof_window,
        nonces: match oauth.nonce_mode {
            NonceMode::Off => Nonces::Off,
            NonceMode::OnClockSkew => Nonces::WhenClockIsOff,
            NonceMode::Required => Nonces::Required,
        },
        proxies: config.http.trusted_proxies.as_slice().into(),
        merchant_per_minute: limits.merchant_per_minute,
        tokens_per_minute: limits.token_per_minute,
        guesses_per_minute: limits.failures_per_minute,
    }
}

fn rooms(
    config: &Config,
    (authority, portal): (&Authority, &Portal),
    limiter: &RateLimiter,
    redis: Option<ConnectionManager>,
    tasks: &Tasks,
    (pricing, people, payouts, events): (&Pricing, &People, &Payouts, &Events),
) -> Rooms {
    let (http, ctx) = (&config.http, authority.ctx());
    let per_address = |name, calls| PerAddress {
        limiter: limiter.clone(),
        quota: Quota { name, calls, window: Duration::from_mins(1) },
        proxies: http.trusted_proxies.as_slice().into(),
    };
    let shown_here = config.metrics.enabled && config.metrics.listen.is_none();
    Rooms {
        authority: authority.clone(),
        pricing: pricing.clone(),
        people: people.clone(),
        payouts: payouts.clone(),
        events: events.clone(),
        portal: portal.clone(),
        edge: Edge { clock: ctx.clock.clone(), random: ctx.random.clone() },
        limits: Limits {
            body: http.body_limit,
            arrival: Arrival {
                patience: http.body_timeout,
                places: Places::new(http.max_arriving_bodies, http.max_arriving_bodies_per_address),
                proxies: http.trusted_proxies.as_slice().into(),
            },
            patience: http.request_timeout,
            at_once: Arc::new(Semaphore::new(http.max_concurrent_requests)),
            tasks: tasks.clone(),
        },
        strangers: per_address("address", config.limits.address_per_minute),
        clients: per_address("oauth-address", config.limits.oauth_address_per_minute),
        visitors: per_address("portal", config.limits.address_per_minute),
        cors_origins: http.cors_origins.iter().map(WebOrigin::as_str).map(str::to_owned).collect(),
        https: Https(config.public_url.is_https()),
        readiness: Readiness::new(checks(ctx, authority, redis), ctx.clock.clone(), tasks.clone()),
        metrics: shown_here.then(Prometheus::of_process),
    }
}

fn checks(
    ctx: &Ctx,
    authority: &Authority,
    redis: Option<ConnectionManager>,
) -> Vec<(&'static str, Check)> {
    let (db, ring) = (ctx.db.clone(), authority.ring().clone());
    let database: Check = Arc::new(move || {
        let db = db.clone();
        Box::pin(async move { db.ping().await })
    });
    let keys: Check = Arc::new(move || {
        let outcome = ring.refresh();
        Box::pin(async move { outcome })
    });
    let mut checks = vec![("database", database), ("keys", keys)];
    if let Some(redis) = redis {
        let check: Check = Arc::new(move || {
            let mut redis = redis.clone();
            Box::pin(async move {
                let answer = redis::cmd("PING").query_async::<()>(&mut redis).await;
                answer.map_err(|error| Failure::new(Code::Unavailable).caused_by(error))
            })
        });
        checks.push(("redis", check));
    }
    checks
}

async fn connect_redis(config: &Config) -> Result<Option<ConnectionManager>> {
    let Some(url) = &config.redis_url else { return Ok(None) };
    let unusable = |error: redis::RedisError| {
        Failure::new(Code::Unavailable).caused_by(format!("redis_url cannot be used: {error}"))
    };
    let client = redis::Client::open(url.expose().as_str()).map_err(unusable)?;
    let settings = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(2)))
        .set_response_timeout(Some(REDIS_PATIENCE));
    ConnectionManager::new_with_config(client, settings).await.map(Some).map_err(unusable)
}

/// Memory keeps its journal beside the database, or where the keys are: both outlive a restart.
async fn open_replay(
    config: &Config,
    ctx: &Ctx,
    redis: Option<ConnectionManager>,
) -> Result<Replay> {
    let beside = ctx.db.file().and_then(|file| file.parent().map(Path::to_owned));
    let folder = beside.unwrap_or_else(|| config.keys_dir.clone());
    replay::open(&replay::Settings::from(&config.oauth), ctx, redis, &Place::here(&folder)).await
}

fn replay_name(home: ReplayHome) -> &'static str {
    match home {
        ReplayHome::Memory => "memory",
        ReplayHome::Redis => "redis",
        ReplayHome::Postgres => "postgres",
    }
}

async fn metrics_listener(address: SocketAddr, metrics: Prometheus, tasks: Tasks) {
    match server::listen(address).await {
        Ok(listener) => {
            let router = router::metrics_only(metrics);
            server::serve(listener, router, server::Options::default(), tasks).await;
        }
        Err(failure) => {
            tracing::error!(cause = failure.cause_chain(), "Metrics are not served.");
        }
    }
}
