//! The homes of the record of used proofs, and what each does when it is lost, late or away.

mod restarts;

use std::{path::Path, sync::Arc, time::Duration};

use counterfoil::{
    base::{
        clock::{Clock, HandWound},
        failure::{Code, Result},
        random::Random,
        timestamp::Timestamp,
    },
    config::ReplayStore as Home,
    ctx::Ctx,
    db::{self, Db, Options, Owner},
    jobs::Runner,
    oauth::{
        dpop::{
            nonce::{NonceVerdict, Side},
            replay::{
                self, Claim, LIFE, MemoryLimits, Outcome, Place, Replay, Settings, StoreDown, Sweep,
            },
        },
        replicas::Replica,
    },
};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tokio::{sync::Barrier, task::JoinSet, time::Instant};

use crate::support::{both::TestDb, postgres, proxy::Proxy, redis::Redis, scratch};

const WINDOW: Duration = Duration::from_mins(1);
const ONE: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const TWO: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
/// More than a home may take to answer, less than anything else gives up after.
const SOON: Duration = Duration::from_secs(2);

fn settings(home: Home) -> Settings {
    let limits = MemoryLimits { life: LIFE, ceiling: 10_000, per_key_and_minute: 1_000 };
    Settings { home, window: WINDOW, limits }
}

fn world(db: Db) -> (Ctx, HandWound) {
    let (clock, hands) = Clock::hand_wound(Timestamp::from_unix_seconds(1_800_000_000));
    (Ctx { db, clock, random: Random::system() }, hands)
}

async fn manager(url: &str) -> ConnectionManager {
    let client = redis::Client::open(url).unwrap();
    let quick = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(2)))
        .set_response_timeout(Some(Duration::from_millis(500)));
    ConnectionManager::new_with_config(client, quick).await.unwrap()
}

async fn memory(ctx: &Ctx, folder: &Path) -> Replay {
    replay::open(&settings(Home::Memory), ctx, None, &Place::here(folder)).await.unwrap()
}

async fn in_postgres(ctx: &Ctx) -> Replay {
    replay::open(&settings(Home::Postgres), ctx, None, &Place::here(Path::new("unused")))
        .await
        .unwrap()
}

async fn in_redis(ctx: &Ctx, url: &str) -> Replay {
    let redis = Some(manager(url).await);
    replay::open(&settings(Home::Redis), ctx, redis, &Place::here(Path::new("unused")))
        .await
        .unwrap()
}

fn claim(replay: &Replay, ctx: &Ctx, jkt: &str, jti: &str) -> Claim {
    let jkt = jkt.parse().unwrap();
    Claim { key: replay.name(&jkt, jti), jkt, now: ctx.now(), epoch: replay.known().epoch }
}

async fn use_once(replay: &Replay, ctx: &Ctx, jti: &str) -> Result<Outcome, StoreDown> {
    replay.claim(&claim(replay, ctx, ONE, jti)).await
}

async fn is_held(replay: &Replay, ctx: &Ctx, jkt: &str, jti: &str) -> bool {
    let use_of = claim(replay, ctx, jkt, jti);
    replay.holds(use_of.key, use_of.now).await.unwrap()
}

/// Fifty copies at once, dealt to these replicas in turn.
async fn race(replicas: &[Replay], ctx: &Ctx, jti: &str) -> Vec<Outcome> {
    let gate = Arc::new(Barrier::new(50));
    let mut racers = JoinSet::new();
    for replay in replicas.iter().cycle().take(50) {
        let (replay, gate) = (replay.clone(), gate.clone());
        let claim = claim(&replay, ctx, ONE, jti);
        racers.spawn(async move {
            gate.wait().await;
            replay.claim(&claim).await.unwrap()
        });
    }
    racers.join_all().await
}

