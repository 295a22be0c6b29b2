/* server/janitor.lua against a real Redis. */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>

#define KEEP_AGE_S 1000
#define KEEP_SIZE 50

static int sweep_with(int64_t max_age_s, int64_t max_size) {
  mc_call call = {0};
  mc_call_janitor(&call, mc_slice_of("q"), NOW_S, max_age_s, max_size);
  const mc_value *answer = queue_call_value(&call);
  assert_int_equal(answer->kind, MC_VALUE_INTEGER);
  return (int)answer->integer;
}

static int sweep(void) {
  return sweep_with(KEEP_AGE_S, KEEP_SIZE);
}

/* A task in a set, so many seconds from now. */
static void keep(const char *set, const char *id, int after_s) {
  queue_ask("HSET asynq:{q}:t:%s msg m state %s", id, set);
  queue_ask("ZADD asynq:{q}:%s %d %s", set, (int)NOW_S + after_s, id);
}

static void keep_many(const char *set, int count, int first_s) {
  char id[32];
  for (int i = 0; i < count; i++) {
    snprintf(id, sizeof id, "%s-%03d", set, i);
    keep(set, id, first_s + i);
  }
}

static void completed_tasks_go_when_their_time_has_come(void **state) {
  (void)state;
  keep("completed", "past", -1);
  keep("completed", "now", 0);
  keep("completed", "later", 1);
  assert_int_equal(sweep(), 2);
  assert_redis("later", "ZRANGE asynq:{q}:completed 0 -1");
  assert_redis("2", "DBSIZE");
  assert_int_equal(sweep(), 0);
}

static void the_lock_goes_only_with_the_task_that_holds_it(void **state) {
  (void)state;
  keep("completed", "a", -1);
  keep("archived", "b", -KEEP_AGE_S);
  keep("completed", "c", -1);
  queue_ask("HSET asynq:{q}:t:a unique_key lock-a");
  queue_ask("HSET asynq:{q}:t:b unique_key lock-b");
  queue_ask("HSET asynq:{q}:t:c unique_key lock-c");
  queue_ask("MSET lock-a a lock-b b lock-c another");
  assert_int_equal(sweep(), 3);
  assert_redis("0 0 1", "EVAL %s 3 lock-a lock-b lock-c",
               "return {redis.call('EXISTS',KEYS[1]),redis.call('EXISTS',KEYS[2]),redis.call('EXISTS',KEYS[3])}");
}

static void the_archive_is_trimmed_by_age(void **state) {
  (void)state;
  keep("archived", "old", -KEEP_AGE_S);
  keep("archived", "young", -KEEP_AGE_S + 1);
  assert_int_equal(sweep(), 1);
  assert_redis("young", "ZRANGE asynq:{q}:archived 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:old");
}

static void the_archive_is_trimmed_by_size_oldest_first(void **state) {
  (void)state;
  keep_many("archived", KEEP_SIZE + 3, -200);
  assert_int_equal(sweep(), 3);
  assert_redis("50", "ZCARD asynq:{q}:archived");
  assert_redis("archived-003", "ZRANGE asynq:{q}:archived 0 0");
  assert_redis("0", "EXISTS asynq:{q}:t:archived-002");
  assert_int_equal(sweep(), 0);
}

static void one_call_takes_a_hundred_ids_at_most_in_all(void **state) {
  (void)state;
  keep_many("completed", 130, -500);
  keep_many("archived", 90, -500);
  assert_int_equal(MC_JANITOR_BATCH, 100);
  assert_int_equal(sweep_with(KEEP_AGE_S, 10), 100);
  assert_redis("30", "ZCARD asynq:{q}:completed");
  assert_redis("90", "ZCARD asynq:{q}:archived");
  assert_int_equal(sweep_with(100, 10), 100); /* 30 completed, 70 by age */
  assert_redis("20", "ZCARD asynq:{q}:archived");
  assert_int_equal(sweep_with(KEEP_AGE_S, 10), 10);
  assert_redis("10", "ZCARD asynq:{q}:archived");
  assert_redis("11", "DBSIZE");
}

static int calls_of(const char *command) {
  char name[64];
  snprintf(name, sizeof name, "cmdstat_%s:calls=", command);
  const char *line = strstr(queue_ask("INFO commandstats"), name);
  return line ? atoi(line + strlen(name)) : 0;
}

static void a_full_call_costs_one_look_per_task_and_few_writes(void **state) {
  (void)state;
  keep_many("completed", 150, -500);
  queue_ask("CONFIG RESETSTAT");
  assert_int_equal(sweep(), 100);
  assert_int_equal(calls_of("hget"), 100);
  assert_int_equal(calls_of("del"), 1);
  assert_int_equal(calls_of("zrem"), 1);
  queue_clear(state);
  queue_ask("CONFIG RESETSTAT");
  assert_int_equal(sweep(), 0); /* nothing to do */
  assert_int_equal(calls_of("zcard"), 1);
  assert_int_equal(calls_of("zrangebyscore"), 1);
  assert_int_equal(calls_of("del"), 0);
}

static void sets_of_another_type_fail_the_call_with_nothing_written(void **state) {
  (void)state;
  keep("completed", "a", -1);
  queue_ask("SET asynq:{q}:archived x");
  mc_call call = {0};
  mc_call_janitor(&call, mc_slice_of("q"), NOW_S, KEEP_AGE_S, KEEP_SIZE);
  assert_non_null(strstr(queue_call(&call), "WRONGTYPE"));
  assert_redis("1", "ZCARD asynq:{q}:completed");
  assert_redis("1", "EXISTS asynq:{q}:t:a");
}

static void a_full_redis_is_swept_too(void **state) {
  (void)state;
  keep("completed", "a", -1);
  queue_ask("CONFIG SET maxmemory 1");
  assert_int_equal(sweep(), 1);
  assert_redis("0", "DBSIZE");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(completed_tasks_go_when_their_time_has_come),
      queue_test(the_lock_goes_only_with_the_task_that_holds_it),
      queue_test(the_archive_is_trimmed_by_age),
      queue_test(the_archive_is_trimmed_by_size_oldest_first),
      queue_test(one_call_takes_a_hundred_ids_at_most_in_all),
      queue_test(a_full_call_costs_one_look_per_task_and_few_writes),
      queue_test(sets_of_another_type_fail_the_call_with_nothing_written),
      queue_test(a_full_redis_is_swept_too),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
