-- Merchants: the tenants. Their id is the first column of every key below.
CREATE TABLE merchants (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name          TEXT COLLATE "C" NOT NULL,
    email         TEXT COLLATE "C" NOT NULL UNIQUE,
    password_hash TEXT COLLATE "C" NOT NULL,
    status        TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'suspended')),
    created_at_us BIGINT NOT NULL
);

-- Idempotency keys: claimed in the transaction of their effect, kept for ever.
CREATE TABLE idempotency_keys (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    operation     TEXT COLLATE "C" NOT NULL,
    key           TEXT COLLATE "C" NOT NULL,
    request_hash  BYTEA NOT NULL,
    resource_id   TEXT COLLATE "C" NOT NULL,
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, operation, key)
);

-- The answers to replay, apart from the keys because they are dropped after 30 days.
CREATE TABLE idempotency_answers (
    merchant_id   TEXT COLLATE "C" NOT NULL,
    operation     TEXT COLLATE "C" NOT NULL,
    key           TEXT COLLATE "C" NOT NULL,
    status        BIGINT NOT NULL,
    body          BYTEA NOT NULL,
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, operation, key),
    FOREIGN KEY (merchant_id, operation, key)
        REFERENCES idempotency_keys (merchant_id, operation, key)
);
CREATE INDEX idempotency_answers_by_age ON idempotency_answers (created_at_us);

-- Background work.
CREATE TABLE jobs (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind          TEXT COLLATE "C" NOT NULL,
    unique_key    TEXT COLLATE "C" UNIQUE,
    payload       BYTEA NOT NULL,
    state         TEXT COLLATE "C" NOT NULL CHECK (state IN ('due', 'running', 'dead')),
    run_at_us     BIGINT NOT NULL, -- of a running job: when its lease ends
    attempts      BIGINT NOT NULL,
    lease_id      TEXT COLLATE "C",
    last_error    TEXT COLLATE "C",
    created_at_us BIGINT NOT NULL
);
-- Dead jobs are few and stay; they must not be read again and again.
CREATE INDEX jobs_by_time ON jobs (run_at_us) WHERE state <> 'dead';
