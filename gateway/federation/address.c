/* Addresses of backends. */
#include "federation/plan.h"

static bool is_host(struct str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.at[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                    c == '_' || c == ':';
        if (!good)
            return false;
    }
    return host.len > 0 && host.len < 254;
}

bool address_parse(struct str url, struct address *address)
{
    *address = (struct address){0};
    if (str_starts(url, STR("https://")))
        address->tls = true;
    else if (!str_starts(url, STR("http://")))
        return false;
    struct str rest = str_slice(url, address->tls ? 8 : 7, url.len);
    struct str authority = str_cut(&rest, '/'), port = STR_NONE;
    if (authority.len && authority.at[0] == '[') { /* an IPv6 address, RFC 3986 §3.2.2 */
        ptrdiff_t close = str_find(authority, STR("]"));
        if (close < 0)
            return false;
        address->host = str_slice(authority, 1, (size_t)close);
        struct str after = str_slice(authority, (size_t)close + 1, authority.len);
        if (after.len && after.at[0] != ':')
            return false;
        port = after.len ? str_slice(after, 1, after.len) : STR_NONE;
    } else {
        port = authority;
        address->host = str_cut(&port, ':');
    }
    int64_t number = address->tls ? 443 : 80;
    if (!is_host(address->host) || (port.at && (!str_to_i64(port, &number) || number < 1 || number > 65535)))
        return false;
    address->port = (uint16_t)number;
    if (rest.at && rest.len) {
        address->base = (struct str){rest.at - 1, rest.len + 1};
        for (size_t i = 0; i < rest.len; i++) /* it goes into request lines as it is */
            if ((unsigned char)rest.at[i] <= ' ' || rest.at[i] == 0x7f || rest.at[i] == '?' || rest.at[i] == '#')
                return false;
        while (address->base.len && address->base.at[address->base.len - 1] == '/')
            address->base.len--;
    }
    return true;
}
