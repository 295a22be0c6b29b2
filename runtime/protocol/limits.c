/* Limits of a queue: see limits.h. */
#include "protocol/limits.h"

#include "protocol/keys.h"

#include <inttypes.h>

static const char *const fields[] = {"concurrency", "rate", "interval_ms"};

#define FIELDS (sizeof fields / sizeof *fields)

static void begin(mc_args *args, const char *command, mc_slice queue) {
  mc_args_add_text(args, command);
  mc_key_queue_arg(args, queue, MC_KEY_LIMITS);
}

int mc_limits_check(const mc_limits *limits, mc_err *err) {
  if (limits->concurrency < 0 || limits->concurrency > MC_LIMIT_MAX)
    return mc_fail(err, MC_EINVALID, "concurrency must be from 1 to %d, not %" PRId64, MC_LIMIT_MAX,
                   limits->concurrency);
  if (limits->rate < 0 || limits->rate > MC_LIMIT_MAX)
    return mc_fail(err, MC_EINVALID, "a rate must be from 1 to %d tasks, not %" PRId64, MC_LIMIT_MAX, limits->rate);
  if (limits->rate && (limits->interval_ms < 1 || limits->interval_ms > MC_LIMIT_INTERVAL_MAX_MS))
    return mc_fail(err, MC_EINVALID, "the interval of a rate must be from 1ms to 366d");
  return 0;
}

void mc_limits_ask(mc_args *args, mc_slice queue) {
  begin(args, "HMGET", queue);
  for (size_t i = 0; i < FIELDS; i++)
    mc_args_add_text(args, fields[i]);
}

void mc_limits_ask_one(mc_args *args, mc_slice queue, size_t i) {
  begin(args, "HGET", queue);
  mc_args_add_text(args, fields[i]);
}

void mc_limits_set_concurrency(mc_args *args, mc_slice queue, int64_t concurrency) {
  begin(args, concurrency ? "HSET" : "HDEL", queue);
  mc_args_add_text(args, "concurrency");
  if (concurrency)
    mc_args_add_int(args, concurrency);
}

void mc_limits_set_rate(mc_args *args, mc_slice queue, int64_t rate, int64_t interval_ms) {
  begin(args, rate ? "HSET" : "HDEL", queue);
  mc_args_add_text(args, "rate");
  if (rate)
    mc_args_add_int(args, rate);
  mc_args_add_text(args, "interval_ms");
  if (rate)
    mc_args_add_int(args, interval_ms);
}

int mc_limits_read(const mc_value *reply, mc_limits *out) {
  int64_t numbers[FIELDS] = {0};
  if (!reply || reply->kind != MC_VALUE_ARRAY || reply->count != FIELDS)
    return MC_EMALFORMED;
  for (size_t i = 0; i < FIELDS; i++)
    mc_value_integer(reply->items[i], &numbers[i]);
  *out = (mc_limits){numbers[0], numbers[1], numbers[2]};
  return 0;
}

bool mc_limits_equal(const mc_limits *a, const mc_limits *b) {
  return a->concurrency == b->concurrency && a->rate == b->rate && a->interval_ms == b->interval_ms;
}
