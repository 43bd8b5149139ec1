-- An account as administrators see it; nothing of it proves anything.
CREATE FUNCTION shimin.staff_json(account shimin.staff) RETURNS text
LANGUAGE sql STABLE SET timezone = 'Asia/Shanghai' AS $$
    SELECT json_build_object(
        'id', account.id,
        'name', account.name,
        'display_name', account.display_name,
        'roles', account.roles,
        'department', account.department,
        'area', account.area,
        'state', account.state,
        'second_factor', credential.totp_confirmed,
        'password_set_at', credential.password_set_at,
        'last_login_at', credential.last_login_at,
        'created_by', account.created_by,
        'created_at', account.created_at)::text
    FROM shimin.staff_credential credential
    WHERE credential.staff_id = account.id
$$;
