/* The YAML parser: libyaml's events, scalars resolved by the JSON schema of YAML 1.2 with a few words of the core schema. */
#include <shimin/json.h>

#include "base/json_builder.h"
#include "base/number.h"
#include "base/utf8.h"

#include <shimin/log.h>

#include <math.h>
#include <yaml.h>

/* Anchors are searched one after the other. */
#define ANCHORS_MAX 1000

struct anchor {
    struct str name;
    struct json value;
    size_t nodes;    /* of the value, all that lies within it included */
    unsigned height; /* containers nested in the value, itself included */
    uint32_t slot;   /* while it is open */
    bool open;
};

struct parser {
    yaml_parser_t yaml;
    struct arena *arena;
    struct json_builder builder;
    struct anchor *anchors;
    size_t anchor_count;
    unsigned heights[JSON_DEPTH_MAX]; /* of the tallest child so far of each open container */
    bool have_name;                   /* a key was read, its value comes next */
    bool have_document;
    struct str name;
    uint32_t duplicate_line;
};

/* ---- scalars ---- */

static const struct {
    struct str text;
    enum json_type type;
    bool boolean;
} words[] = {
    {{"", 0}, JSON_NULL, false},         {{"~", 1}, JSON_NULL, false},        {{"null", 4}, JSON_NULL, false},
    {{"Null", 4}, JSON_NULL, false},     {{"NULL", 4}, JSON_NULL, false},     {{"true", 4}, JSON_BOOLEAN, true},
    {{"True", 4}, JSON_BOOLEAN, true},   {{"TRUE", 4}, JSON_BOOLEAN, true},   {{"false", 5}, JSON_BOOLEAN, false},
    {{"False", 5}, JSON_BOOLEAN, false}, {{"FALSE", 5}, JSON_BOOLEAN, false},
};

/* Plain scalars that the core schema takes for numbers that JSON cannot write. */
static const struct str not_finite[] = {{".inf", 4},  {".Inf", 4}, {".INF", 4}, {"-.inf", 5}, {"-.Inf", 5},
                                        {"-.INF", 5}, {".nan", 4}, {".NaN", 4}, {".NAN", 4}};

/* JSON's numbers only: 0571 (an area code), 0x1F, 0o17 and +86 stay strings, as a reader of JSON would expect. */
static bool resolve_number(struct str plain, struct json *value)
{
    struct str digits = plain.at[0] == '-' ? str_slice(plain, 1, plain.len) : plain;
    if (digits.len > 1 && digits.at[0] == '0' && digits.at[1] >= '0' && digits.at[1] <= '9')
        return false;
    bool minus_zero = str_equal(plain, STR("-0"));
    if (!minus_zero && str_to_i64(plain, &value->integer)) {
        value->type = JSON_INTEGER;
        return true;
    }
    if (str_to_double(plain, &value->number)) {
        value->type = JSON_NUMBER;
        return true;
    }
    return false;
}

static enum json_fault resolve_plain(struct arena *arena, struct str plain, struct json *value)
{
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_equal(plain, words[i].text)) {
            value->type = words[i].type;
            value->boolean = words[i].boolean;
            return JSON_FAULT_NONE;
        }
    }
    for (size_t i = 0; i < COUNT_OF(not_finite); i++)
        if (str_equal(plain, not_finite[i]))
            return JSON_FAULT_YAML_FINITE;
    if (resolve_number(plain, value))
        return JSON_FAULT_NONE;
    value->type = JSON_STRING;
    value->string = str_copy(arena, plain);
    return JSON_FAULT_NONE;
}

/* ---- anchors ---- */

static struct str name_of(const yaml_char_t *name)
{
    return str_of((const char *)name);
}

/* The latest of that name: a name may be given again. */
static struct anchor *find_anchor(struct parser *parser, struct str name)
{
    for (size_t i = parser->anchor_count; i > 0; i--)
        if (str_equal(parser->anchors[i - 1].name, name))
            return &parser->anchors[i - 1];
    return NULL;
}

