-- Money that came in from outside, by the name that the outside gives it: the same credit told twice is one.
CREATE TABLE deposits (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    id            TEXT NOT NULL,
    reference     TEXT NOT NULL,
    currency      TEXT NOT NULL,
    amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),
    counterparty  TEXT,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, reference)
) STRICT;

-- Statements of one currency, the newest first: only what is the merchant's own is on them.
CREATE INDEX ledger_postings_by_currency ON ledger_postings (merchant_id, currency, entry_id)
    WHERE kind IN ('available', 'pending');
