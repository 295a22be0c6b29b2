/* Structured logs: see log.h. */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_AT_BYTES 65536
#define BACKLOG_MAX (1 << 20)
#define CLOSE_WAIT_MS 1000

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const format_names[] = {"text", "json"};

static struct {
  int fd;
  mc_log_format format;
  mc_log_level level;
  bool open; /* between begin and end of a line that will be written */
  mc_buf lines;
  size_t line_start; /* where the line begun last begins */
  size_t dropped;    /* lines, since the last report */
  mc_buf scratch;
  int64_t stamp_s; /* the second that stamp holds */
  char stamp[24];
} logger = {.fd = STDERR_FILENO, .level = MC_LOG_INFO, .stamp_s = -1};

static void write_out(int wait_ms);

static int name_index(const char *name, const char *const *names, int count) {
  for (int i = 0; i < count; i++)
    if (strcmp(name, names[i]) == 0)
      return i;
  return -1;
}

int mc_log_level_parse(const char *name) {
  return name_index(name, level_names, MC_COUNT(level_names));
}

int mc_log_format_parse(const char *name) {
  return name_index(name, format_names, MC_COUNT(format_names));
}

void mc_log_configure(int fd, mc_log_format format, mc_log_level level) {
  mc_log_flush();
  logger.fd = fd;
  logger.format = format;
  logger.level = level;
}

bool mc_log_enabled(mc_log_level level) {
  return level >= logger.level;
}

