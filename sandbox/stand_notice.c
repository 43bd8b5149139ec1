/* Telling the merchant: paying at once, notices in every manner, and again until they are taken. */
#include <shimin/worker.h>
#include <stdlib.h>

#include "stand.h"

enum { ATTEMPTS = 12, LONGEST = 30, ADDRESSES = 16 };
#define PATIENCE seconds(5)
#define PAYER STR("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")

/* The addresses that notices went to: kept, since calls may be under way. */
static _Thread_local struct {
    char origin[256];
    struct peer *peer;
} peers[ADDRESSES];

static struct peer *peer_of(struct arena *arena, struct str url, struct str *target)
{
    size_t end = str_starts(url, STR("https://")) ? 8 : 7, i = 0;
    while (end < url.len && url.at[end] != '/')
        end++;
    struct str wanted = str_slice(url, 0, end);
    *target = str_slice(url, end, url.len);
    while (i < ADDRESSES && peers[i].peer && !str_is(wanted, peers[i].origin))
        i++;
    if (i == ADDRESSES)
        return NULL;
    if (!peers[i].peer) {
        TILL_SET(peers[i].origin, wanted);
        peers[i].peer = peer_open(str_to_c(arena, wanted), stand.ca_file);
    }
    return peers[i].peer;
}

/* What the notice says instead of what happened. */
static void lie(enum mood_notice how, struct till_order *order, struct till_refund *refund)
{
    static const char number[] = "99999999FOREIGN99999999";
    if (how == NOTICE_WRONG_AMOUNT) {
        order->amount++;
        refund->amount++;
    } else if (how == NOTICE_FOREIGN_ORDER) {
        TILL_SET(order->number, STR(number));
        TILL_SET(refund->number, STR(number));
        TILL_SET(refund->order, STR(number));
    }
}

unsigned stand_tell_once(struct arena *arena, const struct till_order *order, const struct till_refund *refund,
                         enum mood_notice how, struct str *body)
{
    struct till_order said = *order;
    struct till_refund said_refund = refund ? *refund : (struct till_refund){.amount = 0};
    struct peer_request request;
    struct peer_answer answer;
    struct str target, url = str_of(refund && refund->notify_url[0] ? refund->notify_url : order->notify_url);
    const struct stand_provider *provider = stand_provider(order->provider);
    lie(how, &said, &said_refund);
    *body = STR("");
    struct peer *to = peer_of(arena, url, &target);
    if (!to)
        return 0;
    provider->notice(arena, &said, refund ? &said_refund : NULL, how, &request);
    request.method = STR("POST");
    request.target = target;
    request.deadline = deadline_in(PATIENCE);
    if (!peer_call(to, arena, &request, &answer))
        return 0;
    *body = answer.body;
    if (provider->took(&answer) && how <= NOTICE_LATE)
        till_told(order->provider, str_of(refund ? refund->number : order->number), refund != NULL);
    return answer.status;
}

struct telling {
    struct till_order order;
    struct till_refund refund;
    bool of_refund;
    enum mood_notice how;
    int64_t delay;
};

static bool is_told(const struct telling *telling)
{
    struct till_order order;
    struct till_refund refund;
    if (telling->of_refund)
        return !till_refund_find(telling->order.provider, str_of(telling->refund.number), &refund) || refund.told;
    return !till_order_find(telling->order.provider, str_of(telling->order.number), &order) || order.told;
}

/* A lie is told once; the truth until it is taken, after 1, 2, 4 … 30 s. */
static void tell(void *argument)
{
    struct telling *telling = argument;
    int64_t pause = 1;
    bool go = telling->delay == 0 || fiber_sleep(telling->delay) == WAIT_DONE;
    for (int attempt = 0; go && attempt < ATTEMPTS; attempt++) {
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        struct str body;
        (void)stand_tell_once(arena, &telling->order, telling->of_refund ? &telling->refund : NULL, telling->how, &body);
        if (telling->how > NOTICE_LATE || is_told(telling) || fiber_sleep(seconds(pause)) != WAIT_DONE)
            break;
        pause = pause * 2 < LONGEST ? pause * 2 : LONGEST;
    }
    free(telling);
}

void stand_tell(const struct till_order *order, const struct till_refund *refund, enum mood_notice how, int64_t delay)
{
    if (how == NOTICE_NEVER || !order->notify_url[0])
        return;
    for (int i = 0; i < (how == NOTICE_TWICE ? 2 : 1) && worker_has_room(); i++) {
        struct telling *telling = memory_alloc(sizeof *telling);
        *telling =
            (struct telling){.order = *order, .of_refund = refund != NULL, .how = how, .delay = how == NOTICE_LATE ? delay : 0};
        if (refund)
            telling->refund = *refund;
        fiber_start(tell, telling, DEADLINE_NEVER);
    }
}

void stand_order_made(const struct stand_call *call, const struct till_order *order)
{
    struct till_order paid;
    struct str body;
    bool before = call->mood.notice == NOTICE_BEFORE;
    if (!(call->mood.pays_at_once || before) || till_order_pay(call->provider, str_of(order->number), PAYER, &paid) != TILL_NEW)
        return;
    if (before)
        (void)stand_tell_once(call->arena, &paid, NULL, NOTICE_BEFORE, &body);
    else
        stand_tell(&paid, NULL, call->mood.notice, call->mood.delay);
}

void stand_refund_made(const struct stand_call *call, const struct till_refund *refund)
{
    struct till_refund ended;
    struct till_order order;
    struct str body;
    if (call->mood.refund == TILL_PROCESSING ||
        !till_refund_end(call->provider, str_of(refund->number), call->mood.refund, &ended) ||
        !till_order_find(call->provider, str_of(refund->order), &order))
        return;
    if (call->mood.notice == NOTICE_BEFORE)
        (void)stand_tell_once(call->arena, &order, &ended, NOTICE_BEFORE, &body);
    else
        stand_tell(&order, &ended, call->mood.notice, call->mood.delay);
}

/* What was paid or refunded before a restart, and not told. */
void stand_open(void)
{
    struct arena *arena = arena_open();
    struct till_order *orders, order;
    struct till_refund *refunds;
    for (int p = 0; p < TILL_PROVIDERS; p++) {
        size_t count = till_orders(arena, (enum till_provider)p, &orders);
        for (size_t i = 0; i < count; i++)
            if (orders[i].state == TILL_PAID && !orders[i].told)
                stand_tell(&orders[i], NULL, NOTICE_NORMAL, 0);
        count = till_refunds(arena, (enum till_provider)p, &refunds);
        for (size_t i = 0; i < count; i++)
            if (refunds[i].state != TILL_PROCESSING && !refunds[i].told &&
                till_order_find((enum till_provider)p, str_of(refunds[i].order), &order))
                stand_tell(&order, &refunds[i], NOTICE_NORMAL, 0);
    }
    arena_close(arena);
}
