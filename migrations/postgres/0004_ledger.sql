-- Where money is: per merchant, currency and purpose. The version counts the postings.
CREATE TABLE ledger_accounts (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    currency      TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL CHECK (kind IN ('available', 'pending', 'fees', 'liquidity', 'clearing')),
    id            TEXT COLLATE "C" NOT NULL,
    balance_minor BIGINT NOT NULL CHECK (balance_minor >= 0 OR kind NOT IN ('available', 'pending')),
    version       BIGINT NOT NULL,
    updated_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, currency, kind)
);

-- What happened; never changed, only reversed by another entry, and only once.
CREATE TABLE ledger_entries (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id            TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    cause         TEXT COLLATE "C" NOT NULL,
    reverses      TEXT COLLATE "C",
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, reverses),
    FOREIGN KEY (merchant_id, reverses) REFERENCES ledger_entries (merchant_id, id)
);

-- What each entry did to each account, with the balance afterwards.
CREATE TABLE ledger_postings (
    merchant_id   TEXT COLLATE "C" NOT NULL,
    currency      TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    version       BIGINT NOT NULL,
    entry_id      TEXT COLLATE "C" NOT NULL,
    change_minor  BIGINT NOT NULL,
    balance_minor BIGINT NOT NULL,
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, currency, kind, version),
    FOREIGN KEY (merchant_id, currency, kind) REFERENCES ledger_accounts (merchant_id, currency, kind),
    FOREIGN KEY (merchant_id, entry_id) REFERENCES ledger_entries (merchant_id, id)
);
CREATE INDEX ledger_postings_by_entry ON ledger_postings (merchant_id, entry_id);

-- Money set aside, which ends once.
CREATE TABLE ledger_holds (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id            TEXT COLLATE "C" NOT NULL,
    currency      TEXT COLLATE "C" NOT NULL,
    amount_minor  BIGINT NOT NULL CHECK (amount_minor > 0),
    cause         TEXT COLLATE "C" NOT NULL,
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('held', 'posted', 'released', 'expired')),
    used_minor    BIGINT,
    created_at_us BIGINT NOT NULL,
    expires_at_us BIGINT,
    ended_at_us   BIGINT,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX ledger_holds_due ON ledger_holds (expires_at_us) WHERE state = 'held';
