/* Contracts: any bytes. What loads can be routed, bundled and looked through; what does not load has faults. */
#include "contract/router.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void use(struct arena *arena, const struct contract *contract)
{
    struct router *router = router_new(arena);
    for (unsigned i = 0; i < contract->operation_count; i++) {
        const struct operation *operation = &contract->operations[i];
        struct str reason;
        struct route_match match;
        if (router_add(router, operation, NULL, &reason))
            router_match(router, operation->method, operation->path, &match);
        const struct response *response = operation_response(operation, 200);
        if (response)
            (void)media_for(response->media, response->media_count, STR("application/json"));
        for (unsigned k = 0; k < operation->parameter_count; k++)
            if (parameter_read(arena, &operation->parameters[k], STR("1,a"), NULL) == operation->source)
                abort();
    }
    struct contract_faults faults;
    const struct contract *const two[] = {contract, contract};
    const struct json *head = json_make_object(arena);
    const struct json *bundle = contract_bundle(arena, head, two, 1, &faults);
    if (bundle && json_text(arena, bundle).len == 0)
        abort();
    bundle = contract_bundle(arena, head, two, 2, &faults);
    if (!bundle && faults.count == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena *arena = arena_open();
    struct contract_faults faults;
    const struct contract *contract = contract_load(STR("fuzz.yaml"), (struct str){(const char *)data, size}, arena, &faults);
    if (!contract && faults.count == 0)
        abort();
    if (contract)
        use(arena, contract);
    contract_free(contract);
    arena_close(arena);
    return 0;
}
