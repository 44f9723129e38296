//! Importing plans, and choosing among them.

use std::sync::Arc;

use counterfoil::{
    base::{failure::Code, timestamp::Timestamp},
    money::{Amount, Currency},
    pricing::{
        Method,
        plans::{
            ChangeKind, Format, Lost, Payment, Plan, PlanBook, SANDBOX, compare, read, read_stored,
        },
    },
};

use super::{book, merchant, now, usd};

const TWO: &str = r#"
    [[plans]]
    key = "all"
    name = "Everything"
    fee_type = "percentage"
    percentage_fee = "0.50"

    [[plans]]
    key = "wire"
    name = "Wires"
    method = "wire"
    fee_type = "fixed"
    fixed_fee = "12.00"
    fixed_currency = "USD"
"#;

fn payment(method: Option<Method>) -> Payment {
    Payment { amount: usd("100.00"), dest_currency: Currency::USD, dest_country: None, method }
}

/// The faults of a file, as `field: message`.
fn faults(text: &str) -> Vec<String> {
    let found = read(text, Format::Toml).unwrap_err();
    found.into_iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect()
}

#[test]
fn the_sandbox_plans_are_valid_and_cover_every_corridor_there_is_a_rate_for() {
    let drafts = read(SANDBOX, Format::Toml).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(compare(&PlanBook::default(), &drafts, now()).is_ok());
    let book = book(drafts);
    for method in Method::ALL {
        let chosen = book.select(merchant(), &payment(Some(*method)), now()).unwrap();
        let expected = match method {
            Method::Wire => "wire",
            Method::Swift => "swift",
            Method::MobileMoney => "mobile-money",
            Method::BankTransfer => "us-bank-volume",
            _ => "standard",
        };
        assert_eq!(chosen.plan.key, expected, "{method}");
    }
}

#[test]
fn every_fault_of_a_file_is_reported_at_its_place() {
    let found = faults(
        r#"
        [[plans]]
        key = "Upper Case"
        name = ""
        methode = "wire"
        source_currency = "usd"
        priority = 1.5
        quote_ttl_seconds = 90
        fee_type = "fixed"
        fixed_fee = 12.5
        percentage_fee = "1"
        rounding = "nearest"

        [[plans]]
        key = "tiers"
        name = "Tiers"
        source_currency = "JPY"
        min_amount = "10"
        max_amount = "9"
        min_fee = "1.5"
        fee_type = "tiered"
        tier_mode = "graduated"
        tier_on = "amount"
        tiers = [
            { min_volume = "1", max_volume = "10", percentage_fee = "101" },
            { min_volume = "11", max_volume = "5" },
        ]

        [[plans]]
        key = "tiers"
        name = "Again"
        min_amount = "5"
        fee_type = "hybrid"
        fixed_fee = "1"
        percentage_fee = "-1"
        "#,
    );
    let expected = [
        "plans.0.methode: is not a member here; is method meant?",
        "plans.0.key: must be 1 to 64",
        "plans.0.name: must be 1 to 200",
        "plans.0.quote_ttl_seconds: must be one of",
        "plans.0.source_currency: must be a currency code",
        "plans.0.rounding: must be half_up",
        "plans.0.percentage_fee: has no meaning when fee_type is fixed",
        "plans.0.priority: must be a whole number",
        "plans.1.max_amount: must not be below min_amount",
        "plans.1.min_fee: must have at most 0 decimal places",
        "plans.1.tier_mode: must be slice or whole",
        "plans.1.tiers.0.min_volume: must be 0, where",
        "plans.1.tiers.0.percentage_fee: must be a percentage",
        "plans.1.tiers.1.min_volume: must be 10, where",
        "plans.1.tiers.1.max_volume: must be above",
        "plans.1.tiers.1.percentage_fee: is required",
        "plans.2.min_amount: needs a source_currency",
        "plans.2.fixed_currency: is required for amounts",
        "plans.2.percentage_fee: must be a percentage",
        "plans.2.key: is used by an earlier plan",
    ];
    for wanted in expected {
        let hits = found.iter().filter(|fault| fault.starts_with(wanted)).count();
        assert_eq!(hits, 1, "`{wanted}` in {found:#?}");
    }
}

#[test]
fn numbers_without_quotes_are_refused_because_they_pass_through_binary_fractions() {
    let text = TWO.replace("\"0.50\"", "0.5");
    assert!(faults(&text)[0].contains("plans.0.percentage_fee: must be in quotes"));
}

#[test]
fn a_file_of_the_wrong_kind_is_one_fault() {
    for (text, format) in [
        ("{", Format::Json),
        ("[[plans]", Format::Toml),
        ("{}", Format::Json),
        ("[]", Format::Json),
    ] {
        assert_eq!(read(text, format).unwrap_err().len(), 1, "{text}");
    }
}

#[test]
fn what_is_stored_reads_back_as_the_same_version() {
    for draft in read(SANDBOX, Format::Toml).unwrap() {
        let stored = serde_json::to_value(&draft.version).unwrap();
        let back = read_stored(0, Timestamp::from_micros(0), &stored);
        assert_eq!(back.unwrap(), draft.version, "{}", draft.key);
    }
}

