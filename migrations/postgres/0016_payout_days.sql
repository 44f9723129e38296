-- What became of a merchant's payouts on each day (UTC), for charts: counted after the fact from the log
-- of events, so that making a payout costs nothing more. Totals are minor units, or seconds for rails.
CREATE TABLE payout_days (
    merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    day         TEXT COLLATE "C" NOT NULL,
    measure     TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    count       BIGINT NOT NULL,
    total       BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, day, measure, name)
);

-- Up to which event each merchant's days have been counted.
CREATE TABLE payout_day_marks (
    merchant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES merchants (id),
    sequence    BIGINT NOT NULL
);
