#!/usr/bin/env python3
"""Writes fees.json: fee, quote and rate vectors, computed apart from the server.

Nothing here is shared with the server's code: whole numbers and `fractions.Fraction` only, one
rounding at the end. The server's tests read the file and must arrive at the same digits. Run it
again after a change of the rules: `python3 docs/vectors/generate.py`; the same rules write the
same bytes.
"""

import json
import random
import re
from fractions import Fraction
from pathlib import Path

SCALES = {
    "USD": 2, "EUR": 2, "GBP": 2, "CHF": 2, "IDR": 2, "TRY": 2, "JPY": 0, "KRW": 0, "ISK": 0,
    "BHD": 3, "KWD": 3, "BTC": 8, "USDC": 6, "USDT": 6, "CLF": 4, "XOF": 0,
}
# What one euro was on 30 October 2026, by the European Central Bank.
PER_EURO = {
    "USD": "1.1172", "JPY": "175.68", "GBP": "0.8338", "CHF": "0.9194", "IDR": "20275.17",
    "TRY": "55.8015", "KRW": "1491.76", "ISK": "136",
}
MODES = ["half_up", "half_even", "half_down", "up", "down"]


class Refused(Exception):
    def __init__(self, code, field=None):
        super().__init__(code)
        self.code, self.field = code, field


def round_whole(value, mode):
    """A fraction to a whole number; negative values mirror positive ones."""
    sign = -1 if value < 0 else 1
    whole, rest = divmod(abs(value).numerator, abs(value).denominator)
    half = Fraction(rest, abs(value).denominator)
    away = {
        "up": half > 0,
        "down": False,
        "half_up": half >= Fraction(1, 2),
        "half_down": half > Fraction(1, 2),
        "half_even": half > Fraction(1, 2) or (half == Fraction(1, 2) and whole % 2 == 1),
    }[mode]
    return sign * (whole + away)


def render(minor, scale):
    text = str(abs(minor)).rjust(scale + 1, "0")
    if scale:
        text = text[:-scale] + "." + text[-scale:]
    return "-" + text if minor < 0 else text


def to_minor(value, currency, mode):
    return round_whole(value * 10 ** SCALES[currency], mode)


def parse_amount(text, currency, field="amount"):
    if not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]+)?", text):
        raise Refused("validation_error", field)
    if len(text.partition(".")[2]) > SCALES[currency]:
        raise Refused("validation_error", field)
    value = Fraction(text)
    if abs(value) * 10 ** SCALES[currency] > 2**63 - 1 or value <= 0:
        raise Refused("validation_error", field)
    return value


def state_rate(value):
    """Four places, and more while there are fewer than four digits; half to even."""
    for places in range(4, 17):
        mantissa = round_whole(value * 10**places, "half_even")
        if len(str(mantissa)) >= 4 or places == 16:
            return mantissa, places


def mid_rate(source, dest, per_euro):
    listed = {**per_euro, "EUR": "1"}
    if source not in listed or dest not in listed:
        raise Refused("rate_unavailable")
    return state_rate(Fraction(listed[dest]) / Fraction(listed[source]))


def customer_rate(mid, basis_points):
    mantissa, places = mid
    kept = round_whole(Fraction(mantissa * (10_000 - basis_points), 10_000), "down")
    if kept == 0:
        raise Refused("rate_unavailable")  # a rate of nothing is none
    return kept, places


def number(rate):
    return Fraction(rate[0], 10 ** rate[1])


def covers(plan, payment):
    for key in ("source_currency", "dest_currency", "dest_country", "method"):
        if plan.get(key) and plan[key] != payment.get(key):
            return False
    amount = Fraction(payment["amount"])
    least, most = plan.get("min_amount"), plan.get("max_amount")
    return (least is None or amount >= Fraction(least)) and (most is None or amount <= Fraction(most))


def rank(plan):
    """The written precedence, largest first."""
    named = {k: int(bool(plan.get(k))) for k in ("dest_country", "method", "dest_currency", "source_currency")}
    return (
        int(bool(plan.get("merchant"))),
        plan.get("priority", 0),
        sum(named.values()),
        named["dest_country"],
        named["method"],
        named["dest_currency"],
        int(bool(plan.get("min_amount") or plan.get("max_amount"))),
    )


def choose(plans, payment):
    fitting = [p for p in plans if p.get("active", True) and covers(p, payment)]
    if not fitting:
        raise Refused("corridor_not_enabled")
    best = max(rank(p) for p in fitting)
    return min((p for p in fitting if rank(p) == best), key=lambda p: p["key"])


