-- The keys of what rests encrypted, themselves sealed with a key that is not in the database.
CREATE TABLE data_keys (
    id            TEXT NOT NULL PRIMARY KEY,
    purpose       TEXT NOT NULL CHECK (purpose IN ('seal', 'fingerprint')),
    sealed        BLOB NOT NULL,
    sealed_by     TEXT NOT NULL,
    created_at_us INTEGER NOT NULL
) STRICT;

-- How many events a merchant has: the next number is taken in the transaction of its event, so that
-- there is never a gap and never a number that somebody could have missed.
CREATE TABLE event_sequences (
    merchant_id TEXT NOT NULL PRIMARY KEY REFERENCES merchants (id),
    last        INTEGER NOT NULL
) STRICT;

-- What happened, as the exact bytes that are shown and sent.
CREATE TABLE events (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    sequence      INTEGER NOT NULL,
    id            TEXT NOT NULL,
    kind          TEXT NOT NULL,
    about         TEXT NOT NULL,
    body          BLOB NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, sequence),
    UNIQUE (merchant_id, id)
) STRICT;
CREATE INDEX events_by_subject ON events (merchant_id, about, sequence);
