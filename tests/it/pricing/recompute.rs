//! A hundred thousand random quotes, computed again from nothing but what is stored with them, by
//! arithmetic of its own: whole numbers with a count of decimals, no library.

use std::{cmp::Ordering, collections::BTreeMap};

use counterfoil::{
    base::random::Random,
    money::Amount,
    pricing::{
        fx,
        plans::{Format, Payment, read},
        quotes::Facts,
    },
};
use serde_json::{Value, json};

use super::{book, merchant, now};

const QUOTES: u32 = 100_000;
const PAYMENTS_PER_PLAN: u32 = 200;

/// A whole number divided by so many tens.
#[derive(Clone, Copy, Debug)]
struct Exact(i128, u32);

impl Exact {
    fn read(text: &str) -> Self {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{fraction}");
        Self(digits.parse().unwrap(), u32::try_from(fraction.len()).unwrap()).reduced()
    }

    fn reduced(mut self) -> Self {
        while self.1 > 0 && self.0 % 10 == 0 {
            self = Self(self.0 / 10, self.1 - 1);
        }
        self
    }

    fn times(self, other: Self) -> Self {
        Self(self.0.checked_mul(other.0).unwrap(), self.1 + other.1).reduced()
    }

    fn aligned(self, other: Self) -> (i128, i128, u32) {
        let scale = self.1.max(other.1);
        let lift = |x: Self| x.0.checked_mul(10_i128.pow(scale - x.1)).unwrap();
        (lift(self), lift(other), scale)
    }

    fn plus(self, other: Self) -> Self {
        let (a, b, scale) = self.aligned(other);
        Self(a.checked_add(b).unwrap(), scale).reduced()
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self(-other.0, other.1))
    }

    fn compare(self, other: Self) -> Ordering {
        let (a, b, _) = self.aligned(other);
        a.cmp(&b)
    }

    fn least(self, other: Self) -> Self {
        if self.compare(other).is_lt() { self } else { other }
    }

    fn most(self, other: Self) -> Self {
        if self.compare(other).is_gt() { self } else { other }
    }

    /// To minor units; nothing here is negative.
    fn minor(self, places: u32, mode: &str) -> i128 {
        if self.1 <= places {
            return self.0 * 10_i128.pow(places - self.1);
        }
        let unit = 10_i128.pow(self.1 - places);
        let (whole, rest) = (self.0 / unit, self.0 % unit);
        let away = match (mode, (rest * 2).cmp(&unit)) {
            _ if rest == 0 => false,
            ("up", _) | (_, Ordering::Greater) if mode != "down" => true,
            ("half_up", Ordering::Equal) => true,
            ("half_even", Ordering::Equal) => whole % 2 == 1,
            _ => false,
        };
        whole + i128::from(away)
    }
}

/// The fee, the tiers and the beneficiary's amount, from the stored text alone.
fn recompute(stored: &Value) -> (i128, Vec<usize>, i128) {
    let text = |value: &Value, name: &str| value[name].as_str().map(Exact::read);
    let rate = |name: &str| text(&stored[name], "rate");
    let scale = |name: &str| scale_of(stored[name].as_str().unwrap());
    let one = Exact(1, 0);
    let plan = &stored["plan"];
    let into = rate("amount_rate").unwrap_or(one);
    let own = |value: &Value, name: &str| {
        text(value, name).map(|own| own.times(rate("terms_rate").unwrap_or(one)))
    };
    let zero = Exact(0, 0);
    let part = |portion: Exact, value: &Value| {
        let percent = text(value, "percentage_fee").unwrap_or(zero).times(Exact(1, 2));
        own(value, "fixed_fee").unwrap_or(zero).plus(portion.times(percent))
    };

    let amount = text(stored, "amount").unwrap();
    let base = amount.times(into);
    let (mut fee, mut used) = (zero, vec![]);
    if let Some(tiers) = plan["tiers"].as_array() {
        let volume =
            Exact(stored["month_volume"].as_i64().unwrap().into(), scale("source_currency"));
        let monthly = plan["tier_on"] == "monthly_volume";
        let begin = if monthly { volume.times(into) } else { zero };
        let end = begin.plus(base);
        for (place, tier) in tiers.iter().enumerate() {
            let (low, high) = (own(tier, "min_volume").unwrap(), own(tier, "max_volume"));
            let portion = if plan["tier_mode"] == "slice" {
                high.map_or(end, |high| high.least(end)).minus(low.most(begin))
            } else {
                let position = if monthly { begin } else { end };
                let inside = low.compare(position).is_le()
                    && high.is_none_or(|high| position.compare(high).is_lt());
                if inside { base } else { zero }
            };
            if portion.0 > 0 {
                fee = fee.plus(part(portion, tier));
                used.push(place + 1);
            }
        }
    } else {
        fee = part(base, plan);
    }
    fee = own(plan, "min_fee").map_or(fee, |bound| fee.most(bound));
    fee = own(plan, "max_fee").map_or(fee, |bound| fee.least(bound));
    let fee = fee.minor(scale("fee_currency"), plan["rounding"].as_str().unwrap());
    let dest = amount.times(rate("exchange_rate").unwrap_or(one));
    (fee, used, dest.minor(scale("dest_currency"), "down"))
}

fn scale_of(code: &str) -> u32 {
    match code {
        "JPY" | "KRW" | "ISK" => 0,
        "BTC" => 8,
        "USDC" => 6,
        _ => 2,
    }
}

/// Random choices that can be repeated.
struct Dice(Random);