/// P60 to P65, R47: one of fifty wins; another key's jti is another; a use counts for its life.
async fn counts_each_use_once(replicas: &[Replay], ctx: &Ctx) {
    for round in 0..5 {
        let outcomes = race(replicas, ctx, &format!("round {round}")).await;
        let fresh = outcomes.iter().filter(|outcome| **outcome == Outcome::Fresh).count();
        let copies = outcomes.iter().filter(|outcome| **outcome == Outcome::Replayed).count();
        assert_eq!((fresh, copies), (1, 49));
    }
    for replay in replicas {
        assert_eq!(use_once(replay, ctx, "round 0").await.unwrap(), Outcome::Replayed);
        // Looking claims nothing: the other key's jti, looked at here, is fresh below.
        assert!(is_held(replay, ctx, ONE, "round 0").await);
        assert!(!is_held(replay, ctx, TWO, "round 0").await);
    }
    let other = claim(&replicas[0], ctx, TWO, "round 0");
    assert_eq!(replicas[0].claim(&other).await.unwrap(), Outcome::Fresh);
}

async fn forgets_after_its_life(replay: &Replay, ctx: &Ctx, hands: &HandWound) {
    assert_eq!(use_once(replay, ctx, "mortal").await.unwrap(), Outcome::Fresh);
    for seconds in [59, 2, 57, 181] {
        hands.advance(Duration::from_secs(seconds));
        assert_eq!(use_once(replay, ctx, "mortal").await.unwrap(), Outcome::Replayed);
    }
    assert!(is_held(replay, ctx, ONE, "mortal").await);
    hands.advance(Duration::from_secs(1));
    assert!(!is_held(replay, ctx, ONE, "mortal").await);
    assert_eq!(use_once(replay, ctx, "mortal").await.unwrap(), Outcome::Fresh);
}

/// P70: a greedy key stops itself only.
async fn a_share_can_be_used_up(mut open: impl AsyncFnMut(Settings) -> Replay, ctx: &Ctx) {
    let mut few = settings(Home::Memory);
    few.limits.per_key_and_minute = 2;
    let replay = open(few).await;
    assert_eq!(use_once(&replay, ctx, "a").await.unwrap(), Outcome::Fresh);
    assert_eq!(use_once(&replay, ctx, "a").await.unwrap(), Outcome::Replayed);
    assert_eq!(use_once(&replay, ctx, "b").await.unwrap(), Outcome::Fresh);
    assert_eq!(use_once(&replay, ctx, "c").await.unwrap(), Outcome::QuotaSpent);
    let other = claim(&replay, ctx, TWO, "c");
    assert_eq!(replay.claim(&other).await.unwrap(), Outcome::Fresh);
}

/// A record that was lost begins again and lets nothing in that it may have known.
async fn begins_anew(replay: &Replay, ctx: &Ctx, before: &Claim, nonce: &str) {
    assert_eq!(replay.claim(before).await.unwrap(), Outcome::Forgotten);
    let known = replay.known();
    assert_ne!(known.epoch, before.epoch);
    // Nothing that was accepted before can be dated later: one window ahead of the last moment.
    assert!(known.forgotten_until.unwrap() >= ctx.now().plus(WINDOW));
    let verdict = known.nonces.judge(Side::Resource, nonce, ctx.now());
    assert_eq!(verdict, NonceVerdict::Refused, "it could stand in for iat");
    assert_eq!(use_once(replay, ctx, "after").await.unwrap(), Outcome::Fresh);
    assert_eq!(use_once(replay, ctx, "after").await.unwrap(), Outcome::Replayed);
}

