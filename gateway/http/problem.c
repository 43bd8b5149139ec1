/* The problem types: slug, status and title; and the body that RFC 9457 defines. */
#include <shimin/problem.h>

#include "http/request_internal.h"

/* Types that the IANA registry of HTTP problem types has (draft-ietf-httpapi-ratelimit-headers) keep its URI. */
#define IANA "https://iana.org/assignments/http-problem-types#"

static const struct problem_definition {
    unsigned status;
    struct str slug;
    struct bilingual title;
    const char *base; /* NULL: ours */
} definitions[PROBLEM_TYPES] = {
    [PROBLEM_BAD_REQUEST] = {400, STR("bad-request"), BILINGUAL("请求有误", "Bad request")},
    [PROBLEM_INVALID_JSON] = {400, STR("invalid-json"), BILINGUAL("请求体不是有效的 JSON", "The body is not valid JSON")},
    [PROBLEM_INVALID_PARAMETER] = {400, STR("invalid-parameter"), BILINGUAL("参数无效", "Invalid parameter")},
    [PROBLEM_INVALID_CURSOR] = {400, STR("invalid-cursor"), BILINGUAL("分页游标无效", "Invalid cursor")},
    [PROBLEM_IDEMPOTENCY_KEY_MISSING] = {400, STR("idempotency-key-missing"),
                                         BILINGUAL("缺少 Idempotency-Key", "Idempotency-Key is missing")},
    [PROBLEM_UNAUTHENTICATED] = {401, STR("unauthenticated"), BILINGUAL("请先登录", "Please sign in")},
    [PROBLEM_STEP_UP] = {401, STR("insufficient-user-authentication"),
                         BILINGUAL("需要更高等级的身份认证", "A stronger authentication is needed")},
    [PROBLEM_FORBIDDEN] = {403, STR("forbidden"), BILINGUAL("没有权限", "Forbidden")},
    [PROBLEM_NOT_FOUND] = {404, STR("not-found"), BILINGUAL("未找到", "Not found")},
    [PROBLEM_METHOD_NOT_ALLOWED] = {405, STR("method-not-allowed"), BILINGUAL("不支持此方法", "Method not allowed")},
    [PROBLEM_NOT_ACCEPTABLE] = {406, STR("not-acceptable"), BILINGUAL("没有可接受的格式", "Not acceptable")},
    [PROBLEM_CONFLICT] = {409, STR("conflict"), BILINGUAL("与当前状态冲突", "Conflict with the current state")},
    [PROBLEM_FACE_PENDING] = {409, STR("face-pending"), BILINGUAL("实人认证尚未完成", "The face verification is not finished")},
    [PROBLEM_BILL_HELD] = {409, STR("bill-held"), BILINGUAL("账单正在缴纳", "The bill is being paid")},
    [PROBLEM_BILL_PAID] = {409, STR("bill-paid"), BILINGUAL("账单已缴清", "The bill is paid")},
    [PROBLEM_BILL_ENDED] = {409, STR("bill-ended"), BILINGUAL("账单已失效", "The bill can no longer be paid")},
    [PROBLEM_AMOUNT_DIFFERS] = {409, STR("amount-differs"), BILINGUAL("金额与应缴不符", "The amount is not what is due")},
    [PROBLEM_IN_PROGRESS] = {409, STR("request-in-progress"),
                             BILINGUAL("相同的请求正在处理", "The same request is in progress")},
    [PROBLEM_FACE_EXPIRED] = {410, STR("face-expired"), BILINGUAL("实人认证已过期", "The face verification has expired")},
    [PROBLEM_SERVICE_RETIRED] = {410, STR("service-retired"), BILINGUAL("服务已停用", "The service has been retired")},
    [PROBLEM_PRECONDITION_FAILED] = {412, STR("precondition-failed"), BILINGUAL("前提条件不满足", "Precondition failed")},
    [PROBLEM_BODY_TOO_LARGE] = {413, STR("body-too-large"), BILINGUAL("请求体过大", "The body is too large")},
    [PROBLEM_TARGET_TOO_LONG] = {414, STR("target-too-long"), BILINGUAL("地址过长", "The address is too long")},
    [PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {415, STR("unsupported-media-type"),
                                        BILINGUAL("不支持的内容类型", "Unsupported media type")},
    [PROBLEM_VALIDATION] = {422, STR("validation-error"), BILINGUAL("内容不符合要求", "The content is not valid")},
    [PROBLEM_KEY_REUSED] = {422, STR("idempotency-key-reused"),
                            BILINGUAL("Idempotency-Key 已用于另一请求", "The Idempotency-Key was used for another request")},
    [PROBLEM_CODE_REJECTED] = {422, STR("code-rejected"), BILINGUAL("验证码错误或已失效", "The code is wrong or has expired")},
    [PROBLEM_CREDENTIALS_REJECTED] = {422, STR("credentials-rejected"), BILINGUAL("登录未通过", "The login was rejected")},
    [PROBLEM_IDENTITY_REJECTED] = {422, STR("identity-rejected"),
                                   BILINGUAL("身份核验未通过", "The identity was not confirmed")},
    [PROBLEM_FACE_REJECTED] = {422, STR("face-rejected"), BILINGUAL("实人认证未通过", "The face was not confirmed")},
    [PROBLEM_PRECONDITION_REQUIRED] = {428, STR("precondition-required"), BILINGUAL("缺少 If-Match", "If-Match is missing")},
    [PROBLEM_TOO_MANY_REQUESTS] = {429, STR("quota-exceeded"), BILINGUAL("请求过于频繁", "Too many requests"), IANA},
    [PROBLEM_HEADERS_TOO_LARGE] = {431, STR("headers-too-large"), BILINGUAL("请求头过大", "The header fields are too large")},
    [PROBLEM_INTERNAL] = {500, STR("internal-error"), BILINGUAL("内部错误", "Internal error")},
    [PROBLEM_METHOD_UNKNOWN] = {501, STR("method-unknown"), BILINGUAL("未知的方法", "Unknown method")},
    [PROBLEM_DEPARTMENT_FAILED] = {502, STR("department-failed"), BILINGUAL("部门系统出错", "The department's system failed")},
    [PROBLEM_DEPARTMENT_CONTRACT] = {502, STR("department-contract-violation"),
                                     BILINGUAL("部门系统的回答不符合约定", "The department's answer broke its contract")},
    [PROBLEM_SERVICE_SWITCHED] = {503, STR("service-switched"), BILINGUAL("服务暂停", "The service is switched off")},
    [PROBLEM_STORE_UNAVAILABLE] = {503, STR("store-unavailable"), BILINGUAL("暂时无法存取数据", "The store is unavailable")},
    [PROBLEM_DEPARTMENT_UNAVAILABLE] = {503, STR("department-unavailable"),
                                        BILINGUAL("部门系统暂不可用", "The department's system is unavailable")},
    [PROBLEM_OVERLOADED] = {503, STR("temporary-reduced-capacity"), BILINGUAL("系统繁忙", "Temporarily overloaded"), IANA},
    [PROBLEM_DEADLINE] = {504, STR("deadline-exceeded"), BILINGUAL("处理超时", "The deadline was exceeded")},
};

static struct str base = {"/problems/", sizeof("/problems/") - 1};

void problem_set_base(struct str uri)
{
    base = uri;
}

unsigned problem_status(enum problem_type type)
{
    return definitions[type].status;
}

struct str problem_slug(enum problem_type type)
{
    return definitions[type].slug;
}

struct bilingual problem_title(enum problem_type type)
{
    return definitions[type].title;
}

struct problem *problem_new(struct arena *arena, enum problem_type type, struct bilingual detail)
{
    struct problem *problem = arena_new(arena, struct problem);
    problem->type = type;
    problem->detail = detail;
    return problem;
}

/* A JSON Pointer as a URI fragment (RFC 6901 §6). */
static struct str fragment(struct arena *arena, struct str pointer)
{
    struct text text = text_open(arena, pointer.len + 16);
    text_add_char(&text, '#');
    str_cut(&pointer, '/');
    while (pointer.at) {
        text_add_char(&text, '/');
        text_add(&text, str_percent_encode(arena, str_cut(&pointer, '/')));
    }
    return text_str(&text);
}

static void write_error(struct request *request, struct json_out *out, const struct problem_error *error)
{
    json_object(out);
    json_field(out, "detail", request_text(request, error->detail));
    if (error->pointer.at)
        json_field(out, "pointer", fragment(request->arena, error->pointer));
    else if (error->parameter.at)
        json_field(out, "parameter", error->parameter);
    json_end(out);
}

struct str problem_body(struct request *request, const struct problem *problem)
{
    const struct problem_definition *definition = &definitions[problem->type];
    struct str detail = request_text(request, problem->detail);
    struct text text = text_open(request->arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "type",
               str_printf(request->arena, "%.*s%.*s", STR_ARG(definition->base ? str_of(definition->base) : base),
                          STR_ARG(definition->slug)));
    json_field(&out, "title", request_text(request, definition->title));
    json_field_i64(&out, "status", definition->status);
    if (detail.len)
        json_field(&out, "detail", detail);
    json_field(&out, "code", definition->slug);
    json_field_c(&out, "trace_id", request->trace.id);
    if (problem->error_count) {
        json_key(&out, "errors");
        json_array(&out);
        for (size_t i = 0; i < problem->error_count; i++)
            write_error(request, &out, &problem->errors[i]);
        json_end(&out);
    }
    json_end(&out);
    if (problem->extension.len) { /* members as text: they go in before the last brace */
        text.len--;
        text_add_char(&text, ',');
        text_add(&text, problem->extension);
        text_add_char(&text, '}');
    }
    return text_str(&text);
}
