//! Random histories of credits, quotes, payouts, cancellations, decisions, lost answers and time,
//! against an oracle that is too simple to be wrong.
//!
//! Many merchants live at once in one world with one clock, each by its own dice.
//! `COUNTERFOIL_HISTORIES` and `COUNTERFOIL_SEED` choose how many and which.

use std::time::Duration;

use counterfoil::{
    base::{
        environment::Environment,
        failure::{Failure, Result},
        ids::MerchantId,
        metadata::Metadata,
        pagination::PageRequest,
        random::Random,
        timestamp::Timestamp,
    },
    db, ledger,
    money::{Amount, Currency},
    oauth::{
        credentials::ClientId,
        merchants::{self, NewMerchant},
    },
    payouts::{
        BeneficiaryId, InstrumentId, PayoutId, Payouts, People, balances,
        beneficiaries::{self, Address, Individual, NewBeneficiary, Pii},
        instruments::{self, InstrumentMethod, NewInstrument},
        payout::{self, Actor, FeeBearer, Filter, FixedSide, NewPayout, PayoutBody, PayoutStatus},
        rails::{RailType, Scenario},
    },
    pricing::{Method, QuoteId, plans::Payment, quotes},
    web::idempotency::{Answer, Key, Request},
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::IBAN;
use crate::support::{app::TestApp, both::both};

const AT_ONCE: u64 = 125;
const ROUNDS: usize = 8;
/// The plan of the sandbox for euros by SEPA.
const FEE: i64 = 25;

use PayoutStatus as S;

fn euros(minor: i64) -> Amount {
    Amount::from_minor(minor, Currency::EUR)
}

#[expect(clippy::disallowed_methods, reason = "how much to try is for whoever runs it to say")]
fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// A payout as the oracle knows it.
#[derive(Clone)]
struct Known {
    id: PayoutId,
    key: String,
    wish: Wish,
}

/// What is asked for; two wishes that are equal are one request.
#[derive(Clone, PartialEq)]
struct Wish {
    minor: i64,
    bearer: FeeBearer,
    scenario: Option<Scenario>,
    quote: Option<QuoteId>,
}

impl Wish {
    fn total(&self) -> i64 {
        match self.bearer {
            FeeBearer::Merchant => self.minor + FEE,
            FeeBearer::Beneficiary => self.minor,
        }
    }
}

struct Quoted {
    id: QuoteId,
    minor: i64,
    expires: Timestamp,
    used: bool,
}

/// One merchant, and everything that should be true of it.
struct Life<'a> {
    app: &'a TestApp,
    room: Payouts,
    name: String,
    dice: Random,
    merchant: MerchantId,
    client: ClientId,
    payee: BeneficiaryId,
    account: InstrumentId,
    credited: i64,
    payouts: Vec<Known>,
    quotes: Vec<Quoted>,
}

impl<'a> Life<'a> {
    async fn begin(app: &'a TestApp, seed: u64) -> Self {
        let (ctx, room) = (&app.ctx, app.payouts.clone());
        let new = NewMerchant::check("Shop", &format!("life{seed}@shop.example")).unwrap();
        let merchant = merchants::create(ctx, &new).await.unwrap();
        let merchant = merchant.id;
        let people = People { ctx: ctx.clone(), vault: app.vault.clone() };
        let pii = Pii::Individual(person());
        let country = "DE".parse().unwrap();
        let new = NewBeneficiary {
            pii,
            country,
            external_ref: None,
            metadata: Metadata::default(),
            source_batch_id: None,
        };
        let payee = beneficiaries::prepare(&people, merchant, new).unwrap();
        let payee = db::write!(ctx.db, merchant, |tx| beneficiaries::save(tx, ctx, &payee).await);
        let payee = payee.unwrap().id;
        let new = NewInstrument {
            method: InstrumentMethod::find("iban").unwrap(),
            credentials: json!({ "iban": IBAN }),
            currency: None,
            country: None,
            label: None,
            is_default: false,
        };
        let account = instruments::prepare(&people, merchant, payee, new).unwrap();
        let account = db::write!(ctx.db, merchant, |tx| instruments::save(tx, ctx, &account).await);
        let dice = Random::seeded(seed);
        Self {
            app,
            room,
            name: format!("seed {seed}"),
            client: ClientId::make(Environment::Sandbox, &dice),
            dice,
            merchant,
            payee,
            account: account.unwrap().id,
            credited: 0,
            payouts: Vec::new(),
            quotes: Vec::new(),
        }
    }

    fn draw(&self, below: u64) -> i64 {
        i64::try_from(self.dice.below(below)).unwrap()
    }

