/* What payment providers sign, and how: RSA keys and certificates, WeChat's texts and sealed resources, and the sorted
 * parameters of Alipay and UnionPay. Used by the engine and, from the other side, by the sandbox.
 *
 * | provider | what is signed                                                | signature                                    |
 * |----------|---------------------------------------------------------------|----------------------------------------------|
 * | WeChat   | a text of lines, each ended by LF, the last too               | RSA PKCS #1 v1.5, SHA-256, base64            |
 * | Alipay   | k=v joined by &, sorted by k; answers: the object's raw bytes | the same ("RSA2")                            |
 * | UnionPay | k=v joined by &, sorted by k, of it the hex SHA-256           | the same, over the 64 characters (signMethod 01)
 * |
 *
 * Keys are read-only once made and may be shared by threads. Nothing here waits; RSA signs in a quarter of a millisecond. */
#ifndef SHIMIN_PAYMENT_WIRE_H
#define SHIMIN_PAYMENT_WIRE_H

#include <shimin/arena.h>
#include <shimin/str.h>

struct payment_key;

/* A private key, a public key, or a certificate's, in PEM; RSA of at least 2048 bits. Of several the first. NULL with *reason,
 * a static text. The caller owns it. */
MUST_CHECK struct payment_key *payment_key_read(struct str pem, const char **reason);
/* The key of a certificate that a message brought: only if `authority` (PEM, one or several certificates) has signed it, it is
 * in its time, and its common name, or a part of it between '@', is `name`. */
MUST_CHECK struct payment_key *payment_key_vouched(struct str pem, struct str authority, struct str name, const char **reason);
void payment_key_free(struct payment_key *key); /* NULL is ignored */
/* The serial number of the certificate, in upper-case hex as WeChat writes it, and in decimal as UnionPay does; empty of a bare
 * key. It lives as long as the key. */
struct str payment_key_serial(const struct payment_key *key);
struct str payment_key_number(const struct payment_key *key);

/* The signature in base64. It aborts when the key is a public one: that is refused when the configuration is read. */
struct str payment_sign(struct arena *arena, const struct payment_key *key, struct str text);
MUST_CHECK bool payment_verify(const struct payment_key *key, struct str text, struct str signature);
bool payment_key_signs(const struct payment_key *key);

/* ---- WeChat Pay API v3 ---- */

/* Of a request of ours; `target` is path and query. */
struct str wechat_request_text(struct arena *arena, struct str method, struct str target, struct str timestamp,
                               struct str nonce, struct str body);
/* Of an answer, and of a notice. */
struct str wechat_answer_text(struct arena *arena, struct str timestamp, struct str nonce, struct str body);
/* Of what the app hands to the SDK: "prepay_id=…" (JSAPI) or the bare prepay id (app) comes last. */
struct str wechat_bridge_text(struct arena *arena, struct str app_id, struct str timestamp, struct str nonce,
                              struct str prepay);
/* AES-256-GCM with the API v3 key of 32 bytes; sealed text is base64 with the tag at its end. */
struct str wechat_seal(struct arena *arena, struct str key, struct str nonce, struct str associated, struct str plain);
MUST_CHECK bool wechat_open(struct arena *arena, struct str key, struct str nonce, struct str associated, struct str sealed,
                            struct str *plain);

/* ---- parameters: Alipay's and UnionPay's ---- */

enum { PAYMENT_FIELDS_MOST = 64 };

struct payment_form {
    struct {
        struct str name, value;
    } fields[PAYMENT_FIELDS_MOST];
    size_t count;
};

/* Adds one; an empty value is left out. Aborts beyond PAYMENT_FIELDS_MOST. */
void payment_form_add(struct payment_form *form, const char *name, struct str value);
/* The value, or an empty string. */
struct str payment_form_get(const struct payment_form *form, const char *name);
/* Of application/x-www-form-urlencoded. false: too many, a name twice, or a broken escape. Values live in the arena. */
MUST_CHECK bool payment_form_read(struct arena *arena, struct str body, struct payment_form *form);
/* As application/x-www-form-urlencoded, in the order in which they were added. */
struct str payment_form_write(struct arena *arena, const struct payment_form *form);
/* "a=1&b=2": sorted by name, values as they are, without the two that are named (NULL: none). */
struct str payment_form_text(struct arena *arena, const struct payment_form *form, const char *without, const char *nor);
/* Adds `sign`, over all the others (Alipay). */
void alipay_form_sign(struct arena *arena, struct payment_form *form, const struct payment_key *key);
/* Of a notice: over all but `sign` and `sign_type`; some products sign `sign_type` as well. */
MUST_CHECK bool alipay_form_verify(struct arena *arena, const struct payment_form *form, const struct payment_key *key);
/* The raw bytes of the member `name` of an answer, which is what its signature is over; STR_NONE when there is none. */
struct str alipay_answer_text(struct str body, struct str name);
/* UnionPay's answers are written like forms, and nothing in them is escaped: a value in braces may hold '&', any may hold '='.
 */
MUST_CHECK bool unionpay_answer_read(struct str body, struct payment_form *form);
struct str unionpay_answer_write(struct arena *arena, const struct payment_form *form);
/* Adds `signature` (UnionPay). */
void unionpay_form_sign(struct arena *arena, struct payment_form *form, const struct payment_key *key);
MUST_CHECK bool unionpay_form_verify(struct arena *arena, const struct payment_form *form, const struct payment_key *key);

/* ---- amounts, digests ---- */

/* In lower-case hex: of a bill file; WeChat says the SHA-1 of its own. */
struct str payment_sha256(struct arena *arena, struct str bytes);
struct str payment_sha1(struct arena *arena, struct str bytes);

/* "12.34", as Alipay and WeChat's bill files write yuan. */
struct str payment_yuan(struct arena *arena, int64_t fen);
/* Digits, and at most two after a point; a sign only where `negative` allows one. false for anything else, or too much for an
 * int64_t. */
MUST_CHECK bool payment_fen(struct str yuan, bool negative, int64_t *fen);

#endif
