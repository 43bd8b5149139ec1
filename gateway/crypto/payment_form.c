/* Sorted parameters: what Alipay and UnionPay sign. */
#include <shimin/payment_wire.h>

#include <shimin/id.h>
#include <shimin/log.h>
#include <stdlib.h>

#include "crypto/digest.h"

void payment_form_add(struct payment_form *form, const char *name, struct str value)
{
    if (!value.len)
        return;
    if (form->count == PAYMENT_FIELDS_MOST)
        fatal("a form has more than %d fields", PAYMENT_FIELDS_MOST);
    form->fields[form->count].name = str_of(name);
    form->fields[form->count++].value = value;
}

static bool has(const struct payment_form *form, struct str name)
{
    for (size_t i = 0; i < form->count; i++)
        if (str_equal(form->fields[i].name, name))
            return true;
    return false;
}

struct str payment_form_get(const struct payment_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (str_is(form->fields[i].name, name))
            return form->fields[i].value;
    return STR("");
}

bool payment_form_read(struct arena *arena, struct str body, struct payment_form *form)
{
    form->count = 0;
    for (struct str rest = body; rest.at && rest.len;) {
        struct str value = str_cut(&rest, '&'), name = str_cut(&value, '='), decoded_value = STR("");
        if (!name.len)
            continue;
        if (form->count == PAYMENT_FIELDS_MOST || !str_percent_decode(arena, name, true, &name) ||
            (value.len && !str_percent_decode(arena, value, true, &decoded_value)) || has(form, name))
            return false;
        form->fields[form->count].name = name;
        form->fields[form->count++].value = decoded_value;
    }
    return true;
}

struct str payment_form_write(struct arena *arena, const struct payment_form *form)
{
    struct text text = text_open(arena, 1024);
    for (size_t i = 0; i < form->count; i++) {
        if (i)
            text_add_char(&text, '&');
        text_add(&text, str_percent_encode(arena, form->fields[i].name));
        text_add_char(&text, '=');
        text_add(&text, str_percent_encode(arena, form->fields[i].value));
    }
    return text_str(&text);
}

/* By bytes, as strcmp: str_compare puts the shorter first. */
static int by_name(const void *a, const void *b, void *argument)
{
    const struct payment_form *form = argument;
    struct str one = form->fields[*(const size_t *)a].name, two = form->fields[*(const size_t *)b].name;
    int order = memcmp(one.at, two.at, one.len < two.len ? one.len : two.len);
    return order ? order : one.len < two.len ? -1 : one.len > two.len;
}

struct str payment_form_text(struct arena *arena, const struct payment_form *form, const char *without, const char *nor)
{
    size_t order[PAYMENT_FIELDS_MOST], count = 0;
    for (size_t i = 0; i < form->count; i++)
        if (!(without && str_is(form->fields[i].name, without)) && !(nor && str_is(form->fields[i].name, nor)))
            order[count++] = i;
    qsort_r(order, count, sizeof *order, by_name, (void *)(uintptr_t)form);
    struct text text = text_open(arena, 1024);
    for (size_t i = 0; i < count; i++) {
        if (i)
            text_add_char(&text, '&');
        text_add(&text, form->fields[order[i]].name);
        text_add_char(&text, '=');
        text_add(&text, form->fields[order[i]].value);
    }
    return text_str(&text);
}

void alipay_form_sign(struct arena *arena, struct payment_form *form, const struct payment_key *key)
{
    payment_form_add(form, "sign", payment_sign(arena, key, payment_form_text(arena, form, "sign", NULL)));
}

bool alipay_form_verify(struct arena *arena, const struct payment_form *form, const struct payment_key *key)
{
    struct str sign = payment_form_get(form, "sign");
    return payment_verify(key, payment_form_text(arena, form, "sign", "sign_type"), sign) ||
           payment_verify(key, payment_form_text(arena, form, "sign", NULL), sign);
}

/* Behind the string that opens at `at`; its end when it is not closed. */
static size_t skip_string(struct str body, size_t at)
{
    for (at++; at < body.len && body.at[at] != '"'; at++)
        if (body.at[at] == '\\')
            at++;
    return at < body.len ? at + 1 : body.len;
}

