-- What merchants' servers have asked: names and outcomes, no bodies, no values. Written in batches after
-- the answers; some lines may be missing, so nothing else is derived from them.
CREATE TABLE api_requests (
    merchant_id TEXT NOT NULL REFERENCES merchants (id),
    id          TEXT NOT NULL,
    at_us       INTEGER NOT NULL,
    method      TEXT NOT NULL,
    path        TEXT NOT NULL,
    status      INTEGER NOT NULL,
    code        TEXT,
    client_id   TEXT NOT NULL,
    request_id  TEXT NOT NULL,
    micros      INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;
CREATE INDEX api_requests_refused ON api_requests (merchant_id, id) WHERE status >= 400;
CREATE INDEX api_requests_by_name ON api_requests (merchant_id, request_id, id);
CREATE INDEX api_requests_by_age ON api_requests (at_us);