    fn pick<'b, T>(&self, from: &'b [T]) -> Option<&'b T> {
        let among = u64::try_from(from.len().max(1)).unwrap();
        from.get(usize::try_from(self.dice.below(among)).unwrap())
    }

    async fn status(&self, id: PayoutId) -> PayoutStatus {
        payout::get(&self.app.ctx, self.merchant, id).await.unwrap().status
    }

    async fn all(&self) -> Vec<payout::Payout> {
        let page = PageRequest { limit: 100, after: None };
        let (ctx, filter) = (&self.app.ctx, Filter::default());
        payout::list(ctx, self.merchant, &filter, &page).await.unwrap().data
    }

    /// What should be available and pending, by where each payout is.
    async fn expected(&self) -> (i64, i64) {
        let (mut available, mut pending) = (self.credited, 0);
        let all = self.all().await;
        assert_eq!(all.len(), self.payouts.len(), "{}: nothing that nobody sent", self.name);
        for payout in all {
            let known = self.payouts.iter().find(|known| known.id == payout.id).unwrap();
            let total = known.wish.total();
            match payout.status {
                S::Failed | S::Cancelled | S::ScreeningFailed | S::VelocityBlocked => {}
                S::Completed => available -= total,
                S::Returned => available -= FEE,
                _ => {
                    available -= total;
                    pending += total;
                }
            }
        }
        (available, pending)
    }

    async fn live(&mut self) {
        match self.draw(10) {
            0 | 1 => self.credit().await,
            2 => self.ask_for_a_quote().await,
            3..=6 => self.pay().await,
            7 => self.cancel().await,
            8 => self.decide().await,
            _ => self.lose_an_answer().await,
        }
        let (available, pending) = self.expected().await;
        let found = db::read!(self.app.ctx.db, |tx| {
            ledger::balance(tx, self.merchant, Currency::EUR).await
        });
        let seen = found.unwrap().map_or((0, 0), |b| (b.available.minor(), b.pending.minor()));
        assert_eq!(seen, (available, pending), "{}", self.name);
    }

    async fn credit(&mut self) {
        let minor = self.draw(20_000) + 1;
        let sandbox = Environment::Sandbox;
        balances::credit(&self.app.ctx, sandbox, self.merchant, euros(minor)).await.unwrap();
        self.credited += minor;
    }

    async fn ask_for_a_quote(&mut self) {
        let minor = self.draw(5_000) + 100;
        let payment = Payment {
            amount: euros(minor),
            dest_currency: Currency::EUR,
            dest_country: None,
            method: Some(Method::Sepa),
        };
        let made = quotes::prepare(&self.room.pricing, self.merchant, payment).await.unwrap();
        let saved: Result<()> =
            db::write!(self.app.ctx.db, self.merchant, |tx| quotes::save(tx, &made).await);
        saved.unwrap();
        let quote = made.quote;
        self.quotes.push(Quoted { id: quote.id, minor, expires: quote.expires_at, used: false });
    }

    fn wish(&self) -> Wish {
        let scenarios: Vec<_> = Scenario::ALL.iter().copied().map(Some).chain([None; 12]).collect();
        let quote = self.pick(&self.quotes).filter(|_| self.draw(2) == 0);
        // Now and then not the amount that was quoted.
        let quoted = quote.map(|quote| quote.minor + i64::from(self.draw(8) == 0));
        let bearers = [FeeBearer::Merchant, FeeBearer::Merchant, FeeBearer::Beneficiary];
        Wish {
            minor: quoted.unwrap_or_else(|| self.draw(6_000) + 100),
            bearer: *self.pick(&bearers).unwrap(),
            scenario: *self.pick(&scenarios).unwrap(),
            quote: quote.map(|quote| quote.id),
        }
    }

    async fn pay(&mut self) {
        let known = self.pick(&self.payouts).cloned();
        let (key, wish) = match (self.draw(6), known) {
            (0, Some(known)) => (known.key, known.wish),
            (1, Some(known)) => (known.key, self.wish()),
            _ => (format!("key-{}", self.draw(1 << 40)), self.wish()),
        };
        let wanted = self.foresee(&key, &wish).await;
        let seen = self.try_to_pay(&key, &wish).await;
        let told = seen.as_ref().map(|_| ()).map_err(|failure| failure.code().as_str());
        assert_eq!(told, wanted, "{}: {seen:?}", self.name);
        let Ok((id, replayed)) = seen else { return };
        if let Some(known) = self.payouts.iter().find(|known| known.key == key) {
            assert_eq!((id, replayed), (known.id, true), "{}", self.name);
        } else {
            assert!(!replayed, "{}", self.name);
            self.remember(id, key, wish);
        }
    }

    fn remember(&mut self, id: PayoutId, key: String, wish: Wish) {
        for quote in self.quotes.iter_mut().filter(|quote| Some(quote.id) == wish.quote) {
            quote.used = true;
        }
        self.payouts.push(Known { id, key, wish });
    }

    /// What the rules say should come of it.
    async fn foresee(&self, key: &str, wish: &Wish) -> std::result::Result<(), &'static str> {
        if let Some(known) = self.payouts.iter().find(|known| known.key == key) {
            return if known.wish == *wish { Ok(()) } else { Err("idempotency_conflict") };
        }
        if let Some(quote) = self.quotes.iter().find(|quote| Some(quote.id) == wish.quote) {
            if quote.used {
                return Err("quote_already_used");
            }
            if self.app.ctx.now() >= quote.expires {
                return Err("quote_expired");
            }
            if quote.minor != wish.minor {
                return Err("quote_mismatch");
            }
        }
        let (available, _) = self.expected().await;
        if wish.total() > available { Err("insufficient_balance") } else { Ok(()) }
    }

    async fn try_to_pay(&self, key: &str, wish: &Wish) -> Result<(PayoutId, bool), Failure> {
        let new = NewPayout {
            beneficiary: self.payee,
            instrument: self.account,
            source: euros(wish.minor),
            dest: euros(wish.minor),
            method: Method::Sepa,
            rail_type: RailType::Fiat,
            network: None,
            bearer: wish.bearer,
            fixed: FixedSide::Dest,
            quote: wish.quote,
            purpose: None,
            reference: wish.scenario.map(|scenario| scenario.as_str().to_owned()),
            metadata: Metadata::default(),
        };
        let body = json!([
            wish.minor,
            wish.bearer.as_str(),
            wish.scenario.map(Scenario::as_str),
            wish.quote.map(|id| id.to_string()),
        ]);
        let request = self.request("payouts.create", key, &body);
        let answer = |made: &payout::Payout| Answer::json(201, &PayoutBody::of(made)?);
        let by = (self.merchant, &self.client);
        let made = payout::create(&self.room, by, &new, &request, answer).await?;
        let shown: Value = serde_json::from_slice(&made.body).unwrap();
        Ok((shown["id"].as_str().unwrap().parse().unwrap(), made.replayed))
    }

    fn request(&self, operation: &'static str, key: &str, body: &Value) -> Request {
        Request::new(self.merchant, operation, Key::parse(key).unwrap(), "/", body)
    }

    async fn cancel(&self) {
        let Some(known) = self.pick(&self.payouts) else { return };
        let before = self.status(known.id).await;
        let key = format!("cancel-{}", self.draw(1 << 40));
        let request = self.request("payouts.cancel", &key, &json!(known.id.to_string()));
        let answer = |made: &payout::Payout| Answer::json(200, &PayoutBody::of(made)?);
        let by = (self.merchant, &self.client);
        let seen = payout::cancel(&self.room, by, known.id, None, &request, answer).await;
        assert_eq!(seen.is_ok(), before.can_be_cancelled(), "{}: {before:?} {seen:?}", self.name);
    }

    async fn decide(&self) {
        let all = self.all().await;
        let Some(one) = self.pick(&all) else { return };
        let by = Actor::Operator("alice".to_owned());
        let word = if self.draw(2) == 0 { Ok("yes") } else { Err("no") };
        let which = (self.merchant, one.id);
        let seen = payout::decide(&self.app.ctx, which, &one.digest(), &by, word).await;
        assert_eq!(seen.is_ok(), one.status.awaits_decision(), "{}: {seen:?}", self.name);
    }

    /// The answer did not arrive, so the same is sent again; whatever it came to, it came to once.
    async fn lose_an_answer(&mut self) {
        let (key, wish) = (format!("lost-{}", self.draw(1 << 40)), self.wish());
        let first = self.try_to_pay(&key, &wish).await;
        let again = self.try_to_pay(&key, &wish).await;
        match (first, again) {
            (Ok((id, false)), Ok((same, true))) if id == same => {
                self.remember(id, key, wish);
            }
            (Err(one), Err(other)) => assert_eq!(one.code(), other.code(), "{}", self.name),
            (one, other) => panic!("{}: {one:?}, then {other:?}", self.name),
        }
    }
}

