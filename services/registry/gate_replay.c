/* The gate's check of writes: the same request twice acts once. What a department does behind its answers is not seen, so its
 * answers have to tell: the second is the first again, and one with another key is not. */
#include "gate.h"

#include <shimin/clock.h>
#include <shimin/id.h>

enum { DEPTH_MOST = 32 };

static bool is_time(const struct json *value)
{
    int64_t wall;
    return value->type == JSON_STRING && time_parse_rfc3339(value->string, &wall);
}

/* Equal but for times: an answer may say when it was given. */
static bool same(const struct json *a, const struct json *b, unsigned depth)
{
    if (!a || !b || depth > DEPTH_MOST)
        return a == b;
    if (a->type != b->type || ((a->type == JSON_ARRAY || a->type == JSON_OBJECT) && a->count != b->count))
        return false;
    if (a->type == JSON_ARRAY) {
        for (uint32_t i = 0; i < a->count; i++)
            if (!same(&a->items[i], &b->items[i], depth + 1))
                return false;
        return true;
    }
    if (a->type == JSON_OBJECT) {
        for (uint32_t i = 0; i < a->count; i++)
            if (!same(&a->members[i].value, json_get_str(b, a->members[i].name), depth + 1))
                return false;
        return true;
    }
    return (is_time(a) && is_time(b)) || json_equal(a, b);
}

static void note(struct gate *gate, enum check_result result, struct bilingual detail)
{
    gate_note(gate, CHECK_REPLAY, result, detail);
}

/* One call; its answer's body. false when it was refused. */
static bool send(struct gate *gate, struct str key, const struct json **body)
{
    const struct gate_call call = {.person = "zhang-wei", .idempotency_key = key};
    const struct problem *problem = gate_call(gate, &call);
    *body = gate->answer.body;
    return !problem;
}

static void refuse_first(struct gate *gate)
{
    note(gate, CHECK_FAILED,
         (struct bilingual){
             str_printf(gate->arena, "调用未得应答（状态 %u），无从检查重发", gate->record.status),
             str_printf(gate->arena, "The call was not answered (status %u), so it cannot be repeated", gate->record.status)});
}

/* A question that is asked by POST, or worse. It is repeated and cached like any other, so it must not make something each time
 * it is asked: live data may change between two askings, but hardly between each of three. */
static void check_question(struct gate *gate)
{
    enum { ASKINGS = 3 };
    const struct json *items[ASKINGS];
    for (unsigned i = 0; i < ASKINGS; i++) {
        const struct json *body;
        if (!send(gate, STR_NONE, &body)) {
            refuse_first(gate);
            return;
        }
        items[i] = gate->answer.items;
    }
    bool made = gate->record.status == 201 ||
                (!same(items[0], items[1], 0) && !same(items[1], items[2], 0) && !same(items[0], items[2], 0));
    if (made)
        note(gate, CHECK_FAILED,
             BILINGUAL("每问一次应答都不同，像是每次都新办了一件；查询不得写入",
                       "Each asking is answered differently, as if each made something: a query must not act"));
    else
        note(gate, CHECK_PASSED, BILINGUAL("重复询问，应答不变", "Asked again it answers the same"));
}

/* PUT and DELETE: whatever number of times, the effect is that of one (RFC 9110 §9.2.2). */
static void check_method(struct gate *gate)
{
    const struct json *first, *second;
    if (!send(gate, STR_NONE, &first)) {
        refuse_first(gate);
        return;
    }
    bool taken = send(gate, STR_NONE, &second);
    bool gone = gate->record.status == 404 || gate->record.status == 410; /* DELETE: there is nothing left */
    if (gone || (taken && same(first, second, 0)))
        note(gate, CHECK_PASSED, BILINGUAL("重发同一写入，结果不变", "The same write again changes nothing"));
    else
        note(gate, CHECK_FAILED,
             (struct bilingual){
                 str_printf(gate->arena, "重发同一写入，应答不同（状态 %u）", gate->record.status),
                 str_printf(gate->arena, "The same write again was answered differently (status %u)", gate->record.status)});
}

static void check_key(struct gate *gate)
{
    struct str key = id_new(gate->arena), other = id_new(gate->arena);
    const struct json *first, *again, *another;
    if (!send(gate, key, &first)) {
        refuse_first(gate);
        return;
    }
    unsigned status = gate->record.status;
    bool taken = send(gate, key, &again);
    bool refused = gate->record.status == 409; /* it knows that it has acted */
    if (!refused && !(taken && gate->record.status == status && same(first, again, 0))) {
        note(gate, CHECK_FAILED,
             (struct bilingual){
                 str_printf(gate->arena, "以同一 Idempotency-Key 重发，办理了第二次，或应答不同（状态 %u）",
                            gate->record.status),
                 str_printf(gate->arena,
                            "Sent again with the same Idempotency-Key it acted twice, or answered differently (status %u)",
                            gate->record.status)});
        return;
    }
    if (send(gate, other, &another) && same(first, another, 0))
        note(gate, CHECK_FAILED,
             BILINGUAL(
                 "换一个 Idempotency-Key，应答仍相同，看不出是否办理了两次；应答须给出办理的编号",
                 "With another Idempotency-Key the answer is the same, so it cannot tell one act from two: answer what was "
                 "made, by a number"));
    else
        note(gate, CHECK_PASSED,
             BILINGUAL("以同一 Idempotency-Key 重发，只办理一次", "Sent again with the same Idempotency-Key it acts once"));
}

void gate_check_replay(struct gate *gate)
{
    gate->record = (struct department_record){0};
    switch (draft_replay(gate->draft)) {
    case REPLAY_READS:
        note(gate, CHECK_NOT_APPLICABLE, BILINGUAL("服务只读取", "The service only reads"));
        break;
    case REPLAY_ASKS:
        check_question(gate);
        break;
    case REPLAY_BY_KEY:
        check_key(gate);
        break;
    case REPLAY_BY_METHOD:
        check_method(gate);
        break;
    case REPLAY_UNSAFE:
        note(gate, CHECK_FAILED,
             BILINGUAL("接口文档须声明写入可重发：Idempotency-Key 报文头，或用 PUT、DELETE",
                       "The contract must say that the write may be repeated: a header Idempotency-Key, or PUT or DELETE"));
        break;
    }
}
