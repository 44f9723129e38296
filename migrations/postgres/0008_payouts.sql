-- Payouts: what was promised when each was made, and where it is now.
CREATE TABLE payouts (
    merchant_id      TEXT COLLATE "C" NOT NULL,
    id               TEXT COLLATE "C" NOT NULL,
    beneficiary_id   TEXT COLLATE "C" NOT NULL,
    instrument_id    TEXT COLLATE "C" NOT NULL,
    quote_id         TEXT COLLATE "C" NOT NULL,
    plan_id          TEXT COLLATE "C" NOT NULL,
    source_currency  TEXT COLLATE "C" NOT NULL,
    source_minor     BIGINT NOT NULL CHECK (source_minor > 0),
    dest_currency    TEXT COLLATE "C" NOT NULL,
    dest_minor       BIGINT NOT NULL CHECK (dest_minor > 0),
    fee_currency     TEXT COLLATE "C" NOT NULL,
    fee_minor        BIGINT NOT NULL CHECK (fee_minor >= 0),
    fee_bearer       TEXT COLLATE "C" NOT NULL,
    fixed_side       TEXT COLLATE "C" NOT NULL,
    buffer_minor     BIGINT NOT NULL CHECK (buffer_minor >= 0),
    margin_minor     BIGINT NOT NULL CHECK (margin_minor >= 0),
    exchange_rate    TEXT COLLATE "C",
    method           TEXT COLLATE "C" NOT NULL,
    rail_type        TEXT COLLATE "C" NOT NULL,
    network          TEXT COLLATE "C",
    purpose          TEXT COLLATE "C",
    reference        TEXT COLLATE "C",
    metadata         TEXT COLLATE "C" NOT NULL,
    made_by          TEXT COLLATE "C" NOT NULL,
    hold_id          TEXT COLLATE "C" NOT NULL,
    fee_hold_id      TEXT COLLATE "C",
    status           TEXT COLLATE "C" NOT NULL,
    reason           TEXT COLLATE "C",
    rail_provider    TEXT COLLATE "C",
    rail_reference   TEXT COLLATE "C",
    steps            BIGINT NOT NULL,
    screened_at_us   BIGINT,
    approved_at_us   BIGINT,
    processed_at_us  BIGINT,
    completed_at_us  BIGINT,
    failed_at_us     BIGINT,
    cancelled_at_us  BIGINT,
    created_at_us    BIGINT NOT NULL,
    updated_at_us    BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, quote_id),
    FOREIGN KEY (merchant_id, beneficiary_id) REFERENCES beneficiaries (merchant_id, id),
    FOREIGN KEY (merchant_id, instrument_id) REFERENCES instruments (merchant_id, id),
    FOREIGN KEY (merchant_id, quote_id) REFERENCES quotes (merchant_id, id),
    FOREIGN KEY (merchant_id, hold_id) REFERENCES ledger_holds (merchant_id, id),
    FOREIGN KEY (merchant_id, fee_hold_id) REFERENCES ledger_holds (merchant_id, id)
);
CREATE INDEX payouts_by_status ON payouts (merchant_id, status, id);
CREATE INDEX payouts_by_beneficiary ON payouts (merchant_id, beneficiary_id, id);
CREATE INDEX payouts_by_reference ON payouts (merchant_id, reference, id);

-- Each step that each payout has taken; never changed, never removed.
CREATE TABLE payout_transitions (
    merchant_id TEXT COLLATE "C" NOT NULL,
    payout_id   TEXT COLLATE "C" NOT NULL,
    number      BIGINT NOT NULL,
    from_status TEXT COLLATE "C",
    to_status   TEXT COLLATE "C" NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    cause       TEXT COLLATE "C" NOT NULL,
    at_us       BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, payout_id, number),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id)
);

-- What was handed to a rail, written before it was handed over: the rail knows it by this id, so that
-- asking twice is asking once.
CREATE TABLE payout_attempts (
    merchant_id     TEXT COLLATE "C" NOT NULL,
    payout_id       TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    rail            TEXT COLLATE "C" NOT NULL,
    submitted_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, payout_id),
    UNIQUE (merchant_id, id),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id)
);

-- Somebody's word on a payout, bound to a digest of what they saw.
CREATE TABLE payout_decisions (
    merchant_id TEXT COLLATE "C" NOT NULL,
    payout_id   TEXT COLLATE "C" NOT NULL,
    number      BIGINT NOT NULL,
    decision    TEXT COLLATE "C" NOT NULL CHECK (decision IN ('approve', 'reject')),
    actor       TEXT COLLATE "C" NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL,
    reason      TEXT COLLATE "C",
    at_us       BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, payout_id, number),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id)
);

-- What a merchant has paid out on a day, for limits.
CREATE TABLE payout_volumes (
    merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    day         TEXT COLLATE "C" NOT NULL,
    currency    TEXT COLLATE "C" NOT NULL,
    count       BIGINT NOT NULL,
    minor       BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, day, currency)
);

-- Names that may not be paid, as they are compared.
CREATE TABLE screening_names (
    list   TEXT COLLATE "C" NOT NULL,
    entry  TEXT COLLATE "C" NOT NULL,
    folded TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (list, entry, folded)
);

-- When each list was put in place, and how often: replicas see by it that theirs is old.
CREATE TABLE screening_lists (
    list           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    version        BIGINT NOT NULL,
    imported_at_us BIGINT NOT NULL
);
