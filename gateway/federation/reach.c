/* Where the gateway may connect to on a department's word.
 *
 * Special are the ranges of the IANA registries of special-purpose addresses (RFC 6890) and the addresses at which clouds hand
 * out their machines' credentials. The narrowest special range that an address lies in decides, and it is opened only by a
 * range within it: who opens 169.254.0.0/16 has not opened 169.254.169.254, and nobody opens everything by 0.0.0.0/0. */
#include "federation/reach.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

static const struct {
    const char *range, *name;
} special_ranges[] = {
    {"0.0.0.0/8", "unspecified"},
    {"10.0.0.0/8", "private"},
    {"100.64.0.0/10", "shared by carriers (CGNAT)"},
    {"100.100.100.200/32", "a cloud's metadata service"},
    {"127.0.0.0/8", "loopback"},
    {"168.63.129.16/32", "a cloud's metadata service"},
    {"169.254.0.0/16", "link-local"},
    {"169.254.169.254/32", "a cloud's metadata service"},
    {"169.254.170.2/32", "a cloud's metadata service"},
    {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "reserved"},
    {"192.0.2.0/24", "for documentation"},
    {"192.88.99.0/24", "reserved"},
    {"192.168.0.0/16", "private"},
    {"198.18.0.0/15", "for benchmarks"},
    {"198.51.100.0/24", "for documentation"},
    {"203.0.113.0/24", "for documentation"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
    {"255.255.255.255/32", "broadcast"},
    /* Of IPv6 only 2000::/3 is public, less what follows. */
    {"::/3", "reserved"},
    {"::/128", "unspecified"},
    {"::1/128", "loopback"},
    {"64:ff9b:1::/48", "a local translation"},
    {"2001::/23", "reserved"},
    {"2001:db8::/32", "for documentation"},
    {"2002::/16", "a tunnel (6to4)"},
    {"3fff::/20", "for documentation"},
    {"4000::/2", "reserved"},
    {"8000::/1", "reserved"},
    {"fc00::/7", "private (unique local)"},
    {"fd00:ec2::254/128", "a cloud's metadata service"},
    {"fd20:ce::254/128", "a cloud's metadata service"},
    {"fe80::/10", "link-local"},
    {"fec0::/10", "private (site-local)"},
    {"ff00::/8", "multicast"},
};

static struct range specials[COUNT_OF(special_ranges)];
static pthread_once_t specials_once = PTHREAD_ONCE_INIT;

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

static bool lies_in(const uint8_t address[16], const struct range *range)
{
    unsigned bytes = range->bits / 8, rest = range->bits % 8;
    return memcmp(address, range->base, bytes) == 0 &&
           (!rest || ((address[bytes] ^ range->base[bytes]) & (0xff00 >> rest & 0xff)) == 0);
}

static bool is_prefix(const struct range *range)
{
    for (unsigned i = range->bits; i < 128; i++)
        if (range->base[i / 8] & (0x80 >> i % 8))
            return false;
    return true;
}

static bool range_read(struct str text, struct range *range, const char **reason)
{
    char host[INET6_ADDRSTRLEN];
    struct str rest = text, address = str_cut(&rest, '/');
    int64_t bits = -1;
    *range = (struct range){0};
    *reason = "is no range of addresses such as 10.20.0.0/16 or fd12:3456::/32";
    if (!address.len || address.len >= sizeof host || (rest.at && (!str_to_i64(rest, &bits) || bits < 0)))
        return false;
    memcpy(host, address.at, address.len);
    host[address.len] = '\0';
    int64_t most = 128;
    if (inet_pton(AF_INET, host, range->base + sizeof mapped) == 1) {
        memcpy(range->base, mapped, sizeof mapped);
        most = 32;
    } else if (inet_pton(AF_INET6, host, range->base) != 1) {
        return false;
    }
    if (bits > most)
        return false;
    range->bits = (unsigned)((rest.at ? bits : most) + 128 - most);
    *reason = "has bits set behind its prefix";
    return is_prefix(range);
}

static void read_specials(void)
{
    const char *reason;
    for (size_t i = 0; i < COUNT_OF(specials); i++)
        if (!range_read(str_of(special_ranges[i].range), &specials[i], &reason))
            specials[i].bits = 128; /* the test reads every line of the table */
}

/* The mapped form is IPv4, and no part of ::/3. */
static bool is_ipv4(const uint8_t address[16])
{
    return memcmp(address, mapped, sizeof mapped) == 0;
}

/* The narrowest special range of the address, or -1. */
static int special_of(const uint8_t address[16])
{
    int found = -1;
    pthread_once(&specials_once, read_specials);
    for (size_t i = 0; i < COUNT_OF(specials); i++)
        if (is_ipv4(address) == is_ipv4(specials[i].base) && lies_in(address, &specials[i]) &&
            (found < 0 || specials[i].bits > specials[found].bits))
            found = (int)i;
    return found;
}

bool range_parse(struct str text, struct range *range, const char **reason)
{
    if (!range_read(text, range, reason))
        return false;
    *reason = "is wider than the loopback, private or other special range that lies in it: name that very range";
    int around = special_of(range->base);
    if (around >= 0 && specials[around].bits <= range->bits)
        return true; /* within one: it opens that and none of those inside */
    for (size_t i = 0; i < COUNT_OF(specials); i++)
        if (specials[i].bits >= range->bits && lies_in(specials[i].base, range))
            return false;
    return true;
}

static void read_address(const struct sockaddr *address, uint8_t bytes[16])
{
    if (address->sa_family == AF_INET) {
        memcpy(bytes, mapped, sizeof mapped);
        memcpy(bytes + sizeof mapped, &((const struct sockaddr_in *)address)->sin_addr, 4);
        return;
    }
    memcpy(bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    if (memcmp(bytes, nat64, sizeof nat64) == 0)
        memcpy(bytes, mapped, sizeof mapped);
}

static bool opens(const struct reach *reach, const uint8_t address[16], unsigned least_bits)
{
    for (size_t i = 0; i < reach->count; i++)
        if (reach->opened[i].bits >= least_bits && lies_in(address, &reach->opened[i]))
            return true;
    return false;
}

const char *reach_refusal(const struct reach *reach, const struct sockaddr *address)
{
    uint8_t bytes[16];
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
        return "no internet address";
    read_address(address, bytes);
    int special = special_of(bytes);
    if (special >= 0)
        return opens(reach, bytes, specials[special].bits) ? NULL : special_ranges[special].name;
    return !reach->public_closed || opens(reach, bytes, 0) ? NULL : "public";
}
