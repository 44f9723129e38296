-- When a key last signed a proof that was accepted; apart, like the uses of credentials.
CREATE TABLE key_uses (
    merchant_id   TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    jkt           TEXT NOT NULL,
    last_used_us  INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, client_id, jkt),
    FOREIGN KEY (merchant_id, client_id, jkt) REFERENCES credential_keys (merchant_id, client_id, jkt)
) STRICT;
