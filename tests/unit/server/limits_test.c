/* The limits of a queue in server/dequeue.lua against a real Redis. */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Dequeues up to count tasks; the answer lives until the next question. */
static mc_dequeued ask(size_t count) {
  mc_call call = {0};
  mc_dequeued dequeued;
  mc_err err;
  mc_call_dequeue(&call, mc_slice_of("q"), mc_slice_of("s"), 1, count, LEASE_S);
  if (mc_dequeued_read(queue_call_value(&call), &dequeued, &err))
    fail_msg("%s", err.text);
  return dequeued;
}

static void assert_gives(size_t asked, size_t count, mc_wait wait) {
  mc_dequeued dequeued = ask(asked);
  assert_int_equal(dequeued.count, count);
  assert_int_equal(dequeued.wait, wait);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Makes it so much later for the bucket. */
static void let_pass(int64_t ms) {
  double at_ms = atof(queue_ask("HGET asynq:{q}:mc_rate at_ms"));
  char text[32];
  snprintf(text, sizeof text, "%.3f", at_ms - (double)ms);
  queue_ask("HSET asynq:{q}:mc_rate at_ms %s", text);
}

/* ---- concurrency ---- */

static void concurrency_counts_the_leases_of_all_servers(void **state) {
  (void)state;
  queue_give("a b c d e f");
  queue_ask("HSET asynq:{q}:mc_limits concurrency 3");
  queue_ask("ZADD asynq:{q}:lease 1700000030 taken-by-go");
  mc_dequeued dequeued = ask(5);
  assert_int_equal(dequeued.count, 2);
  assert_int_equal(dequeued.wait, MC_WAIT_SLOT);
  assert_int_equal(dequeued.limits.concurrency, 3);
  assert_gives(5, 0, MC_WAIT_SLOT);
  queue_ask("ZREM asynq:{q}:lease taken-by-go");
  assert_gives(5, 1, MC_WAIT_SLOT);
  assert_redis("3", "ZCARD asynq:{q}:lease");
  assert_redis("3", "LLEN asynq:{q}:pending");
}

static void a_limit_lowered_below_what_runs_gives_nothing(void **state) {
  (void)state;
  queue_give("a b c d");
  assert_gives(3, 3, MC_WAIT_TASKS);
  queue_ask("HSET asynq:{q}:mc_limits concurrency 1");
  assert_gives(3, 0, MC_WAIT_SLOT);
  queue_ask("DEL asynq:{q}:mc_limits");
  assert_gives(3, 1, MC_WAIT_TASKS);
}

static void a_queue_that_gives_all_that_was_asked_below_its_limit_waits_for_nothing(void **state) {
  (void)state;
  queue_give("a b c d");
  queue_ask("HSET asynq:{q}:mc_limits concurrency 4");
  assert_gives(3, 3, MC_WAIT_TASKS);
  assert_gives(1, 1, MC_WAIT_SLOT);
}

static void an_empty_queue_below_its_limit_waits_for_tasks(void **state) {
  (void)state;
  queue_give("a");
  queue_ask("HSET asynq:{q}:mc_limits concurrency 4 rate 100 interval_ms 1000");
  assert_gives(3, 1, MC_WAIT_TASKS);
  assert_gives(3, 0, MC_WAIT_TASKS);
}

static void a_paused_queue_says_so_before_its_limits(void **state) {
  (void)state;
  queue_give("a");
  queue_ask("HSET asynq:{q}:mc_limits concurrency 1 rate 1 interval_ms 1000");
  queue_ask("SET asynq:{q}:paused 1");
  assert_gives(1, 0, MC_WAIT_UNPAUSE);
  queue_ask("DEL asynq:{q}:paused");
  assert_gives(1, 1, MC_WAIT_SLOT);
}

/* ---- rate ---- */

static void a_rate_spreads_tasks_evenly(void **state) {
  (void)state;
  queue_give("a b c d e f");
  queue_ask("HSET asynq:{q}:mc_limits rate 10 interval_ms 100000");
  mc_dequeued dequeued = ask(5);
  assert_int_equal(dequeued.count, 1);
  assert_int_equal(dequeued.wait, MC_WAIT_RATE);
  assert_int_equal(dequeued.limits.rate, 10);
  assert_int_equal(dequeued.limits.interval_ms, 100000);
  assert_in_range(dequeued.wait_ms, 9000, 10000);
  assert_gives(5, 0, MC_WAIT_RATE);
  let_pass(5000);
  dequeued = ask(5);
  assert_int_equal(dequeued.count, 0);
  assert_in_range(dequeued.wait_ms, 4000, 5000);
  let_pass(5000);
  assert_gives(5, 1, MC_WAIT_RATE);
}

/* However long nobody asked. */
static void a_bucket_holds_one_task_and_a_tenth_of_a_seconds_worth(void **state) {
  (void)state;
  queue_give("a b c d e f");
  queue_ask("HSET asynq:{q}:mc_limits rate 20 interval_ms 1000");
  assert_gives(6, 3, MC_WAIT_RATE);
  let_pass(3600000);
  assert_gives(6, 3, MC_WAIT_RATE);
}

static void a_bucket_that_is_full_again_leaves_no_key(void **state) {
  (void)state;
  queue_give("a b");
  queue_ask("HSET asynq:{q}:mc_limits rate 10 interval_ms 1000");
  assert_gives(1, 1, MC_WAIT_TASKS);
  assert_in_range(atoi(queue_ask("PTTL asynq:{q}:mc_rate")), 900, 1100);
}

static void a_refusal_writes_nothing(void **state) {
  (void)state;
  queue_give("a b c");
  queue_ask("HSET asynq:{q}:mc_limits rate 1 interval_ms 60000");
  assert_gives(2, 1, MC_WAIT_RATE);
  char before[64];
  snprintf(before, sizeof before, "%s", queue_ask("HGET asynq:{q}:mc_rate at_ms"));
  assert_in_range(atof(before), now_ms() - 5000, now_ms() + 5000);
  assert_gives(2, 0, MC_WAIT_RATE);
  assert_redis(before, "HGET asynq:{q}:mc_rate at_ms");
  assert_redis("c b", "LRANGE asynq:{q}:pending 0 -1");
}

static void a_clock_set_back_does_not_stop_the_queue(void **state) {
  (void)state;
  queue_give("a b c");
  queue_ask("HSET asynq:{q}:mc_limits rate 1 interval_ms 60000");
  assert_gives(1, 1, MC_WAIT_RATE);
  let_pass(-3600000);
  assert_in_range(ask(1).wait_ms, 50000, 60000);
  let_pass(60000);
  assert_gives(1, 1, MC_WAIT_RATE);
}

static void ids_without_a_hash_cost_no_token(void **state) {
  (void)state;
  queue_give("a b");
  queue_ask("DEL asynq:{q}:t:a");
  queue_ask("HSET asynq:{q}:mc_limits rate 1 interval_ms 60000");
  assert_gives(1, 0, MC_WAIT_TASKS);
  assert_gives(1, 1, MC_WAIT_RATE);
}

static void both_limits_hold_together(void **state) {
  (void)state;
  queue_give("a b c d e f g h");
  queue_ask("HSET asynq:{q}:mc_limits concurrency 2 rate 40 interval_ms 1000");
  assert_gives(5, 2, MC_WAIT_SLOT);
  queue_ask("DEL asynq:{q}:lease");
  queue_ask("HSET asynq:{q}:mc_limits concurrency 9");
  assert_gives(5, 3, MC_WAIT_RATE);
}

/* ---- what somebody wrote by hand ---- */

static void a_limit_that_is_no_number_stops_the_queue_and_says_so(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"concurrency three", "concurrency must be a whole number, not 'three'"},
                                         {"concurrency 1.5", "concurrency must be"},
                                         {"rate -1", "rate must be a whole number, not '-1'"},
                                         {"rate 5", "a rate needs interval_ms"}};
  queue_give("a");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    mc_call call = {0};
    char command[64];
    queue_ask("DEL asynq:{q}:mc_limits");
    snprintf(command, sizeof command, "HSET asynq:{q}:mc_limits %s", cases[i][0]);
    queue_ask(command);
    mc_call_dequeue(&call, mc_slice_of("q"), mc_slice_of("s"), 1, 1, LEASE_S);
    assert_non_null(strstr(queue_call(&call), cases[i][1]));
    assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
  }
}

