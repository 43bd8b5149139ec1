/* The log: one JSON object a line to standard output, safe from every thread.
 * Never give it a secret, an identity number, a phone number or a token: mask first. */
#ifndef SHIMIN_LOG_H
#define SHIMIN_LOG_H

#include <shimin/str.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Lines below the level are dropped. Default LOG_INFO. */
void log_set_level(enum log_level level);
MUST_CHECK bool log_level_named(struct str name, enum log_level *level);
/* {"timestamp":…,"level":…,"service":"shimin","msg":…}: msg made by printf. */
void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
/* One finished line (with its newline) to the log's descriptor, buffered by the calling thread until log_flush or 32 KiB:
 * the access log's way. */
void log_line(struct str line);
/* Writes what the calling thread has buffered. Each worker calls it 20 ms after the first line at the latest. */
void log_flush(void);
/* Has the calling thread something buffered? */
bool log_has_lines(void);
/* Says why and aborts. */
void fatal(const char *format, ...) PRINTF_LIKE(1, 2) NORETURN;

#endif
