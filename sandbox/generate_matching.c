/* A text that matches a regular expression (ECMA-262), by walking it: of alternatives one is chosen, of classes a character, of
 * repeats a number near the least. Works on ranges of the pattern; nothing is compiled. */
#include "generate.h"

enum { EXTRA_REPEATS = 3, REPEATS_MOST = 512, GROUPS_MOST = 24, RANGES_MOST = 32, OUTPUT_MOST = 4096 };

struct walk {
    struct text *out;
    uint64_t state;
    unsigned depth;
    bool failed;
};

struct range {
    uint32_t first, last;
};

/* ---- characters ---- */

static void put_point(struct text *out, uint32_t point)
{
    if (point < 0x80) {
        text_add_char(out, (char)point);
    } else if (point < 0x800) {
        text_add_char(out, (char)(0xc0 | point >> 6));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        text_add_char(out, (char)(0xe0 | point >> 12));
        text_add_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    } else {
        text_add_char(out, (char)(0xf0 | point >> 18));
        text_add_char(out, (char)(0x80 | (point >> 12 & 0x3f)));
        text_add_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    }
}

/* One code point of valid UTF-8 off the front. */
static uint32_t take_point(struct str *rest)
{
    unsigned char lead = (unsigned char)rest->at[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    length = length > rest->len ? rest->len : length;
    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((unsigned char)rest->at[i] & 0x3f);
    *rest = str_slice(*rest, length, rest->len);
    return point;
}

static bool take_hex(struct str *rest, size_t most, uint32_t *point)
{
    size_t count = 0;
    *point = 0;
    for (; count < most && count < rest->len; count++) {
        char c = rest->at[count];
        uint32_t digit = c >= '0' && c <= '9'                 ? (uint32_t)(c - '0')
                         : (c | 32) >= 'a' && (c | 32) <= 'f' ? (uint32_t)((c | 32) - 'a' + 10)
                                                              : 16;
        if (digit == 16)
            break;
        *point = *point * 16 + digit;
    }
    *rest = str_slice(*rest, count, rest->len);
    return count > 0;
}

static const struct {
    char letter;
    struct range ranges[3];
    unsigned count;
} classes[] = {
    {'d', {{'0', '9'}}, 1}, {'w', {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}}, 3},
    {'s', {{' ', ' '}}, 1}, {'D', {{'a', 'z'}}, 1},
    {'W', {{'-', '-'}}, 1}, {'S', {{'a', 'z'}}, 1},
};

/* After a backslash: ranges of a class, or one character. */
static unsigned take_escape(struct walk *walk, struct str *rest, struct range *ranges)
{
    if (!rest->len) {
        walk->failed = true;
        return 0;
    }
    char letter = rest->at[0];
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        if (classes[i].letter != letter)
            continue;
        *rest = str_slice(*rest, 1, rest->len);
        for (unsigned j = 0; j < classes[i].count; j++)
            ranges[j] = classes[i].ranges[j];
        return classes[i].count;
    }
    uint32_t point = take_point(rest);
    if (letter == 'n' || letter == 't' || letter == 'r') {
        point = letter == 'n' ? '\n' : letter == 't' ? '\t' : '\r';
    } else if (letter == 'u' || letter == 'x') {
        bool braces = rest->len && rest->at[0] == '{';
        *rest = str_slice(*rest, braces, rest->len);
        walk->failed |= !take_hex(rest, braces ? 6 : letter == 'u' ? 4 : 2, &point);
        *rest = str_slice(*rest, braces && rest->len, rest->len);
    } else if ((letter >= '1' && letter <= '9') || letter == 'b' || letter == 'B' || letter == 'k' || letter == 'p' ||
               letter == 'P') {
        walk->failed = true; /* references, boundaries, properties */
    }
    ranges[0] = (struct range){point, point};
    return 1;
}

