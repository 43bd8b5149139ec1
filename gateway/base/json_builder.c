/* Building a tree of JSON values: closing containers, refusing duplicate names, wording faults. */
#include "base/json_builder.h"

#include <shimin/id.h>

#include <pthread.h>

const struct json_limits json_limits_request = {.depth = 32, .bytes = 1 << 20, .nodes = 100000};
const struct json_limits json_limits_answer = {.depth = 32, .bytes = 8 << 20, .nodes = 1000000};
const struct json_limits json_limits_document = {.depth = JSON_DEPTH_MAX, .bytes = 16 << 20, .nodes = 2000000};

static const struct {
    const char *reason, *reason_zh;
} faults[] = {
    [JSON_FAULT_NONE] = {"no fault", "无错误"},
    [JSON_FAULT_TOO_LONG] = {"the text is too long", "内容过长"},
    [JSON_FAULT_TOO_DEEP] = {"arrays and objects are nested too deeply", "数组或对象嵌套过深"},
    [JSON_FAULT_TOO_MANY] = {"the text has too many values", "值的数量过多"},
    [JSON_FAULT_UTF8] = {"the text is not valid UTF-8", "内容不是有效的 UTF-8 编码"},
    [JSON_FAULT_EMPTY] = {"the text is empty", "内容为空"},
    [JSON_FAULT_END] = {"the text ends too early", "内容不完整"},
    [JSON_FAULT_VALUE] = {"a value was expected", "此处应为一个值"},
    [JSON_FAULT_NAME] = {"a member name in double quotes was expected", "此处应为双引号中的成员名"},
    [JSON_FAULT_COLON] = {"a colon was expected after the member name", "成员名之后应为冒号"},
    [JSON_FAULT_ARRAY] = {"a comma or the end of the array was expected", "此处应为逗号或数组结尾"},
    [JSON_FAULT_OBJECT] = {"a comma or the end of the object was expected", "此处应为逗号或对象结尾"},
    [JSON_FAULT_AFTER] = {"something follows the value", "值之后有多余内容"},
    [JSON_FAULT_CONTROL] = {"a control character in a string must be escaped", "字符串中的控制字符必须转义"},
    [JSON_FAULT_ESCAPE] = {"the string has an unknown escape", "字符串中有无法识别的转义"},
    [JSON_FAULT_SURROGATE] = {"the string has half of a surrogate pair", "字符串中有不成对的代理项"},
    [JSON_FAULT_NUMBER] = {"the number is malformed", "数字格式错误"},
    [JSON_FAULT_RANGE] = {"the number is out of range", "数字超出范围"},
    [JSON_FAULT_DUPLICATE] = {"the object already has a member of this name", "对象中有重复的成员名"},
    [JSON_FAULT_YAML_TAG] = {"tags are not supported", "不支持标签"},
    [JSON_FAULT_YAML_KEY] = {"a key must be a scalar", "键必须是标量"},
    [JSON_FAULT_YAML_DOCUMENTS] = {"there must be exactly one document", "必须只有一个文档"},
    [JSON_FAULT_YAML_ALIAS] = {"the alias names no anchor before it", "别名之前没有对应的锚点"},
    [JSON_FAULT_YAML_CYCLE] = {"the alias lies within what it names", "别名位于其所指内容之内"},
    [JSON_FAULT_YAML_FINITE] = {"JSON has no infinity and no NaN", "JSON 中没有无穷大与非数"},
    [JSON_FAULT_YAML_ANCHORS] = {"the document has too many anchors", "锚点数量过多"},
};

const struct json *json_fail(struct json_error *error, enum json_fault fault, uint32_t line, size_t column)
{
    if (error) {
        *error = (struct json_error){
            .line = line,
            .column = (uint32_t)column,
            .reason = faults[fault].reason,
            .reason_zh = faults[fault].reason_zh,
        };
    }
    return NULL;
}

