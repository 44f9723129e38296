-- Fee plans: the name that stays. They are the house's; a plan for one merchant names it.
CREATE TABLE fee_plans (
    id            TEXT NOT NULL PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    for_merchant  TEXT,
    created_at_us INTEGER NOT NULL
) STRICT;

-- Their versions, which never change: the triggers keep even us from it.
CREATE TABLE fee_plan_versions (
    plan_id           TEXT NOT NULL REFERENCES fee_plans (id),
    number            INTEGER NOT NULL CHECK (number > 0),
    effective_from_us INTEGER NOT NULL,
    terms             TEXT NOT NULL, -- canonical JSON
    created_at_us     INTEGER NOT NULL,
    PRIMARY KEY (plan_id, number)
) STRICT;
CREATE TRIGGER fee_plan_versions_never_change BEFORE UPDATE ON fee_plan_versions
BEGIN SELECT RAISE(ABORT, 'a version of a plan never changes'); END;
CREATE TRIGGER fee_plan_versions_never_go BEFORE DELETE ON fee_plan_versions
BEGIN SELECT RAISE(ABORT, 'a version of a plan never goes'); END;

-- What one euro was worth, by day and source; rates are text, so that their precision is kept.
CREATE TABLE fx_day_rates (
    source        TEXT NOT NULL CHECK (source IN ('ecb', 'ecb_snapshot')),
    day           TEXT NOT NULL, -- 2026-10-30
    rates         TEXT NOT NULL, -- JSON: code to rate
    stored_at_us  INTEGER NOT NULL,
    PRIMARY KEY (source, day)
) STRICT;

-- Counters that replicas poll: a change here empties their caches of plans and rates.
CREATE TABLE pricing_generations (
    name          TEXT NOT NULL PRIMARY KEY,
    value         INTEGER NOT NULL
) STRICT;
INSERT INTO pricing_generations (name, value) VALUES ('plans', 1), ('rates', 1);

-- Quotes. Ids grow with time, so the primary key is also the order of lists.
CREATE TABLE quotes (
    merchant_id    TEXT NOT NULL REFERENCES merchants (id),
    id             TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('open', 'consumed')),
    facts          TEXT NOT NULL, -- JSON: everything that the numbers follow from
    fee_minor      INTEGER NOT NULL,
    dest_minor     INTEGER NOT NULL,
    signature      TEXT NOT NULL,
    created_at_us  INTEGER NOT NULL,
    expires_at_us  INTEGER NOT NULL,
    consumed_at_us INTEGER,
    consumed_by    TEXT,
    PRIMARY KEY (merchant_id, id),
    CHECK ((state = 'consumed') = (consumed_at_us IS NOT NULL)),
    CHECK ((state = 'consumed') = (consumed_by IS NOT NULL))
) STRICT;

-- What merchants have sent, by calendar month (UTC): what monthly tiers count.
CREATE TABLE monthly_volumes (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    month         TEXT NOT NULL, -- 2026-11
    currency      TEXT NOT NULL,
    plan_id       TEXT NOT NULL,
    minor         INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, month, currency, plan_id)
) STRICT;

-- FX quotes: an exchange of own money, promised for a short while.
CREATE TABLE fx_quotes (
    merchant_id    TEXT NOT NULL REFERENCES merchants (id),
    id             TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('open', 'consumed')),
    locked         INTEGER NOT NULL CHECK (locked IN (0, 1)),
    facts          TEXT NOT NULL, -- JSON: both amounts and the rate with source and time
    created_at_us  INTEGER NOT NULL,
    expires_at_us  INTEGER NOT NULL,
    consumed_at_us INTEGER,
    consumed_by    TEXT,
    PRIMARY KEY (merchant_id, id),
    CHECK ((state = 'consumed') = (consumed_at_us IS NOT NULL)),
    CHECK ((state = 'consumed') = (consumed_by IS NOT NULL))
) STRICT;
