//! Rates and FX quotes in the database.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    time::Duration,
};

use counterfoil::{
    base::failure::{Code, Failure, Result},
    db::{self, Owner},
    jobs::{self, NewJob, Runner},
    money::Currency,
    pricing::{
        FxQuoteId, Pricing,
        fx::{
            self, EcbFile, EcbUrl, FixedSide, FxQuote, NewFxQuote, RateSource, Refresh, Source, ecb,
        },
    },
};
use tokio::task::JoinSet;

use super::{
    room::{Room, pricing},
    usd,
};
use crate::support::{both::both, scratch};

const FRIDAY: &str = "Date,USD,JPY\n2026-10-30,1.1172,175.68\n";
const MONDAY: &str = "Date,USD,JPY\n2026-11-02,1.2000,180.00\n2026-10-30,1.1172,175.68\n";

async fn save(room: &Room, file: &str) -> u64 {
    let days = ecb::read(file.as_bytes()).unwrap();
    fx::save_days(&room.ctx, Source::Ecb, &days).await.unwrap()
}

async fn rate(room: &Room, pricing: &Pricing) -> Result<String> {
    let table = pricing.rates.table(&room.ctx).await?;
    let used = table.mid(Currency::EUR, Currency::USD, room.ctx.now())?;
    Ok(format!("{} of {}", used.rate, table.day.date))
}

async fn give(room: &Room, locked: bool) -> FxQuote {
    let fixed = Some(FixedSide::Sell(usd("1000.00")));
    let new = NewFxQuote { sell: Currency::USD, buy: Currency::EUR, fixed };
    let whose = (FxQuoteId::make(&room.ctx.clock, &room.ctx.random), room.merchant);
    let table = room.pricing.rates.table(&room.ctx).await.unwrap();
    let when = (room.ctx.now(), Duration::from_mins(1));
    let quote = FxQuote::issue(whose, &new, locked, &table, when).unwrap();
    fx::save(&room.ctx, &quote).await.unwrap();
    quote
}

async fn take(room: &Room, pricing: &Pricing, quote: &FxQuote, by: &str) -> Result<FxQuote> {
    let table = pricing.rates.table(&room.ctx).await?;
    let whose = (room.merchant, quote.id);
    db::write!(room.ctx.db, room.merchant, |tx| {
        fx::consume(tx, &table, whose, by, room.ctx.now()).await
    })
}

