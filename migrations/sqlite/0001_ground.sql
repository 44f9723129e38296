-- Merchants: the tenants. Their id is the first column of every key below.
CREATE TABLE merchants (
    id            TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL,
    email         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    created_at_us INTEGER NOT NULL
) STRICT;

-- Idempotency keys: claimed in the transaction of their effect, kept for ever.
CREATE TABLE idempotency_keys (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    operation     TEXT NOT NULL,
    key           TEXT NOT NULL,
    request_hash  BLOB NOT NULL,
    resource_id   TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, operation, key)
) STRICT;

-- The answers to replay, apart from the keys because they are dropped after 30 days.
CREATE TABLE idempotency_answers (
    merchant_id   TEXT NOT NULL,
    operation     TEXT NOT NULL,
    key           TEXT NOT NULL,
    status        INTEGER NOT NULL,
    body          BLOB NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, operation, key),
    FOREIGN KEY (merchant_id, operation, key)
        REFERENCES idempotency_keys (merchant_id, operation, key)
) STRICT;
CREATE INDEX idempotency_answers_by_age ON idempotency_answers (created_at_us);

-- Background work.
CREATE TABLE jobs (
    id            TEXT NOT NULL PRIMARY KEY,
    kind          TEXT NOT NULL,
    unique_key    TEXT UNIQUE,
    payload       BLOB NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('due', 'running', 'dead')),
    run_at_us     INTEGER NOT NULL, -- of a running job: when its lease ends
    attempts      INTEGER NOT NULL,
    lease_id      TEXT,
    last_error    TEXT,
    created_at_us INTEGER NOT NULL
) STRICT;
-- Dead jobs are few and stay; they must not be read again and again.
CREATE INDEX jobs_by_time ON jobs (run_at_us) WHERE state <> 'dead';
