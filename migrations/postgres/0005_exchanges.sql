-- Exchanges between a merchant's own balances; the numbers are those of the quote that each used up.
CREATE TABLE fx_exchanges (
    merchant_id   TEXT COLLATE "C" NOT NULL,
    id            TEXT COLLATE "C" NOT NULL,
    quote_id      TEXT COLLATE "C" NOT NULL,
    entry_id      TEXT COLLATE "C" NOT NULL,
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, quote_id),
    FOREIGN KEY (merchant_id, quote_id) REFERENCES fx_quotes (merchant_id, id),
    FOREIGN KEY (merchant_id, entry_id) REFERENCES ledger_entries (merchant_id, id)
);
