-- Who owns a name that must be unique across merchants: client ids and key thumbprints.
CREATE TABLE directory (
    name          TEXT NOT NULL PRIMARY KEY,
    merchant_id   TEXT NOT NULL REFERENCES merchants (id)
) STRICT;

-- Credentials: an integrating server's right to mint tokens.
CREATE TABLE credentials (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    client_id     TEXT NOT NULL,
    label         TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    scopes        TEXT NOT NULL,
    addresses     TEXT NOT NULL, -- networks it may come from, by spaces; empty: any
    version       INTEGER NOT NULL, -- grows with every change, so that caches can tell
    created_at_us INTEGER NOT NULL,
    revoked_at_us INTEGER,
    PRIMARY KEY (merchant_id, client_id)
) STRICT;

-- Client secrets as argon2id; two are valid during a rotation.
CREATE TABLE credential_secrets (
    merchant_id   TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    secret_hash   TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER,
    PRIMARY KEY (merchant_id, client_id, secret_hash),
    FOREIGN KEY (merchant_id, client_id) REFERENCES credentials (merchant_id, client_id)
) STRICT;

-- The public keys that a credential's proofs may be signed with.
CREATE TABLE credential_keys (
    merchant_id   TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    jkt           TEXT NOT NULL,
    jwk           TEXT NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    created_at_us INTEGER NOT NULL,
    revoked_at_us INTEGER,
    PRIMARY KEY (merchant_id, client_id, jkt),
    FOREIGN KEY (merchant_id, client_id) REFERENCES credentials (merchant_id, client_id)
) STRICT;

-- When a credential last minted; apart, because it changes often and nothing depends on it.
CREATE TABLE credential_uses (
    merchant_id   TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    last_used_us  INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, client_id),
    FOREIGN KEY (merchant_id, client_id) REFERENCES credentials (merchant_id, client_id)
) STRICT;

-- Tokens that ended before their time; kept until they would have expired.
CREATE TABLE revoked_tokens (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    jti           TEXT NOT NULL,
    expires_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, jti)
) STRICT;
CREATE INDEX revoked_tokens_by_age ON revoked_tokens (expires_at_us);

-- Counters that replicas poll: a change here empties their caches.
CREATE TABLE generations (
    name          TEXT NOT NULL PRIMARY KEY,
    value         INTEGER NOT NULL
) STRICT;
INSERT INTO generations (name, value) VALUES ('access', 1);

-- Random values that all replicas share, made once: replay hashing, nonces.
CREATE TABLE cluster_secrets (
    name          TEXT NOT NULL PRIMARY KEY,
    value         BLOB NOT NULL
) STRICT;

-- Replicas that serve, each with its last sign of life and where its replay records live.
CREATE TABLE replicas (
    id            TEXT NOT NULL PRIMARY KEY,
    replay_store  TEXT NOT NULL,
    seen_at_us    INTEGER NOT NULL
) STRICT;

-- One-time challenges for the registration of a key.
CREATE TABLE key_challenges (
    merchant_id   TEXT NOT NULL REFERENCES merchants (id),
    challenge     TEXT NOT NULL,
    expires_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, challenge)
) STRICT;

-- Proofs that were accepted, when no other shared store is configured.
CREATE TABLE replay_claims (
    claim         BLOB NOT NULL PRIMARY KEY,
    expires_at_us INTEGER NOT NULL
) STRICT;
CREATE INDEX replay_claims_by_age ON replay_claims (expires_at_us);
