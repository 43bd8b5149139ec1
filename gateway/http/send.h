/* Handing a reply to libh2o. */
#ifndef SHIMIN_HTTP_SEND_H
#define SHIMIN_HTTP_SEND_H

#include "http/request_internal.h"

/* Makes the tables of fixed fields; once, before threads. */
void send_prepare(void);
/* Status and fields of the reply into libh2o's response. `length` is of the body, or SIZE_MAX when it has none or is a stream.
 */
void send_head(struct request *request, size_t length);
/* stream.c: the last piece */
void stream_end(struct request *request);

#endif