fn nonce(replay: &Replay, ctx: &Ctx) -> String {
    replay.known().nonces.mint(Side::Resource, ctx.now())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_memory_each_use_counts_once() {
    let test = TestDb::sqlite().await;
    let (ctx, hands) = world(test.open().await);
    let replay = memory(&ctx, &scratch::directory("replay")).await;
    counts_each_use_once(std::slice::from_ref(&replay), &ctx).await;
    forgets_after_its_life(&replay, &ctx, &hands).await;
    a_share_can_be_used_up(
        async |few| {
            replay::open(&few, &ctx, None, &Place::here(&scratch::directory("replay")))
                .await
                .unwrap()
        },
        &ctx,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_postgres_each_use_counts_once_for_all_replicas() {
    let test = TestDb::postgres().await;
    let (ctx, hands) = world(test.open().await);
    let other = Ctx { db: test.open().await, ..ctx.clone() };
    // At the same moment, as when a deployment starts.
    let (one, two) = tokio::join!(in_postgres(&ctx), in_postgres(&other));
    assert_eq!(one.known().epoch, two.known().epoch);
    assert_eq!(one.forgotten_until(), None, "nothing to have forgotten");
    counts_each_use_once(&[one.clone(), two], &ctx).await;
    forgets_after_its_life(&one, &ctx, &hands).await;
    a_share_can_be_used_up(
        async |few| {
            let few = Settings { home: Home::Postgres, ..few };
            replay::open(&few, &ctx, None, &Place::here(Path::new("unused"))).await.unwrap()
        },
        &ctx,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_redis_each_use_counts_once_for_all_replicas() {
    let (test, redis) = (TestDb::postgres().await, Redis::start());
    let (ctx, _) = world(test.open().await);
    let url = redis.url();
    let (one, two) = tokio::join!(in_redis(&ctx, &url), in_redis(&ctx, &url));
    assert_eq!(one.known().epoch, two.known().epoch);
    assert_eq!(one.forgotten_until(), None, "nothing to have forgotten");
    counts_each_use_once(&[one.clone(), two], &ctx).await;
    // Redis counts by its own clock: every claim must have its whole life, and end.
    let mut connection = manager(&url).await;
    let keys: Vec<Vec<u8>> =
        redis::cmd("KEYS").arg("replay:*").query_async(&mut connection).await.unwrap();
    let claims: Vec<_> = keys.iter().filter(|key| !key.starts_with(b"replay:record:")).collect();
    assert_eq!(claims.len(), 6);
    for key in claims {
        let left: i64 = redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        assert!((240_000..=300_000).contains(&left), "{left}");
    }
    a_share_can_be_used_up(
        async |few| {
            let few = Settings { home: Home::Redis, ..few };
            let redis = Some(manager(&url).await);
            replay::open(&few, &ctx, redis, &Place::here(Path::new("unused"))).await.unwrap()
        },
        &ctx,
    )
    .await;
}

/// P69, X12: no answer in time is a refusal, and all is well when the line is whole again.
async fn fails_closed(replay: &Replay, ctx: &Ctx, line: &Proxy) {
    assert_eq!(use_once(replay, ctx, "before").await.unwrap(), Outcome::Fresh);
    for (number, break_it) in [Proxy::cut, Proxy::freeze].into_iter().enumerate() {
        break_it(line);
        for jti in ["before", "meanwhile"] {
            let begun = Instant::now();
            use_once(replay, ctx, jti).await.unwrap_err();
            assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        }
        line.mend();
        let recovered = async {
            while use_once(replay, ctx, &format!("after {number}")).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), recovered).await.unwrap();
        assert_eq!(use_once(replay, ctx, "before").await.unwrap(), Outcome::Replayed);
        let after = format!("after {number}");
        assert_eq!(use_once(replay, ctx, &after).await.unwrap(), Outcome::Replayed);
    }
    assert_eq!(replay.forgotten_until(), None, "a broken line loses nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_does_not_answer_lets_nothing_in() {
    let (test, redis) = (TestDb::sqlite().await, Redis::start());
    let (ctx, _) = world(test.open().await);
    let line = Proxy::to(redis.port());
    let replay = in_redis(&ctx, &redis.url_through(line.port)).await;
    fails_closed(&replay, &ctx, &line).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_does_not_answer_lets_nothing_in() {
    let (test, line) = TestDb::postgres_on_a_line().await;
    let (ctx, _) = world(test.open().await);
    let replay = in_postgres(&ctx).await;
    fails_closed(&replay, &ctx, &line).await;
}

/// After `kill -9` PostgreSQL comes back without its unlogged rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_postgres_reopens_nothing() {
    let mut server = postgres::Server::start(&postgres::Options::default());
    let db = Db::connect(&server.url("postgres"), &Options::default()).await.unwrap();
    db.migrate().await.unwrap();
    let (ctx, _) = world(db);
    let (replay, other) = (in_postgres(&ctx).await, in_postgres(&ctx).await);
    let (before, nonce) = (claim(&replay, &ctx, ONE, "before"), nonce(&replay, &ctx));
    assert_eq!(replay.claim(&before).await.unwrap(), Outcome::Fresh);
    server.stop();
    server.start_again();
    let claimed = async {
        loop {
            if let Ok(outcome) = replay.claim(&before).await {
                break outcome;
            }
        }
    };
    assert_eq!(claimed.await, Outcome::Replayed, "an orderly restart keeps them");
    server.kill();
    server.start_again();
    let back = async { while replay.claim(&before).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), back).await.unwrap();
    begins_anew(&replay, &ctx, &before, &nonce).await;
    // The other replica learns of it from its next claim, and the two agree again.
    assert_eq!(other.claim(&before).await.unwrap(), Outcome::Forgotten);
    assert_eq!(other.known().epoch, replay.known().epoch);
    assert_eq!(other.forgotten_until(), replay.forgotten_until());
    assert_eq!(use_once(&other, &ctx, "after").await.unwrap(), Outcome::Replayed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgets_reopens_nothing() {
    let (test, mut redis) = (TestDb::sqlite().await, Redis::start());
    let (ctx, hands) = world(test.open().await);
    let replay = in_redis(&ctx, &redis.url()).await;
    let (before, first) = (claim(&replay, &ctx, ONE, "before"), nonce(&replay, &ctx));
    assert_eq!(replay.claim(&before).await.unwrap(), Outcome::Fresh);
    redis.kill();
    redis.start_again();
    let back = async { while replay.claim(&before).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), back).await.unwrap();
    begins_anew(&replay, &ctx, &before, &first).await;

    // Emptied by hand, on a connection that stays.
    hands.advance(Duration::from_secs(1));
    let (before, second) = (claim(&replay, &ctx, ONE, "second"), nonce(&replay, &ctx));
    assert_eq!(replay.claim(&before).await.unwrap(), Outcome::Fresh);
    let () = redis::cmd("FLUSHALL").query_async(&mut manager(&redis.url()).await).await.unwrap();
    begins_anew(&replay, &ctx, &before, &second).await;
}

/// A snapshot brings back the name of the record and not the claims since: the run tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_with_an_old_snapshot_reopens_nothing() {
    let (test, mut redis) = (TestDb::sqlite().await, Redis::start());
    let (ctx, _) = world(test.open().await);
    let replay = in_redis(&ctx, &redis.url()).await;
    let before = claim(&replay, &ctx, ONE, "before");
    let () = redis::cmd("SAVE").query_async(&mut manager(&redis.url()).await).await.unwrap();
    let nonce = nonce(&replay, &ctx);
    assert_eq!(replay.claim(&before).await.unwrap(), Outcome::Fresh);
    redis.kill();
    redis.start_again();
    let kept: i64 =
        redis::cmd("DBSIZE").query_async(&mut manager(&redis.url()).await).await.unwrap();
    assert_eq!(kept, 1, "the snapshot has the record's name");
    let back = async { while replay.claim(&before).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), back).await.unwrap();
    begins_anew(&replay, &ctx, &before, &nonce).await;
}

#[tokio::test]
async fn a_redis_that_evicts_is_refused() {
    let (test, redis) = (TestDb::sqlite().await, Redis::start());
    let (ctx, _) = world(test.open().await);
    let mut connection = manager(&redis.url()).await;
    for (name, value) in [("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru")] {
        let mut set = redis::cmd("CONFIG");
        let () = set.arg("SET").arg(name).arg(value).query_async(&mut connection).await.unwrap();
    }
    let settings = settings(Home::Redis);
    let refused =
        replay::open(&settings, &ctx, Some(connection), &Place::here(Path::new("unused"))).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::NotConfigured);
    assert!(refused.cause_chain().unwrap().contains("noeviction"));
}

/// Another home knows nothing of what this one has seen, nor does this one when we come back.
#[tokio::test(flavor = "multi_thread")]
async fn moving_to_another_home_reopens_nothing() {
    let test = TestDb::postgres().await;
    let (ctx, hands) = world(test.open().await);
    let folder = scratch::directory("replay");
    let mut epochs = vec![memory(&ctx, &folder).await.known().epoch];
    for home in [Home::Postgres, Home::Memory, Home::Postgres] {
        hands.advance(Duration::from_secs(1));
        let replay =
            replay::open(&settings(home), &ctx, None, &Place::here(&folder)).await.unwrap();
        assert!(replay.forgotten_until().unwrap() >= ctx.now().plus(WINDOW));
        epochs.push(replay.known().epoch);
    }
    assert_eq!(epochs, [1, 2, 3, 4]);
}

#[tokio::test]
async fn dead_claims_are_swept_and_live_ones_are_not() {
    let test = TestDb::postgres().await;
    let (ctx, hands) = world(test.open().await);
    let replay = in_postgres(&ctx).await;
    for jti in 0..20 {
        use_once(&replay, &ctx, &format!("old {jti}")).await.unwrap();
    }
    hands.advance(Duration::from_secs(299));
    use_once(&replay, &ctx, "young").await.unwrap();
    replay::schedule(&ctx).await.unwrap();
    replay::schedule(&ctx).await.unwrap();
    let runner = Runner::new(ctx.clone(), vec![Box::new(Sweep)], 1);
    assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
    assert_eq!(rows(&ctx.db).await, 22, "the record's own row stays too");
    hands.advance(Duration::from_mins(1));
    assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
    assert_eq!(rows(&ctx.db).await, 2);
    assert_eq!(use_once(&replay, &ctx, "young").await.unwrap(), Outcome::Replayed);
}

async fn rows(db: &Db) -> i64 {
    const COUNT: &str = "SELECT COUNT(*) FROM replay_claims";
    let counted: Result<i64> = db::read!(db, |tx| Ok(db::one!(tx, (i64,), COUNT)?.0));
    counted.unwrap()
}

/// A crash leaves no lock behind, and an orderly end frees the place at once.
#[tokio::test]
async fn on_one_file_a_replica_that_remembers_in_memory_is_alone() {
    let test = TestDb::sqlite().await;
    let (ctx, _) = world(test.open().await);
    let first = Replica::join(&ctx, "memory").await.unwrap();
    for store in ["memory", "redis"] {
        let refused = Replica::join(&ctx, store).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotConfigured);
    }
    drop(first);
    let second = Replica::join(&ctx, "memory").await.unwrap();
    second.leave().await.unwrap();
    let shared = Replica::join(&ctx, "redis").await.unwrap();
    let beside = Replica::join(&ctx, "redis").await.unwrap();
    assert!(Replica::join(&ctx, "memory").await.is_err());
    drop((shared, beside));
    Replica::join(&ctx, "memory").await.unwrap();
}

/// What has no place among the pages of a test: the house's own row for the number of the record.
#[tokio::test]
async fn the_number_of_the_record_is_kept_in_the_database() {
    let test = TestDb::sqlite().await;
    let (ctx, _) = world(test.open().await);
    let replay = memory(&ctx, &scratch::directory("replay")).await;
    let forget: Result<()> = db::write!(ctx.db, Owner::House, |tx| {
        db::exec!(tx, "UPDATE generations SET value = 7 WHERE name = 'replay'")?;
        Ok(())
    });
    forget.unwrap();
    assert_eq!(replay.known().epoch, 1);
    assert_eq!(memory(&ctx, &scratch::directory("replay")).await.known().epoch, 8);
}
