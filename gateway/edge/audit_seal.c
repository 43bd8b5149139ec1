/* What the audit's key signs, as text and as JSON. */
#include "edge/audit_seal.h"

#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>

static struct str hex(struct arena *arena, struct str bytes)
{
    return hex_encode(arena, bytes.at, bytes.len);
}

static bool read_hex(struct arena *arena, const struct json *json, const char *name, struct str *bytes)
{
    char *out = arena_alloc(arena, DIGEST_SIZE);
    *bytes = (struct str){out, DIGEST_SIZE};
    return hex_decode(json_get_string(json, name, STR("")), out, DIGEST_SIZE);
}

static bool read_signature(struct arena *arena, const struct json *json, struct str *key_id, struct str *signature)
{
    *key_id = json_get_string(json, "key_id", STR(""));
    return key_id->len && key_id->len <= 64 && str_find(*key_id, STR("\n")) < 0 &&
           base64_decode(arena, json_get_string(json, "signature", STR("")), signature) && signature->len;
}

static bool read_time(const struct json *json, const char *name, int64_t *wall)
{
    return time_parse_rfc3339(json_get_string(json, name, STR("")), wall);
}

/* ---- checkpoints ---- */

struct str audit_checkpoint_text(struct arena *arena, const struct audit_checkpoint *checkpoint)
{
    return str_printf(arena, "shimin audit checkpoint 1\n%lld\n%.*s\n%lld\n%.*s\n", (long long)checkpoint->audit_id,
                      STR_ARG(hex(arena, checkpoint->hash)), (long long)checkpoint->signed_at, STR_ARG(checkpoint->key_id));
}

bool audit_checkpoint_sign(struct arena *arena, const struct record_key *key, struct audit_checkpoint *checkpoint)
{
    checkpoint->key_id = record_key_id(key);
    return record_key_sign(arena, key, audit_checkpoint_text(arena, checkpoint), &checkpoint->signature);
}

void audit_checkpoint_write(struct json_out *out, const struct audit_checkpoint *checkpoint)
{
    struct arena *arena = out->text->arena;
    json_field_i64(out, "audit_id", checkpoint->audit_id);
    json_field(out, "hash", hex(arena, checkpoint->hash));
    json_field(out, "signed_at", time_rfc3339_micro(arena, checkpoint->signed_at));
    json_field(out, "key_id", checkpoint->key_id);
    json_field(out, "signature", base64_encode(arena, checkpoint->signature.at, checkpoint->signature.len));
}

bool audit_checkpoint_read(struct arena *arena, const struct json *json, struct audit_checkpoint *checkpoint)
{
    checkpoint->audit_id = json_get_integer(json, "audit_id", -1);
    return checkpoint->audit_id >= 0 && read_hex(arena, json, "hash", &checkpoint->hash) &&
           read_time(json, "signed_at", &checkpoint->signed_at) &&
           read_signature(arena, json, &checkpoint->key_id, &checkpoint->signature);
}

/* ---- exports ---- */

struct str audit_export_text(struct arena *arena, const struct audit_export *end)
{
    return str_printf(arena, "shimin audit export 1\n%lld\n%lld\n%lld\n%lld\n%.*s\n%.*s\n%lld\n%.*s\n%.*s\n",
                      (long long)end->from, (long long)end->to, (long long)end->count, (long long)end->head_id,
                      STR_ARG(hex(arena, end->head_hash)), STR_ARG(hex(arena, end->digest)), (long long)end->made_at,
                      STR_ARG(end->made_by), STR_ARG(end->key_id));
}

bool audit_export_sign(struct arena *arena, const struct record_key *key, struct audit_export *end)
{
    end->key_id = record_key_id(key);
    return record_key_sign(arena, key, audit_export_text(arena, end), &end->signature);
}

void audit_export_write(struct json_out *out, const struct audit_export *end)
{
    struct arena *arena = out->text->arena;
    json_object(out);
    json_field_i64(out, "shimin_audit_export", 1);
    json_field(out, "from", time_rfc3339_micro(arena, end->from));
    json_field(out, "to", time_rfc3339_micro(arena, end->to));
    json_field_i64(out, "count", end->count);
    json_field_i64(out, "head_id", end->head_id);
    json_field(out, "head_hash", hex(arena, end->head_hash));
    json_field(out, "digest", hex(arena, end->digest));
    json_field(out, "made_at", time_rfc3339_micro(arena, end->made_at));
    json_field(out, "made_by", end->made_by);
    json_field(out, "key_id", end->key_id);
    json_field(out, "signature", base64_encode(arena, end->signature.at, end->signature.len));
    json_end(out);
}

bool audit_export_read(struct arena *arena, const struct json *json, struct audit_export *end)
{
    end->count = json_get_integer(json, "count", -1);
    end->head_id = json_get_integer(json, "head_id", -1);
    end->made_by = json_get_string(json, "made_by", STR(""));
    return json_get_integer(json, "shimin_audit_export", 0) == 1 && end->count >= 0 && end->head_id >= 0 &&
           str_find(end->made_by, STR("\n")) < 0 && read_time(json, "from", &end->from) && read_time(json, "to", &end->to) &&
           read_time(json, "made_at", &end->made_at) && read_hex(arena, json, "head_hash", &end->head_hash) &&
           read_hex(arena, json, "digest", &end->digest) && read_signature(arena, json, &end->key_id, &end->signature);
}
