-- Ids are ordered by when the request came, so old lines are found by the primary key: one index less to write
-- for each request.
DROP INDEX api_requests_by_age;