fn person() -> Individual {
    Individual {
        first_name: "Ada".to_owned(),
        middle_name: None,
        last_name: "Lovelace".to_owned(),
        email: "ada@example.com".to_owned(),
        phone: "+4915123456789".to_owned(),
        date_of_birth: "1985-12-10".to_owned(),
        nationality: "DE".parse().unwrap(),
        address: Address {
            street_line_1: "Unter den Linden 1".to_owned(),
            street_line_2: None,
            city: "Berlin".to_owned(),
            state: None,
            postal_code: "10117".to_owned(),
            country: "DE".parse().unwrap(),
        },
    }
}

async fn world(app: &TestApp, seeds: std::ops::Range<u64>) {
    let dice = Random::seeded(seeds.start);
    let mut lives = join_all(seeds.map(|seed| Life::begin(app, seed))).await;
    for _ in 0..ROUNDS {
        join_all(lives.iter_mut().map(Life::live)).await;
        let pause = [0, 1, 1, 2, 3_600, 90_000][usize::try_from(dice.below(6)).unwrap()];
        app.hands.advance(Duration::from_secs(pause));
        join_all((0..16).map(|_| app.run_due_jobs())).await;
    }
}

both! {
    async fn whatever_happens_the_money_is_where_the_oracle_says(db: TestDb) {
        let app = TestApp::start(&db).await;
        let first = setting("COUNTERFOIL_SEED", 1);
        let wanted = setting("COUNTERFOIL_HISTORIES", 5_000);
        let mut seed = first;
        while seed < first + wanted {
            world(&app, seed..seed + AT_ONCE).await;
            seed += AT_ONCE;
        }
        // What still walks is let go, so that the audit sees the ends.
        app.hands.advance(Duration::from_hours(48));
        app.run_due_jobs().await;
        app.stop().await;
    }
}
