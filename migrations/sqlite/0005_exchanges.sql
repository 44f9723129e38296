-- Exchanges between a merchant's own balances; the numbers are those of the quote that each used up.
CREATE TABLE fx_exchanges (
    merchant_id   TEXT NOT NULL,
    id            TEXT NOT NULL,
    quote_id      TEXT NOT NULL,
    entry_id      TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, quote_id),
    FOREIGN KEY (merchant_id, quote_id) REFERENCES fx_quotes (merchant_id, id),
    FOREIGN KEY (merchant_id, entry_id) REFERENCES ledger_entries (merchant_id, id)
) STRICT;