static bool in_ranges(const struct range *ranges, unsigned count, uint32_t point)
{
    for (unsigned i = 0; i < count; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

static void emit_from(struct walk *walk, const struct range *ranges, unsigned count, bool negated)
{
    if (negated) {
        for (uint32_t attempt = 0; attempt < 128; attempt++) {
            uint32_t point = attempt < 26 ? 'a' + attempt : ' ' + attempt - 26;
            if (!in_ranges(ranges, count, point) && point < 0x7f) {
                put_point(walk->out, point);
                return;
            }
        }
        walk->failed = true;
        return;
    }
    if (!count) {
        walk->failed = true;
        return;
    }
    struct range range = ranges[generate_random(&walk->state) % count];
    put_point(walk->out, range.first + (uint32_t)(generate_random(&walk->state) % (range.last - range.first + 1)));
}

/* Inside the brackets. */
static void emit_class(struct walk *walk, struct str inside)
{
    struct range ranges[RANGES_MOST];
    unsigned count = 0;
    bool negated = inside.len && inside.at[0] == '^';
    struct str rest = str_slice(inside, negated, inside.len);
    while (rest.len && count + 3 < RANGES_MOST && !walk->failed) {
        unsigned added = 1;
        if (rest.at[0] == '\\') {
            rest = str_slice(rest, 1, rest.len);
            added = take_escape(walk, &rest, &ranges[count]);
        } else {
            ranges[count].first = take_point(&rest);
            ranges[count].last = ranges[count].first;
        }
        if (added == 1 && rest.len > 1 && rest.at[0] == '-') {
            struct range end[3] = {{0}};
            rest = str_slice(rest, 1, rest.len);
            bool escaped = rest.at[0] == '\\';
            rest = str_slice(rest, escaped, rest.len);
            if (escaped)
                take_escape(walk, &rest, end);
            else
                end[0].last = take_point(&rest);
            ranges[count].last = end[0].last;
            walk->failed |= ranges[count].last < ranges[count].first;
        }
        count += added;
    }
    if (!walk->failed)
        emit_from(walk, ranges, count, negated);
}

/* ---- structure ---- */

/* Where the class or group that begins at `at` ends: the index of its closing bracket, or the length. */
static size_t closing(struct str s, size_t at)
{
    unsigned groups = 0;
    bool in_class = false;
    for (size_t i = at; i < s.len; i++) {
        char c = s.at[i];
        if (c == '\\')
            i++;
        else if (in_class)
            in_class = c != ']';
        else if (c == '[')
            in_class = true;
        else if (c == '(')
            groups++;
        else if (c == ')')
            groups--;
        if (!in_class && !groups && (c == ']' || c == ')') && i > at)
            return i;
    }
    return s.len;
}

static int64_t take_count(struct str *rest)
{
    int64_t count = -1;
    while (rest->len && rest->at[0] >= '0' && rest->at[0] <= '9' && count < REPEATS_MOST) {
        count = (count < 0 ? 0 : count) * 10 + (rest->at[0] - '0');
        *rest = str_slice(*rest, 1, rest->len);
    }
    return count;
}

/* How often the atom before is repeated. */
static unsigned take_repeats(struct walk *walk, struct str *rest)
{
    char sign = rest->len ? rest->at[0] : 0;
    int64_t least = 1, most = 1;
    if (sign == '*' || sign == '+' || sign == '?') {
        least = sign == '+';
        most = sign == '?' ? 1 : least + EXTRA_REPEATS;
        *rest = str_slice(*rest, 1, rest->len);
    } else if (sign == '{' && rest->len > 1 && rest->at[1] >= '0' && rest->at[1] <= '9') {
        *rest = str_slice(*rest, 1, rest->len);
        least = most = take_count(rest);
        if (rest->len && rest->at[0] == ',') {
            *rest = str_slice(*rest, 1, rest->len);
            most = take_count(rest);
            most = most < 0 ? least + EXTRA_REPEATS : most;
        }
        *rest = str_slice(*rest, 1, rest->len);
    } else {
        return 1;
    }
    if (rest->len && rest->at[0] == '?') /* lazy */
        *rest = str_slice(*rest, 1, rest->len);
    least = least > REPEATS_MOST ? REPEATS_MOST : least;
    most = most < least ? least : most > least + 16 ? least + 16 : most;
    return (unsigned)(least + (int64_t)(generate_random(&walk->state) % (uint64_t)(most - least + 1)));
}

static void emit_alternatives(struct walk *walk, struct str pattern);

static void emit_group(struct walk *walk, struct str inside)
{
    if (str_starts(inside, STR("?:")))
        inside = str_slice(inside, 2, inside.len);
    else if (str_starts(inside, STR("?<")) && !str_starts(inside, STR("?<=")) && !str_starts(inside, STR("?<!")))
        inside = str_slice(inside, (size_t)(str_find(inside, STR(">")) + 1), inside.len);
    else if (str_starts(inside, STR("?")))
        walk->failed = true; /* look-around */
    emit_alternatives(walk, inside);
}

static void emit_atom(struct walk *walk, struct str atom)
{
    struct range ranges[3];
    struct str rest = atom;
    if (walk->out->len > OUTPUT_MOST) {
        walk->failed = true;
    } else if (atom.at[0] == '[') {
        emit_class(walk, str_slice(atom, 1, atom.len - 1));
    } else if (atom.at[0] == '(') {
        emit_group(walk, str_slice(atom, 1, atom.len - 1));
    } else if (atom.at[0] == '\\') {
        rest = str_slice(rest, 1, rest.len);
        unsigned count = take_escape(walk, &rest, ranges);
        emit_from(walk, ranges, count, false);
    } else if (atom.at[0] == '.') {
        text_add_char(walk->out, (char)('a' + generate_random(&walk->state) % 26));
    } else {
        text_add(walk->out, atom);
    }
}

static size_t atom_length(struct walk *walk, struct str rest)
{
    struct str after = rest;
    if (rest.at[0] == '[' || rest.at[0] == '(') {
        size_t end = closing(rest, 0);
        walk->failed |= end == rest.len;
        return end < rest.len ? end + 1 : rest.len;
    }
    if (rest.at[0] == '\\') {
        struct range ranges[3];
        after = str_slice(rest, 1, rest.len);
        take_escape(walk, &after, ranges);
    } else {
        take_point(&after);
    }
    return rest.len - after.len;
}

static void emit_sequence(struct walk *walk, struct str rest)
{
    while (rest.len && !walk->failed) {
        if (rest.at[0] == '^' || rest.at[0] == '$') {
            rest = str_slice(rest, 1, rest.len);
            continue;
        }
        size_t length = atom_length(walk, rest);
        struct str atom = str_slice(rest, 0, length);
        rest = str_slice(rest, length, rest.len);
        unsigned repeats = take_repeats(walk, &rest);
        for (unsigned i = 0; i < repeats && !walk->failed; i++)
            emit_atom(walk, atom);
    }
}

static void emit_alternatives(struct walk *walk, struct str pattern)
{
    struct str parts[RANGES_MOST];
    unsigned count = 0;
    size_t from = 0;
    if (++walk->depth > GROUPS_MOST) {
        walk->failed = true;
        return;
    }
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.at[i];
        if (c == '\\')
            i++;
        else if (c == '[' || c == '(')
            i = closing(pattern, i);
        else if (c == '|' && count + 1 < RANGES_MOST) {
            parts[count++] = str_slice(pattern, from, i);
            from = i + 1;
        }
    }
    parts[count++] = str_slice(pattern, from, pattern.len);
    emit_sequence(walk, parts[generate_random(&walk->state) % count]);
    walk->depth--;
}

bool generate_matching(struct text *text, struct str pattern, uint64_t seed)
{
    struct walk walk = {.out = text, .state = seed};
    if (!text->at)
        text_add_c(text, "");
    emit_alternatives(&walk, pattern);
    return !walk.failed;
}
