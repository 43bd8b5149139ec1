/* Orders and refunds: records of a fixed size in one mapping, and an index over their numbers. */
#include "till.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <shimin/clock.h>
#include <shimin/log.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ORDERS = 65536, REFUNDS = 16384, SLOTS = 4 * ORDERS };
#define MAGIC UINT64_C(0x5348494d494e5431)

struct till {
    uint64_t magic;
    uint64_t order_count, refund_count, serial;
    struct till_order orders[ORDERS];
    struct till_refund refunds[REFUNDS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct till *till;
/* 1 + the record's place; 0: free. Refunds come after the orders. */
static uint32_t slots[SLOTS];

static const char *const provider_names[] = {"wechat", "alipay", "unionpay"};
static const char *const state_names[] = {"open", "paid", "closed"};
static const char *const refund_names[] = {"processing", "success", "abnormal", "closed"};

const char *till_provider_name(enum till_provider provider)
{
    return provider_names[provider];
}

bool till_provider_named(struct str name, enum till_provider *provider)
{
    for (int i = 0; i < TILL_PROVIDERS; i++)
        if (str_is(name, provider_names[i])) {
            *provider = (enum till_provider)i;
            return true;
        }
    return false;
}

const char *till_state_name(enum till_state state)
{
    return state_names[state];
}

const char *till_refund_state_name(enum till_refund_state state)
{
    return refund_names[state];
}

bool till_refund_state_named(struct str name, enum till_refund_state *state)
{
    for (size_t i = 0; i < COUNT_OF(refund_names); i++)
        if (str_is(name, refund_names[i])) {
            *state = (enum till_refund_state)i;
            return true;
        }
    return false;
}

void till_set(char *field, size_t size, struct str value)
{
    size_t length = value.len < size ? value.len : size - 1;
    memset(field, 0, size);
    if (length)
        memcpy(field, value.at, length);
}

/* ---- the index ---- */

static uint64_t place(enum till_provider provider, struct str number, bool refund)
{
    return (str_hash(number) * 31 + (uint64_t)provider * 2 + refund) % SLOTS;
}

/* The slot that holds it, or the free one where it would go. */
static uint32_t *slot_of(enum till_provider provider, struct str number, bool refund)
{
    for (uint64_t at = place(provider, number, refund);; at = (at + 1) % SLOTS) {
        uint32_t held = slots[at];
        if (!held)
            return &slots[at];
        bool is_refund = held > ORDERS;
        const char *name = is_refund ? till->refunds[held - 1 - ORDERS].number : till->orders[held - 1].number;
        enum till_provider whose = is_refund ? till->refunds[held - 1 - ORDERS].provider : till->orders[held - 1].provider;
        if (is_refund == refund && whose == provider && str_is(number, name))
            return &slots[at];
    }
}

static struct till_order *order_of(enum till_provider provider, struct str number)
{
    uint32_t held = *slot_of(provider, number, false);
    return held ? &till->orders[held - 1] : NULL;
}

static struct till_refund *refund_of(enum till_provider provider, struct str number)
{
    uint32_t held = *slot_of(provider, number, true);
    return held ? &till->refunds[held - 1 - ORDERS] : NULL;
}

static void index_all(void)
{
    memset(slots, 0, sizeof slots);
    for (uint32_t i = 0; i < till->order_count; i++)
        *slot_of(till->orders[i].provider, str_of(till->orders[i].number), false) = i + 1;
    for (uint32_t i = 0; i < till->refund_count; i++)
        *slot_of(till->refunds[i].provider, str_of(till->refunds[i].number), true) = i + 1 + ORDERS;
}

bool till_open(const char *path)
{
    int flags = MAP_SHARED | MAP_NORESERVE, file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (path && (file < 0 || ftruncate(file, sizeof *till) != 0)) {
        log_error("%s: %s", path, strerror(errno));
        return false;
    }
    void *mapped = mmap(NULL, sizeof *till, PROT_READ | PROT_WRITE, path ? flags : flags | MAP_ANONYMOUS, file, 0);
    if (file >= 0)
        close(file);
    if (mapped == MAP_FAILED) {
        log_error("the till cannot be opened: %s", strerror(errno));
        return false;
    }
    till = mapped;
    if (till->magic != MAGIC || till->order_count > ORDERS || till->refund_count > REFUNDS) {
        memset(till, 0, offsetof(struct till, orders));
        till->magic = MAGIC;
    }
    index_all();
    return true;
}

void till_clear(void)
{
    pthread_mutex_lock(&lock);
    till->order_count = till->refund_count = 0;
    memset(slots, 0, sizeof slots);
    pthread_mutex_unlock(&lock);
}

/* ---- orders ---- */

static enum till_result made_before(struct till_order *held, struct till_order *order)
{
    bool same = held->amount == order->amount && strcmp(held->time, order->time) == 0;
    enum till_result result = !same                        ? TILL_USED
                              : held->state == TILL_PAID   ? TILL_IS_PAID
                              : held->state == TILL_CLOSED ? TILL_IS_CLOSED
                                                           : TILL_SAME;
    *order = *held;
    return result;
}

enum till_result till_order_make(struct till_order *order)
{
    enum till_result result = TILL_NEW;
    pthread_mutex_lock(&lock);
    uint32_t *slot = slot_of(order->provider, str_of(order->number), false);
    if (*slot) {
        result = made_before(&till->orders[*slot - 1], order);
    } else if (till->order_count == ORDERS) {
        result = TILL_FULL;
    } else {
        order->made_at = clock_wall();
        till->orders[till->order_count] = *order;
        *slot = (uint32_t)++till->order_count;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

bool till_order_find(enum till_provider provider, struct str number, struct till_order *order)
{
    pthread_mutex_lock(&lock);
    const struct till_order *held = order_of(provider, number);
    if (held)
        *order = *held;
    pthread_mutex_unlock(&lock);
    return held != NULL;
}

bool till_order_by_handle(enum till_provider provider, struct str handle, struct till_order *order)
{
    bool found = false;
    pthread_mutex_lock(&lock);
    for (uint64_t i = till->order_count; i-- > 0 && !found;) {
        found = till->orders[i].provider == provider && str_is(handle, till->orders[i].handle);
        if (found)
            *order = till->orders[i];
    }
    pthread_mutex_unlock(&lock);
    return found;
}

/* "4200" and the like, of 28 digits; UnionPay's has 21. */
static void make_transaction(enum till_provider provider, char *text, size_t size)
{
    struct civil now = time_civil(clock_wall());
    unsigned long long serial = (unsigned long long)++till->serial;
    if (provider == TILL_UNIONPAY)
        snprintf(text, size, "%04d%02d%02d%013llu", now.year, now.month, now.day, serial);
    else
        snprintf(text, size, "%s%04d%02d%02d%016llu", provider == TILL_WECHAT ? "4200" : "2201", now.year, now.month, now.day,
                 serial);
}

enum till_result till_order_pay(enum till_provider provider, struct str number, struct str payer, struct till_order *order)
{
    pthread_mutex_lock(&lock);
    struct till_order *held = order_of(provider, number);
    enum till_result result = !held                                                            ? TILL_NONE
                              : held->state == TILL_PAID                                       ? TILL_IS_PAID
                              : held->state == TILL_CLOSED || held->expires_at <= clock_wall() ? TILL_IS_CLOSED
                                                                                               : TILL_NEW;
    if (result == TILL_NEW) {
        make_transaction(provider, held->transaction, sizeof held->transaction);
        TILL_SET(held->payer, payer);
        held->paid_at = clock_wall() / seconds(1) * seconds(1);
        held->state = TILL_PAID; /* last: who reads the file after a crash sees all of it or nothing */
    }
    if (held)
        *order = *held;
    pthread_mutex_unlock(&lock);
    return result;
}

enum till_result till_order_close(enum till_provider provider, struct str number)
{
    pthread_mutex_lock(&lock);
    struct till_order *held = order_of(provider, number);
    enum till_result result = !held                        ? TILL_NONE
                              : held->state == TILL_PAID   ? TILL_IS_PAID
                              : held->state == TILL_CLOSED ? TILL_IS_CLOSED
                                                           : TILL_NEW;
    if (result == TILL_NEW)
        held->state = TILL_CLOSED;
    pthread_mutex_unlock(&lock);
    return result;
}

/* ---- refunds ---- */

static enum till_result refund_anew(struct till_refund *refund, struct till_order *order, uint32_t *slot)
{
    if (!order)
        return TILL_NONE;
    if (order->state != TILL_PAID)
        return TILL_IS_CLOSED;
    if (refund->amount <= 0 || refund->amount > order->amount - order->refunded)
        return TILL_TOO_MUCH;
    if (till->refund_count == REFUNDS)
        return TILL_FULL;
    TILL_SET(refund->transaction, str_of(order->transaction));
    make_transaction(refund->provider, refund->id, sizeof refund->id);
    refund->made_at = clock_wall();
    refund->total = order->amount;
    order->refunded += refund->amount;
    till->refunds[till->refund_count++] = *refund;
    *slot = (uint32_t)till->refund_count + ORDERS;
    return TILL_NEW;
}

enum till_result till_refund_make(struct till_refund *refund)
{
    enum till_result result;
    pthread_mutex_lock(&lock);
    uint32_t *slot = slot_of(refund->provider, str_of(refund->number), true);
    if (*slot) {
        const struct till_refund *held = &till->refunds[*slot - 1 - ORDERS];
        bool same = held->amount == refund->amount && strcmp(held->order, refund->order) == 0;
        result = same ? TILL_SAME : TILL_USED;
        *refund = *held;
    } else {
        result = refund_anew(refund, order_of(refund->provider, str_of(refund->order)), slot);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

bool till_refund_find(enum till_provider provider, struct str number, struct till_refund *refund)
{
    pthread_mutex_lock(&lock);
    const struct till_refund *held = refund_of(provider, number);
    if (held)
        *refund = *held;
    pthread_mutex_unlock(&lock);
    return held != NULL;
}

bool till_refund_end(enum till_provider provider, struct str number, enum till_refund_state state, struct till_refund *refund)
{
    pthread_mutex_lock(&lock);
    struct till_refund *held = refund_of(provider, number);
    struct till_order *order = held ? order_of(provider, str_of(held->order)) : NULL;
    if (held && order && held->state != state) {
        if (state == TILL_REFUND_CLOSED)
            order->refunded -= held->amount;
        held->state = state;
        held->told = false;
        held->ended_at = state == TILL_PROCESSING ? 0 : clock_wall() / seconds(1) * seconds(1);
    }
    if (held)
        *refund = *held;
    pthread_mutex_unlock(&lock);
    return held != NULL;
}

void till_told(enum till_provider provider, struct str number, bool refund)
{
    pthread_mutex_lock(&lock);
    struct till_order *order = refund ? NULL : order_of(provider, number);
    struct till_refund *held = refund ? refund_of(provider, number) : NULL;
    if (order)
        order->told = true;
    if (held)
        held->told = true;
    pthread_mutex_unlock(&lock);
}

size_t till_orders(struct arena *arena, enum till_provider provider, struct till_order **list)
{
    size_t count = 0;
    pthread_mutex_lock(&lock);
    for (uint64_t i = 0; i < till->order_count; i++)
        count += till->orders[i].provider == provider;
    *list = arena_array(arena, struct till_order, count);
    count = 0;
    for (uint64_t i = 0; i < till->order_count; i++)
        if (till->orders[i].provider == provider)
            (*list)[count++] = till->orders[i];
    pthread_mutex_unlock(&lock);
    return count;
}

size_t till_refunds(struct arena *arena, enum till_provider provider, struct till_refund **list)
{
    size_t count = 0;
    pthread_mutex_lock(&lock);
    for (uint64_t i = 0; i < till->refund_count; i++)
        count += till->refunds[i].provider == provider;
    *list = arena_array(arena, struct till_refund, count);
    count = 0;
    for (uint64_t i = 0; i < till->refund_count; i++)
        if (till->refunds[i].provider == provider)
            (*list)[count++] = till->refunds[i];
    pthread_mutex_unlock(&lock);
    return count;
}
