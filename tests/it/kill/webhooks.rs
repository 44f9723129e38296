//! Three servers deliver from one PostgreSQL to receivers that do everything wrong, while one server
//! after the other is killed: every event is delivered, dead-lettered or its endpoint switched off, the
//! numbers have no gap, and there is no event without its change nor a change without its event.
//!
//! A plain test run takes some seconds and kills after so many deliveries; `make fault-test` is the
//! long form: 50,000 events, five minutes at least, a kill every 20 s.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use counterfoil::base::clock::Clock;
use futures_util::future::{join, join_all};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::sync::{Notify, Semaphore, mpsc};

use super::{
    Victim,
    books::{self, Ends},
    fleet::{Fleet, Replica, Trap},
    shops::{Mood, Shop},
};
use crate::events::receiver::Seen;
use crate::support::{app::TestApp, both::TestDb, http::Connection};

const REPLICAS: usize = 3;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
struct Plan {
    events: u64,
    time: Duration,
    kills: u64,
    /// A kill after so many deliveries and answers, and not sooner than this after the last.
    kill: (u64, Duration),
    mood: Mood,
    /// Payouts on their way at once.
    window: usize,
    shops: usize,
}

const SHORT: Plan = Plan {
    events: 300,
    time: Duration::ZERO,
    kills: 5,
    kill: (60, Duration::ZERO),
    mood: Mood { flaw_every: 7, never_takes_every: 40 },
    window: 100,
    shops: 2,
};

#[expect(clippy::disallowed_methods, reason = "how long to go on is for whoever runs it to say")]
fn plan() -> Plan {
    let asked = std::env::var("COUNTERFOIL_FAULT_EVENTS").ok();
    let events = asked.map(|text| text.parse().expect("COUNTERFOIL_FAULT_EVENTS is a number"));
    events.map_or(SHORT, |events| Plan {
        events,
        time: Duration::from_mins(5),
        kills: 12,
        kill: (1, Duration::from_secs(20)),
        mood: Mood { flaw_every: 50, never_takes_every: 400 },
        window: 600,
        shops: 4,
    })
}

/// What is going on.
struct Work {
    plan: Plan,
    begun: Instant,
    kills: AtomicU64,
    /// How often a server said that nothing was changed and to try again.
    refused: AtomicU64,
    /// Events of which a first attempt was made.
    arrived: AtomicU64,
    /// Places for payouts on their way.
    window: Semaphore,
    stop: Notify,
}

impl Work {
    fn is_done(&self) -> bool {
        let Plan { events, time, kills, .. } = self.plan;
        self.kills.load(Ordering::SeqCst) >= kills
            && self.arrived.load(Ordering::SeqCst) >= events
            && self.begun.elapsed() >= time
    }

    /// Makes payouts at one replica, or at what takes its place.
    async fn pay(&self, replica: &Replica, shop: &Shop, trap: &Trap, name: &str) {
        let mut number = 0;
        while !self.is_done() {
            let Some(mut line) = Connection::reach(replica.address().await).await else { continue };
            while !self.is_done() {
                self.window.acquire().await.unwrap().forget();
                number += 1;
                let key = format!("{name}-{number}");
                let Some(made) = shop.pay(&mut line, &key, &self.refused).await else {
                    self.window.add_permits(1);
                    break;
                };
                shop.made.lock().unwrap().push(made);
                trap.tick();
            }
        }
    }

    /// Kills one after the other.
    async fn kill(&self, fleet: &Arc<Fleet>, mut fired: mpsc::UnboundedReceiver<()>, url: &str) {
        loop {
            tokio::select! {
                _ = fired.recv() => {}
                () = self.stop.notified() => return,
            }
            fleet.replace(self.kills.load(Ordering::SeqCst)).await;
            self.kills.fetch_add(1, Ordering::SeqCst);
            if self.plan.time > Duration::ZERO {
                tidy_up(url).await;
            }
        }
    }
}

/// What autovacuum does in production; the tests' server has none.
async fn tidy_up(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute("VACUUM ANALYZE").await.unwrap();
    connection.close().await.unwrap();
}

