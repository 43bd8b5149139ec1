/* Two versions of a contract: any bytes, parted by the first NUL. What loads can be compared, and does not differ from itself.
 */
#include "contract/contract_diff.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const unsigned char *parting = memchr(data, 0, size);
    size_t first = parting ? (size_t)(parting - data) : size, rest = parting ? size - first - 1 : 0;
    struct arena *arena = arena_open();
    struct contract_faults faults;
    const struct contract *before = contract_load(STR("before"), (struct str){(const char *)data, first}, arena, &faults);
    const struct contract *after =
        parting ? contract_load(STR("after"), (struct str){(const char *)parting + 1, rest}, arena, &faults) : NULL;
    struct changes changes;
    if (before) {
        contract_diff(arena, before, before, &changes);
        if (changes.count)
            abort();
    }
    if (before && after) {
        contract_diff(arena, before, after, &changes);
        for (size_t i = 0; i < changes.count; i++)
            if (changes.list[i].pointer.len && !json_at(before->document, changes.list[i].pointer) &&
                !json_at(after->document, changes.list[i].pointer))
                abort();
    }
    contract_free(before);
    contract_free(after);
    arena_close(arena);
    return 0;
}
