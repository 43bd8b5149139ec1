/* Faults of OAuth's endpoints, as its clients read them. */
#include "edge/oauth_error.h"

#include "http/request_internal.h"

static const char *error_of(unsigned status)
{
    return status == 401                    ? "invalid_client"
           : status == 429 || status == 503 ? "temporarily_unavailable"
           : status >= 500                  ? "server_error"
                                            : "invalid_request";
}

void oauth_error(struct request *request)
{
    const struct reply *reply = &request->reply;
    if (!reply->problem)
        return;
    enum problem_type type = (enum problem_type)(reply->problem - 1);
    unsigned status = reply->status == 415 || reply->status == 422 ? 400 : reply->status;
    struct json_out *out = reply_json(request, status);
    json_object(out);
    json_field_c(out, "error", error_of(status));
    json_field(out, "error_description", problem_title(type).en);
}
