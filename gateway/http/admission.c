/* How many connections an address has, in all workers, without a lock.
 *
 * Two rows of counters, each indexed by its own keyed hash of the address (a count-min sketch): an address is refused when
 * both its counters are over the limit, so one heavy address makes trouble for another only if they meet in both rows (1 in
 * 4 milliards), and nobody outside can compute where they meet. Fixed memory, no allocation by whoever connects. */
#include <netinet/in.h>
#include <pthread.h>
#include <shimin/id.h>
#include <stdatomic.h>
#include <string.h>

#include "http/server_internal.h"

enum { ROW = 65536 };

static atomic_uint rows[2][ROW];
static uint64_t keys[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_keys(void)
{
    random_bytes(keys, sizeof keys);
}

/* IPv4 whole; IPv6 by its first 64 bits, since a subscriber has at least those. */
static uint64_t number_of(const struct sockaddr *peer)
{
    uint64_t number = 0;
    if (peer->sa_family == AF_INET) {
        memcpy(&number, &((const struct sockaddr_in *)peer)->sin_addr, 4);
    } else if (peer->sa_family == AF_INET6) {
        const struct in6_addr *address = &((const struct sockaddr_in6 *)peer)->sin6_addr;
        memcpy(&number, IN6_IS_ADDR_V4MAPPED(address) ? address->s6_addr + 12 : address->s6_addr,
               IN6_IS_ADDR_V4MAPPED(address) ? 4 : 8);
    }
    return number;
}

/* The finaliser of SplitMix64 over the keyed number. */
static uint16_t place(uint64_t number, uint64_t key)
{
    uint64_t x = number ^ key;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint16_t)(((x ^ (x >> 31)) * key) >> 48);
}

bool admission_enter(const struct sockaddr *peer, unsigned limit)
{
    pthread_once(&once, make_keys);
    uint64_t number = number_of(peer);
    unsigned least = UINT32_MAX;
    for (int i = 0; i < 2; i++) {
        unsigned before = atomic_fetch_add_explicit(&rows[i][place(number, keys[i])], 1, memory_order_relaxed);
        least = before < least ? before : least;
    }
    if (least < limit)
        return true;
    admission_leave(peer);
    return false;
}

void admission_leave(const struct sockaddr *peer)
{
    uint64_t number = number_of(peer);
    for (int i = 0; i < 2; i++)
        atomic_fetch_sub_explicit(&rows[i][place(number, keys[i])], 1, memory_order_relaxed);
}
