-- Clients: departments' programs, OAuth 2.0 clients. Each is of one department, and what it may do ends there.

CREATE TABLE shimin.client (
    -- client_id: the department's slug, a dot, the client's own name
    id text PRIMARY KEY CHECK (id = department || '.' || name),
    department text NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    title text NOT NULL,
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0
                                  AND scopes <@ ARRAY['contracts', 'services', 'clients', 'traffic', 'webhooks']),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- for good; its name is not given again, so that histories stay true
    revoked_at timestamptz,
    row_version bigint NOT NULL DEFAULT 1
);

CREATE INDEX client_department ON shimin.client (department, id);

CREATE TRIGGER count_version BEFORE UPDATE ON shimin.client FOR EACH ROW EXECUTE FUNCTION shimin.count_version();

-- What a client proves itself with. Two may live at once, so that one is exchanged without a gap.
CREATE TABLE shimin.client_credential (
    id uuid PRIMARY KEY,
    client_id text NOT NULL REFERENCES shimin.client (id),
    method text NOT NULL,
    -- of the secret, which nobody keeps: 256 random bits need no slow hash
    secret_sha256 bytea,
    -- a public key
    jwk text,
    -- SHA-256 of a self-signed certificate, base64url
    certificate text,
    -- of a certificate that the configured authority has signed, RFC 4514
    subject text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    CHECK (CASE method WHEN 'client_secret' THEN secret_sha256 IS NOT NULL
                       WHEN 'private_key_jwt' THEN jwk IS NOT NULL
                       WHEN 'self_signed_tls_client_auth' THEN certificate IS NOT NULL
                       WHEN 'tls_client_auth' THEN subject IS NOT NULL
                       ELSE false END),
    CHECK (num_nonnulls(secret_sha256, jwk, certificate, subject) = 1)
);

CREATE INDEX client_credential_client ON shimin.client_credential (client_id);

GRANT SELECT, INSERT ON shimin.client, shimin.client_credential TO shimin_app;
GRANT UPDATE (title, scopes, revoked_at) ON shimin.client TO shimin_app;
GRANT UPDATE (expires_at, revoked_at) ON shimin.client_credential TO shimin_app;

-- A client as its department sees it; nothing of it proves anything.
CREATE FUNCTION shimin.client_json(client shimin.client) RETURNS text
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT json_build_object(
        'id', client.id,
        'name', client.name,
        'title', client.title,
        'scopes', client.scopes,
        'created_by', client.created_by,
        'created_at', client.created_at,
        'revoked_at', client.revoked_at,
        'credentials', (
            SELECT coalesce(json_agg(json_build_object(
                       'id', credential.id,
                       'method', credential.method,
                       'key_id', credential.jwk::json ->> 'kid',
                       'certificate', credential.certificate,
                       'subject', credential.subject,
                       'created_by', credential.created_by,
                       'created_at', credential.created_at,
                       'expires_at', credential.expires_at) ORDER BY credential.created_at), '[]'::json)
            FROM shimin.client_credential credential
            WHERE credential.client_id = client.id AND credential.revoked_at IS NULL
              AND (credential.expires_at IS NULL OR credential.expires_at > now())))::text
$$;