/// Merchants with one home: the servers share their keys.
async fn shops(db: &TestDb, work: &Arc<Work>, trap: &Arc<Trap>) -> (Victim, Vec<Shop>) {
    let home = Victim::register(db).await;
    let mut shops = Vec::new();
    for number in 0..work.plan.shops {
        let mut victim = Victim::register_as(db, &format!("shop{number}@shop.example")).await;
        victim.home.clone_from(&home.home);
        let counting = work.clone();
        let first = move |seen: &Seen| {
            counting.arrived.fetch_add(1, Ordering::SeqCst);
            if seen.header("x-webhook-event") == Some("payout.completed") {
                counting.window.add_permits(1);
            }
        };
        shops.push(Shop::open(victim, number, work.plan.mood, trap, first).await);
    }
    (home, shops)
}

/// A server whose clock is wound by hand carries on to the end: every pause between attempts, and the
/// days after which the hopeless are switched off.
async fn wind_to_the_end(db: &TestDb, home: std::path::PathBuf, shops: &[Shop]) -> TestApp {
    // What the killed ones had leased is free again by then.
    let (clock, hands) = Clock::hand_wound(Clock::system().now().plus(Duration::from_mins(2)));
    let app = TestApp::at(db, clock, hands, home.join("keys"), |config| {
        config.webhooks.allow_loopback = true;
        config.webhooks.timeout = Duration::from_millis(150);
    })
    .await;
    for _ in 0..2_000 {
        app.run_due_jobs().await;
        let busy = books::busy(&app.ctx.db).await;
        if busy.is_empty() {
            return app;
        }
        let moody = shops.iter().any(|shop| busy.contains(&shop.moody.id));
        // The longest pause of one that keeps failing is five minutes.
        app.hands.advance(if moody { Duration::from_mins(5) } else { Duration::from_hours(6) });
    }
    panic!("{:?} do not come to an end", books::busy(&app.ctx.db).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the long form reports")]
async fn every_event_is_delivered_dead_lettered_or_its_endpoint_switched_off() {
    let (plan, db) = (plan(), TestDb::postgres().await);
    let (trap, fired) = Trap::new(plan.kill.0, plan.kill.1);
    let trap = Arc::new(trap);
    let work = Arc::new(Work {
        plan,
        begun: Instant::now(),
        kills: AtomicU64::default(),
        refused: AtomicU64::default(),
        arrived: AtomicU64::default(),
        window: Semaphore::new(plan.window),
        stop: Notify::new(),
    });
    let (home, mut shops) = shops(&db, &work, &trap).await;
    let keys = home.home.clone();
    let fleet = Arc::new(Fleet::start(home, REPLICAS));
    let address = fleet.replicas()[0].address().await;
    for shop in &mut shops {
        shop.register(address).await;
    }

    let callers = async {
        let (work, trap) = (&*work, &*trap);
        let pairs = fleet.replicas().iter().enumerate();
        join_all(pairs.flat_map(|(replica_number, replica)| {
            shops.iter().map(move |shop| async move {
                work.pay(replica, shop, trap, &format!("{replica_number}")).await;
            })
        }))
        .await;
        work.stop.notify_one();
    };
    join(callers, work.kill(&fleet, fired, &db.url)).await;
    fleet.end();
    let load = work.begun.elapsed();
    let arrived = work.arrived.load(Ordering::SeqCst);

    let ctx = super::open(&db.url).await;
    let by_replicas = books::delivered(&ctx.db).await;
    ctx.db.close().await;
    assert!(by_replicas > 0, "the servers delivered");
    let app = wind_to_the_end(&db, keys, &shops).await;
    let mut all = Ends::default();
    for shop in &shops {
        let Ends { events, delivered, dead, switched_off } = books::check(&app.ctx.db, shop).await;
        assert!(switched_off > 0, "a 410 switches off");
        all.events += events;
        all.delivered += delivered;
        all.dead += dead;
        all.switched_off += switched_off;
    }
    assert!(all.delivered > 0 && all.dead > 0, "{all:?}");
    app.stop().await;
    shops[0].victim.verify();
    println!(
        "{} payouts, {} events, {arrived} of them attempted and {by_replicas} deliveries made by \
         {REPLICAS} servers in {load:.0?} with {} kills, and {} requests were refused for the moment; in the end {all:?}",
        shops.iter().map(|shop| shop.made.lock().unwrap().len()).sum::<usize>(),
        all.events,
        work.kills.load(Ordering::SeqCst),
        work.refused.load(Ordering::SeqCst),
    );
}