#[test]
fn an_import_says_what_it_changes_and_a_second_one_changes_nothing() {
    let drafts = read(TWO, Format::Toml).unwrap();
    let fresh = compare(&PlanBook::default(), &drafts, now()).unwrap();
    assert!(fresh.iter().all(|change| change.kind == ChangeKind::New));
    assert!(fresh.iter().all(|change| change.version.effective_from == now()));

    let book = book(drafts.clone());
    let again = compare(&book, &drafts, now()).unwrap();
    assert!(again.iter().all(|change| change.kind == ChangeKind::Unchanged));

    let dearer = read(&TWO.replace("12.00", "15.00"), Format::Toml).unwrap();
    let changes = compare(&book, &dearer, now()).unwrap();
    let ChangeKind::NewVersion(fields) = &changes[1].kind else { panic!("{changes:?}") };
    assert_eq!((changes[1].version.number, fields.len()), (2, 1));
    assert_eq!(fields[0].field, "fixed_fee");
    assert_eq!(
        (fields[0].old.as_deref(), fields[0].new.as_deref()),
        (Some("12.00"), Some("15.00"))
    );
}

#[test]
fn an_import_never_reaches_into_the_past_nor_to_another_merchant() {
    let book = book(read(TWO, Format::Toml).unwrap());
    let refused = |line: &str| {
        let text = TWO.replace("method = \"wire\"", line).replace("12.00", "13.00");
        let found = compare(&book, &read(&text, Format::Toml).unwrap(), now()).unwrap_err();
        format!("{}: {}", found[0].field, found[0].message)
    };
    let past = refused("method = \"wire\"\neffective_from = \"2026-11-02T08:59:59Z\"");
    assert!(past.starts_with("plans.1.effective_from: must not be in the past"), "{past}");
    let owner = refused("method = \"wire\"\nmerchant = \"mer_01HX8Z9K0M2N3P4Q5R6S7T8VAB\"");
    assert!(owner.starts_with("plans.1.merchant: must stay"), "{owner}");
    let twin = refused("");
    assert!(twin.contains("priority: must differ from that of `wire`"), "{twin}");
}

#[test]
fn a_version_prices_from_its_moment_on_and_until_the_next() {
    let draft = read(TWO, Format::Toml).unwrap().remove(1);
    let at = |micros| Timestamp::from_micros(now().micros() + micros);
    let version = |number, micros, active| counterfoil::pricing::plans::PlanVersion {
        number,
        effective_from: at(micros),
        active,
        ..draft.version.clone()
    };
    let mut plan = book(vec![draft.clone()]).all().next().unwrap().clone();
    plan.versions =
        [version(1, 0, true), version(2, 10, true), version(3, 20, false)].map(Arc::new).into();
    let in_force = |plan: &Plan, micros| plan.version_at(at(micros)).map(|version| version.number);
    let seen = [-1, 0, 9, 10, 19, 20].map(|micros| in_force(&plan, micros));
    assert_eq!(seen, [None, Some(1), Some(1), Some(2), Some(2), Some(3)]);

    let book = PlanBook::new([plan]);
    let ask = |micros| {
        let wire = payment(Some(Method::Wire));
        book.select(merchant(), &wire, at(micros)).map(|chosen| chosen.version.number)
    };
    assert_eq!((ask(0).unwrap(), ask(19).unwrap()), (1, 2));
    assert_eq!(ask(20).unwrap_err().code(), Code::CorridorNotEnabled, "retired");
}

#[test]
fn a_merchants_own_plan_goes_first_and_nobody_else_sees_it() {
    let own = TWO
        .replace("key = \"wire\"", "key = \"own\"\nmerchant = \"mer_01HX8Z9K0M2N3P4Q5R6S7T8VAB\"")
        .replace("method = \"wire\"", "priority = -5");
    let book = book(read(&own, Format::Toml).unwrap());
    let chosen = |id| book.select(id, &payment(None), now()).unwrap().plan.key.clone();
    assert_eq!(chosen(merchant()), "own", "in spite of its priority");
    let stranger = "mer_01HX8Z9K0M2N3P4Q5R6S7T8VAC".parse().unwrap();
    assert_eq!(chosen(stranger), "all");
    let seen = book.explain(stranger, &payment(None), now());
    assert!(seen.iter().all(|considered| considered.plan.key == "all"));
}

#[test]
fn the_explanation_names_each_loser_and_why() {
    let book = book(read(TWO, Format::Toml).unwrap());
    let why = |method| -> Vec<(String, Option<String>)> {
        book.explain(merchant(), &payment(method), now())
            .into_iter()
            .map(|seen| (seen.plan.key.clone(), seen.lost.as_ref().map(Lost::sentence)))
            .collect()
    };
    let lost = |key: &str, why: &str| (key.to_owned(), Some(why.to_owned()));
    assert_eq!(
        why(Some(Method::Wire)),
        [
            lost(
                "all",
                "wire goes first: the plan that names more of country, method and the two \
                 currencies goes first"
            ),
            ("wire".to_owned(), None),
        ]
    );
    assert_eq!(why(None), [("all".to_owned(), None), lost("wire", "it is for payments by wire")]);
}

#[test]
fn a_fee_that_cannot_be_computed_exactly_is_refused_and_not_rounded() {
    let text = r#"
        [[plans]]
        key = "fine"
        name = "Fine"
        fee_type = "percentage"
        percentage_fee = "1.234567"
        fee_currency = "EUR"
    "#;
    let book = book(read(text, Format::Toml).unwrap());
    let most = Amount::from_minor(i64::MAX, Currency::USD);
    let payment = Payment { amount: most, ..payment(None) };
    let chosen = book.select(merchant(), &payment, now()).unwrap();
    let per_euro = [("USD".to_owned(), "1.1172".to_owned())].into();
    let facts = counterfoil::pricing::quotes::Facts::gather(
        payment,
        &chosen,
        Amount::zero(Currency::USD),
        &super::rates(&per_euro, 0),
        now(),
    );
    let refused = facts.unwrap().compute().unwrap_err();
    assert!(refused.fields()[0].message.contains("too large to be computed exactly"));
}
