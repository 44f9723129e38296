-- The keys of what rests encrypted, themselves sealed with a key that is not in the database.
CREATE TABLE data_keys (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    purpose       TEXT COLLATE "C" NOT NULL CHECK (purpose IN ('seal', 'fingerprint')),
    sealed        BYTEA NOT NULL,
    sealed_by     TEXT COLLATE "C" NOT NULL,
    created_at_us BIGINT NOT NULL
);

-- How many events a merchant has: the next number is taken in the transaction of its event, so that
-- there is never a gap and never a number that somebody could have missed.
CREATE TABLE event_sequences (
    merchant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES merchants (id),
    last        BIGINT NOT NULL
);

-- What happened, as the exact bytes that are shown and sent.
CREATE TABLE events (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    sequence      BIGINT NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    about         TEXT COLLATE "C" NOT NULL,
    body          BYTEA NOT NULL,
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, sequence),
    UNIQUE (merchant_id, id)
);
CREATE INDEX events_by_subject ON events (merchant_id, about, sequence);
