-- Where merchants have their events sent, and how far each has come.
CREATE TABLE webhook_endpoints (
    merchant_id        TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id                 TEXT COLLATE "C" NOT NULL,
    url                TEXT COLLATE "C" NOT NULL,
    filter             TEXT COLLATE "C" NOT NULL,
    dialect            TEXT COLLATE "C" NOT NULL,
    version            TEXT COLLATE "C" NOT NULL,
    metadata           TEXT COLLATE "C" NOT NULL,
    status             TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'inactive', 'disabled', 'deleted')),
    disabled_because   TEXT COLLATE "C" CHECK (disabled_because IN ('failing', 'gone')),
    secret             BYTEA NOT NULL, -- sealed
    old_secret         BYTEA,          -- sealed
    old_secret_ends_us BIGINT,
    created_at_us      BIGINT NOT NULL,
    updated_at_us      BIGINT NOT NULL,
    -- The log is the queue: everything after this number is still to be planned.
    planned_through    BIGINT NOT NULL,
    failures           BIGINT NOT NULL, -- in a row
    failing_since_us   BIGINT,
    paused_until_us    BIGINT NOT NULL,
    due_at_us          BIGINT, -- the next attempt of what is planned
    lease_id           TEXT COLLATE "C",
    leased_until_us    BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
);

-- One event on its way to one endpoint. A re-delivery is a row of its own, with the next round.
CREATE TABLE webhook_deliveries (
    merchant_id        TEXT COLLATE "C" NOT NULL,
    id                 TEXT COLLATE "C" NOT NULL,
    endpoint_id        TEXT COLLATE "C" NOT NULL,
    sequence           BIGINT NOT NULL,
    round              BIGINT NOT NULL,
    event_id           TEXT COLLATE "C" NOT NULL,
    about              TEXT COLLATE "C" NOT NULL,
    status             TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending', 'delivered', 'failed', 'cancelled')),
    attempts           BIGINT NOT NULL,
    max_attempts       BIGINT NOT NULL,
    next_attempt_at_us BIGINT,
    response_status    BIGINT,
    response_body      TEXT COLLATE "C",
    error              TEXT COLLATE "C",
    duration_ms        BIGINT,
    delivered_at_us    BIGINT,
    created_at_us      BIGINT NOT NULL,
    updated_at_us      BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, sequence, endpoint_id, round),
    FOREIGN KEY (merchant_id, endpoint_id) REFERENCES webhook_endpoints (merchant_id, id),
    FOREIGN KEY (merchant_id, sequence) REFERENCES events (merchant_id, sequence)
);
CREATE INDEX webhook_deliveries_due
    ON webhook_deliveries (merchant_id, endpoint_id, next_attempt_at_us, sequence) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (merchant_id, endpoint_id, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at_us);
CREATE INDEX events_by_age ON events (created_at_us);
