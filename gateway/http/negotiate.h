/* What a client says it prefers or has: media types, languages, encodings, entity tags. Pure functions over header values. */
#ifndef SHIMIN_HTTP_NEGOTIATE_H
#define SHIMIN_HTTP_NEGOTIATE_H

#include <shimin/str.h>

/* Accept (RFC 9110 §12.5.1): the weight of `type` ("application/json") in thousandths, by the most specific range that names
 * it; an absent or empty field accepts everything. */
unsigned negotiate_type(struct str accept, struct str type);
/* Accept-Language (RFC 9110 §12.5.4): true unless English is preferred. */
bool negotiate_chinese(struct str accept_language);
/* Accept-Encoding (RFC 9110 §12.5.3): whether gzip may be sent, which an absent field does not say. */
bool negotiate_gzip(struct str accept_encoding);
/* If-None-Match (RFC 9110 §13.1.2): the listed tag that names the representation `tag` (given without quotes), by weak
 * comparison, or STR_NONE. A tag that we suffixed for the gzip encoding names the same representation; "*" names any. */
struct str negotiate_listed_tag(struct str if_none_match, struct str tag);
#define NEGOTIATE_GZIP_SUFFIX "-gzip"

#endif