both! {
    async fn days_are_stored_once_corrected_and_the_newest_counts(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        let pricing = pricing(&room.ctx, Some(2));
        assert_eq!(rate(&room, &pricing).await.unwrap_err().code(), Code::RateUnavailable);
        assert_eq!(save(&room, FRIDAY).await, 1);
        room.hands.advance(Duration::from_secs(1));
        assert_eq!(rate(&room, &pricing).await.unwrap(), "1.1172 of 2026-10-30");
        assert_eq!(save(&room, FRIDAY).await, 0, "the same again is nothing new");
        assert_eq!(save(&room, &MONDAY.replace("175.68", "175.69")).await, 2, "one new, one corrected");
        assert_eq!(rate(&room, &pricing).await.unwrap(), "1.1172 of 2026-10-30", "held for a second");
        room.hands.advance(Duration::from_secs(1));
        assert_eq!(rate(&room, &pricing).await.unwrap(), "1.2000 of 2026-11-02");
        room.close().await;
    }

    async fn rates_that_are_too_old_price_nothing(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        let pricing = pricing(&room.ctx, Some(2));
        save(&room, FRIDAY).await;
        room.hands.advance(Duration::from_hours(24));
        assert!(rate(&room, &pricing).await.is_ok(), "two business days have begun");
        room.hands.advance(Duration::from_hours(24));
        let refused = rate(&room, &pricing).await.unwrap_err();
        assert_eq!(refused.code(), Code::RateUnavailable);
        assert_eq!(refused.facts().unwrap()["reason"], "stale");
        room.close().await;
    }

    async fn the_job_reads_the_file_again_and_bears_a_broken_one(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        let pricing = pricing(&room.ctx, Some(2));
        let path = scratch::directory("rates").join("eurofxref.csv");
        std::fs::write(&path, FRIDAY).unwrap();
        let hour = Duration::from_hours(1);
        let job = Refresh::new(Some(Box::new(EcbFile(path.clone()))), hour);
        let runner = Runner::new(room.ctx.clone(), vec![Box::new(job)], 1);
        db::write!(room.ctx.db, Owner::House, |tx| {
            let new = NewJob::new(Refresh::KIND, room.ctx.now(), &())?;
            jobs::enqueue(tx, &room.ctx, &new).await
        }).unwrap();
        assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
        assert_eq!(rate(&room, &pricing).await.unwrap(), "1.1172 of 2026-10-30");
        std::fs::write(&path, "<html>not found</html>").unwrap();
        for _ in 0..30 {
            room.hands.advance(hour + hour / 5);
            assert_eq!(runner.run_due_jobs().await.unwrap(), 1, "it never dies");
        }
        std::fs::write(&path, MONDAY.replace("11-02", "11-04")).unwrap();
        room.hands.advance(hour + hour / 5);
        assert_eq!(runner.run_due_jobs().await.unwrap(), 1);
        assert_eq!(rate(&room, &pricing).await.unwrap(), "1.2000 of 2026-11-04");
        room.close().await;
    }

    async fn of_a_hundred_exchanges_exactly_one_uses_a_quote(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let quote = give(&room, true).await;
        let found = fx::find(&room.ctx, room.merchant, quote.id).await.unwrap();
        assert_eq!(found, quote);
        let rooms = Arc::new(room.replicas(&db).await);
        let mut exchanges = JoinSet::new();
        for number in 0..100 {
            let (rooms, quote) = (rooms.clone(), quote.clone());
            exchanges.spawn(async move {
                let room = &rooms[number % rooms.len()];
                take(room, &room.pricing, &quote, &format!("fxx_{number}")).await
            });
        }
        let outcomes = exchanges.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for lost in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(lost.code(), Code::QuoteAlreadyUsed);
        }
        for room in Arc::into_inner(rooms).unwrap() {
            room.close().await;
        }
    }

    async fn a_lock_outlives_a_change_of_the_rate_and_not_its_time(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let (locked, other, late, loose) =
            (give(&room, true).await, give(&room, false).await, give(&room, true).await, give(&room, false).await);
        take(&room, &room.pricing, &loose, "fxx_0").await.unwrap();
        let days = ecb::read(MONDAY.as_bytes()).unwrap();
        fx::save_days(&room.ctx, Source::Snapshot, &days).await.unwrap();
        room.hands.advance(Duration::from_secs(1));
        take(&room, &room.pricing, &locked, "fxx_1").await.unwrap();
        let refused = take(&room, &room.pricing, &other, "fxx_2").await.unwrap_err();
        assert_eq!(refused.code(), Code::QuoteMismatch, "it was not locked");
        room.hands.set(late.expires_at);
        let refused = take(&room, &room.pricing, &late, "fxx_3").await.unwrap_err();
        assert_eq!(refused.code(), Code::QuoteExpired);
        room.close().await;
    }
}

const PLANS: &str = r#"
    [[plans]]
    key = "all"
    name = "Everything"
    fee_type = "percentage"
    percentage_fee = "0.50"
"#;

/// Answers one request with this status and body.
fn serve(status: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).unwrap() > 0);
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    });
    format!("http://{address}/eurofxref-hist.csv")
}

#[tokio::test]
async fn rates_are_fetched_from_an_address() {
    let url = serve("200 OK", FRIDAY);
    let days = EcbUrl::new(&url).unwrap().fetch().await.unwrap();
    assert_eq!(days, ecb::read(FRIDAY.as_bytes()).unwrap());
    let url = serve("404 Not Found", FRIDAY);
    let refused: Failure = EcbUrl::new(&url).unwrap().fetch().await.unwrap_err();
    assert!(refused.cause_chain().unwrap().contains("404"), "{refused:?}");
}
