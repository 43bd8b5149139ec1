/* The answer of an upstream, read off its connection (RFC 9112 §4, §6, §7). */
#include <string.h>

#include "http/picohttpparser.h"
#include "http/share.h"
#include "http/upstream_internal.h"

enum { HEAD_MOST = 64 * 1024, FIELDS_MOST = 100, INTERIM_MOST = 8, SHARE_STEP = 64 * 1024 };

enum framing { FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_CLOSE };

struct reader {
    struct link *link;
    const struct upstream_request *request;
    struct arena *arena;
    struct upstream_response *response;
    enum framing framing;
    size_t length;
    bool keep_alive;
    bool any; /* a byte has come */
    unsigned interim;
    size_t head_bytes; /* of the interim heads */
    struct hold *hold; /* of the share; NULL: memory is not counted */
    size_t held;
};

static enum upstream_status fail(struct reader *reader, enum upstream_status status, enum upstream_fault fault)
{
    reader->response->fault = fault;
    return status;
}

/* Memory for a body of n bytes: a step at a time where its length is not known before. */
static bool has_share(struct reader *reader, size_t n)
{
    if (!reader->hold || n <= reader->held)
        return true;
    size_t step = n - reader->held;
    if (step < SHARE_STEP && reader->framing != FRAMING_LENGTH)
        step = SHARE_STEP;
    reader->held += step;
    return hold_take(reader->hold, step);
}

static void on_input(h2o_socket_t *socket, const char *error)
{
    struct link *link = socket->data;
    if (!link)
        return;
    if (error && !link->error)
        link->error = error;
    link->changed = true;
    if (link->fiber)
        fiber_wake(link->fiber);
}

/* Waits for more input. The end of the connection is UPSTREAM_RESET, which is the end of the body if that is how it is framed.
 */
static enum upstream_status more(struct reader *reader, int64_t deadline)
{
    struct link *link = reader->link;
    if (link->error)
        return UPSTREAM_RESET;
    size_t before = link->socket->input->size;
    while (link->socket->input->size == before && !link->error) {
        enum upstream_status status = link_await(link, deadline);
        if (status != UPSTREAM_OK)
            return status;
    }
    reader->any |= link->socket->input->size > 0;
    return link->socket->input->size > before ? UPSTREAM_OK : UPSTREAM_RESET;
}

static int64_t head_deadline(const struct upstream_request *request)
{
    bool earlier = request->response_deadline && request->response_deadline < request->deadline;
    return earlier ? request->response_deadline : request->deadline;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Names and values lie in a copy of the whole head, which is one allocation. Values are terminated. */
static bool copy_fields(struct reader *reader, const struct phr_header *headers, size_t count, size_t size)
{
    struct upstream_response *response = reader->response;
    const char *head = reader->link->socket->input->bytes;
    char *copy = arena_copy(reader->arena, head, size);
    response->fields = arena_array(reader->arena, struct field, count);
    response->field_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!headers[i].name)
            return false; /* a folded line, which RFC 9112 §5.2 lets a client refuse */
        char *name = copy + (headers[i].name - head), *value = copy + (headers[i].value - head);
        for (size_t j = 0; j < headers[i].name_len; j++)
            name[j] = lower(name[j]);
        value[headers[i].value_len] = '\0'; /* where the line ended */
        response->fields[i] = (struct field){{name, headers[i].name_len}, {value, headers[i].value_len}};
    }
    return true;
}

/* Whether a comma list has the token. */
static bool lists(struct str list, const char *token)
{
    while (list.at)
        if (str_equal_nocase(str_trim(str_cut(&list, ',')), str_of(token)))
            return true;
    return false;
}

/* RFC 9112 §6.1 and §6.3; what is ambiguous is garbage, also a coding that an answer in HTTP/1.0 cannot have. */
static bool find_framing(struct reader *reader, int minor)
{
    const struct upstream_response *response = reader->response;
    struct str length = STR_NONE, encoding = STR_NONE;
    reader->keep_alive = minor >= 1;
    for (size_t i = 0; i < response->field_count; i++) {
        const struct field *field = &response->fields[i];
        if (str_is(field->name, "content-length")) {
            if (length.at && !str_equal(length, field->value))
                return false;
            length = field->value;
        } else if (str_is(field->name, "transfer-encoding")) {
            if (encoding.at)
                return false;
            encoding = field->value;
        } else if (str_is(field->name, "connection")) {
            if (lists(field->value, "close"))
                reader->keep_alive = false;
            else if (lists(field->value, "keep-alive"))
                reader->keep_alive = true;
        }
    }
    int64_t number = 0;
    if (encoding.at && (length.at || minor == 0 || !str_equal_nocase(encoding, STR("chunked"))))
        return false;
    if (length.at && (!str_to_i64(length, &number) || number < 0 || length.at[0] == '-'))
        return false;
    reader->length = (size_t)number;
    if (str_is(reader->request->method, "HEAD") || response->status == 204 || response->status == 304)
        reader->framing = FRAMING_NONE;
    else
        reader->framing = encoding.at ? FRAMING_CHUNKED : length.at ? FRAMING_LENGTH : FRAMING_CLOSE;
    reader->keep_alive &= reader->framing != FRAMING_CLOSE;
    return true;
}

