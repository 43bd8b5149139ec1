-- Departments hear of a certificate that ends soon. What a client proves itself with has an end that was said when it was registered; who
-- keeps house asks once an hour. Told once at thirty days and once at seven, and not at all when another one is there that ends later.
CREATE FUNCTION shimin.tell_expiring_certificates() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH told AS (
        INSERT INTO shimin.event (type, department, subject, data, key)
        SELECT 'city.shimin.department.certificate.expiring', client.department, 'client:' || client.id,
               jsonb_build_object('department', client.department, 'which', 'client',
                                  'not_after', to_char(credential.expires_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS"+08:00"'),
                                  'days', floor(extract(epoch FROM credential.expires_at - now()) / 86400)::integer),
               'certificate:' || credential.id || ':' || CASE WHEN credential.expires_at < now() + interval '7 days' THEN '7' ELSE '30' END
        FROM shimin.client_credential credential
        JOIN shimin.client client ON client.id = credential.client_id AND client.revoked_at IS NULL
        WHERE credential.method IN ('self_signed_tls_client_auth', 'tls_client_auth') AND credential.revoked_at IS NULL
            AND credential.expires_at BETWEEN now() AND now() + interval '30 days'
            AND NOT EXISTS (SELECT FROM shimin.client_credential later
                            WHERE later.client_id = credential.client_id AND later.revoked_at IS NULL
                                AND (later.expires_at IS NULL OR later.expires_at > credential.expires_at))
        ON CONFLICT (key) DO NOTHING
        RETURNING 1
    )
    SELECT count(*)::integer FROM told
$$;
REVOKE ALL ON FUNCTION shimin.tell_expiring_certificates() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shimin.tell_expiring_certificates() TO shimin_app;
