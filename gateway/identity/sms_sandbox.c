/* Short messages to the sandbox, which shows them instead of sending them. */
#include "http/upstream.h"
#include "identity/sms.h"

#include <shimin/clock.h>
#include <shimin/fiber.h>
#include <shimin/json.h>
#include <shimin/log.h>

enum { SEND_SECONDS = 3, ANSWER_BYTES = 65536, CREATED = 201, IDLE_SECONDS = 30 };

static struct upstream_settings settings;
static _Thread_local struct upstream *upstream;

void sms_sandbox_prepare(const char *address, unsigned port)
{
    settings = (struct upstream_settings){
        .host = str_of(address), .port = (uint16_t)port, .idle = 4, .idle_time = seconds(IDLE_SECONDS)};
}

static bool open_sandbox(void)
{
    upstream = upstream_open(&settings);
    return upstream != NULL;
}

static enum upstream_status post(struct arena *arena, struct str body, bool fresh, struct upstream_response *response)
{
    static const struct field type = {{"content-type", 12}, {"application/json", 16}};
    const struct upstream_request request = {
        .method = STR("POST"),
        .target = STR("/sandbox/messages"),
        .fields = &type,
        .field_count = 1,
        .body = body,
        .most = ANSWER_BYTES,
        .deadline = deadline_in(seconds(SEND_SECONDS)),
        .fresh = fresh,
    };
    return upstream_call(upstream, &request, arena, response);
}

static bool send_message(struct arena *arena, struct str phone_number, struct str message)
{
    struct text body = text_open(arena, 256);
    struct json_out out = json_write(&body);
    json_object(&out);
    json_field(&out, "phone_number", phone_number);
    json_field(&out, "text", message);
    json_end_all(&out);
    struct upstream_response response;
    enum upstream_status status = post(arena, text_str(&body), false, &response);
    if (status == UPSTREAM_STALE)
        status = post(arena, text_str(&body), true, &response);
    if (status == UPSTREAM_OK && response.status == CREATED)
        return true;
    log_warning("the sandbox's SMS provider did not take a message: %s", upstream_status_name(status));
    return false;
}

const struct sms_provider sms_sandbox = {.name = "sandbox", .open = open_sandbox, .send = send_message};
