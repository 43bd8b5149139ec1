/* Patterns, by PCRE2: compiled once, matched with scratch memory of the thread, within a limit. */
#include "contract/schema_node.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>
#include <stdlib.h>

#define PATTERN_LENGTH_MAX 4096
/* Steps of the matcher for one subject; a pattern that needs more does not match. */
#define MATCH_LIMIT 200000
#define DEPTH_LIMIT 20000
#define HEAP_LIMIT 2048 /* KiB */

struct pattern {
    pcre2_code *code;
};

struct pattern_entry { /* a document repeats its patterns */
    struct pattern_entry *next;
    struct str source;
    struct pattern pattern;
};

/* The JIT's stack is not the fiber's: 32 KiB of it would be too much there. */
struct scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void scratch_free(void *argument)
{
    struct scratch *scratch = argument;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

static void make_key(void)
{
    if (pthread_key_create(&key, scratch_free) != 0)
        abort();
}

static struct scratch *scratch_of_thread(void)
{
    static __thread struct scratch *mine;
    if (mine)
        return mine;
    pthread_once(&once, make_key);
    mine = memory_alloc(sizeof *mine);
    mine->data = pcre2_match_data_create(1, NULL); /* only whether it matches is asked */
    mine->context = pcre2_match_context_create(NULL);
    mine->stack = pcre2_jit_stack_create(32 * 1024, 512 * 1024, NULL);
    if (!mine->data || !mine->context)
        abort();
    pcre2_set_match_limit(mine->context, MATCH_LIMIT);
    pcre2_set_depth_limit(mine->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(mine->context, HEAP_LIMIT);
    if (mine->stack)
        pcre2_jit_stack_assign(mine->context, NULL, mine->stack);
    pthread_setspecific(key, mine);
    return mine;
}

static void release(void *argument)
{
    pcre2_code_free(argument);
}

const struct pattern *pattern_compile(struct schema_compiler *compiler, struct str source, const struct json *where)
{
    for (struct pattern_entry *entry = compiler->patterns; entry; entry = entry->next)
        if (str_equal(entry->source, source))
            return &entry->pattern;
    if (source.len > PATTERN_LENGTH_MAX) {
        compile_fault(compiler, where, "bad pattern: longer than %d bytes", PATTERN_LENGTH_MAX);
        return NULL;
    }
    const char *reason = NULL;
    const char *translated = ecma_translate(compiler->arena, source, &reason);
    if (!translated) {
        compile_fault(compiler, where, "bad pattern: %s", reason);
        return NULL;
    }
    int code = 0;
    PCRE2_SIZE at = 0;
    uint32_t options =
        PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)translated, PCRE2_ZERO_TERMINATED, options, &code, &at, NULL);
    if (!compiled) {
        PCRE2_UCHAR message[120];
        pcre2_get_error_message(code, message, sizeof message);
        compile_fault(compiler, where, "bad pattern: %s", (const char *)message);
        return NULL;
    }
    /* Where executable memory is forbidden the interpreter does the same, slower. */
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
    arena_defer(compiler->arena, release, compiled);
    struct pattern_entry *entry = arena_new(compiler->arena, struct pattern_entry);
    *entry = (struct pattern_entry){compiler->patterns, source, {compiled}};
    compiler->patterns = entry;
    return &entry->pattern;
}

bool pattern_matches(const struct pattern *pattern, struct str subject, uint64_t *work)
{
    struct scratch *scratch = scratch_of_thread();
    PCRE2_SPTR text = (PCRE2_SPTR)(subject.at ? subject.at : "");
    int outcome = pcre2_match(pattern->code, text, subject.len, 0, PCRE2_NO_UTF_CHECK, scratch->data, scratch->context);
    uint64_t cost = 4 + subject.len / 16;
    if (outcome < 0 && outcome != PCRE2_ERROR_NOMATCH)
        cost += MATCH_LIMIT;
    *work -= cost < *work ? cost : *work;
    return outcome >= 0;
}
