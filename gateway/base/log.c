/* The log: whole lines to standard output; access lines gathered per thread. */
#include <shimin/log.h>

#include "base/time_format.h"
#include "base/utf8.h"

#include <shimin/arena.h>
#include <shimin/clock.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 32768
#define MESSAGE_MAX 1536 /* on a fiber's stack */

static const struct str level_names[] = {
    [LOG_DEBUG] = {"debug", 5}, [LOG_INFO] = {"info", 4}, [LOG_WARNING] = {"warning", 7}, [LOG_ERROR] = {"error", 5}};

struct buffer {
    size_t len;
    char bytes[BUFFER_SIZE];
};

static atomic_int threshold = LOG_INFO;
/* A write of more than PIPE_BUF to a full pipe may be cut in two and mixed with another thread's. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local struct buffer *buffer;
static pthread_key_t buffer_key;
static pthread_once_t buffer_once = PTHREAD_ONCE_INIT;

/* A log that cannot be written is lost: the service goes on without it. */
static void write_whole(const char *at, size_t n)
{
    int failure = errno; /* logging must not change what the caller is about to report */
    pthread_mutex_lock(&writing);
    while (n > 0) {
        ssize_t written = write(STDOUT_FILENO, at, n);
        if (written >= 0) {
            at += written;
            n -= (size_t)written;
        } else if (errno == EAGAIN) {
            struct pollfd room = {STDOUT_FILENO, POLLOUT, 0};
            poll(&room, 1, 1000);
        } else if (errno != EINTR) {
            break;
        }
    }
    pthread_mutex_unlock(&writing);
    errno = failure;
}

static void release_buffer(void *argument)
{
    struct buffer *ended = argument;
    write_whole(ended->bytes, ended->len);
    free(ended);
    buffer = NULL;
}

static void make_buffer_key(void)
{
    if (pthread_key_create(&buffer_key, release_buffer) != 0)
        fatal("no thread-specific key left");
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool log_level_named(struct str name, enum log_level *level)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (str_equal(name, level_names[i])) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* The message as the inside of a JSON string, at most `room` bytes: bytes that are not UTF-8 become U+FFFD. */
static size_t escape_message(char *out, size_t room, const char *message)
{
    static const char digits[] = "0123456789abcdef";
    struct str rest = str_of(message);
    size_t n = 0, valid = utf8_valid_bytes(rest);
    for (size_t i = 0; i < rest.len && n + 6 <= room; i++) {
        unsigned char c = (unsigned char)rest.at[i];
        if (i == valid) {
            memcpy(out + n, "\xEF\xBF\xBD", 3);
            n += 3;
            valid = i + 1 + utf8_valid_bytes((struct str){rest.at + i + 1, rest.len - i - 1});
        } else if (c < 0x20) {
            memcpy(out + n, "\\u00", 4);
            out[n + 4] = digits[c >> 4];
            out[n + 5] = digits[c & 15];
            n += 6;
        } else {
            if (c == '"' || c == '\\')
                out[n++] = '\\';
            out[n++] = (char)c;
        }
    }
    return utf8_valid_bytes((struct str){out, n}); /* a full line may end within a character */
}

static void write_line(struct str level, const char *message)
{
    char line[MESSAGE_MAX * 2];
    char time[TIME_RFC3339_MAX];
    time_format_rfc3339(time, clock_wall(), true);
    int head = snprintf(line, sizeof(line), "{\"timestamp\":\"%s\",\"level\":\"%s\",\"service\":\"shimin\",\"msg\":\"", time,
                        level.at);
    size_t n = (size_t)head;
    n += escape_message(line + n, sizeof(line) - n - 3, message);
    memcpy(line + n, "\"}\n", 3);
    write_whole(line, n + 3);
}

void log_write(enum log_level level, const char *format, ...)
{
    if ((int)level < atomic_load_explicit(&threshold, memory_order_relaxed))
        return;
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    write_line(level_names[level], message);
}

void log_line(struct str line)
{
    if (!buffer) {
        pthread_once(&buffer_once, make_buffer_key);
        buffer = memory_alloc(sizeof(*buffer));
        pthread_setspecific(buffer_key, buffer);
    }
    if (line.len > BUFFER_SIZE - buffer->len)
        log_flush();
    if (line.len > BUFFER_SIZE) {
        write_whole(line.at, line.len);
        return;
    }
    memcpy(buffer->bytes + buffer->len, line.at, line.len);
    buffer->len += line.len;
}

bool log_has_lines(void)
{
    return buffer && buffer->len;
}

void log_flush(void)
{
    if (!buffer || buffer->len == 0)
        return;
    write_whole(buffer->bytes, buffer->len);
    buffer->len = 0;
}

void fatal(const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    log_flush();
    write_line(STR("fatal"), message);
    abort();
}
