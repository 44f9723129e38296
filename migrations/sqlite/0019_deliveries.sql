-- What the last attempt said in headers that cannot be told from the rest of the row, and what came back.
ALTER TABLE webhook_deliveries ADD COLUMN signed_at_s INTEGER;
ALTER TABLE webhook_deliveries ADD COLUMN signatures TEXT;
ALTER TABLE webhook_deliveries ADD COLUMN response_headers TEXT;

-- When the merchant was warned that every attempt has failed for a day; once for each such stretch.
ALTER TABLE webhook_endpoints ADD COLUMN warned_at_us INTEGER;
