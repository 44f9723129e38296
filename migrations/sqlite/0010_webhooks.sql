-- Where merchants have their events sent, and how far each has come.
CREATE TABLE webhook_endpoints (
    merchant_id        TEXT NOT NULL REFERENCES merchants (id),
    id                 TEXT NOT NULL,
    url                TEXT NOT NULL,
    filter             TEXT NOT NULL,
    dialect            TEXT NOT NULL,
    version            TEXT NOT NULL,
    metadata           TEXT NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('active', 'inactive', 'disabled', 'deleted')),
    disabled_because   TEXT CHECK (disabled_because IN ('failing', 'gone')),
    secret             BLOB NOT NULL, -- sealed
    old_secret         BLOB,          -- sealed
    old_secret_ends_us INTEGER,
    created_at_us      INTEGER NOT NULL,
    updated_at_us      INTEGER NOT NULL,
    -- The log is the queue: everything after this number is still to be planned.
    planned_through    INTEGER NOT NULL,
    failures           INTEGER NOT NULL, -- in a row
    failing_since_us   INTEGER,
    paused_until_us    INTEGER NOT NULL,
    due_at_us          INTEGER, -- the next attempt of what is planned
    lease_id           TEXT,
    leased_until_us    INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;

-- One event on its way to one endpoint. A re-delivery is a row of its own, with the next round.
CREATE TABLE webhook_deliveries (
    merchant_id        TEXT NOT NULL,
    id                 TEXT NOT NULL,
    endpoint_id        TEXT NOT NULL,
    sequence           INTEGER NOT NULL,
    round              INTEGER NOT NULL,
    event_id           TEXT NOT NULL,
    about              TEXT NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed', 'cancelled')),
    attempts           INTEGER NOT NULL,
    max_attempts       INTEGER NOT NULL,
    next_attempt_at_us INTEGER,
    response_status    INTEGER,
    response_body      TEXT,
    error              TEXT,
    duration_ms        INTEGER,
    delivered_at_us    INTEGER,
    created_at_us      INTEGER NOT NULL,
    updated_at_us      INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, sequence, endpoint_id, round),
    FOREIGN KEY (merchant_id, endpoint_id) REFERENCES webhook_endpoints (merchant_id, id),
    FOREIGN KEY (merchant_id, sequence) REFERENCES events (merchant_id, sequence)
) STRICT;
CREATE INDEX webhook_deliveries_due
    ON webhook_deliveries (merchant_id, endpoint_id, next_attempt_at_us, sequence) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (merchant_id, endpoint_id, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at_us);
CREATE INDEX events_by_age ON events (created_at_us);
