/* One queue, "q", in a private redis-server, for the tests of the server scripts: what supervisors and clients do to
 * it, in a few words each. All texts that are given back live until the next call.
 */
#ifndef MC_TESTS_QUEUE_H
#define MC_TESTS_QUEUE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/value.h"
#include "protocol/enqueue.h"
#include "protocol/work.h"

#define NOW_S INT64_C(1700000000) /* 2023-11-14 */
#define NOW_NS (NOW_S * 1000000000 + 5)
#define TODAY "2023-11-14"
#define LEASE_S (NOW_S + MC_LEASE_S)

/* For cmocka: the server lives as long as the program; each test begins with an empty database. */
int queue_start(void **state);
int queue_stop(void **state);
int queue_clear(void **state);

/* One command; the answer as redis_sync_text gives it. */
const char *queue_ask(const char *format, ...);

/* The names of the fields of a task's hash, in alphabetical order. */
const char *queue_fields(const char *id);

/* A script call; its answer as text, or as it is. */
const char *queue_call(mc_call *call);
const mc_value *queue_call_value(mc_call *call);
const char *queue_call_cached(mc_call *call); /* by its hash: the script must have been called before */

/* The answers to an enqueue of count tasks, each made of options. */
const char *queue_enqueue(const mc_enqueue_options *options, size_t count);

/* Enqueues plain pending tasks of these ids (with spaces between), the first one first. */
void queue_give(const char *ids);

/* Dequeues up to count tasks as server "s"; the ids taken, with spaces between. Attempts begin at first_attempt. */
const char *queue_take(size_t count, uint64_t first_attempt);

/* Settles as server "s" with an archive of 90 days and 10,000 tasks; the refused attempts. */
const char *queue_settle(mc_settle_kind kind, const mc_settle_item *items, size_t count);

/* The options of a task of queue q with this id, and asynq's defaults. */
mc_enqueue_options queue_options(const char *id);

/* Fails the test unless Redis answers the command so. */
#define assert_redis(expected, ...) assert_string_equal(queue_ask(__VA_ARGS__), expected)

/* Fails unless Redis refused for want of memory. */
#define assert_memory_is_full(answer) assert_non_null(strstr((answer), "error: OOM"))

#define queue_test(name) cmocka_unit_test_setup(name, queue_clear)

#endif