const struct json *json_fail_at(struct json_error *error, enum json_fault fault, struct str text, size_t offset)
{
    uint32_t line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (text.at[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    return json_fail(error, fault, line, offset - line_start + 1);
}

/* ---- duplicate names ---- */

/* Fewer are compared in pairs; the hash is secret to the process, or a citizen could send names that all collide. */
#define PAIRWISE 12

static uint64_t secret[2];
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;

static void make_secret(void)
{
    random_bytes(secret, sizeof(secret));
    secret[1] |= 1;
}

/* Folded 128-bit products, as in wyhash. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_name(struct str name)
{
    uint64_t hash = secret[0] ^ name.len, part = 0;
    size_t i = 0;
    for (; name.len - i >= 8; i += 8) {
        memcpy(&part, name.at + i, 8);
        hash = fold(hash ^ part, secret[1] ^ UINT64_C(0xa0761d6478bd642f));
    }
    part = 0;
    if (name.len > i)
        memcpy(&part, name.at + i, name.len - i);
    return fold(hash ^ part ^ UINT64_C(0xe7037ed1a0b428db), secret[1]);
}

static uint32_t find_duplicate_pairwise(const struct json_member *members, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct str name = members[i].name;
        for (uint32_t j = 0; j < i; j++)
            if (members[j].name.len == name.len && memcmp(members[j].name.at, name.at, name.len) == 0)
                return i;
    }
    return count;
}

uint32_t json_find_duplicate(const struct json_member *members, uint32_t count)
{
    if (count <= PAIRWISE)
        return find_duplicate_pairwise(members, count);
    pthread_once(&secret_once, make_secret);
    size_t room = 32;
    while (room < (size_t)count * 2)
        room *= 2;
    uint32_t near[256]; /* index + 1; 0 is free */
    uint32_t *table = room <= COUNT_OF(near) ? memset(near, 0, room * sizeof(*table)) : memory_alloc(room * sizeof(*table));
    uint32_t found = count;
    for (uint32_t i = 0; i < count && found == count; i++) {
        size_t at = hash_name(members[i].name) & (room - 1);
        for (; table[at] != 0 && found == count; at = (at + 1) & (room - 1))
            if (str_equal(members[table[at] - 1].name, members[i].name))
                found = i;
        table[at] = i + 1;
    }
    if (table != near)
        free(table);
    return found;
}

/* ---- the stack ---- */

void json_builder_widen(struct json_builder *builder)
{
    bool first = builder->stack == builder->near;
    uint32_t room = builder->room * 2;
    struct json_member *stack = memory_grow(first ? NULL : builder->stack, room * sizeof(*stack));
    if (first)
        memcpy(stack, builder->near, sizeof(builder->near));
    builder->stack = stack;
    builder->room = room;
}

enum json_fault json_builder_leave(struct json_builder *builder, const struct json_member **duplicate)
{
    const struct json_frame *frame = &builder->frames[--builder->depth];
    struct json_member *children = &builder->stack[frame->slot + 1];
    struct json *value = &builder->stack[frame->slot].value;
    uint32_t count = builder->count - frame->slot - 1;
    value->type = frame->is_object ? JSON_OBJECT : JSON_ARRAY;
    value->count = count;
    value->members = NULL;
    builder->count = frame->slot + 1;
    if (count == 0)
        return JSON_FAULT_NONE;
    if (frame->is_object) {
        uint32_t repeated = json_find_duplicate(children, count);
        if (repeated < count) {
            *duplicate = &children[repeated];
            return JSON_FAULT_DUPLICATE;
        }
        value->members = arena_copy(builder->arena, children, count * sizeof(*children));
        return JSON_FAULT_NONE;
    }
    value->items = arena_alloc_raw(builder->arena, count * sizeof(struct json));
    for (uint32_t i = 0; i < count; i++)
        value->items[i] = children[i].value;
    return JSON_FAULT_NONE;
}
