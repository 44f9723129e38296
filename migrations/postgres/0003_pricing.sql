-- Fee plans: the name that stays. They are the house's; a plan for one merchant names it.
CREATE TABLE fee_plans (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    key           TEXT COLLATE "C" NOT NULL UNIQUE,
    for_merchant  TEXT COLLATE "C",
    created_at_us BIGINT NOT NULL
);

-- Their versions, which never change: the triggers keep even us from it.
CREATE TABLE fee_plan_versions (
    plan_id           TEXT COLLATE "C" NOT NULL REFERENCES fee_plans (id),
    number            BIGINT NOT NULL CHECK (number > 0),
    effective_from_us BIGINT NOT NULL,
    terms             TEXT COLLATE "C" NOT NULL, -- canonical JSON
    created_at_us     BIGINT NOT NULL,
    PRIMARY KEY (plan_id, number)
);
CREATE FUNCTION fee_plan_versions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a version of a plan never changes and never goes'; END $$;
CREATE TRIGGER fee_plan_versions_stay BEFORE UPDATE OR DELETE ON fee_plan_versions
FOR EACH ROW EXECUTE FUNCTION fee_plan_versions_stay();

-- What one euro was worth, by day and source; rates are text, so that their precision is kept.
CREATE TABLE fx_day_rates (
    source        TEXT COLLATE "C" NOT NULL CHECK (source IN ('ecb', 'ecb_snapshot')),
    day           TEXT COLLATE "C" NOT NULL, -- 2026-10-30
    rates         TEXT COLLATE "C" NOT NULL, -- JSON: code to rate
    stored_at_us  BIGINT NOT NULL,
    PRIMARY KEY (source, day)
);

-- Counters that replicas poll: a change here empties their caches of plans and rates.
CREATE TABLE pricing_generations (
    name          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value         BIGINT NOT NULL
);
INSERT INTO pricing_generations (name, value) VALUES ('plans', 1), ('rates', 1);

-- Quotes. Ids grow with time, so the primary key is also the order of lists.
CREATE TABLE quotes (
    merchant_id    TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id             TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'consumed')),
    facts          TEXT COLLATE "C" NOT NULL, -- JSON: everything that the numbers follow from
    fee_minor      BIGINT NOT NULL,
    dest_minor     BIGINT NOT NULL,
    signature      TEXT COLLATE "C" NOT NULL,
    created_at_us  BIGINT NOT NULL,
    expires_at_us  BIGINT NOT NULL,
    consumed_at_us BIGINT,
    consumed_by    TEXT COLLATE "C",
    PRIMARY KEY (merchant_id, id),
    CHECK ((state = 'consumed') = (consumed_at_us IS NOT NULL)),
    CHECK ((state = 'consumed') = (consumed_by IS NOT NULL))
);

-- What merchants have sent, by calendar month (UTC): what monthly tiers count.
CREATE TABLE monthly_volumes (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    month         TEXT COLLATE "C" NOT NULL, -- 2026-11
    currency      TEXT COLLATE "C" NOT NULL,
    plan_id       TEXT COLLATE "C" NOT NULL,
    minor         BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, month, currency, plan_id)
);

-- FX quotes: an exchange of own money, promised for a short while.
CREATE TABLE fx_quotes (
    merchant_id    TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id             TEXT COLLATE "C" NOT NULL,
    state          TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'consumed')),
    locked         BIGINT NOT NULL CHECK (locked IN (0, 1)),
    facts          TEXT COLLATE "C" NOT NULL, -- JSON: both amounts and the rate with source and time
    created_at_us  BIGINT NOT NULL,
    expires_at_us  BIGINT NOT NULL,
    consumed_at_us BIGINT,
    consumed_by    TEXT COLLATE "C",
    PRIMARY KEY (merchant_id, id),
    CHECK ((state = 'consumed') = (consumed_at_us IS NOT NULL)),
    CHECK ((state = 'consumed') = (consumed_by IS NOT NULL))
);