def fee(plan, payment, volume, per_euro):
    source, dest = payment["source_currency"], payment["dest_currency"]
    charged_in = {"source": source, "dest": dest}.get(plan.get("fee_currency", "source"), plan.get("fee_currency"))
    has_amounts = any(k in plan for k in ("fixed_fee", "min_fee", "max_fee", "tiers"))
    own = plan.get("fixed_currency") or plan.get("source_currency")

    into = Fraction(1) if source == charged_in else number(mid_rate(source, charged_in, per_euro))
    own_into = Fraction(1)
    if has_amounts and own != charged_in:
        own_into = number(mid_rate(own, charged_in, per_euro))

    def amount_of(text):
        return Fraction(text) * own_into

    base = Fraction(payment["amount"]) * into
    used = []
    kind = plan["fee_type"]
    exact = Fraction(0)
    if kind in ("fixed", "hybrid"):
        exact += amount_of(plan["fixed_fee"])
    if kind in ("percentage", "hybrid"):
        exact += base * Fraction(plan["percentage_fee"]) / 100
    if kind == "tiered":
        monthly = plan["tier_on"] == "monthly_volume"
        begin = Fraction(volume) * into if monthly else Fraction(0)
        end = begin + base
        for place, tier in enumerate(plan["tiers"], 1):
            low = amount_of(tier.get("min_volume", "0"))
            high = amount_of(tier["max_volume"]) if "max_volume" in tier else None
            if plan["tier_mode"] == "whole":
                position = begin if monthly else base
                portion = base if low <= position and (high is None or position < high) else 0
            else:
                portion = (end if high is None else min(high, end)) - max(low, begin)
            if portion > 0:
                exact += amount_of(tier.get("fixed_fee", "0"))
                exact += portion * Fraction(tier.get("percentage_fee", "0")) / 100
                used.append(place)
    if "min_fee" in plan:
        exact = max(exact, amount_of(plan["min_fee"]))
    if "max_fee" in plan:
        exact = min(exact, amount_of(plan["max_fee"]))
    return to_minor(exact, charged_in, plan.get("rounding", "half_up")), charged_in, used


def quote(plans, payment, volume, per_euro, basis_points):
    source, dest = payment["source_currency"], payment["dest_currency"]
    for field in ("source_currency", "dest_currency"):
        if payment[field] not in SCALES:
            raise Refused("validation_error", field)
    amount = parse_amount(payment["amount"], source)
    plan = choose(plans, payment)
    minor, currency, used = fee(plan, payment, volume, per_euro)
    expected = {
        "plan": plan["key"],
        "fee": render(minor, SCALES[currency]),
        "fee_minor": minor,
        "fee_currency": currency,
        "fee_type": plan["fee_type"],
        "tiers": used,
    }
    if source == dest:
        expected["dest_amount"] = render(to_minor(amount, dest, "down"), SCALES[dest])
    else:
        mid = mid_rate(source, dest, per_euro)
        rate = customer_rate(mid, basis_points)
        got = to_minor(amount * number(rate), dest, "down")
        if got == 0:
            raise Refused("validation_error", "amount")
        expected["mid_rate"] = render(*mid)
        expected["exchange_rate"] = render(*rate)
        expected["dest_amount"] = render(got, SCALES[dest])
    return expected


VECTORS = []


def add(name, plans, payment, volume="0", basis_points=0, per_euro=PER_EURO):
    plans = [{"key": f"plan-{i}", "name": f"Plan {i}", **plan} for i, plan in enumerate(plans)]
    vector = {"name": name, "plans": plans, "payment": payment}
    if volume != "0":
        vector["month_volume"] = volume
    if basis_points:
        vector["markup_bps"] = basis_points
    try:
        vector["expected"] = quote(plans, payment, volume, per_euro, basis_points)
    except Refused as refused:
        vector["expected"] = {"error": refused.code}
        if refused.field:
            vector["expected"]["field"] = refused.field
    VECTORS.append(vector)


def pay(source, dest, amount, country=None, method=None):
    payment = {"source_currency": source, "dest_currency": dest, "amount": amount}
    if country:
        payment["dest_country"] = country
    if method:
        payment["method"] = method
    return payment


FIXED = {"fee_type": "fixed", "fixed_fee": "5.00", "fixed_currency": "USD"}
PERCENT = {"fee_type": "percentage", "percentage_fee": "0.45"}
HYBRID = {"fee_type": "hybrid", "fixed_fee": "0.25", "percentage_fee": "1.5", "fixed_currency": "USD"}
STEPS = [
    {"min_volume": "0.00", "max_volume": "1000.00", "percentage_fee": "1"},
    {"min_volume": "1000.00", "max_volume": "5000.00", "fixed_fee": "2.00", "percentage_fee": "0.5"},
    {"min_volume": "5000.00", "fixed_fee": "1.00", "percentage_fee": "0.25"},
]


