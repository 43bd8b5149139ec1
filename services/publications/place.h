/* A place as it is answered, wherever it was read from. */
#ifndef SERVICES_PUBLICATIONS_PLACE_H
#define SERVICES_PUBLICATIONS_PLACE_H

#include "coordinates.h"

#include <shimin/json.h>

enum open_state { OPEN_UNKNOWN, OPEN_NO, OPEN_YES };

struct place {
    struct str id, name, address;
    struct str opening_hours, phone_number, category; /* at == NULL: not given */
    struct str details;                               /* the department's item, as JSON */
    bool located;
    struct position position;
    double distance; /* metres; negative: nobody asked from where */
    enum open_state open;
};

enum { MINUTE_ANY = -1 };

/* What is looked for. */
struct place_search {
    struct str slug;
    bool near;
    struct position from;
    double radius;
    int open_minute;   /* of the week; MINUTE_ANY: whether open or not */
    int answer_minute; /* of which the answer says whether it is open */
    struct str category;
    struct str text;       /* lower case, words parted by one space; at == NULL: any */
    double after_distance; /* the last place of the page before: by distance, … */
    struct str after_name; /* … or by name */
    struct str after_id;
    size_t limit; /* places; one more is read, to know whether there is more */
};

/* What the page says beside its places. */
struct place_page {
    const struct place *places;
    size_t count;
    struct str next_cursor; /* at == NULL: none */
    struct str as_of, source;
    bool stale;
};

void places_write_json(struct json_out *out, const struct place_page *page);
/* A FeatureCollection (RFC 7946), with the page's members as foreign members of it. */
void places_write_geojson(struct json_out *out, const struct place_page *page);

#endif
