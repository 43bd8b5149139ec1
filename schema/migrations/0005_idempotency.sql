-- Idempotency keys: the insert is the lock, the row is the answer that a repeated request gets.

CREATE TABLE shimin.idempotency_key (
    -- whose key: a citizen, or a client without one
    principal text NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    -- digest of the request: the same key with another request is a fault
    fingerprint bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done')),
    status smallint,
    headers jsonb,
    body bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (principal, method, route, key),
    CHECK (state = 'running' OR status IS NOT NULL)
);

-- For the sweep.
CREATE INDEX idempotency_key_expires ON shimin.idempotency_key (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON shimin.idempotency_key TO shimin_app;