def tiered(mode, on, **more):
    return {"fee_type": "tiered", "tier_mode": mode, "tier_on": on, "tiers": STEPS,
            "fixed_currency": "USD", **more}


def curated():
    add("the published sample: 550 dollars at a fixed five", [FIXED], pay("USD", "USD", "550.00"))
    for amount in ("0.01", "1", "7.5", "999999999999.99"):
        add(f"fixed does not look at the amount {amount}", [FIXED], pay("USD", "USD", amount))
        add(f"hybrid of {amount}", [HYBRID], pay("USD", "USD", amount))
    for mode in MODES:
        for amount in ("10.00", "30.00", "3.00", "1.11", "2.22", "100.00"):
            plan = {"fee_type": "percentage", "percentage_fee": "0.15", "rounding": mode}
            add(f"0.15 % of {amount} rounded {mode}", [plan], pay("USD", "USD", amount))
    for mode in ("slice", "whole"):
        for amount in ("0.01", "999.99", "1000.00", "1000.01", "4999.99", "5000.00", "12345.67"):
            add(f"tiers by {mode} on the amount {amount}", [tiered(mode, "amount")], pay("USD", "USD", amount))
        for volume in ("999.99", "1000.00", "4000.00", "5000.00", "1000000.00"):
            for amount in ("0.02", "1500.00", "8000.00"):
                add(f"tiers by {mode} on the month: {volume} before {amount}",
                    [tiered(mode, "monthly_volume")], pay("USD", "USD", amount), volume=volume)
    for amount in ("1.00", "100.00", "1000.00", "100000.00"):
        bounded = {**PERCENT, "fixed_currency": "USD", "min_fee": "1.00", "max_fee": "20.00"}
        add(f"bounds on {amount}", [bounded], pay("USD", "USD", amount))
        add(f"bounds in another currency on {amount}", [bounded], pay("EUR", "EUR", amount))
    for source in ("EUR", "GBP", "JPY", "KRW", "IDR", "ISK"):
        amount = "250000" if SCALES[source] == 0 else "1234.56"
        for charged_in in ("source", "dest", "USD"):
            plan = {**HYBRID, "fee_currency": charged_in}
            add(f"{source} to dollars, fee in {charged_in}", [plan], pay(source, "USD", amount), basis_points=45)
            add(f"{source} to francs, fee in {charged_in}", [plan], pay(source, "CHF", amount), basis_points=45)
    for currency, amount in (("BHD", "12.345"), ("BTC", "0.12345678"), ("USDC", "1234.567891"), ("CLF", "1.2345")):
        plan = {**PERCENT, "rounding": "half_even"}
        add(f"{currency} keeps its own scale", [plan], pay(currency, currency, amount))
        add(f"{currency} has no rate for a fee in dollars", [FIXED], pay(currency, currency, amount))
    for basis_points in (0, 1, 45, 150, 9_999):
        add(f"a margin of {basis_points}", [PERCENT], pay("USD", "EUR", "1000.00"), basis_points=basis_points)
        add(f"a margin of {basis_points} on a small rate", [PERCENT], pay("IDR", "USD", "98765432.10"),
            basis_points=basis_points)
    add("too small to come to anything", [PERCENT], pay("IDR", "USD", "1.00"))


def refusals():
    for amount in ("0", "0.00", "-1.00", "1.001", "1.000", "", "1e3", "+1", ".5", "1.", "1,00", " 1",
                   "1234567890123", "NaN", "0x10", "1.00 "):
        add(f"the amount {amount!r}", [FIXED], pay("USD", "USD", amount))
    add("a fraction of a yen", [FIXED], pay("JPY", "JPY", "1.0"))
    add("more bitcoin than can be counted", [PERCENT], pay("BTC", "BTC", "999999999999"))
    for code in ("usd", "US", "XXXX", "USDOLL", "ABC", "XAU", "HRK"):
        add(f"the currency {code}", [FIXED], pay(code, "USD", "1.00"))
        add(f"the currency {code} for the beneficiary", [FIXED], pay("USD", code, "1.00"))
    add("no plan at all", [{**FIXED, "source_currency": "GBP"}], pay("USD", "USD", "1.00"))
    add("a retired plan", [{**FIXED, "active": False}], pay("USD", "USD", "1.00"))
    add("a method nobody prices", [{**FIXED, "method": "wire"}], pay("USD", "USD", "1.00", method="swift"))
    add("no method where one is needed", [{**FIXED, "method": "wire"}], pay("USD", "USD", "1.00"))
    add("no country where one is needed", [{**FIXED, "dest_country": "DE"}], pay("USD", "USD", "1.00"))
    add("no rate for the beneficiary's currency", [FIXED], pay("USD", "XOF", "1.00"))


