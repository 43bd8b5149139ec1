-- name: list_switches
-- The history, newest first, from before the entry $1; of one scope $2 and target $3 where they are given. One more than $4 are looked
-- for, to know whether there is a next page.
WITH found AS (
    SELECT s.id, shimin.switch_json(s) || jsonb_build_object('state', shimin.switch_state(s)) AS item, row_number() OVER (ORDER BY s.id DESC) AS place
    FROM shimin.switch s
    WHERE ($1::bigint IS NULL OR s.id < $1) AND ($2::text IS NULL OR s.scope = $2) AND ($3::text IS NULL OR s.target = $3)
    ORDER BY s.id DESC
    LIMIT $4::integer + 1
)
SELECT coalesce(jsonb_agg(item ORDER BY id DESC) FILTER (WHERE place <= $4), '[]'::jsonb)::text,
       min(id) FILTER (WHERE place = $4 AND $4 < (SELECT count(*) FROM found))
FROM found;

-- name: list_live_switches
-- As above, but only what holds or is planned ($5: only what is planned).
WITH found AS (
    SELECT s.id, shimin.switch_json(s) || jsonb_build_object('state', shimin.switch_state(s)) AS item, row_number() OVER (ORDER BY s.id DESC) AS place
    FROM shimin.switch_live l
    JOIN shimin.switch s USING (id)
    WHERE ($1::bigint IS NULL OR s.id < $1) AND ($2::text IS NULL OR s.scope = $2) AND ($3::text IS NULL OR s.target = $3)
      AND (s.ends_at IS NULL OR s.ends_at > now()) AND ($5::boolean IS FALSE OR s.starts_at > now())
    ORDER BY s.id DESC
    LIMIT $4::integer + 1
)
SELECT coalesce(jsonb_agg(item ORDER BY id DESC) FILTER (WHERE place <= $4), '[]'::jsonb)::text,
       min(id) FILTER (WHERE place = $4 AND $4 < (SELECT count(*) FROM found))
FROM found;

-- name: read_switch
SELECT (shimin.switch_json(s) || jsonb_build_object('state', shimin.switch_state(s)))::text
FROM shimin.switch s
WHERE s.id = $1::bigint;

-- name: set_switch
-- Sets or plans: {switch, switches_version}, {proposal} or {fault}.
SELECT shimin.switch_set($1::jsonb, $2, $3::jsonb)::text;

-- name: preview_switch
-- What it would hit, or {fault}.
SELECT shimin.switch_preview($1::jsonb, $2::jsonb)::text;

-- name: undo_switch
SELECT shimin.switch_undo($1::bigint, $2, $3::jsonb)::text;

-- name: list_proposals
-- Newest first, from before $1; $3: only those that wait.
WITH found AS (
    SELECT p.id, shimin.proposal_json(p) AS item, row_number() OVER (ORDER BY p.id DESC) AS place
    FROM shimin.proposal p
    WHERE ($1::bigint IS NULL OR p.id < $1)
      AND (NOT $3::boolean OR (p.expires_at > now() AND NOT EXISTS (SELECT FROM shimin.proposal_decision d WHERE d.proposal = p.id)))
    ORDER BY p.id DESC
    LIMIT $2::integer + 1
)
SELECT coalesce(jsonb_agg(item ORDER BY id DESC) FILTER (WHERE place <= $2), '[]'::jsonb)::text,
       min(id) FILTER (WHERE place = $2 AND $2 < (SELECT count(*) FROM found))
FROM found;

-- name: read_proposal
SELECT shimin.proposal_json(p)::text FROM shimin.proposal p WHERE p.id = $1::bigint;

-- name: decide_proposal
-- {proposal, and what came of it} or {fault}.
SELECT shimin.proposal_decide($1::bigint, $2::boolean, $3, $4::jsonb)::text;

-- name: list_settings
-- The history of settings, newest first, from before $1; of one scope $2 and target $3 where they are given; $5: only those that hold.
WITH found AS (
    SELECT s.id, shimin.setting_json(s) AS item, row_number() OVER (ORDER BY s.id DESC) AS place
    FROM shimin.setting s
    WHERE ($1::bigint IS NULL OR s.id < $1) AND ($2::text IS NULL OR s.scope = $2) AND ($3::text IS NULL OR s.target = $3)
      AND (NOT $5::boolean OR (s.value IS NOT NULL AND EXISTS (
               SELECT FROM shimin.setting_live l
               WHERE l.scope = s.scope AND l.target = s.target AND l.name = s.name AND l.id = s.id)))
    ORDER BY s.id DESC
    LIMIT $4::integer + 1
)
SELECT coalesce(jsonb_agg(item ORDER BY id DESC) FILTER (WHERE place <= $4), '[]'::jsonb)::text,
       min(id) FILTER (WHERE place = $4 AND $4 < (SELECT count(*) FROM found))
FROM found;

-- name: read_setting
SELECT shimin.setting_json(s)::text FROM shimin.setting s WHERE s.id = $1::bigint;

-- name: set_setting
-- {setting, switches_version}, {proposal} or {fault}.
SELECT shimin.setting_set($1::jsonb, $2, $3::jsonb)::text;

-- name: undo_setting
SELECT shimin.setting_undo($1::bigint, $2, $3::jsonb)::text;
