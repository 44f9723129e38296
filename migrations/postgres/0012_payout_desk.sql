-- Operators know a payout by its id alone; everybody else names the merchant first.
CREATE INDEX payouts_by_id ON payouts (id);
