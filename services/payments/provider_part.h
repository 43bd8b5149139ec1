/* What the providers' files share: keys and addresses from the configuration, outcomes, times, and the tables of their codes.
 */
#ifndef PAYMENTS_PROVIDER_PART_H
#define PAYMENTS_PROVIDER_PART_H

#include "provider.h"

#include <shimin/clock.h>
#include <shimin/payment_wire.h>
#include <shimin/peer.h>
#include <shimin/unpack.h>

/* A provider as provider.c opens and closes it; the settings are `payments.<name>.…`. */
struct provider_part {
    const struct provider *provider;
    bool (*open)(void); /* in a fiber of each worker; false after logging why */
    void (*close)(void);
};
extern const struct provider_part provider_wechat, provider_alipay, provider_unionpay;

/* ---- configuration ---- */

/* The key in the PEM file that the setting names; NULL after logging why. `signs`: a private one is needed. */
MUST_CHECK struct payment_key *provider_key(const char *setting, bool signs);
/* The bytes of the file that the setting names, in the arena; STR_NONE after logging why. */
struct str provider_file(struct arena *arena, const char *setting, bool secret);
/* The setting's text; false after logging that it is missing. */
MUST_CHECK bool provider_text(const char *setting, struct str *text);
MUST_CHECK struct peer *provider_peer(const char *setting);
/* Until when a call is waited for, and the download of a bill file. */
int64_t provider_deadline(void);
int64_t provider_bill_deadline(void);
/* Where notices of the provider are sent, and where a page sends the payer back. */
struct str provider_notify_url(struct arena *arena, const char *name);
struct str provider_return_url(void);

/* ---- outcomes ---- */

/* For `return`: fills the fault. Code and message must live as long as the arena. */
enum provider_outcome provider_unknown(struct provider_fault *fault, const char *code, struct str message);
enum provider_outcome provider_refused(struct provider_fault *fault, enum provider_reason reason, struct str code,
                                       struct str message);
/* No answer came, or one whose status means that nothing is known. */
enum provider_outcome provider_no_answer(struct arena *arena, const struct peer_answer *answer, struct provider_fault *fault);

/* What a code of the provider's means; the last entry has no code and holds for all others. */
struct provider_code {
    const char *code;
    bool unknown; /* "try again": nothing is known */
    enum provider_reason reason;
};
enum provider_outcome provider_judge(const struct provider_code *codes, struct str code, struct str message,
                                     struct provider_fault *fault);

/* ---- values ---- */

/* 16 random bytes in hex. */
struct str provider_nonce(struct arena *arena);
/* The first 40 characters, without control characters. */
struct str provider_words(struct arena *arena, struct str text);
/* "2026-11-24 08:00:00" and "20261124080000", China Standard Time. */
struct str provider_time_spaced(struct arena *arena, int64_t wall);
struct str provider_time_packed(struct arena *arena, int64_t wall);
MUST_CHECK bool provider_time_read_spaced(struct str text, int64_t *wall);
MUST_CHECK bool provider_time_read_packed(struct str text, int64_t *wall);

/* ---- bill files ---- */

/* What a reader of a bill file fills and hands on: counts, sums, and the caller's callback. */
struct bill_reading {
    struct provider_bill *bill;
    provider_line_taker *take;
    void *argument;
    bool stopped;
};
/* false, and reading->stopped, when the callback wants no more. */
bool bill_take(struct bill_reading *reading, const struct provider_line *line);
/* An amount of a line, in yuan, perhaps negative. */
MUST_CHECK bool bill_fen(struct str yuan, int64_t *fen);
/* Cuts a line of CSV in place: at most `most` columns, quotes understood, spaces and tabs around a value dropped. The number of
 * columns, or 0 when there are more. */
size_t bill_columns(struct arena *arena, struct str line, struct str *columns, size_t most);
/* The bill readers, also for their tests: NULL, or what is wrong, static. */
const char *wechat_bill_read(struct unpack *file, struct arena *arena, struct bill_reading *reading);
const char *alipay_bill_read(struct unpack *archive, struct arena *arena, struct bill_reading *reading);
const char *unionpay_bill_read(struct unpack *archive, struct str date, struct bill_reading *reading);
/* After a reading: the outcome for bill_file. */
enum { BILL_PACKED_MOST = 128 << 20, BILL_UNPACKED_MOST = 512 << 20 };
enum provider_outcome bill_end(struct arena *arena, const struct bill_reading *reading, struct str packed, const char *wrong,
                               struct provider_fault *fault);

#endif
