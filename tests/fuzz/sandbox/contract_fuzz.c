/* Contracts of departments, any bytes, as `shimin sandbox --contract` takes them: playable, or refused with lines that say why.
 * What is playable answers any caller with text of its own kind. */
#include "contract/contract.h"
#include "generate.h"
#include "player.h"

#include <shimin/clock.h>
#include <shimin/log.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* As the fuzzed bytes choose: a caller's inputs and the seed of a pattern's text. */
static void play(struct arena *arena, const struct player *player, struct str salt)
{
    for (unsigned i = 0; i < player->operation_count; i++) {
        const struct played_operation *played = &player->operations[i];
        struct inputs inputs = {.count = 1, .list = {{STR("id"), json_make_string(arena, salt), true}}};
        const struct generate_order order = {.department = player->slug,
                                             .operation = played->operation,
                                             .answer = &played->answer,
                                             .inputs = &inputs,
                                             .now = seconds(1772326800)};
        struct str made = generate_answer(arena, &order), again = generate_answer(arena, &order);
        struct json_error error;
        if (!str_equal(made, again))
            abort();
        if (played->answer.shape && !json_parse(arena, made, &json_limits_document, &error))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    log_set_level(LOG_ERROR + 1);
    struct str bytes = {(const char *)data, size};
    struct arena *arena = arena_open();
    struct contract_faults contract_faults;
    const struct contract *contract = contract_load(STR("fuzz.yaml"), bytes, arena, &contract_faults);
    if (contract) {
        struct text faults = text_open(arena, 64);
        struct player player = {.slug = STR("fuzz"), .number = 1, .port = 1};
        bool good = player_prepare(&player, arena, contract, NULL, false, &faults);
        if (good != (faults.len == 0))
            abort();
        if (good)
            play(arena, &player, str_is_utf8(bytes) ? str_slice(bytes, 0, 18) : STR("11010519491231002X"));
    }
    contract_free(contract);
    arena_close(arena);
    return 0;
}
