/* server/queue_info.lua and server/remove_queue.lua against a real Redis. */
#include "moves.h"

#include <stdio.h>
#include <stdlib.h>

static mc_queue_info info(void) {
  mc_call call = {0};
  mc_queue_info out;
  mc_err err;
  mc_call_queue_info(&call, mc_slice_of("q"), NOW_S);
  if (mc_queue_info_read(queue_call_value(&call), &out, &err))
    fail_msg("%s", err.text);
  return out;
}

static void every_state_is_counted(void **state) {
  (void)state;
  char id[16];
  int n = 0;
  for (mc_task_state which = 0; which < MC_TASK_AGGREGATING; which++)
    for (int i = 0; i <= (int)which; i++, n++)
      sprintf(id, "t%d", n), moves_give(id, mc_state_name(which), NOW_S);
  moves_give_grouped("a", "g1");
  moves_give_grouped("b", "g1");
  moves_give_grouped("c", "g2");
  mc_queue_info found = info();
  for (mc_task_state which = 0; which < MC_TASK_AGGREGATING; which++)
    assert_int_equal(found.sizes[which], which + 1);
  assert_int_equal(found.sizes[MC_TASK_AGGREGATING], 3);
  assert_int_equal(found.groups, 2);
}

static void counters_and_the_pause_are_read(void **state) {
  (void)state;
  mc_queue_info found = info();
  assert_int_equal(found.paused, 0);
  assert_int_equal(found.processed, 0);
  queue_ask("MSET asynq:{q}:processed 9223372036854775807 asynq:{q}:failed 3 asynq:{q}:paused 1");
  queue_ask("MSET asynq:{q}:processed:" TODAY " 5 asynq:{q}:failed:" TODAY " two");
  found = info();
  assert_int_equal(found.paused, 1);
  assert_true(found.processed == INT64_MAX);
  assert_int_equal(found.failed, 3);
  assert_int_equal(found.processed_today, 5);
  assert_int_equal(found.failed_today, 0); /* no number: the rest is still read */
}

static void the_oldest_pending_task_tells_the_latency(void **state) {
  (void)state;
  assert_int_equal(info().pending_since_ns, 0);
  queue_give("a b");
  queue_ask("HSET asynq:{q}:t:a pending_since 7");
  assert_int_equal(info().pending_since_ns, 7);
}

/* Tasks of one size: the estimate must be near to what all of them take. */
static void memory_is_estimated_from_a_sample(void **state) {
  (void)state;
  assert_int_equal(info().memory_bytes, 0);
  queue_ask("EVAL %s 0", "for i = 1000, 1999 do "
                         "redis.call('HSET', 'asynq:{q}:t:' .. i, 'msg', string.rep('x', 1000), 'state', 'archived') "
                         "redis.call('ZADD', 'asynq:{q}:archived', i, i) end");
  int64_t one = atoll(queue_ask("MEMORY USAGE asynq:{q}:t:1500"));
  int64_t set = atoll(queue_ask("MEMORY USAGE asynq:{q}:archived"));
  int64_t found = info().memory_bytes, wanted = 1000 * one + set;
  assert_true(found > wanted * 95 / 100 && found < wanted * 105 / 100);
}

static void only_a_sample_is_measured(void **state) {
  (void)state;
  char calls[64];
  queue_ask("EVAL %s 0", "for i = 1, 1000 do redis.call('ZADD', 'asynq:{q}:retry', i, i) "
                         "redis.call('HSET', 'asynq:{q}:t:' .. i, 'msg', 'm') end");
  queue_ask("CONFIG RESETSTAT");
  info();
  const char *stats = queue_ask("INFO commandstats"), *found = strstr(stats, "cmdstat_memory|usage:calls=");
  assert_non_null(found);
  sscanf(found, "cmdstat_memory|usage:calls=%63[0-9]", calls);
  assert_true(atoi(calls) <= 30);
}

/* ---- removal ---- */

static const char *remove_queue(void) {
  mc_call call = {0};
  mc_call_remove_queue(&call, mc_slice_of("q"));
  return queue_call(&call);
}

static void an_empty_queue_goes_and_its_counters_stay(void **state) {
  (void)state;
  queue_ask("MSET asynq:{q}:paused 1 asynq:{q}:processed 5");
  queue_ask("ZADD asynq:{q}:lease 1 left-behind");
  queue_ask("ZADD asynq:{q}:aggregation_sets 1 asynq:{q}:g:g1:gone");
  queue_ask("SADD asynq:{q}:groups g1");
  assert_string_equal(remove_queue(), "1");
  assert_redis("asynq:{q}:processed", "KEYS *");
}

static void a_queue_with_tasks_in_any_state_stays(void **state) {
  for (mc_task_state which = 0; which < MC_TASK_STATES; which++) {
    queue_clear(state);
    if (which == MC_TASK_AGGREGATING)
      moves_give_grouped("a", "g1");
    else
      moves_give("a", mc_state_name(which), NOW_S);
    queue_ask("SET asynq:{q}:paused 1");
    assert_string_equal(remove_queue(), which == MC_TASK_ACTIVE ? "-1" : "0");
    assert_redis("1", "EXISTS asynq:{q}:paused");
  }
}

static void tasks_that_are_being_aggregated_are_worked_on(void **state) {
  (void)state;
  queue_ask("ZADD asynq:{q}:g:g1:set 1 a");
  queue_ask("ZADD asynq:{q}:aggregation_sets 1 asynq:{q}:g:g1:set");
  assert_string_equal(remove_queue(), "-1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(every_state_is_counted),
      queue_test(counters_and_the_pause_are_read),
      queue_test(the_oldest_pending_task_tells_the_latency),
      queue_test(memory_is_estimated_from_a_sample),
      queue_test(only_a_sample_is_measured),
      queue_test(an_empty_queue_goes_and_its_counters_stay),
      queue_test(a_queue_with_tasks_in_any_state_stays),
      queue_test(tasks_that_are_being_aggregated_are_worked_on),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
