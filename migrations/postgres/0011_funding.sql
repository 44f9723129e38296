-- Money that came in from outside, by the name that the outside gives it: the same credit told twice is one.
CREATE TABLE deposits (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id            TEXT COLLATE "C" NOT NULL,
    reference     TEXT COLLATE "C" NOT NULL,
    currency      TEXT COLLATE "C" NOT NULL,
    amount_minor  BIGINT NOT NULL CHECK (amount_minor > 0),
    counterparty  TEXT COLLATE "C",
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, reference)
);

-- Statements of one currency, the newest first: only what is the merchant's own is on them.
CREATE INDEX ledger_postings_by_currency ON ledger_postings (merchant_id, currency, entry_id)
    WHERE kind IN ('available', 'pending');
