-- Where money is: per merchant, currency and purpose. The version counts the postings.
CREATE TABLE ledger_accounts (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    currency      TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('available', 'pending', 'fees', 'liquidity', 'clearing')),
    id            TEXT NOT NULL,
    balance_minor INTEGER NOT NULL CHECK (balance_minor >= 0 OR kind NOT IN ('available', 'pending')),
    version       INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, currency, kind)
) STRICT;

-- What happened; never changed, only reversed by another entry, and only once.
CREATE TABLE ledger_entries (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    id            TEXT NOT NULL,
    kind          TEXT NOT NULL,
    cause         TEXT NOT NULL,
    reverses      TEXT,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, reverses),
    FOREIGN KEY (merchant_id, reverses) REFERENCES ledger_entries (merchant_id, id)
) STRICT;

-- What each entry did to each account, with the balance afterwards.
CREATE TABLE ledger_postings (
    merchant_id   TEXT NOT NULL,
    currency      TEXT NOT NULL,
    kind          TEXT NOT NULL,
    version       INTEGER NOT NULL,
    entry_id      TEXT NOT NULL,
    change_minor  INTEGER NOT NULL,
    balance_minor INTEGER NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, currency, kind, version),
    FOREIGN KEY (merchant_id, currency, kind) REFERENCES ledger_accounts (merchant_id, currency, kind),
    FOREIGN KEY (merchant_id, entry_id) REFERENCES ledger_entries (merchant_id, id)
) STRICT;
CREATE INDEX ledger_postings_by_entry ON ledger_postings (merchant_id, entry_id);

-- Money set aside, which ends once.
CREATE TABLE ledger_holds (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    id            TEXT NOT NULL,
    currency      TEXT NOT NULL,
    amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),
    cause         TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('held', 'posted', 'released', 'expired')),
    used_minor    INTEGER,
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER,
    ended_at_us   INTEGER,
    PRIMARY KEY (merchant_id, id)
) STRICT;
CREATE INDEX ledger_holds_due ON ledger_holds (expires_at_us) WHERE state = 'held';
