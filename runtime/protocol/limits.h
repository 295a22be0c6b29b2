/* Limits of a queue, kept in Redis in the hash asynq:{queue}:mc_limits: they hold for all mooncrew servers together,
 * can be changed while these run, and are kept to by server/dequeue.lua.
 *
 *   concurrency           tasks at work at a time, counted as the queue's leases, so those of Go servers count too
 *   rate, interval_ms     tasks that may begin per interval, evenly spread
 *
 * A field that is not there is no limit. What the rate leaves is in asynq:{queue}:mc_rate, which the script keeps.
 */
#ifndef MC_PROTOCOL_LIMITS_H
#define MC_PROTOCOL_LIMITS_H

#include "base/args.h"
#include "base/err.h"
#include "base/value.h"

#define MC_LIMIT_MAX 1000000
#define MC_LIMIT_INTERVAL_MAX_MS (366 * INT64_C(86400000))

typedef struct mc_limits {
  int64_t concurrency;       /* 0: none */
  int64_t rate, interval_ms; /* 0: none */
} mc_limits;

/* MC_EINVALID, and what is wanted, for a number out of range, or a rate without an interval. */
int mc_limits_check(const mc_limits *limits, mc_err *err);

/* The commands that read the limits (all, or field i of mc_limits), and set or (with 0) clear one of them; args is
 * empty before. */
void mc_limits_ask(mc_args *args, mc_slice queue);
void mc_limits_ask_one(mc_args *args, mc_slice queue, size_t i);
void mc_limits_set_concurrency(mc_args *args, mc_slice queue, int64_t concurrency);
void mc_limits_set_rate(mc_args *args, mc_slice queue, int64_t rate, int64_t interval_ms);

/* The reply to mc_limits_ask: 0, or MC_EMALFORMED for anything but an array of three. What is no number counts as 0. */
int mc_limits_read(const mc_value *reply, mc_limits *out);

bool mc_limits_equal(const mc_limits *a, const mc_limits *b);

#endif
