/* The audit's chain: three rules, and a proof in the order of id. */
#include "edge/audit_chain.h"

#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/log.h>

#include <openssl/evp.h>
#include <string.h>

enum { FIELDS = 7, SCRATCH_ROWS = 64 };

struct audit_proof {
    struct arena *arena;
    int64_t id, rows; /* of the last row that is proved or is in the link under way */
    int64_t link_first, link_last;
    int64_t at;                    /* of the last row */
    uint8_t hash[DIGEST_SIZE];     /* behind the last whole link */
    uint8_t promised[DIGEST_SIZE]; /* of the link under way */
    EVP_MD_CTX *digest;            /* of the link under way */
    struct arena *scratch;
    struct str fault;
};

static void fields_of(const struct audit_row *row, struct str fields[FIELDS])
{
    const struct str all[FIELDS] = {row->actor,  row->action,   row->object, row->address,
                                    row->result, row->trace_id, row->detail};
    memcpy(fields, all, sizeof all);
}

/* ---- rule 1: length, colon, bytes, comma ---- */

static void add_counted(struct text *text, struct str field)
{
    text_printf(text, "%zu:", field.len);
    text_add(text, field);
    text_add_char(text, ',');
}

void audit_hash_fields(struct arena *arena, const uint8_t prev[DIGEST_SIZE], const struct audit_row *row,
                       uint8_t out[DIGEST_SIZE])
{
    struct str fields[FIELDS];
    struct text text = text_open(arena, 512);
    text_add(&text, (struct str){(const char *)prev, DIGEST_SIZE});
    add_counted(&text, str_printf(arena, "%lld", (long long)row->id));
    add_counted(&text, str_printf(arena, "%lld", (long long)row->at));
    fields_of(row, fields);
    for (size_t i = 0; i < FIELDS; i++)
        add_counted(&text, fields[i]);
    digest_sha256(text_str(&text), out);
}

/* ---- rule 2: a JSON array as jsonb writes it ---- */