/* Waits for a whole head. *size is what it takes, *code its status. */
static enum upstream_status await_head(struct reader *reader, struct phr_header *headers, size_t *count, int *minor, int *code,
                                       size_t *size)
{
    h2o_socket_t *socket = reader->link->socket;
    size_t most = reader->request->head_most ? reader->request->head_most : HEAD_MOST, seen = 0;
    most = most > reader->head_bytes ? most - reader->head_bytes : 0;
    const char *message;
    size_t message_length;
    int head = -2;
    while (head == -2) {
        if (socket->input->size > seen) {
            *count = FIELDS_MOST;
            head = phr_parse_response(socket->input->bytes, socket->input->size, minor, code, &message, &message_length,
                                      headers, count, seen);
            seen = socket->input->size;
        }
        if (head == -1)
            return fail(reader, UPSTREAM_GARBAGE, *count == FIELDS_MOST ? UPSTREAM_FAULT_HEAD_SIZE : UPSTREAM_FAULT_NOT_HTTP);
        if (head == -2 && seen > most)
            return fail(reader, UPSTREAM_GARBAGE, UPSTREAM_FAULT_HEAD_SIZE);
        if (head == -2) {
            enum upstream_status status = more(reader, head_deadline(reader->request));
            if (status != UPSTREAM_OK)
                return status == UPSTREAM_TIMEOUT ? fail(reader, status, UPSTREAM_FAULT_LATE_HEAD) : status;
        }
    }
    *size = (size_t)head;
    return *size > most ? fail(reader, UPSTREAM_GARBAGE, UPSTREAM_FAULT_HEAD_SIZE) : UPSTREAM_OK;
}

/* The next head; of interim ones (1xx) nothing is kept, but they count. */
static enum upstream_status read_head(struct reader *reader)
{
    struct phr_header headers[FIELDS_MOST];
    size_t count, size;
    int minor, code;
    enum upstream_status status = await_head(reader, headers, &count, &minor, &code, &size);
    if (status != UPSTREAM_OK)
        return status;
    reader->response->status = (unsigned)code;
    if (code == 101)
        return fail(reader, UPSTREAM_GARBAGE, UPSTREAM_FAULT_SWITCH);
    if (code < 100)
        return fail(reader, UPSTREAM_GARBAGE, UPSTREAM_FAULT_NOT_HTTP);
    if (code < 200) {
        reader->head_bytes += size;
        if (++reader->interim > INTERIM_MOST)
            return fail(reader, UPSTREAM_GARBAGE, UPSTREAM_FAULT_HEAD_SIZE);
    } else if (!copy_fields(reader, headers, count, size)) {
        return fail(reader, UPSTREAM_GARBAGE, UPSTREAM_FAULT_FIELDS);
    } else if (!find_framing(reader, minor)) {
        return fail(reader, UPSTREAM_GARBAGE, UPSTREAM_FAULT_FRAMING);
    }
    h2o_buffer_consume(&reader->link->socket->input, size);
    return UPSTREAM_OK;
}

static enum upstream_status read_length(struct reader *reader)
{
    h2o_socket_t *socket = reader->link->socket;
    if (!has_share(reader, reader->length))
        return fail(reader, UPSTREAM_FULL, UPSTREAM_FAULT_SHARE);
    char *body = arena_alloc_raw(reader->arena, reader->length + 1);
    size_t filled = 0;
    for (;;) {
        size_t take = socket->input->size < reader->length - filled ? socket->input->size : reader->length - filled;
        if (take) {
            memcpy(body + filled, socket->input->bytes, take);
            h2o_buffer_consume(&socket->input, take);
        }
        filled += take;
        if (filled == reader->length)
            break;
        enum upstream_status status = more(reader, reader->request->deadline);
        if (status != UPSTREAM_OK)
            return status;
    }
    reader->response->body = (struct str){body, filled};
    return UPSTREAM_OK;
}