/* Where the object that opens at `at` ends; 0 when it does not. */
static size_t object_end(struct str body, size_t at)
{
    for (size_t depth = 0; at < body.len;) {
        char c = body.at[at];
        if (c == '"') {
            at = skip_string(body, at);
            continue;
        }
        at++;
        if (c == '{')
            depth++;
        else if (c == '}' && --depth == 0)
            return at;
    }
    return 0;
}

static size_t skip_space(struct str body, size_t at)
{
    while (at < body.len && strchr(" \t\r\n", body.at[at]) && body.at[at])
        at++;
    return at;
}

/* Of the outermost object only: a member of the same name further inside is not what was signed. */
struct str alipay_answer_text(struct str body, struct str name)
{
    size_t at = skip_space(body, 0);
    if (at >= body.len || body.at[at] != '{')
        return STR_NONE;
    for (at = skip_space(body, at + 1); at < body.len && body.at[at] == '"';) {
        size_t end = skip_string(body, at);
        struct str member = str_slice(body, at + 1, end - 1);
        at = skip_space(body, end);
        if (at >= body.len || body.at[at] != ':')
            return STR_NONE;
        at = skip_space(body, at + 1);
        size_t last = at < body.len && body.at[at] == '{'   ? object_end(body, at)
                      : at < body.len && body.at[at] == '"' ? skip_string(body, at)
                                                            : 0;
        if (!last)
            return STR_NONE;
        if (str_equal(member, name))
            return str_slice(body, at, last);
        at = skip_space(body, last);
        if (at >= body.len || body.at[at] != ',')
            return STR_NONE;
        at = skip_space(body, at + 1);
    }
    return STR_NONE;
}

/* Up to the next '&' outside of braces. */
static struct str cut_pair(struct str *rest)
{
    size_t at = 0, depth = 0;
    for (; at < rest->len && (depth || rest->at[at] != '&'); at++)
        depth = rest->at[at] == '{' ? depth + 1 : rest->at[at] == '}' && depth ? depth - 1 : depth;
    struct str pair = str_slice(*rest, 0, at);
    *rest = at < rest->len ? str_slice(*rest, at + 1, rest->len) : STR_NONE;
    return pair;
}

bool unionpay_answer_read(struct str body, struct payment_form *form)
{
    form->count = 0;
    for (struct str rest = str_trim(body); rest.at && rest.len;) {
        struct str value = cut_pair(&rest), name = str_cut(&value, '=');
        if (!name.len || !value.at || form->count == PAYMENT_FIELDS_MOST || has(form, name))
            return false;
        form->fields[form->count].name = name;
        form->fields[form->count++].value = value;
    }
    return form->count > 0;
}

struct str unionpay_answer_write(struct arena *arena, const struct payment_form *form)
{
    return payment_form_text(arena, form, NULL, NULL);
}

static struct str unionpay_text(struct arena *arena, const struct payment_form *form)
{
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(payment_form_text(arena, form, "signature", NULL), digest);
    return hex_encode(arena, digest, sizeof digest);
}

void unionpay_form_sign(struct arena *arena, struct payment_form *form, const struct payment_key *key)
{
    payment_form_add(form, "signature", payment_sign(arena, key, unionpay_text(arena, form)));
}

bool unionpay_form_verify(struct arena *arena, const struct payment_form *form, const struct payment_key *key)
{
    return payment_verify(key, unionpay_text(arena, form), payment_form_get(form, "signature"));
}

struct str payment_yuan(struct arena *arena, int64_t fen)
{
    return str_printf(arena, "%s%lld.%02lld", fen < 0 ? "-" : "", (long long)llabs(fen / 100), (long long)llabs(fen % 100));
}

bool payment_fen(struct str yuan, bool negative, int64_t *fen)
{
    bool minus = negative && yuan.len && yuan.at[0] == '-';
    struct str rest = minus ? str_slice(yuan, 1, yuan.len) : yuan, whole = str_cut(&rest, '.');
    bool pointed = rest.at != NULL;
    int64_t major, minor = 0;
    if (!whole.len || whole.at[0] == '-' || (pointed && (!rest.len || rest.len > 2 || rest.at[0] == '-')) ||
        !str_to_i64(whole, &major) || (pointed && !str_to_i64(rest, &minor)) || major > INT64_MAX / 100 - 1)
        return false;
    int64_t amount = major * 100 + (rest.len == 1 ? minor * 10 : minor);
    *fen = minus ? -amount : amount;
    return true;
}
