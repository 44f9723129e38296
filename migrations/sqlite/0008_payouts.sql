-- Payouts: what was promised when each was made, and where it is now.
CREATE TABLE payouts (
    merchant_id      TEXT NOT NULL,
    id               TEXT NOT NULL,
    beneficiary_id   TEXT NOT NULL,
    instrument_id    TEXT NOT NULL,
    quote_id         TEXT NOT NULL,
    plan_id          TEXT NOT NULL,
    source_currency  TEXT NOT NULL,
    source_minor     INTEGER NOT NULL CHECK (source_minor > 0),
    dest_currency    TEXT NOT NULL,
    dest_minor       INTEGER NOT NULL CHECK (dest_minor > 0),
    fee_currency     TEXT NOT NULL,
    fee_minor        INTEGER NOT NULL CHECK (fee_minor >= 0),
    fee_bearer       TEXT NOT NULL,
    fixed_side       TEXT NOT NULL,
    buffer_minor     INTEGER NOT NULL CHECK (buffer_minor >= 0),
    margin_minor     INTEGER NOT NULL CHECK (margin_minor >= 0),
    exchange_rate    TEXT,
    method           TEXT NOT NULL,
    rail_type        TEXT NOT NULL,
    network          TEXT,
    purpose          TEXT,
    reference        TEXT,
    metadata         TEXT NOT NULL,
    made_by          TEXT NOT NULL,
    hold_id          TEXT NOT NULL,
    fee_hold_id      TEXT,
    status           TEXT NOT NULL,
    reason           TEXT,
    rail_provider    TEXT,
    rail_reference   TEXT,
    steps            INTEGER NOT NULL,
    screened_at_us   INTEGER,
    approved_at_us   INTEGER,
    processed_at_us  INTEGER,
    completed_at_us  INTEGER,
    failed_at_us     INTEGER,
    cancelled_at_us  INTEGER,
    created_at_us    INTEGER NOT NULL,
    updated_at_us    INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, quote_id),
    FOREIGN KEY (merchant_id, beneficiary_id) REFERENCES beneficiaries (merchant_id, id),
    FOREIGN KEY (merchant_id, instrument_id) REFERENCES instruments (merchant_id, id),
    FOREIGN KEY (merchant_id, quote_id) REFERENCES quotes (merchant_id, id),
    FOREIGN KEY (merchant_id, hold_id) REFERENCES ledger_holds (merchant_id, id),
    FOREIGN KEY (merchant_id, fee_hold_id) REFERENCES ledger_holds (merchant_id, id)
) STRICT;
CREATE INDEX payouts_by_status ON payouts (merchant_id, status, id);
CREATE INDEX payouts_by_beneficiary ON payouts (merchant_id, beneficiary_id, id);
CREATE INDEX payouts_by_reference ON payouts (merchant_id, reference, id);

-- Each step that each payout has taken; never changed, never removed.
CREATE TABLE payout_transitions (
    merchant_id TEXT NOT NULL,
    payout_id   TEXT NOT NULL,
    number      INTEGER NOT NULL,
    from_status TEXT,
    to_status   TEXT NOT NULL,
    actor       TEXT NOT NULL,
    cause       TEXT NOT NULL,
    at_us       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, payout_id, number),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id)
) STRICT;

-- What was handed to a rail, written before it was handed over: the rail knows it by this id, so that
-- asking twice is asking once.
CREATE TABLE payout_attempts (
    merchant_id     TEXT NOT NULL,
    payout_id       TEXT NOT NULL,
    id              TEXT NOT NULL,
    rail            TEXT NOT NULL,
    submitted_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, payout_id),
    UNIQUE (merchant_id, id),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id)
) STRICT;

-- Somebody's word on a payout, bound to a digest of what they saw.
CREATE TABLE payout_decisions (
    merchant_id TEXT NOT NULL,
    payout_id   TEXT NOT NULL,
    number      INTEGER NOT NULL,
    decision    TEXT NOT NULL CHECK (decision IN ('approve', 'reject')),
    actor       TEXT NOT NULL,
    digest      TEXT NOT NULL,
    reason      TEXT,
    at_us       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, payout_id, number),
    FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id)
) STRICT;

-- What a merchant has paid out on a day, for limits.
CREATE TABLE payout_volumes (
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    day         TEXT NOT NULL,
    currency    TEXT NOT NULL,
    count       INTEGER NOT NULL,
    minor       INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, day, currency)
) STRICT;

-- Names that may not be paid, as they are compared.
CREATE TABLE screening_names (
    list   TEXT NOT NULL,
    entry  TEXT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (list, entry, folded)
) STRICT;

-- When each list was put in place, and how often: replicas see by it that theirs is old.
CREATE TABLE screening_lists (
    list           TEXT NOT NULL PRIMARY KEY,
    version        INTEGER NOT NULL,
    imported_at_us INTEGER NOT NULL
) STRICT;
