-- What is read of the audit, by the administrators' interface and by `shimin audit`: a record as JSON.

CREATE FUNCTION shimin.audit_json(entry shimin.audit) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT json_build_object('id', entry.id,
                             'at', to_char(entry.occurred_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS.US"+08:00"'),
                             'actor', entry.actor, 'action', entry.action, 'object', entry.object, 'address', entry.address,
                             'result', entry.result, 'trace_id', entry.trace_id, 'detail', entry.detail)
$$;
GRANT EXECUTE ON FUNCTION shimin.audit_json(shimin.audit) TO shimin_app;

-- Checkpoints are found by what they sign.
CREATE INDEX audit_checkpoint_audit_id ON shimin.audit_checkpoint (audit_id);