impl Dice {
    fn below(&self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn pick<'a>(&self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(u64::try_from(from.len()).unwrap())).unwrap()]
    }

    /// Digits for a currency, up to a size that is itself random.
    fn money(&self, code: &str, digits: u64) -> String {
        let most = 10_u64.pow(u32::try_from(2 + self.below(digits - 1)).unwrap());
        let minor = i64::try_from(1 + self.below(most)).unwrap();
        Amount::from_minor(minor, code.parse().unwrap()).render()
    }

    fn percent(&self) -> String {
        let places = 10_u64.pow(u32::try_from(self.below(5)).unwrap());
        let value = self.below(4 * places);
        format!(
            "{}.{:0width$}",
            value / places,
            value % places,
            width = places.to_string().len() - 1
        )
        .trim_end_matches('.')
        .to_owned()
    }
}

fn random_plan(dice: &Dice, source: &str) -> Value {
    const MODES: [&str; 5] = ["half_up", "half_even", "half_down", "up", "down"];
    let listed = scale_of(source) < 3;
    let own = if listed { dice.pick(&["USD", "EUR", "JPY", "GBP", source]) } else { source };
    let fee_currency = if listed { dice.pick(&["source", "dest", "USD", "KRW"]) } else { "source" };
    let mut plan = json!({
        "key": "random", "name": "Random", "fixed_currency": own,
        "rounding": dice.pick(&MODES), "fee_currency": fee_currency,
    });
    let kind = dice.pick(&["fixed", "percentage", "hybrid", "tiered", "tiered"]);
    plan["fee_type"] = json!(kind);
    if kind == "fixed" || kind == "hybrid" {
        plan["fixed_fee"] = json!(dice.money(own, 5));
    }
    if kind == "percentage" || kind == "hybrid" {
        plan["percentage_fee"] = json!(dice.percent());
    }
    if kind == "tiered" {
        plan["tier_mode"] = json!(dice.pick(&["slice", "whole"]));
        plan["tier_on"] = json!(dice.pick(&["amount", "monthly_volume"]));
        let mut edges: Vec<i64> =
            (0..dice.below(5)).map(|_| i64::try_from(1 + dice.below(5_000_000)).unwrap()).collect();
        edges.push(0);
        edges.sort_unstable();
        edges.dedup();
        let edge = |minor: i64| Amount::from_minor(minor, own.parse().unwrap()).render();
        let tiers = edges.iter().enumerate().map(|(place, low)| {
            let high = edges.get(place + 1).map(|high| edge(*high));
            json!({
                "min_volume": edge(*low), "max_volume": high,
                "fixed_fee": dice.money(own, 4), "percentage_fee": dice.percent(),
            })
        });
        plan["tiers"] = tiers.collect();
    }
    if dice.below(3) == 0 {
        plan["min_fee"] = json!(dice.money(own, 3));
    }
    if dice.below(3) == 0 && plan.get("min_fee").is_none() {
        plan["max_fee"] = json!(dice.money(own, 6));
    }
    plan
}

#[test]
fn a_hundred_thousand_quotes_follow_from_what_is_stored() {
    const CODES: &[&str] = &["USD", "EUR", "GBP", "JPY", "KRW", "CHF", "ISK", "IDR", "BTC", "USDC"];
    let dice = Dice(Random::seeded(20_261_102));
    let rates =
        fx::RateTable { day: fx::snapshot().unwrap(), ..super::rates(&BTreeMap::new(), 45) };
    let (mut done, mut crossed, mut tiered) = (0, 0, 0);
    while done < QUOTES {
        let source = dice.pick(CODES);
        let plan = random_plan(&dice, source);
        let file = json!({ "plans": [plan] }).to_string();
        let drafts =
            read(&file, Format::Json).unwrap_or_else(|faults| panic!("{file}: {faults:?}"));
        let book = book(drafts);
        for _ in 0..PAYMENTS_PER_PLAN {
            done += 1;
            let amount = Amount::parse(&dice.money(source, 9), source.parse().unwrap()).unwrap();
            let listed = scale_of(source) < 3;
            let dest = if listed { dice.pick(&CODES[..8]) } else { source };
            let payment = Payment {
                amount,
                dest_currency: dest.parse().unwrap(),
                dest_country: None,
                method: None,
            };
            let volume = i64::try_from(dice.below(1_000_000_000)).unwrap();
            let volume = Amount::from_minor(volume, amount.currency());
            let chosen = book.select(merchant(), &payment, now()).unwrap();
            let facts = Facts::gather(payment, &chosen, volume, &rates, now()).unwrap();
            let Ok(outcome) = facts.compute() else {
                let stored = serde_json::from_str(&facts.write().unwrap()).unwrap();
                assert_eq!(recompute(&stored).2, 0, "refused, and not because it is too small");
                continue;
            };
            let stored = facts.write().unwrap();
            let (fee, tiers, dest_minor) = recompute(&serde_json::from_str(&stored).unwrap());
            let got = (outcome.fee.amount.minor(), outcome.dest_amount.minor());
            assert_eq!((got.0.into(), got.1.into()), (fee, dest_minor), "{stored}");
            assert_eq!(outcome.fee.tiers, tiers, "{stored}");
            crossed += u32::from(facts.exchange_rate.is_some());
            tiered += u32::from(tiers.len() > 1);
        }
    }
    assert!(crossed > QUOTES / 2 && tiered > QUOTES / 50, "{crossed} crossed, {tiered} by tiers");
}
