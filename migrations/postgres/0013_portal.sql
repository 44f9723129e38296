-- People: who may sign in at the portal, for which merchant, and as what.
CREATE TABLE portal_users (
    merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id              TEXT COLLATE "C" NOT NULL,
    email           TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    role            TEXT COLLATE "C" NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer', 'approver')),
    status          TEXT COLLATE "C" NOT NULL CHECK (status IN ('invited', 'active', 'removed')),
    password_hash   TEXT COLLATE "C", -- argon2id; none until it is chosen
    totp_sealed     BYTEA, -- sealed with the vault
    totp_since_us   BIGINT, -- none while it waits for its first code
    totp_last_step  BIGINT NOT NULL, -- no code of this step or an earlier one is taken again
    created_at_us   BIGINT NOT NULL,
    signed_in_at_us BIGINT,
    PRIMARY KEY (merchant_id, id)
);

-- Who owns a name that is looked up before the merchant is known: e-mail addresses, hashes of cookies
-- and of one-time links.
CREATE TABLE portal_names (
    name            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    subject         TEXT COLLATE "C" NOT NULL,
    forget_at_us    BIGINT -- none: kept until it is released
);
CREATE INDEX portal_names_by_age ON portal_names (forget_at_us) WHERE forget_at_us IS NOT NULL;

-- Sessions; the cookie itself is nowhere.
CREATE TABLE portal_sessions (
    merchant_id     TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    stage           TEXT COLLATE "C" NOT NULL CHECK (stage IN ('code', 'full')),
    address         TEXT COLLATE "C" NOT NULL,
    agent           TEXT COLLATE "C" NOT NULL,
    created_at_us   BIGINT NOT NULL,
    seen_at_us      BIGINT NOT NULL,
    ended_at_us     BIGINT,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, user_id) REFERENCES portal_users (merchant_id, id)
);
CREATE INDEX portal_sessions_by_user ON portal_sessions (merchant_id, user_id, created_at_us);
CREATE INDEX portal_sessions_by_age ON portal_sessions (created_at_us);

-- One-time links: first sign-ins and invitations.
CREATE TABLE portal_links (
    merchant_id     TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    purpose         TEXT COLLATE "C" NOT NULL CHECK (purpose IN ('sign_in', 'invitation')),
    expires_at_us   BIGINT NOT NULL,
    used_at_us      BIGINT,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, user_id) REFERENCES portal_users (merchant_id, id)
);

-- Codes for whoever has lost the device that makes the others; keyed hashes, each good once.
CREATE TABLE portal_recovery_codes (
    merchant_id     TEXT COLLATE "C" NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    code_hash       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant_id, user_id, code_hash),
    FOREIGN KEY (merchant_id, user_id) REFERENCES portal_users (merchant_id, id)
);

-- What people have done. It outlives what it tells of, so it refers to nothing but the merchant.
CREATE TABLE portal_trail (
    merchant_id     TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    id              TEXT COLLATE "C" NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    email           TEXT COLLATE "C" NOT NULL,
    action          TEXT COLLATE "C" NOT NULL,
    subject         TEXT COLLATE "C" NOT NULL,
    note            TEXT COLLATE "C" NOT NULL,
    address         TEXT COLLATE "C" NOT NULL,
    at_us           BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE FUNCTION portal_trail_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'an entry of the trail never changes and never goes'; END $$;
CREATE TRIGGER portal_trail_stays BEFORE UPDATE OR DELETE ON portal_trail
FOR EACH ROW EXECUTE FUNCTION portal_trail_stays();

-- The owners that merchants have had so far; their passwords move, and are kept in one place only.
INSERT INTO portal_users (merchant_id, id, email, name, role, status, password_hash, totp_last_step, created_at_us)
    SELECT id, 'usr_' || substr(id, 5), email, '', 'owner', 'active', password_hash, 0, created_at_us
    FROM merchants;
INSERT INTO portal_names (name, merchant_id, subject)
    SELECT 'mail:' || email, id, 'usr_' || substr(id, 5) FROM merchants;
ALTER TABLE merchants DROP COLUMN password_hash;
