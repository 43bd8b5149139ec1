/* Single values, the kind by the first byte: text forms of bytes, numbers, times, Chinese identifiers and their masks. What is
 * read can be written, and is read again as the same; what is masked does not show. */
#include <math.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/json.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void hex(struct arena *arena, struct str text)
{
    struct str back;
    char *bytes = arena_alloc_raw(arena, text.len + 1);
    if (hex_decode(text, bytes, text.len / 2))
        must(str_equal_nocase(hex_encode(arena, bytes, text.len / 2), text));
    back = hex_encode(arena, text.at, text.len);
    must(hex_decode(back, bytes, text.len) && memcmp(bytes, text.at, text.len) == 0);
    (void)id_is_uuid(text);
}

/* Strict: one value has one text. */
static void base64(struct arena *arena, struct str text)
{
    struct str bytes;
    if (base64_decode(arena, text, &bytes))
        must(str_equal(base64_encode(arena, bytes.at, bytes.len), text));
    if (base64url_decode(arena, text, &bytes))
        must(str_equal(base64url_encode(arena, bytes.at, bytes.len), text));
    must(base64_decode(arena, base64_encode(arena, text.at, text.len), &bytes) && str_equal(bytes, text));
    must(base64url_decode(arena, base64url_encode(arena, text.at, text.len), &bytes) && str_equal(bytes, text));
}

static void percent(struct arena *arena, struct str text)
{
    struct str plain, again;
    for (int form = 0; form < 2; form++) {
        if (!str_percent_decode(arena, text, form, &plain))
            continue;
        must(plain.len <= text.len);
        must(str_percent_decode(arena, str_percent_encode(arena, plain), form, &again) && str_equal(again, plain));
    }
    must(str_percent_decode(arena, str_percent_encode(arena, text), true, &plain) && str_equal(plain, text));
}

static void numbers(struct arena *arena, struct str text)
{
    int64_t integer, integer_again;
    double number, number_again;
    if (str_to_i64(text, &integer)) {
        struct str written = str_printf(arena, "%lld", (long long)integer);
        must(str_to_i64(written, &integer_again) && integer_again == integer);
    }
    if (str_to_double(text, &number) && isfinite(number)) {
        struct text out = text_open(arena, 32);
        struct json_out json = json_write(&out);
        json_put_double(&json, number);
        must(str_to_double(text_str(&out), &number_again) && number_again == number);
    }
    if (str_is_utf8(text))
        must(str_code_points(text) <= text.len);
}

/* The written forms end at the second, and at the years 0000 and 9999. */
static void times(struct arena *arena, struct str text)
{
    int64_t wall, again;
    if (time_parse_rfc3339(text, &wall)) {
        struct civil civil = time_civil(wall);
        must(civil.month >= 1 && civil.month <= 12 && civil.weekday >= 0 && civil.weekday <= 6 && civil.second < 60);
        struct str written = time_rfc3339_micro(arena, wall);
        if (civil.year >= 0 && civil.year <= 9999)
            must(time_parse_rfc3339(written, &again) && again == wall);
    }
    if (time_parse_http_date(text, &wall)) {
        must(wall % 1000000 == 0);
        must(time_parse_http_date(time_http_date(arena, wall), &again) && again == wall);
    }
}

static void identifiers(struct arena *arena, struct str text)
{
    struct str e164, again;
    if (cn_mobile_normalise(arena, text, &e164))
        must(cn_mobile_normalise(arena, e164, &again) && str_equal(again, e164) && e164.len == 14);
    must(!cn_id_is_valid(text) || text.len == 18);
    must(!cn_uscc_is_valid(text) || text.len == 18);
    must(!cn_area_is_valid(text) || text.len <= 12);
}

/* Masks get what a department sent, which the JSON reader has found to be UTF-8. */
static void masks(struct arena *arena, struct str text)
{
    static const char *const rules[] = {"id_number", "phone_number", "name", "bank_card", "plate"};
    enum mask_rule rule;
    must(!mask_rule_named(text, &rule) || rule != MASK_NONE);
    if (!str_is_utf8(text))
        return;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        must(mask_rule_named(str_of(rules[i]), &rule));
        struct str shown = mask_apply(arena, rule, text);
        must(str_is_utf8(shown));
        must(text.len == 0 || str_find(shown, STR("*")) >= 0 || (rule == MASK_PHONE_NUMBER && str_is(text, "+86")));
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static void (*const kinds[])(struct arena * arena, struct str text) = {hex,   base64,      percent, numbers,
                                                                           times, identifiers, masks};
    if (size == 0)
        return 0;
    struct arena *arena = arena_open();
    kinds[data[0] % COUNT_OF(kinds)](arena, (struct str){(const char *)data + 1, size - 1});
    arena_close(arena);
    return 0;
}
