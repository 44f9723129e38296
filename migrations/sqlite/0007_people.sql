-- To whom money goes. Personal data is sealed; what stands open is the name to show and what lists filter by.
CREATE TABLE beneficiaries (
    merchant_id     TEXT NOT NULL REFERENCES merchants (id),
    id              TEXT NOT NULL,
    type            TEXT NOT NULL CHECK (type IN ('individual', 'business')),
    status          TEXT NOT NULL CHECK (status IN ('active', 'archived', 'blocked')),
    status_since_us INTEGER, -- when it was archived or blocked
    status_reason   TEXT,    -- why it was blocked
    display_name    TEXT NOT NULL,
    country         TEXT NOT NULL,
    external_ref    TEXT,
    metadata        TEXT NOT NULL, -- JSON, as it came
    source_batch_id TEXT,
    pii             BLOB NOT NULL, -- sealed
    fingerprint     BLOB,          -- keyed; gone with the beneficiary, so that it may come back
    created_at_us   INTEGER NOT NULL,
    updated_at_us   INTEGER NOT NULL,
    deleted_at_us   INTEGER,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, fingerprint),
    CHECK ((status = 'active') = (status_since_us IS NULL)),
    CHECK ((status = 'blocked') = (status_reason IS NOT NULL)),
    CHECK ((deleted_at_us IS NULL) = (fingerprint IS NOT NULL))
) STRICT;
CREATE INDEX beneficiaries_by_external_ref ON beneficiaries (merchant_id, external_ref, id);

-- How beneficiaries are paid. Credentials are sealed, never change and never come back; the rest shows which one it is.
CREATE TABLE instruments (
    merchant_id     TEXT NOT NULL,
    id              TEXT NOT NULL,
    beneficiary_id  TEXT NOT NULL,
    method          TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    default_for     TEXT, -- the currency (or '') for which it is the one to use; nothing for all others
    currency        TEXT,
    country         TEXT,
    label           TEXT,
    display_last4   TEXT,
    display_bank    TEXT,
    display_network TEXT,
    masked_account  TEXT,
    credentials     BLOB NOT NULL, -- sealed
    created_at_us   INTEGER NOT NULL,
    updated_at_us   INTEGER NOT NULL,
    deleted_at_us   INTEGER,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, beneficiary_id, default_for),
    FOREIGN KEY (merchant_id, beneficiary_id) REFERENCES beneficiaries (merchant_id, id),
    CHECK (default_for IS NULL OR (status = 'active' AND deleted_at_us IS NULL))
) STRICT;
CREATE INDEX instruments_by_beneficiary ON instruments (merchant_id, beneficiary_id, id);

-- Who saw or replaced personal data, and when. It outlives the beneficiary, so it does not refer to it.
CREATE TABLE pii_audit (
    merchant_id     TEXT NOT NULL REFERENCES merchants (id),
    id              TEXT NOT NULL,
    beneficiary_id  TEXT NOT NULL,
    client_id       TEXT NOT NULL,
    request_id      TEXT NOT NULL,
    action          TEXT NOT NULL CHECK (action IN ('read', 'replace')),
    at_us           INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;
CREATE TRIGGER pii_audit_never_changes BEFORE UPDATE ON pii_audit
BEGIN SELECT RAISE(ABORT, 'an audit entry never changes'); END;
CREATE TRIGGER pii_audit_never_goes BEFORE DELETE ON pii_audit
BEGIN SELECT RAISE(ABORT, 'an audit entry never goes'); END;