/* As escape_json of PostgreSQL 15 does: only what must be escaped is, and nothing beyond ASCII. */
static void add_quoted(struct text *text, struct str field)
{
    static const char letters[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    text_add_char(text, '"');
    for (size_t i = 0; i < field.len; i++) {
        unsigned char c = (unsigned char)field.at[i];
        if (c == '"' || c == '\\')
            text_printf(text, "\\%c", c);
        else if (c >= ' ')
            text_add_char(text, (char)c);
        else if (letters[c])
            text_printf(text, "\\%c", letters[c]);
        else
            text_printf(text, "\\u%04x", c);
    }
    text_add_char(text, '"');
}

void audit_hash_array(struct arena *arena, const uint8_t prev[DIGEST_SIZE], const struct audit_row *row,
                      uint8_t out[DIGEST_SIZE])
{
    struct str fields[FIELDS];
    uint8_t both[2 * DIGEST_SIZE];
    struct text text = text_open(arena, 512);
    text_printf(&text, "[%lld, %lld", (long long)row->id, (long long)row->at);
    fields_of(row, fields);
    for (size_t i = 0; i < FIELDS; i++) {
        text_add_c(&text, ", ");
        add_quoted(&text, fields[i]);
    }
    text_add_char(&text, ']');
    memcpy(both, prev, DIGEST_SIZE);
    digest_sha256(text_str(&text), both + DIGEST_SIZE);
    digest_sha256((struct str){(const char *)both, sizeof both}, out);
}

/* ---- rule 3: numbers, then the texts ---- */

void audit_row_text(struct text *text, const struct audit_row *row)
{
    struct str fields[FIELDS];
    fields_of(row, fields);
    text_add_i64(text, row->id);
    text_add_char(text, ' ');
    text_add_i64(text, row->at);
    text_add_char(text, ' ');
    text_add_i64(text, (int64_t)str_code_points(row->record));
    text_add_char(text, ' ');
    for (size_t i = 0; i < FIELDS; i++) {
        text_add_i64(text, (int64_t)str_code_points(fields[i]));
        text_add_char(text, ' ');
    }
    text_add(text, row->record);
    for (size_t i = 0; i < FIELDS; i++)
        text_add(text, fields[i]);
}

/* ---- the proof ---- */

struct audit_proof *audit_proof_open(struct arena *arena, int64_t id, const uint8_t hash[DIGEST_SIZE])
{
    struct audit_proof *proof = arena_new(arena, struct audit_proof);
    *proof = (struct audit_proof){.arena = arena, .id = id, .scratch = arena_open(), .digest = EVP_MD_CTX_new()};
    if (!proof->digest)
        fatal("out of memory");
    memcpy(proof->hash, hash, DIGEST_SIZE);
    return proof;
}

void audit_proof_close(struct audit_proof **proof)
{
    if (!*proof)
        return;
    EVP_MD_CTX_free((*proof)->digest);
    arena_close((*proof)->scratch);
}

static bool same(struct str given, const uint8_t hash[DIGEST_SIZE])
{
    return given.len == DIGEST_SIZE && memcmp(given.at, hash, DIGEST_SIZE) == 0;
}

static bool fail(struct audit_proof *proof, struct str what)
{
    proof->fault = what;
    return false;
}

#define FAIL(proof, ...) fail((proof), str_printf((proof)->arena, __VA_ARGS__))

static bool fail_row(struct audit_proof *proof, const struct audit_row *row, const char *what)
{
    return FAIL(proof, "row %lld of %.*s: %s", (long long)row->id, STR_ARG(time_rfc3339_micro(proof->arena, row->at)), what);
}

static bool in_link(const struct audit_proof *proof)
{
    return proof->id < proof->link_last;
}

bool audit_proof_in_link(const struct audit_proof *proof)
{
    return in_link(proof);
}

static bool fail_gap(struct audit_proof *proof, int64_t next)
{
    struct str at = proof->at ? time_rfc3339_micro(proof->arena, proof->at) : STR("the beginning");
    if (next == proof->id + 2)
        return FAIL(proof, "row %lld is missing, after %.*s", (long long)proof->id + 1, STR_ARG(at));
    return FAIL(proof, "rows %lld to %lld are missing, after %.*s", (long long)proof->id + 1, (long long)next - 1, STR_ARG(at));
}

bool audit_proof_link(struct audit_proof *proof, const struct audit_link *link)
{
    if (in_link(proof))
        return FAIL(proof, "link %lld to %lld: begins within another", (long long)link->first_id, (long long)link->last_id);
    if (link->first_id > proof->id + 1)
        return fail_gap(proof, link->first_id);
    const char *what = NULL;
    if (link->first_id != proof->id + 1 || link->last_id < link->first_id)
        what = "its range is not that of its rows";
    else if (link->rule != 3)
        what = "its rule is unknown";
    else if (!same(link->prev_hash, proof->hash))
        what = "prev_hash is not the hash before it";
    else if (link->hash.len != DIGEST_SIZE)
        what = "its hash has not 32 bytes";
    if (what)
        return FAIL(proof, "link %lld to %lld: %s", (long long)link->first_id, (long long)link->last_id, what);
    proof->link_first = link->first_id;
    proof->link_last = link->last_id;
    memcpy(proof->promised, link->hash.at, DIGEST_SIZE);
    return EVP_DigestInit_ex(proof->digest, EVP_sha256(), NULL) == 1 &&
           EVP_DigestUpdate(proof->digest, proof->hash, DIGEST_SIZE) == 1;
}

static bool end_link(struct audit_proof *proof)
{
    uint8_t computed[DIGEST_SIZE];
    if (EVP_DigestFinal_ex(proof->digest, computed, NULL) != 1)
        fatal("SHA-256 fails");
    memcpy(proof->hash, computed, DIGEST_SIZE);
    if (memcmp(computed, proof->promised, DIGEST_SIZE) == 0)
        return true;
    return FAIL(proof, "rows %lld to %lld, the last of %.*s: what they hold does not give the hash of their link",
                (long long)proof->link_first, (long long)proof->link_last,
                STR_ARG(time_rfc3339_micro(proof->arena, proof->at)));
}

static bool add_linked(struct audit_proof *proof, const struct audit_row *row)
{
    if (!in_link(proof))
        return fail_row(proof, row, "it has no hash and is in no link");
    if (!row->record.at)
        return fail_row(proof, row, "it is in a link and has no record id");
    struct text text = text_open(proof->scratch, 512);
    audit_row_text(&text, row);
    proof->id = row->id;
    if (EVP_DigestUpdate(proof->digest, text.at, text.len) != 1)
        fatal("SHA-256 fails");
    return proof->id < proof->link_last || end_link(proof);
}

static bool add_hashed(struct audit_proof *proof, const struct audit_row *row)
{
    uint8_t computed[DIGEST_SIZE];
    if (in_link(proof))
        return fail_row(proof, row, "it has a hash of its own and is in a link");
    if (!same(row->prev_hash, proof->hash))
        return fail_row(proof, row, "prev_hash is not the hash before it");
    if (row->record.at)
        audit_hash_array(proof->scratch, proof->hash, row, computed);
    else
        audit_hash_fields(proof->scratch, proof->hash, row, computed);
    if (!same(row->hash, computed))
        return fail_row(proof, row, "what it holds does not give its hash");
    memcpy(proof->hash, computed, DIGEST_SIZE);
    proof->id = row->id;
    return true;
}

bool audit_proof_row(struct audit_proof *proof, const struct audit_row *row)
{
    if (row->id <= proof->id)
        return fail_row(proof, row, "its id is there twice");
    if (row->id != proof->id + 1)
        return fail_gap(proof, row->id);
    if (++proof->rows % SCRATCH_ROWS == 0) {
        arena_close(proof->scratch);
        proof->scratch = arena_open();
    }
    proof->at = row->at;
    return row->hash.at ? add_hashed(proof, row) : add_linked(proof, row);
}

bool audit_proof_end(struct audit_proof *proof)
{
    return !in_link(proof) || fail_gap(proof, proof->link_last + 1);
}

int64_t audit_proof_id(const struct audit_proof *proof)
{
    return proof->id;
}

const uint8_t *audit_proof_hash(const struct audit_proof *proof)
{
    return proof->hash;
}

int64_t audit_proof_rows(const struct audit_proof *proof)
{
    return proof->rows;
}

struct str audit_proof_fault(const struct audit_proof *proof)
{
    return proof->fault;
}
