-- Who owns a name that must be unique across merchants: client ids and key thumbprints.
CREATE TABLE directory (
    name          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id)
);

-- Credentials: an integrating server's right to mint tokens.
CREATE TABLE credentials (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    client_id     TEXT COLLATE "C" NOT NULL,
    label         TEXT COLLATE "C" NOT NULL,
    status        TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'revoked')),
    scopes        TEXT COLLATE "C" NOT NULL,
    addresses     TEXT COLLATE "C" NOT NULL, -- networks it may come from, by spaces; empty: any
    version       BIGINT NOT NULL, -- grows with every change, so that caches can tell
    created_at_us BIGINT NOT NULL,
    revoked_at_us BIGINT,
    PRIMARY KEY (merchant_id, client_id)
);

-- Client secrets as argon2id; two are valid during a rotation.
CREATE TABLE credential_secrets (
    merchant_id   TEXT COLLATE "C" NOT NULL,
    client_id     TEXT COLLATE "C" NOT NULL,
    secret_hash   TEXT COLLATE "C" NOT NULL,
    created_at_us BIGINT NOT NULL,
    expires_at_us BIGINT,
    PRIMARY KEY (merchant_id, client_id, secret_hash),
    FOREIGN KEY (merchant_id, client_id) REFERENCES credentials (merchant_id, client_id)
);

-- The public keys that a credential's proofs may be signed with.
CREATE TABLE credential_keys (
    merchant_id   TEXT COLLATE "C" NOT NULL,
    client_id     TEXT COLLATE "C" NOT NULL,
    jkt           TEXT COLLATE "C" NOT NULL,
    jwk           TEXT COLLATE "C" NOT NULL,
    status        TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'revoked')),
    created_at_us BIGINT NOT NULL,
    revoked_at_us BIGINT,
    PRIMARY KEY (merchant_id, client_id, jkt),
    FOREIGN KEY (merchant_id, client_id) REFERENCES credentials (merchant_id, client_id)
);

-- When a credential last minted; apart, because it changes often and nothing depends on it.
CREATE TABLE credential_uses (
    merchant_id   TEXT COLLATE "C" NOT NULL,
    client_id     TEXT COLLATE "C" NOT NULL,
    last_used_us  BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, client_id),
    FOREIGN KEY (merchant_id, client_id) REFERENCES credentials (merchant_id, client_id)
);

-- Tokens that ended before their time; kept until they would have expired.
CREATE TABLE revoked_tokens (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    jti           TEXT COLLATE "C" NOT NULL,
    expires_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, jti)
);
CREATE INDEX revoked_tokens_by_age ON revoked_tokens (expires_at_us);

-- Counters that replicas poll: a change here empties their caches.
CREATE TABLE generations (
    name          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value         BIGINT NOT NULL
);
INSERT INTO generations (name, value) VALUES ('access', 1);

-- Random values that all replicas share, made once: replay hashing, nonces.
CREATE TABLE cluster_secrets (
    name          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value         BYTEA NOT NULL
);

-- Replicas that serve, each with its last sign of life and where its replay records live.
CREATE TABLE replicas (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    replay_store  TEXT COLLATE "C" NOT NULL,
    seen_at_us    BIGINT NOT NULL
);

-- One-time challenges for the registration of a key.
CREATE TABLE key_challenges (
    merchant_id   TEXT COLLATE "C" NOT NULL REFERENCES merchants (id),
    challenge     TEXT COLLATE "C" NOT NULL,
    expires_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, challenge)
);

-- Proofs that were accepted, when no other shared store is configured.
CREATE UNLOGGED TABLE replay_claims (
    claim         BYTEA NOT NULL PRIMARY KEY,
    expires_at_us BIGINT NOT NULL
);
CREATE INDEX replay_claims_by_age ON replay_claims (expires_at_us);
