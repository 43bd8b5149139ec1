/* What only the inside of libh2o's HTTP/2 tells: the one file that looks there (2.2.5, as Debian 12 has it). */
#include <h2o.h>
#include <h2o/http2.h>
#include <h2o/http2_internal.h>

#include "http/server_internal.h"

unsigned http2_never_begun(h2o_conn_t *conn, unsigned requests, unsigned in_flight)
{
    h2o_http2_conn_t *http2 = (h2o_http2_conn_t *)conn;
    unsigned opened = (http2->pull_stream_ids.max_open + 1) / 2, open = http2->num_streams.pull.open;
    unsigned accounted = requests + (open > in_flight ? open - in_flight : 0);
    return opened > accounted ? opened - accounted : 0;
}

void http2_say_goodbye(h2o_conn_t *conn)
{
    h2o_http2_conn_t *http2 = (h2o_http2_conn_t *)conn;
    if (http2->state != H2O_HTTP2_CONN_STATE_OPEN)
        return;
    h2o_http2_encode_goaway_frame(&http2->_write.buf, http2->pull_stream_ids.max_open, H2O_HTTP2_ERROR_NONE,
                                  h2o_iovec_init(H2O_STRLIT("enough requests")));
    h2o_http2_conn_request_write(http2);
    http2->state = H2O_HTTP2_CONN_STATE_HALF_CLOSED;
}

void http2_refuse_streams(h2o_conn_t *conn)
{
    h2o_http2_conn_t *http2 = (h2o_http2_conn_t *)conn;
    if (http2->state == H2O_HTTP2_CONN_STATE_OPEN)
        http2->state = H2O_HTTP2_CONN_STATE_HALF_CLOSED;
}

bool http2_is_pending(h2o_req_t *h2o)
{
    return H2O_STRUCT_FROM_MEMBER(h2o_http2_stream_t, req, h2o)->state == H2O_HTTP2_STREAM_STATE_REQ_PENDING;
}

void http2_each(h2o_context_t *context, void (*visit)(h2o_conn_t *conn, h2o_socket_t *socket))
{
    for (h2o_linklist_t *node = context->http2._conns.next; node != &context->http2._conns; node = node->next) {
        h2o_http2_conn_t *http2 = H2O_STRUCT_FROM_MEMBER(h2o_http2_conn_t, _conns, node);
        if (http2->sock)
            visit(&http2->super, http2->sock);
    }
}