static void a_full_redis_can_be_worked_off_within_its_limits(void **state) {
  (void)state;
  queue_give("a b c");
  queue_ask("HSET asynq:{q}:mc_limits concurrency 5 rate 1 interval_ms 60000");
  queue_ask("CONFIG SET maxmemory 1");
  assert_gives(2, 1, MC_WAIT_RATE);
  assert_gives(2, 0, MC_WAIT_RATE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(concurrency_counts_the_leases_of_all_servers),
      queue_test(a_limit_lowered_below_what_runs_gives_nothing),
      queue_test(a_queue_that_gives_all_that_was_asked_below_its_limit_waits_for_nothing),
      queue_test(an_empty_queue_below_its_limit_waits_for_tasks),
      queue_test(a_paused_queue_says_so_before_its_limits),
      queue_test(a_rate_spreads_tasks_evenly),
      queue_test(a_bucket_holds_one_task_and_a_tenth_of_a_seconds_worth),
      queue_test(a_bucket_that_is_full_again_leaves_no_key),
      queue_test(a_refusal_writes_nothing),
      queue_test(a_clock_set_back_does_not_stop_the_queue),
      queue_test(ids_without_a_hash_cost_no_token),
      queue_test(both_limits_hold_together),
      queue_test(a_limit_that_is_no_number_stops_the_queue_and_says_so),
      queue_test(a_full_redis_can_be_worked_off_within_its_limits),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
