/* Opening hours: any bytes; what is understood is a sorted list of spans within the week that Postgres would take. */
#include "publications/opening_hours.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct opening opening;
    if (!opening_parse((struct str){(const char *)data, size}, &opening))
        return 0;
    int last = -1;
    for (unsigned i = 0; i < opening.count; i++) {
        if (opening.spans[i].from <= last || opening.spans[i].until <= opening.spans[i].from ||
            opening.spans[i].until > WEEK_MINUTES || !opening_contains(opening.spans, opening.count, opening.spans[i].from))
            abort();
        last = opening.spans[i].until;
    }
    return 0;
}
