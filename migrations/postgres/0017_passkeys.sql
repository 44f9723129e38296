-- Passkeys: what somebody signs in with in place of password and code.
CREATE TABLE portal_passkeys (
    merchant_id     TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    user_id         TEXT COLLATE "C" NOT NULL,
    credential_id   TEXT COLLATE "C" NOT NULL, -- base64url; portal_names keeps it unique among all merchants
    name            TEXT COLLATE "C" NOT NULL,
    passkey         TEXT COLLATE "C" NOT NULL, -- public key and counter, as the crate that checks them writes them
    created_at_us   BIGINT NOT NULL,
    used_at_us      BIGINT,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, credential_id),
    FOREIGN KEY (merchant_id, user_id) REFERENCES portal_users (merchant_id, id)
);
CREATE INDEX portal_passkeys_by_user ON portal_passkeys (merchant_id, user_id, created_at_us);

-- Challenges that wait for an authenticator's answer, by the hash of the cookie that asked: each is taken
-- once. Whoever signs in is not known yet, so it belongs to nobody.
CREATE TABLE portal_ceremonies (
    name            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    state           TEXT COLLATE "C" NOT NULL,
    expires_at_us   BIGINT NOT NULL
);
CREATE INDEX portal_ceremonies_by_age ON portal_ceremonies (expires_at_us);
