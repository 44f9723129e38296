-- People: who may sign in at the portal, for which merchant, and as what.
CREATE TABLE portal_users (
    merchant_id     TEXT NOT NULL REFERENCES merchants (id),
    id              TEXT NOT NULL,
    email           TEXT NOT NULL,
    name            TEXT NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer', 'approver')),
    status          TEXT NOT NULL CHECK (status IN ('invited', 'active', 'removed')),
    password_hash   TEXT, -- argon2id; none until it is chosen
    totp_sealed     BLOB, -- sealed with the vault
    totp_since_us   INTEGER, -- none while it waits for its first code
    totp_last_step  INTEGER NOT NULL, -- no code of this step or an earlier one is taken again
    created_at_us   INTEGER NOT NULL,
    signed_in_at_us INTEGER,
    PRIMARY KEY (merchant_id, id)
) STRICT;

-- Who owns a name that is looked up before the merchant is known: e-mail addresses, hashes of cookies
-- and of one-time links.
CREATE TABLE portal_names (
    name            TEXT NOT NULL PRIMARY KEY,
    merchant_id     TEXT NOT NULL REFERENCES merchants (id),
    subject         TEXT NOT NULL,
    forget_at_us    INTEGER -- none: kept until it is released
) STRICT;
CREATE INDEX portal_names_by_age ON portal_names (forget_at_us) WHERE forget_at_us IS NOT NULL;

-- Sessions; the cookie itself is nowhere.
CREATE TABLE portal_sessions (
    merchant_id     TEXT NOT NULL,
    id              TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    stage           TEXT NOT NULL CHECK (stage IN ('code', 'full')),
    address         TEXT NOT NULL,
    agent           TEXT NOT NULL,
    created_at_us   INTEGER NOT NULL,
    seen_at_us      INTEGER NOT NULL,
    ended_at_us     INTEGER,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, user_id) REFERENCES portal_users (merchant_id, id)
) STRICT;
CREATE INDEX portal_sessions_by_user ON portal_sessions (merchant_id, user_id, created_at_us);
CREATE INDEX portal_sessions_by_age ON portal_sessions (created_at_us);

-- One-time links: first sign-ins and invitations.
CREATE TABLE portal_links (
    merchant_id     TEXT NOT NULL,
    id              TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    purpose         TEXT NOT NULL CHECK (purpose IN ('sign_in', 'invitation')),
    expires_at_us   INTEGER NOT NULL,
    used_at_us      INTEGER,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, user_id) REFERENCES portal_users (merchant_id, id)
) STRICT;

-- Codes for whoever has lost the device that makes the others; keyed hashes, each good once.
CREATE TABLE portal_recovery_codes (
    merchant_id     TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    code_hash       TEXT NOT NULL,
    PRIMARY KEY (merchant_id, user_id, code_hash),
    FOREIGN KEY (merchant_id, user_id) REFERENCES portal_users (merchant_id, id)
) STRICT;

-- What people have done. It outlives what it tells of, so it refers to nothing but the merchant.
CREATE TABLE portal_trail (
    merchant_id     TEXT NOT NULL REFERENCES merchants (id),
    id              TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    email           TEXT NOT NULL,
    action          TEXT NOT NULL,
    subject         TEXT NOT NULL,
    note            TEXT NOT NULL,
    address         TEXT NOT NULL,
    at_us           INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
) STRICT;
CREATE TRIGGER portal_trail_never_changes BEFORE UPDATE ON portal_trail
BEGIN SELECT RAISE(ABORT, 'an entry of the trail never changes'); END;
CREATE TRIGGER portal_trail_never_goes BEFORE DELETE ON portal_trail
BEGIN SELECT RAISE(ABORT, 'an entry of the trail never goes'); END;

-- The owners that merchants have had so far; their passwords move, and are kept in one place only.
INSERT INTO portal_users (merchant_id, id, email, name, role, status, password_hash, totp_last_step, created_at_us)
    SELECT id, 'usr_' || substr(id, 5), email, '', 'owner', 'active', password_hash, 0, created_at_us
    FROM merchants;
INSERT INTO portal_names (name, merchant_id, subject)
    SELECT 'mail:' || email, id, 'usr_' || substr(id, 5) FROM merchants;
ALTER TABLE merchants DROP COLUMN password_hash;
