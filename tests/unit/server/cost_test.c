/* What a batch costs Redis: how often each command is called, from INFO commandstats. A call that creeps into a loop
 * fails here.
 */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 200

static const char *numbers(void) {
  static char ids[BATCH * 4 + 1];
  ids[0] = '\0';
  for (int i = 1; i <= BATCH; i++)
    sprintf(ids + strlen(ids), "%d ", i);
  return ids;
}

/* Calls of a command (in lower case) since CONFIG RESETSTAT. */
static int calls_of(const char *command) {
  char name[64];
  snprintf(name, sizeof name, "cmdstat_%s:calls=", command);
  const char *line = strstr(queue_ask("INFO commandstats"), name);
  return line ? atoi(line + strlen(name)) : 0;
}

typedef struct expected_calls {
  const char *command;
  int calls;
} expected_calls;

static void assert_calls(const expected_calls *expected, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (calls_of(expected[i].command) != expected[i].calls)
      fail_msg("%s was called %d times, not %d", expected[i].command, calls_of(expected[i].command), expected[i].calls);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void an_enqueue_pushes_once(void **state) {
  (void)state;
  static const expected_calls expected[] = {{"exists", 1}, {"lpush", 1}, {"hset", BATCH}, {"eval", 1}};
  queue_ask("CONFIG RESETSTAT");
  queue_give(numbers());
  assert_calls(expected, COUNT(expected));
}

static void a_dequeue_moves_ids_once(void **state) {
  (void)state;
  static const expected_calls expected[] = {{"lrange", 1}, {"ltrim", 1},     {"lpush", 1},    {"zadd", 1},
                                            {"exists", 1}, {"hmget", BATCH}, {"hset", BATCH}, {"hdel", BATCH}};
  queue_give(numbers());
  queue_ask("CONFIG RESETSTAT");
  queue_take(BATCH, 1);
  assert_calls(expected, COUNT(expected));
}

static void limits_cost_a_few_looks_per_call(void **state) {
  (void)state;
  static const expected_calls expected[] = {{"exists", 2}, {"hmget", BATCH + 2}, {"zcard", 2},
                                            {"time", 1},   {"hset", BATCH + 1},  {"pexpire", 1}};
  queue_give(numbers());
  queue_ask("HSET asynq:{q}:mc_limits concurrency 1000 rate 1000000 interval_ms 1000");
  queue_ask("CONFIG RESETSTAT");
  queue_take(BATCH, 1);
  assert_calls(expected, COUNT(expected));
}

static void a_complete_deletes_and_counts_once(void **state) {
  (void)state;
  static const expected_calls first[] = {{"hget", BATCH}, {"lrem", BATCH}, {"zrem", 1}, {"del", 1},
                                         {"incrby", 2},   {"expire", 1},   {"get", 0},  {"hdel", 0}};
  static const expected_calls second[] = {{"incrby", 2}, {"expire", 0}};
  static mc_settle_item items[BATCH];
  static char ids[BATCH][8];
  for (int i = 0; i < BATCH; i++) {
    snprintf(ids[i], sizeof ids[i], "%d", i + 1);
    items[i] = (mc_settle_item){.id = mc_slice_of(ids[i]), .attempt = (uint64_t)i + 1};
  }
  queue_give(numbers());
  queue_take(BATCH, 1);
  queue_ask("CONFIG RESETSTAT");
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items, BATCH), "");
  assert_calls(first, COUNT(first));
  queue_give("1");
  queue_take(1, 1);
  queue_ask("CONFIG RESETSTAT");
  queue_settle(MC_SETTLE_COMPLETE, items, 1);
  assert_calls(second, COUNT(second));
}

static void an_empty_dequeue_writes_nothing(void **state) {
  (void)state;
  static const expected_calls expected[] = {{"exists", 1}, {"lrange", 1}, {"ltrim", 0}, {"llen", 0}, {"zcard", 0}};
  queue_ask("CONFIG RESETSTAT");
  queue_take(BATCH, 1);
  assert_calls(expected, COUNT(expected));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(an_enqueue_pushes_once),           queue_test(a_dequeue_moves_ids_once),
      queue_test(limits_cost_a_few_looks_per_call), queue_test(a_complete_deletes_and_counts_once),
      queue_test(an_empty_dequeue_writes_nothing),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
