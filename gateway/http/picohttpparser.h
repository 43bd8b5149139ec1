/* The parser of HTTP/1 that libh2o carries and exports, but installs no header for (picohttpparser, MIT licence). */
#ifndef SHIMIN_HTTP_PICOHTTPPARSER_H
#define SHIMIN_HTTP_PICOHTTPPARSER_H

#include <stddef.h>
#include <sys/types.h>

struct phr_header {
    const char *name; /* NULL: continues the value before it */
    size_t name_len;
    const char *value;
    size_t value_len;
};

struct phr_chunked_decoder {
    size_t bytes_left_in_chunk;
    char consume_trailer;
    char _hex_count;
    char _state;
};

/* Bytes of the head, -1 when it is broken, -2 when it is not whole. */
int phr_parse_request(const char *buf, size_t len, const char **method, size_t *method_len, const char **path, size_t *path_len,
                      int *minor_version, struct phr_header *headers, size_t *num_headers, size_t last_len);
int phr_parse_response(const char *buf, size_t len, int *minor_version, int *status, const char **msg, size_t *msg_len,
                       struct phr_header *headers, size_t *num_headers, size_t last_len);
/* Decodes in place; *bufsz becomes the decoded size. Bytes that follow the body, -1 when broken, -2 when more must come. */
ssize_t phr_decode_chunked(struct phr_chunked_decoder *decoder, char *buf, size_t *bufsz);

#endif
