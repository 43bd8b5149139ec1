/* Random bytes, identifiers, and the text forms of bytes. */
#ifndef SHIMIN_ID_H
#define SHIMIN_ID_H

#include <shimin/str.h>

/* Cryptographically secure (OpenSSL RAND_bytes, buffered per thread); aborts if there is no entropy. */
void random_bytes(void *out, size_t n);
/* UUID version 7 (RFC 9562 §5.7) as 36 characters: sorts by time. */
struct str id_new(struct arena *arena);
bool id_is_uuid(struct str s);

struct str hex_encode(struct arena *arena, const void *bytes, size_t n); /* lower case */
MUST_CHECK bool hex_decode(struct str text, void *out, size_t n);        /* exactly n bytes */
/* RFC 4648 §4 with padding and §5 without. */
struct str base64_encode(struct arena *arena, const void *bytes, size_t n);
struct str base64url_encode(struct arena *arena, const void *bytes, size_t n);
MUST_CHECK bool base64_decode(struct arena *arena, struct str text, struct str *out);    /* strict */
MUST_CHECK bool base64url_decode(struct arena *arena, struct str text, struct str *out); /* strict, no padding */

/* Chinese identity number (GB 11643, 18 characters, last may be x), social credit code (GB 32100), mobile number:
 * check digits, real date not after today. Vectors in tests. */
bool cn_id_is_valid(struct str s);
bool cn_uscc_is_valid(struct str s);
/* "+8613800138000" or "13800138000"; *e164 gets the "+86…" form in the arena. */
MUST_CHECK bool cn_mobile_normalise(struct arena *arena, struct str s, struct str *e164);
/* A division code of 2, 4, 6, 9 or 12 digits (GB/T 2260 and the statistical extension). */
bool cn_area_is_valid(struct str s);

/* What of a personal value may be shown: "510104********002X", "138****8000", "张*", "**** 1234", "川A***45". */
enum mask_rule { MASK_NONE, MASK_ID_NUMBER, MASK_PHONE_NUMBER, MASK_NAME, MASK_BANK_CARD, MASK_PLATE };
MUST_CHECK bool mask_rule_named(struct str name,
                                enum mask_rule *rule); /* "id_number", "phone_number", "name", "bank_card", "plate" */
struct str mask_apply(struct arena *arena, enum mask_rule rule, struct str value);

#endif