/* The value in the latest slot, whose nodes are counted from `before` on, has this anchor. */
static enum json_fault drop_anchor(struct parser *parser, const yaml_char_t *name, size_t before, bool open)
{
    if (!name)
        return JSON_FAULT_NONE;
    if (parser->anchor_count == ANCHORS_MAX)
        return JSON_FAULT_YAML_ANCHORS;
    if (!parser->anchors)
        parser->anchors = arena_array(parser->arena, struct anchor, ANCHORS_MAX);
    uint32_t slot = parser->builder.count - 1;
    parser->anchors[parser->anchor_count++] = (struct anchor){
        .name = str_copy(parser->arena, name_of(name)),
        .value = parser->builder.stack[slot].value,
        .nodes = open ? before : parser->builder.nodes - before,
        .slot = slot,
        .open = open,
    };
    return JSON_FAULT_NONE;
}

static void close_anchor(struct parser *parser, uint32_t slot, unsigned height)
{
    for (size_t i = parser->anchor_count; i > 0; i--) {
        struct anchor *anchor = &parser->anchors[i - 1];
        if (!anchor->open || anchor->slot != slot)
            continue;
        anchor->open = false;
        anchor->value = parser->builder.stack[slot].value;
        anchor->nodes = parser->builder.nodes - anchor->nodes;
        anchor->height = height;
        return;
    }
}

/* ---- events ---- */

static bool in_object(const struct json_builder *builder)
{
    return builder->depth > 0 && builder->frames[builder->depth - 1].is_object;
}

static enum json_fault new_slot(struct parser *parser, const yaml_event_t *event, size_t nodes, struct json **value)
{
    if (in_object(&parser->builder) && !parser->have_name)
        return JSON_FAULT_YAML_KEY;
    enum json_fault fault = json_builder_count(&parser->builder, nodes);
    if (fault)
        return fault;
    struct json_member *slot = json_builder_slot(&parser->builder);
    *slot = (struct json_member){.name = parser->have_name ? parser->name : STR_NONE};
    slot->value.line = (uint32_t)event->start_mark.line + 1;
    parser->have_name = false;
    *value = &slot->value;
    return JSON_FAULT_NONE;
}

static void note_height(struct parser *parser, unsigned height)
{
    unsigned depth = parser->builder.depth;
    if (depth > 0 && parser->heights[depth - 1] < height)
        parser->heights[depth - 1] = height;
}

static enum json_fault on_scalar(struct parser *parser, const yaml_event_t *event)
{
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (event->data.scalar.tag)
        return JSON_FAULT_YAML_TAG;
    if (in_object(&parser->builder) && !parser->have_name) {
        parser->name = str_copy(parser->arena, text);
        parser->have_name = true;
        return JSON_FAULT_NONE;
    }
    size_t before = parser->builder.nodes;
    struct json *value;
    enum json_fault fault = new_slot(parser, event, 1, &value);
    if (fault)
        return fault;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        fault = resolve_plain(parser->arena, text, value);
    } else {
        value->type = JSON_STRING;
        value->string = str_copy(parser->arena, text);
    }
    return fault ? fault : drop_anchor(parser, event->data.scalar.anchor, before, false);
}

static enum json_fault on_enter(struct parser *parser, const yaml_event_t *event, bool is_object)
{
    const yaml_char_t *tag = is_object ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    const yaml_char_t *anchor = is_object ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    if (tag)
        return JSON_FAULT_YAML_TAG;
    size_t before = parser->builder.nodes;
    struct json *value;
    enum json_fault fault = new_slot(parser, event, 1, &value);
    if (!fault)
        fault = drop_anchor(parser, anchor, before, true);
    if (!fault)
        fault = json_builder_enter(&parser->builder, is_object, NULL);
    if (!fault)
        parser->heights[parser->builder.depth - 1] = 0;
    return fault;
}

static enum json_fault on_leave(struct parser *parser)
{
    const struct json_member *duplicate;
    uint32_t slot = parser->builder.frames[parser->builder.depth - 1].slot;
    enum json_fault fault = json_builder_leave(&parser->builder, &duplicate);
    if (fault) {
        parser->duplicate_line = duplicate->value.line;
        return fault;
    }
    unsigned height = parser->heights[parser->builder.depth] + 1;
    note_height(parser, height);
    close_anchor(parser, slot, height);
    return JSON_FAULT_NONE;
}

