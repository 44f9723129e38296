//! The published vectors, which were computed by a program that shares nothing with the server.

use std::collections::BTreeMap;

use counterfoil::{
    base::{failure::Failure, ids::MerchantId},
    money::Amount,
    pricing::{
        plans::{Format, read},
        quotes::{Facts, NewQuote, RawQuote},
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{book, merchant, now, rates};

#[derive(Deserialize)]
struct Document {
    per_euro: BTreeMap<String, String>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    plans: Value,
    payment: BTreeMap<String, String>,
    #[serde(default)]
    month_volume: Option<String>,
    #[serde(default)]
    markup_bps: u32,
    expected: Value,
}

/// What a quote says, or what it is refused with, in the shape of the file.
fn answer(vector: &Vector, per_euro: &BTreeMap<String, String>) -> Result<Value, Failure> {
    let merchant: MerchantId = merchant();
    let file = json!({ "plans": vector.plans }).to_string();
    let drafts =
        read(&file, Format::Json).unwrap_or_else(|faults| panic!("{}: {faults:?}", vector.name));
    let book = book(drafts);
    let field = |name: &str| vector.payment.get(name).map(String::as_str);
    let new = NewQuote::check(&RawQuote {
        source_currency: field("source_currency"),
        dest_currency: field("dest_currency"),
        amount: field("amount"),
        dest_country: field("dest_country"),
        method: field("method"),
    })?;
    let source = new.payment.amount.currency();
    let volume = vector.month_volume.as_deref().map(|text| Amount::parse(text, source).unwrap());
    let volume = volume.unwrap_or_else(|| Amount::zero(source));
    let chosen = book.select(merchant, &new.payment, now())?;
    let rates = rates(per_euro, vector.markup_bps);
    let facts = Facts::gather(new.payment, &chosen, volume, &rates, now())?;
    let outcome = facts.compute()?;

    let stored = Facts::read(&facts.write()?).unwrap();
    assert_eq!(stored, facts, "{}: what is stored reads back", vector.name);
    assert_eq!(stored.compute()?, outcome, "{}", vector.name);

    let mut answer = json!({
        "plan": chosen.plan.key,
        "fee": outcome.fee.amount.render(),
        "fee_minor": outcome.fee.amount.minor(),
        "fee_currency": outcome.fee.amount.currency(),
        "fee_type": facts.version.terms.fee.as_str(),
        "tiers": outcome.fee.tiers,
        "dest_amount": outcome.dest_amount.render(),
    });
    if let Some(used) = &facts.exchange_rate {
        answer["mid_rate"] = json!(used.mid.to_string());
        answer["exchange_rate"] = json!(used.rate.to_string());
    }
    Ok(answer)
}

#[test]
fn every_published_vector_comes_out() {
    let file = include_str!("../../../docs/vectors/fees.json");
    let document: Document = serde_json::from_str(file).unwrap();
    assert!(document.vectors.len() >= 200);
    let mut wrong = Vec::new();
    for vector in &document.vectors {
        let got = answer(vector, &document.per_euro).unwrap_or_else(|failure| {
            let mut said = json!({ "error": failure.code().as_str() });
            if let [fault, ..] = failure.fields() {
                said["field"] = json!(fault.field);
            }
            said
        });
        if got != vector.expected {
            wrong.push(format!("{}:\n  wanted {}\n  got    {got}", vector.name, vector.expected));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
