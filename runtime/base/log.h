/* Structured logs: one line per event, as text for people or as JSON for programs, written in batches.
 *
 * A line is begun, given fields and ended; it lands in a buffer that mc_log_flush writes out. The owner of a loop
 * flushes once per turn, so a line per task costs no system call of its own. Fields keep the order they were added in.
 *
 *   mc_log_begin(MC_LOG_INFO, "processed task");
 *   mc_log_slice("type", task->type);
 *   mc_log_int("retried", 0);
 *   mc_log_end();
 *
 * A begun line below the level costs next to nothing: its fields are skipped. There is one log per process.
 */
#ifndef MC_BASE_LOG_H
#define MC_BASE_LOG_H

#include "base/slice.h"

#include <stdint.h>

typedef enum mc_log_level { MC_LOG_DEBUG, MC_LOG_INFO, MC_LOG_WARN, MC_LOG_ERROR } mc_log_level;
typedef enum mc_log_format { MC_LOG_TEXT, MC_LOG_JSON } mc_log_format;

/* Where lines go and which. Before this is called: text, info, standard error. */
void mc_log_configure(int fd, mc_log_format format, mc_log_level level);

bool mc_log_enabled(mc_log_level level);

void mc_log_begin(mc_log_level level, const char *event);
void mc_log_text(const char *key, const char *value); /* value may be NULL: the field is left out */
void mc_log_slice(const char *key, mc_slice value);   /* any bytes; what is not UTF-8 is replaced */
void mc_log_int(const char *key, int64_t value);
void mc_log_float(const char *key, double value);  /* three decimals */
void mc_log_json(const char *key, mc_slice value); /* value is JSON already */
void mc_log_end(void);

/* An event with one formatted field `detail`. */
void mc_log_event(mc_log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Writes what is buffered, as far as the descriptor takes it without blocking; called once per loop turn, and by itself
 * when the buffer grows large. A reader that stands still does not hold up the process: up to 1 MB waits for it, then
 * lines are dropped, and a line says how many once it reads again. */
void mc_log_flush(void);

/* The same before the process ends: waits up to a second for a slow reader. */
void mc_log_close(void);

/* "debug", "info", "warn", "error" / "text", "json"; -1 for anything else. */
int mc_log_level_parse(const char *name);
int mc_log_format_parse(const char *name);

#endif
