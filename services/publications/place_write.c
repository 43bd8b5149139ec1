/* The JSON forms of places. */
#include "place.h"

static const char *const open_names[] = {[OPEN_UNKNOWN] = "unknown", [OPEN_NO] = "closed", [OPEN_YES] = "open"};

static void write_optional(struct json_out *out, const char *name, struct str value)
{
    json_key(out, name);
    if (value.at)
        json_put(out, value);
    else
        json_put_null(out);
}

/* Six decimals are a tenth of a metre (RFC 7946 §11.2). */
static double rounded(double degrees)
{
    return (double)(int64_t)(degrees * 1e6 + (degrees < 0 ? -0.5 : 0.5)) / 1e6;
}

static void write_properties(struct json_out *out, const struct place *place)
{
    json_field(out, "name", place->name);
    json_field(out, "address", place->address);
    write_optional(out, "category", place->category);
    write_optional(out, "phone_number", place->phone_number);
    write_optional(out, "opening_hours", place->opening_hours);
    json_field_c(out, "open", open_names[place->open]);
    if (place->distance >= 0)
        json_field_i64(out, "distance", (int64_t)(place->distance + 0.5));
    json_field_raw(out, "details", place->details);
}

static void write_page(struct json_out *out, const struct place_page *page)
{
    json_key(out, "next_cursor");
    if (page->next_cursor.at)
        json_put(out, page->next_cursor);
    else
        json_put_null(out);
    json_field(out, "as_of", page->as_of);
    json_field(out, "source", page->source);
    json_field_bool(out, "stale", page->stale);
}

void places_write_json(struct json_out *out, const struct place_page *page)
{
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < page->count; i++) {
        const struct place *place = &page->places[i];
        json_object(out);
        json_field(out, "id", place->id);
        json_key(out, "location");
        if (place->located) {
            json_object(out);
            json_key(out, "latitude");
            json_put_double(out, rounded(place->position.latitude));
            json_key(out, "longitude");
            json_put_double(out, rounded(place->position.longitude));
            json_end(out);
        } else {
            json_put_null(out);
        }
        write_properties(out, place);
        json_end(out);
    }
    json_end(out);
    write_page(out, page);
    json_end(out);
}

static void write_geometry(struct json_out *out, const struct place *place)
{
    json_key(out, "geometry");
    if (!place->located) {
        json_put_null(out);
        return;
    }
    json_object(out);
    json_field_c(out, "type", "Point");
    json_key(out, "coordinates");
    json_array(out);
    json_put_double(out, rounded(place->position.longitude));
    json_put_double(out, rounded(place->position.latitude));
    json_end(out);
    json_end(out);
}

void places_write_geojson(struct json_out *out, const struct place_page *page)
{
    json_object(out);
    json_field_c(out, "type", "FeatureCollection");
    json_key(out, "features");
    json_array(out);
    for (size_t i = 0; i < page->count; i++) {
        json_object(out);
        json_field_c(out, "type", "Feature");
        json_field(out, "id", page->places[i].id);
        write_geometry(out, &page->places[i]);
        json_key(out, "properties");
        json_object(out);
        write_properties(out, &page->places[i]);
        json_end(out);
        json_end(out);
    }
    json_end(out);
    write_page(out, page);
    json_end(out);
}