def precedence():
    keys = {"source_currency": "USD", "dest_currency": "EUR", "dest_country": "DE", "method": "sepa"}
    names = list(keys)
    subsets = [[n for bit, n in enumerate(names) if mask >> bit & 1] for mask in range(16)]
    payment = pay("USD", "EUR", "500.00", "DE", "sepa")
    plans = []
    for i, subset in enumerate(subsets):
        plans.append({**FIXED, "fixed_fee": f"{i}.00", **{n: keys[n] for n in subset}})
    for i in range(len(plans)):
        for j in range(i + 1, len(plans)):
            if (i * 7 + j) % 3 == 0:
                add(f"{'+'.join(subsets[i]) or 'all'} against {'+'.join(subsets[j]) or 'all'}",
                    [plans[j], plans[i]], payment)
    add("a higher priority beats a narrower plan", [{**plans[15], "priority": 1}, {**plans[0], "priority": 2}], payment)
    add("a negative priority goes last", [{**plans[0]}, {**plans[15], "priority": -1}], payment)
    ranged = {**FIXED, "fixed_fee": "9.00", "source_currency": "USD", "min_amount": "100.00", "max_amount": "500.00"}
    wide = {**FIXED, "source_currency": "USD"}
    for amount in ("99.99", "100.00", "500.00", "500.01"):
        add(f"an amount range at {amount}", [wide, ranged], pay("USD", "USD", amount))
    add("equal plans go by key", [wide, {**wide, "fixed_fee": "6.00"}], pay("USD", "USD", "1.00"))


def at_random(count):
    dice = random.Random(20261030)
    fiat = ["EUR", *PER_EURO]

    def money(currency, most):
        return render(dice.randrange(1, most), SCALES[currency])

    for i in range(count):
        source, dest, own = dice.choice(fiat), dice.choice(fiat), dice.choice(fiat)
        plan = {"fixed_currency": own, "rounding": dice.choice(MODES),
                "fee_currency": dice.choice(["source", "dest", dice.choice(fiat)])}
        kind = dice.choice(["fixed", "percentage", "hybrid", "tiered", "tiered"])
        plan["fee_type"] = kind
        percent = lambda: render(dice.randrange(0, 3_000_000), 6)
        if kind in ("fixed", "hybrid"):
            plan["fixed_fee"] = money(own, 10_000)
        if kind in ("percentage", "hybrid"):
            plan["percentage_fee"] = percent()
        if kind == "tiered":
            plan["tier_mode"], plan["tier_on"] = dice.choice(["slice", "whole"]), dice.choice(["amount", "monthly_volume"])
            bounds = sorted(dice.sample(range(1, 10_000_000), dice.randrange(0, 5)))
            edges = [0, *bounds]
            plan["tiers"] = []
            for place, low in enumerate(edges):
                tier = {"min_volume": render(low, SCALES[own]), "percentage_fee": percent(),
                        "fixed_fee": money(own, 500)}
                if place + 1 < len(edges):
                    tier["max_volume"] = render(edges[place + 1], SCALES[own])
                plan["tiers"].append(tier)
        if dice.random() < 0.3:
            plan["min_fee"] = money(own, 1_000)
            plan["max_fee"] = render(dice.randrange(1_000, 100_000), SCALES[own])
        volume = money(source, 10_000_000) if dice.random() < 0.5 else "0"
        add(f"random {i}", [plan], pay(source, dest, money(source, 10 ** dice.randrange(3, 11))),
            volume=volume, basis_points=dice.choice([0, 45, 120]))


def main():
    curated()
    refusals()
    precedence()
    at_random(200)
    names = [vector["name"] for vector in VECTORS]
    assert len(names) == len(set(names)), "names must be unique"
    document = {
        "about": "Fee and quote vectors. Each vector: plans (in the shape of an import file), a payment, "
                 "the merchant's volume of the month before it (in the source currency), the house's margin "
                 "on exchange rates in basis points, and what a quote must say or be refused with. "
                 "Written by generate.py, which shares no code with the server.",
        "per_euro": PER_EURO,
        "vectors": VECTORS,
    }
    # One vector a line, so that a change of the rules reads well as a difference.
    vectors = ",\n".join("  " + json.dumps(vector, ensure_ascii=False) for vector in document.pop("vectors"))
    head = json.dumps(document, indent=1, ensure_ascii=False).removesuffix("\n}")
    text = f'{head},\n "vectors": [\n{vectors}\n ]\n}}\n'
    Path(__file__).with_name("fees.json").write_text(text, encoding="utf-8")
    errors = sum("error" in vector["expected"] for vector in VECTORS)
    print(f"{len(VECTORS)} vectors, {errors} of them refusals")


main()
