/* A hash table from slugs to indices, filled once and then only read. */
#include "catalogue/definitions.h"

void slug_table_open(struct slug_table *table, struct arena *arena, size_t entries)
{
    size_t room = 16;
    while (room < entries * 2)
        room *= 2;
    *table = (struct slug_table){.entries = arena_array(arena, struct slug_entry, room), .mask = room - 1};
}

static struct slug_entry *place_of(const struct slug_table *table, struct str slug)
{
    size_t at = str_hash(slug) & table->mask;
    while (table->entries[at].slug.at && !str_equal(table->entries[at].slug, slug))
        at = (at + 1) & table->mask;
    return &table->entries[at];
}

bool slug_table_add(struct slug_table *table, struct str slug, unsigned index)
{
    struct slug_entry *entry = place_of(table, slug);
    if (entry->slug.at)
        return false;
    *entry = (struct slug_entry){slug, index};
    return true;
}

int64_t slug_table_find(const struct slug_table *table, struct str slug)
{
    if (!table->entries)
        return -1;
    const struct slug_entry *entry = place_of(table, slug);
    return entry->slug.at ? (int64_t)entry->index : -1;
}