static enum upstream_status read_chunked(struct reader *reader)
{
    h2o_socket_t *socket = reader->link->socket;
    struct phr_chunked_decoder decoder = {.consume_trailer = 1};
    struct text body = text_open(reader->arena, 1024);
    size_t raw = 0;
    ssize_t after = -2;
    while (after == -2) {
        if (socket->input->size) {
            size_t size = socket->input->size, decoded = size;
            after = phr_decode_chunked(&decoder, socket->input->bytes, &decoded);
            if (after == -1)
                return fail(reader, UPSTREAM_GARBAGE, UPSTREAM_FAULT_CHUNK);
            if (!has_share(reader, body.len + decoded))
                return fail(reader, UPSTREAM_FULL, UPSTREAM_FAULT_SHARE);
            text_add(&body, (struct str){socket->input->bytes, decoded});
            raw += size;
            /* The decoder moves what follows the body behind the decoded bytes. */
            if (after > 0)
                memmove(socket->input->bytes + size - (size_t)after, socket->input->bytes + decoded, (size_t)after);
            h2o_buffer_consume(&socket->input, after > 0 ? size - (size_t)after : size);
        }
        /* One-byte chunks, extensions and trailers are bounded too. */
        if (body.len > reader->request->most || raw > 8 * reader->request->most + HEAD_MOST)
            return fail(reader, UPSTREAM_TOO_LARGE, UPSTREAM_FAULT_BODY_SIZE);
        if (after == -2) {
            enum upstream_status status = more(reader, reader->request->deadline);
            if (status != UPSTREAM_OK)
                return status;
        }
    }
    reader->response->body = text_str(&body);
    return UPSTREAM_OK;
}

static enum upstream_status read_to_close(struct reader *reader)
{
    h2o_socket_t *socket = reader->link->socket;
    struct text body = text_open(reader->arena, 1024);
    enum upstream_status status = UPSTREAM_OK;
    while (status == UPSTREAM_OK) {
        if (socket->input->size) {
            if (!has_share(reader, body.len + socket->input->size))
                return fail(reader, UPSTREAM_FULL, UPSTREAM_FAULT_SHARE);
            text_add(&body, (struct str){socket->input->bytes, socket->input->size});
            h2o_buffer_consume(&socket->input, socket->input->size);
        }
        if (body.len > reader->request->most)
            return fail(reader, UPSTREAM_TOO_LARGE, UPSTREAM_FAULT_BODY_SIZE);
        status = more(reader, reader->request->deadline);
    }
    bool clean = status == UPSTREAM_RESET && reader->link->error == h2o_socket_error_closed;
    reader->response->body = text_str(&body);
    return clean ? UPSTREAM_OK : status;
}

static enum upstream_status read_body(struct reader *reader)
{
    switch (reader->framing) {
    case FRAMING_LENGTH:
        return reader->length > reader->request->most ? fail(reader, UPSTREAM_TOO_LARGE, UPSTREAM_FAULT_BODY_SIZE)
                                                      : read_length(reader);
    case FRAMING_CHUNKED:
        return read_chunked(reader);
    case FRAMING_CLOSE:
        return read_to_close(reader);
    case FRAMING_NONE:
        break;
    }
    return UPSTREAM_OK;
}

enum upstream_status answer_read(struct link *link, const struct upstream_request *request, struct arena *arena,
                                 struct upstream_response *response, bool *any, bool *reusable)
{
    struct reader reader = {.link = link, .request = request, .arena = arena, .response = response};
    if (request->share)
        reader.hold = share_hold(request->share, arena);
    h2o_socket_read_start(link->socket, on_input);
    enum upstream_status status;
    do
        status = read_head(&reader);
    while (status == UPSTREAM_OK && response->status < 200);
    if (status == UPSTREAM_OK)
        status = read_body(&reader);
    if (status == UPSTREAM_TIMEOUT && !response->fault)
        response->fault = UPSTREAM_FAULT_LATE_BODY;
    if (status == UPSTREAM_RESET)
        response->fault = UPSTREAM_FAULT_CUT;
    h2o_socket_read_stop(link->socket);
    *any = reader.any;
    *reusable = reader.keep_alive && !link->error && link->socket->input->size == 0;
    return status;
}
