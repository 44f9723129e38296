-- What a payout has moved is shown on its page, and who holds a key of the credential that made it must not
-- approve it: both are asked by what they are about.
CREATE INDEX ledger_entries_by_cause ON ledger_entries (merchant_id, cause, id);
CREATE INDEX portal_trail_by_subject ON portal_trail (merchant_id, subject, id);
