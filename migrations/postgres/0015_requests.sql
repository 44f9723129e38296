-- What merchants' servers have asked: names and outcomes, no bodies, no values. Written in batches after
-- the answers; some lines may be missing, so nothing else is derived from them.
CREATE TABLE api_requests (
    merchant_id TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id          TEXT COLLATE "C" NOT NULL,
    at_us       BIGINT NOT NULL,
    method      TEXT COLLATE "C" NOT NULL,
    path        TEXT COLLATE "C" NOT NULL,
    status      BIGINT NOT NULL,
    code        TEXT COLLATE "C",
    client_id   TEXT COLLATE "C" NOT NULL,
    request_id  TEXT COLLATE "C" NOT NULL,
    micros      BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX api_requests_refused ON api_requests (merchant_id, id) WHERE status >= 400;
CREATE INDEX api_requests_by_name ON api_requests (merchant_id, request_id, id);
CREATE INDEX api_requests_by_age ON api_requests (at_us);