/* Shares the anchor's children but counts them again: what ten aliases of ten aliases hold is walked by every reader. */
static enum json_fault on_alias(struct parser *parser, const yaml_event_t *event)
{
    const struct anchor *anchor = find_anchor(parser, name_of(event->data.alias.anchor));
    if (!anchor)
        return JSON_FAULT_YAML_ALIAS;
    if (anchor->open)
        return JSON_FAULT_YAML_CYCLE;
    if (parser->builder.depth + anchor->height > parser->builder.limits->depth)
        return JSON_FAULT_TOO_DEEP;
    struct json *value;
    enum json_fault fault = new_slot(parser, event, anchor->nodes, &value);
    if (fault)
        return fault;
    *value = anchor->value;
    note_height(parser, anchor->height);
    return JSON_FAULT_NONE;
}

static enum json_fault on_event(struct parser *parser, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (parser->have_document)
            return JSON_FAULT_YAML_DOCUMENTS;
        parser->have_document = true;
        return JSON_FAULT_NONE;
    case YAML_SCALAR_EVENT:
        return on_scalar(parser, event);
    case YAML_MAPPING_START_EVENT:
        return on_enter(parser, event, true);
    case YAML_SEQUENCE_START_EVENT:
        return on_enter(parser, event, false);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return on_leave(parser);
    case YAML_ALIAS_EVENT:
        return on_alias(parser, event);
    case YAML_STREAM_END_EVENT:
        return parser->have_document ? JSON_FAULT_NONE : JSON_FAULT_EMPTY;
    default:
        return JSON_FAULT_NONE;
    }
}

/* libyaml's reasons are static texts in English. */
static const struct json *fail_syntax(const yaml_parser_t *yaml, struct json_error *error)
{
    bool marked = yaml->error == YAML_SCANNER_ERROR || yaml->error == YAML_PARSER_ERROR;
    const yaml_mark_t *mark = marked ? &yaml->problem_mark : &yaml->mark;
    if (error) {
        *error = (struct json_error){
            .line = (uint32_t)mark->line + 1,
            .column = (uint32_t)mark->column + 1,
            .reason = yaml->problem ? yaml->problem : "the text is not YAML",
            .reason_zh = "YAML 语法错误",
        };
    }
    return NULL;
}

static const struct json *parse_events(struct parser *parser, struct json_error *error)
{
    for (bool ended = false; !ended;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser->yaml, &event))
            return fail_syntax(&parser->yaml, error);
        enum json_fault fault = on_event(parser, &event);
        uint32_t line = fault == JSON_FAULT_DUPLICATE ? parser->duplicate_line : (uint32_t)event.start_mark.line + 1;
        size_t column = fault == JSON_FAULT_DUPLICATE ? 1 : event.start_mark.column + 1;
        ended = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (fault)
            return json_fail(error, fault, line, column);
    }
    return arena_copy(parser->arena, &parser->builder.stack[0].value, sizeof(struct json));
}

const struct json *yaml_parse(struct arena *arena, struct str text, const struct json_limits *limits, struct json_error *error)
{
    if (text.len > limits->bytes)
        return json_fail(error, JSON_FAULT_TOO_LONG, 1, 1);
    if (!str_is_utf8(text))
        return json_fail_at(error, JSON_FAULT_UTF8, text, utf8_valid_bytes(text));

    struct parser *parser = memory_alloc(sizeof(*parser)); /* too large for a fiber's stack */
    parser->arena = arena;
    json_builder_open(&parser->builder, arena, limits);
    if (!yaml_parser_initialize(&parser->yaml))
        fatal("out of memory: no YAML parser");
    yaml_parser_set_encoding(&parser->yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser->yaml, (const unsigned char *)(text.at ? text.at : ""), text.len);
    const struct json *root = parse_events(parser, error);
    yaml_parser_delete(&parser->yaml);
    json_builder_close(&parser->builder);
    free(parser);
    return root;
}