/* 2026-01-31T12:00:00.123Z; the part up to the second is kept, since thousands of lines share it. */
static void add_time(void) {
  int64_t now_ms = mc_clock_wall_ms();
  if (now_ms / 1000 != logger.stamp_s) {
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(logger.stamp, sizeof logger.stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    logger.stamp_s = now_ms / 1000;
  }
  int ms = (int)(now_ms % 1000);
  char tail[5] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z'};
  mc_buf_add_text(&logger.lines, logger.stamp);
  mc_buf_add(&logger.lines, tail, sizeof tail);
}

/* Quotes and escapes as JSON does; the text format quotes in the same way. */
static void add_quoted(mc_slice value) {
  static const char hex[] = "0123456789abcdef";
  mc_buf *out = &logger.lines;
  if (!mc_utf8_clean(value)) {
    mc_buf_clear(&logger.scratch);
    mc_utf8_sanitize(value, SIZE_MAX, &logger.scratch);
    value = mc_buf_slice(&logger.scratch);
  }
  mc_buf_add_char(out, '"');
  size_t plain = 0; /* start of the run that needs no escape */
  for (size_t i = 0; i < value.size; i++) {
    unsigned char c = (unsigned char)value.data[i];
    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
      continue;
    mc_buf_add(out, value.data + plain, i - plain);
    plain = i + 1;
    if (c == '"' || c == '\\') {
      char pair[2] = {'\\', (char)c};
      mc_buf_add(out, pair, 2);
    } else if (c == '\n') {
      mc_buf_add(out, "\\n", 2);
    } else if (c == '\t') {
      mc_buf_add(out, "\\t", 2);
    } else {
      char code[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
      mc_buf_add(out, code, 6);
    }
  }
  mc_buf_add(out, value.data + plain, value.size - plain);
  mc_buf_add_char(out, '"');
}

/* Values without spaces, quotes and control characters stand bare in the text format. */
static bool is_bare(mc_slice value) {
  for (size_t i = 0; i < value.size; i++) {
    unsigned char c = (unsigned char)value.data[i];
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
      return false;
  }
  return value.size > 0;
}

static void add_key(const char *key) {
  if (logger.format == MC_LOG_JSON) {
    mc_buf_add(&logger.lines, ",\"", 2);
    mc_buf_add_text(&logger.lines, key);
    mc_buf_add(&logger.lines, "\":", 2);
  } else {
    mc_buf_add_char(&logger.lines, ' ');
    mc_buf_add_text(&logger.lines, key);
    mc_buf_add_char(&logger.lines, '=');
  }
}

void mc_log_begin(mc_log_level level, const char *event) {
  logger.open = mc_log_enabled(level);
  if (!logger.open)
    return;
  logger.line_start = logger.lines.size;
  if (logger.format == MC_LOG_JSON) {
    mc_buf_add_text(&logger.lines, "{\"time\":\"");
    add_time();
    mc_buf_add_text(&logger.lines, "\",\"level\":\"");
    mc_buf_add_text(&logger.lines, level_names[level]);
    mc_buf_add_text(&logger.lines, "\",\"event\":");
    add_quoted(mc_slice_of(event));
  } else {
    add_time();
    mc_buf_add_char(&logger.lines, ' ');
    mc_buf_add_text(&logger.lines, level_names[level]);
    mc_buf_add_char(&logger.lines, ' ');
    mc_buf_add_text(&logger.lines, event);
  }
}

void mc_log_text(const char *key, const char *value) {
  if (value)
    mc_log_slice(key, mc_slice_of(value));
}

void mc_log_slice(const char *key, mc_slice value) {
  if (!logger.open)
    return;
  add_key(key);
  if (logger.format == MC_LOG_TEXT && is_bare(value))
    mc_buf_add_slice(&logger.lines, value);
  else
    add_quoted(value);
}

void mc_log_int(const char *key, int64_t value) {
  if (!logger.open)
    return;
  add_key(key);
  mc_buf_printf(&logger.lines, "%lld", (long long)value);
}

void mc_log_float(const char *key, double value) {
  if (!logger.open)
    return;
  add_key(key);
  mc_buf_printf(&logger.lines, "%.3f", value);
}

void mc_log_json(const char *key, mc_slice value) {
  if (!logger.open)
    return;
  add_key(key);
  mc_buf_add_slice(&logger.lines, value);
}

void mc_log_end(void) {
  if (!logger.open)
    return;
  logger.open = false;
  if (logger.format == MC_LOG_JSON)
    mc_buf_add_char(&logger.lines, '}');
  mc_buf_add_char(&logger.lines, '\n');
  size_t line_size = logger.lines.size - logger.line_start;
  if (logger.lines.size >= FLUSH_AT_BYTES)
    write_out(0);
  if (logger.lines.size > BACKLOG_MAX) {
    logger.lines.size -= line_size;
    logger.dropped++;
  }
}

void mc_log_event(mc_log_level level, const char *event, const char *format, ...) {
  if (!mc_log_enabled(level))
    return;
  char detail[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(detail, sizeof detail, format, args);
  va_end(args);
  mc_log_begin(level, event);
  mc_log_text("detail", detail);
  mc_log_end();
}

/* A pipe or a terminal that polls as writable takes this much without blocking (PIPE_BUF); a file takes anything. */
static size_t chunk_size(size_t left) {
  struct stat status;
  bool file = fstat(logger.fd, &status) == 0 && S_ISREG(status.st_mode);
  return file || left < PIPE_BUF ? left : PIPE_BUF;
}

static bool takes_bytes(int wait_ms) {
  struct pollfd wait = {.fd = logger.fd, .events = POLLOUT};
  return poll(&wait, 1, wait_ms) > 0;
}

static void write_out(int wait_ms) {
  size_t written = 0;
  while (written < logger.lines.size && takes_bytes(wait_ms)) {
    size_t size = chunk_size(logger.lines.size - written);
    ssize_t n = write(logger.fd, logger.lines.data + written, size);
    if (n >= 0)
      written += (size_t)n;
    else if (errno != EINTR && errno != EAGAIN)
      written = logger.lines.size; /* nobody reads the log any more; the work goes on */
  }
  mc_buf_consume(&logger.lines, written);
}

/* Says what was dropped as soon as there is room for it. */
static void report_dropped(void) {
  size_t dropped = logger.dropped;
  if (dropped == 0 || logger.lines.size > BACKLOG_MAX / 2)
    return;
  logger.dropped = 0;
  mc_log_begin(MC_LOG_WARN, "log lines dropped");
  mc_log_int("lines", (int64_t)dropped);
  mc_log_text("detail", "whoever reads the log stood still");
  mc_log_end();
}

void mc_log_flush(void) {
  if (logger.lines.size == 0)
    return;
  write_out(0);
  report_dropped();
}

void mc_log_close(void) {
  write_out(CLOSE_WAIT_MS);
}
