-- What became of a merchant's payouts on each day (UTC), for charts: counted after the fact from the log
-- of events, so that making a payout costs nothing more. Totals are minor units, or seconds for rails.
CREATE TABLE payout_days (
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    day         TEXT NOT NULL,
    measure     TEXT NOT NULL,
    name        TEXT NOT NULL,
    count       INTEGER NOT NULL,
    total       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, day, measure, name)
) STRICT;

-- Up to which event each merchant's days have been counted.
CREATE TABLE payout_day_marks (
    merchant_id TEXT NOT NULL PRIMARY KEY REFERENCES merchants (id),
    sequence    INTEGER NOT NULL
) STRICT;
