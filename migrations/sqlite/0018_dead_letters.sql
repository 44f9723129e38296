-- Dead letters are few among many deliveries, and the first that somebody looks for.
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (merchant_id, endpoint_id, id) WHERE status = 'failed';
