//! Asking for quotes, and when they may be used.

use std::collections::BTreeMap;

use counterfoil::{
    base::{
        failure::{Code, Failure},
        timestamp::Timestamp,
    },
    money::Currency,
    pricing::{
        Method,
        plans::{Format, Payment, PlanBook, read},
        quotes::{Facts, NewQuote, Quote, QuoteState, RawQuote, Standing, Wanted},
    },
};

use super::{book, merchant, now, rates, usd};

const PLANS: &str = r#"
    [[plans]]
    key = "all"
    name = "Everything"
    fee_type = "hybrid"
    fixed_fee = "0.25"
    percentage_fee = "0.50"
    fixed_currency = "USD"

    [[plans]]
    key = "swift"
    name = "International wires"
    method = "swift"
    fee_type = "fixed"
    fixed_fee = "15.00"
    fixed_currency = "USD"
    quote_ttl_seconds = 60
"#;

fn plans() -> PlanBook {
    book(read(PLANS, Format::Toml).unwrap())
}

fn quote(payment: Payment) -> Quote {
    let book = plans();
    let per_euro = BTreeMap::from([("USD".to_owned(), "1.1172".to_owned())]);
    let chosen = book.select(merchant(), &payment, now()).unwrap();
    let volume = usd("0.00");
    let facts = Facts::gather(payment, &chosen, volume, &rates(&per_euro, 45), now()).unwrap();
    Quote::issue("pq_01HX8Z9K0M2N3P4Q5R6S7T8VAB".parse().unwrap(), merchant(), facts, now())
        .unwrap()
}

fn payment() -> Payment {
    Payment {
        amount: usd("1000.00"),
        dest_currency: Currency::EUR,
        dest_country: Some("DE".parse().unwrap()),
        method: Some(Method::Sepa),
    }
}

fn wanted() -> Wanted {
    Wanted {
        source_amount: usd("1000.00"),
        dest_amount: None,
        dest_currency: Currency::EUR,
        dest_country: Some("DE".parse().unwrap()),
        method: Method::Sepa,
    }
}

fn fields(refused: &Failure) -> Vec<&str> {
    refused.fields().iter().map(|fault| fault.field.as_str()).collect()
}

#[test]
fn every_fault_of_a_request_is_reported_together() {
    let refused = NewQuote::check(&RawQuote {
        source_currency: Some("usd"),
        dest_currency: None,
        amount: Some("ten"),
        dest_country: Some("Germany"),
        method: Some("on_chain"),
    });
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::ValidationError);
    let expected = ["source_currency", "dest_currency", "amount", "dest_country", "method"];
    assert_eq!(fields(&refused), expected);
    assert_eq!(fields(&NewQuote::check(&RawQuote::default()).unwrap_err()), expected[..3]);
}

#[test]
fn a_quote_says_what_follows_from_its_facts() {
    let quote = quote(payment());
    assert_eq!(quote.outcome.fee.amount, usd("5.25"));
    assert_eq!(quote.outcome.dest_amount.render(), "891.00"); // 1000 x 0.8910
    assert_eq!(
        quote.expires_at.since(quote.created_at).as_secs(),
        1_800,
        "half an hour by default"
    );
    let offer = serde_json::to_string(&quote.offer()).unwrap();
    assert!(
        offer.starts_with(r#"{"amount":"1000.00","created_at":"2026-11-02T09:00:00Z","#),
        "{offer}"
    );
    assert!(offer.contains(r#""exchange_rate":"0.8910""#), "{offer}");
}

#[test]
fn its_last_microsecond_is_inside_and_the_next_is_not() {
    let mut quote = quote(payment());
    let last = Timestamp::from_micros(quote.expires_at.micros() - 1);
    assert_eq!(quote.standing(last), Standing::Open);
    assert!(quote.check_use(&wanted(), &plans(), last).is_ok());
    assert_eq!(quote.standing(quote.expires_at), Standing::Expired);
    let refused = quote.check_use(&wanted(), &plans(), quote.expires_at).unwrap_err();
    assert_eq!(refused.code(), Code::QuoteExpired);

    quote.state = QuoteState::Consumed { at: now(), by: "pay_01".to_owned() };
    let refused = quote.check_use(&wanted(), &plans(), quote.expires_at).unwrap_err();
    assert_eq!(refused.code(), Code::QuoteAlreadyUsed, "a used quote does not expire");
}

#[test]
fn a_payment_that_differs_is_told_in_which_fields() {
    let quote = quote(payment());
    let differs = |wanted: Wanted| {
        let refused = quote.check_use(&wanted, &plans(), now()).unwrap_err();
        assert_eq!(refused.code(), Code::QuoteMismatch);
        fields(&refused).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let same = wanted();
    assert_eq!(differs(Wanted { source_amount: usd("1000.01"), ..same }), ["source_amount"]);
    assert_eq!(differs(Wanted { dest_amount: Some(usd("891.00")), ..same }), ["dest_amount"]);
    assert_eq!(
        differs(Wanted {
            dest_currency: Currency::USD,
            dest_country: None,
            method: Method::Ach,
            ..same
        }),
        ["dest_currency", "dest_country", "method"]
    );
    let exact = Wanted { dest_amount: Some(quote.outcome.dest_amount), ..same };
    assert!(quote.check_use(&exact, &plans(), now()).is_ok());
}

#[test]
fn an_open_quote_is_no_way_around_a_dearer_plan() {
    let quote = quote(Payment { method: None, dest_country: None, ..payment() });
    assert!(quote.check_use(&wanted(), &plans(), now()).is_ok(), "the same plan prices it");
    let swift = Wanted { method: Method::Swift, ..wanted() };
    let refused = quote.check_use(&swift, &plans(), now()).unwrap_err();
    assert_eq!(
        (refused.code(), fields(&refused)),
        (Code::QuoteMismatch, vec!["dest_country", "method"])
    );
}

#[test]
fn the_explanation_ends_where_the_quote_does() {
    let quote = quote(payment());
    let steps = quote.facts.explain().unwrap();
    let said: Vec<_> = steps.iter().map(|step| (step.step, step.result.as_str())).collect();
    assert_eq!(
        said,
        [("fixed fee", "0.25 USD"), ("percentage", "5 USD"), ("rounding", "5.25 USD")]
    );
}
