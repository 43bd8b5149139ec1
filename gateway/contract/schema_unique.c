/* Whether an array's items are all different, in n log n: by hashes that agree where JSON Schema sees equality. */
#include "contract/schema_node.h"

#include <stdlib.h>
#include <string.h>

/* Up to here every pair is compared; beyond it the hashes are sorted. */
#define PAIRS_MAX 12

static uint64_t mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

/* 1 and 1.0 hash alike, and members in any order. *nodes counts what was looked at. */
static uint64_t value_hash(const struct json *value, uint64_t *nodes)
{
    uint64_t hash = 0;
    ++*nodes;
    switch (value->type) {
    case JSON_NULL:
        return 0x6e756c6c;
    case JSON_BOOLEAN:
        return value->boolean ? 0x74727565 : 0x66616c73;
    case JSON_INTEGER:
    case JSON_NUMBER: {
        double number = json_as_double(value) + 0.0; /* -0 is 0 */
        memcpy(&hash, &number, sizeof hash);
        return mix(hash + 1);
    }
    case JSON_STRING:
        *nodes += value->string.len / 64;
        return mix(str_hash(value->string) + 2);
    case JSON_ARRAY:
        for (uint32_t i = 0; i < value->count; i++)
            hash = mix(hash + value_hash(&value->items[i], nodes));
        return mix(hash + 3);
    case JSON_OBJECT:
        for (uint32_t i = 0; i < value->count; i++)
            hash += mix(str_hash(value->members[i].name) ^ mix(value_hash(&value->members[i].value, nodes)));
        return mix(hash + 4);
    }
    return 0;
}

struct hashed {
    uint64_t hash;
    const struct json *item;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static void release(struct hashed **list)
{
    free(*list);
}

static void spend(uint64_t *work, uint64_t cost)
{
    *work -= cost < *work ? cost : *work;
}

bool items_are_unique(const struct json *array, uint64_t *work)
{
    uint32_t count = array->count;
    if (count < 2)
        return true;
    struct hashed few[PAIRS_MAX];
    CLEANUP(release) struct hashed *many = count > PAIRS_MAX ? memory_alloc(count * sizeof *many) : NULL;
    struct hashed *list = many ? many : few;
    uint64_t nodes = 0;
    for (uint32_t i = 0; i < count; i++)
        list[i] = (struct hashed){value_hash(&array->items[i], &nodes), &array->items[i]};
    if (many)
        qsort(list, count, sizeof *list, by_hash);
    spend(work, nodes);
    /* Equal hashes of different values are made only on purpose: each comparison is paid for. */
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = i + 1; k < count; k++) {
            if (list[i].hash != list[k].hash) {
                if (many)
                    break;
                continue;
            }
            if (*work == 0 || json_equal(list[i].item, list[k].item))
                return false;
            spend(work, 16);
        }
    }
    return true;
}
