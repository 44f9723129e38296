-- To whom money goes. Personal data is sealed; what stands open is the name to show and what lists filter by.
CREATE TABLE beneficiaries (
    merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id              TEXT COLLATE "C" NOT NULL,
    type            TEXT COLLATE "C" NOT NULL CHECK (type IN ('individual', 'business')),
    status          TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'archived', 'blocked')),
    status_since_us BIGINT, -- when it was archived or blocked
    status_reason   TEXT COLLATE "C",    -- why it was blocked
    display_name    TEXT COLLATE "C" NOT NULL,
    country         TEXT COLLATE "C" NOT NULL,
    external_ref    TEXT COLLATE "C",
    metadata        TEXT COLLATE "C" NOT NULL, -- JSON, as it came
    source_batch_id TEXT COLLATE "C",
    pii             BYTEA NOT NULL, -- sealed
    fingerprint     BYTEA,          -- keyed; gone with the beneficiary, so that it may come back
    created_at_us   BIGINT NOT NULL,
    updated_at_us   BIGINT NOT NULL,
    deleted_at_us   BIGINT,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, fingerprint),
    CHECK ((status = 'active') = (status_since_us IS NULL)),
    CHECK ((status = 'blocked') = (status_reason IS NOT NULL)),
    CHECK ((deleted_at_us IS NULL) = (fingerprint IS NOT NULL))
);
CREATE INDEX beneficiaries_by_external_ref ON beneficiaries (merchant_id, external_ref, id);

-- How beneficiaries are paid. Credentials are sealed, never change and never come back; the rest shows which one it is.
CREATE TABLE instruments (
    merchant_id     TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    beneficiary_id  TEXT COLLATE "C" NOT NULL,
    method          TEXT COLLATE "C" NOT NULL,
    status          TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'disabled')),
    default_for     TEXT COLLATE "C", -- the currency (or '') for which it is the one to use; nothing for all others
    currency        TEXT COLLATE "C",
    country         TEXT COLLATE "C",
    label           TEXT COLLATE "C",
    display_last4   TEXT COLLATE "C",
    display_bank    TEXT COLLATE "C",
    display_network TEXT COLLATE "C",
    masked_account  TEXT COLLATE "C",
    credentials     BYTEA NOT NULL, -- sealed
    created_at_us   BIGINT NOT NULL,
    updated_at_us   BIGINT NOT NULL,
    deleted_at_us   BIGINT,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, beneficiary_id, default_for),
    FOREIGN KEY (merchant_id, beneficiary_id) REFERENCES beneficiaries (merchant_id, id),
    CHECK (default_for IS NULL OR (status = 'active' AND deleted_at_us IS NULL))
);
CREATE INDEX instruments_by_beneficiary ON instruments (merchant_id, beneficiary_id, id);

-- Who saw or replaced personal data, and when. It outlives the beneficiary, so it does not refer to it.
CREATE TABLE pii_audit (
    merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id              TEXT COLLATE "C" NOT NULL,
    beneficiary_id  TEXT COLLATE "C" NOT NULL,
    client_id       TEXT COLLATE "C" NOT NULL,
    request_id      TEXT COLLATE "C" NOT NULL,
    action          TEXT COLLATE "C" NOT NULL CHECK (action IN ('read', 'replace')),
    at_us           BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE FUNCTION pii_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'an audit entry never changes and never goes'; END $$;
CREATE TRIGGER pii_audit_stays BEFORE UPDATE OR DELETE ON pii_audit
FOR EACH ROW EXECUTE FUNCTION pii_audit_stays();
