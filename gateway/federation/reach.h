/* Where the gateway may connect to on a department's word: public addresses, and what the administrator opened. */
#ifndef FEDERATION_REACH_H
#define FEDERATION_REACH_H

#include <shimin/str.h>
#include <sys/socket.h>

/* A range of addresses in IPv6's form; IPv4 as ::ffff:a.b.c.d. */
struct range {
    uint8_t base[16];
    unsigned bits;
};

struct reach {
    const struct range *opened;
    size_t count;
    bool public_closed; /* public addresses only where a range opens them */
};

/* "10.20.0.0/16", "fd12:3456::/32", or one address. false with a static reason: it is no range, or it is wider than the special
 * range that it would open, which has to be named as such. */
MUST_CHECK bool range_parse(struct str text, struct range *range, const char **reason);
/* NULL when the address may be connected to; else static words why not ("loopback", "link-local", …). An address that carries
 * an IPv4 address inside (mapped, NAT64) is judged as that one. */
const char *reach_refusal(const struct reach *reach, const struct sockaddr *address);

#endif
