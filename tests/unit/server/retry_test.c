/* server/retry.lua against a real Redis: retries and snoozes. Who may settle is tested in complete_test.c. */
#include "queue.h"

static mc_settle_item item(const char *id, uint64_t attempt, int64_t at_s) {
  return (mc_settle_item){.id = mc_slice_of(id),
                          .attempt = attempt,
                          .at_s = at_s,
                          .message = MC_SLICE_LITERAL("new"),
                          .counts_failure = true};
}

static void failed_tasks_wait_as_asynq_lets_them_wait(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1, NOW_S + 40), item("b", 2, NOW_S + 15)};
  queue_give("a b c");
  queue_take(3, 1);
  assert_string_equal(queue_settle(MC_SETTLE_RETRY, items, 2), "");
  assert_redis("c", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("c", "ZRANGE asynq:{q}:lease 0 -1");
  assert_redis("b 1700000015 a 1700000040", "ZRANGE asynq:{q}:retry 0 -1 WITHSCORES");
  assert_string_equal(queue_fields("a"), "msg state");
  assert_redis("new retry", "HMGET asynq:{q}:t:a msg state");
  assert_redis("2 2", "MGET asynq:{q}:processed asynq:{q}:processed:" TODAY);
  assert_redis("2 2", "MGET asynq:{q}:failed asynq:{q}:failed:" TODAY);
  assert_redis("7776000", "TTL asynq:{q}:processed:" TODAY);
  assert_redis("7776000", "TTL asynq:{q}:failed:" TODAY);
}

static void an_error_that_is_no_failure_is_not_counted(void **state) {
  (void)state;
  mc_settle_item items[] = {item("a", 1, NOW_S + 40), item("b", 2, NOW_S + 15)};
  items[0].counts_failure = false;
  queue_give("a b");
  queue_take(2, 1);
  queue_settle(MC_SETTLE_RETRY, items, 1);
  assert_redis("0", "EXISTS asynq:{q}:processed asynq:{q}:failed asynq:{q}:failed:" TODAY);
  queue_settle(MC_SETTLE_RETRY, items + 1, 1);
  assert_redis("1 1", "MGET asynq:{q}:processed asynq:{q}:failed");
}

static void a_snoozed_task_is_scheduled_and_not_counted(void **state) {
  (void)state;
  mc_settle_item items[] = {item("a", 1, NOW_S + 600)};
  items[0].message = (mc_slice){0};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("HSET asynq:{q}:t:a msg old");
  assert_string_equal(queue_settle(MC_SETTLE_SNOOZE, items, 1), "");
  assert_redis("a 1700000600", "ZRANGE asynq:{q}:scheduled 0 -1 WITHSCORES");
  assert_redis("old scheduled", "HMGET asynq:{q}:t:a msg state");
  assert_redis("2", "DBSIZE");
}

static void crashes_are_remembered_over_a_retry(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1, NOW_S + 40)};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("HSET asynq:{q}:t:a mc_crashes 2");
  queue_settle(MC_SETTLE_RETRY, items, 1);
  assert_redis("2", "HGET asynq:{q}:t:a mc_crashes");
}

static void tasks_of_others_are_refused_and_left_alone(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 7, NOW_S), item("b", 2, NOW_S), item("gone", 3, NOW_S)};
  queue_give("a b");
  queue_take(2, 1);
  assert_string_equal(queue_settle(MC_SETTLE_RETRY, items, 3), "7 3");
  assert_redis("active", "HGET asynq:{q}:t:a state");
  assert_redis("b", "ZRANGE asynq:{q}:retry 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:gone");
  assert_redis("1", "GET asynq:{q}:failed");
}

static void keys_of_another_type_fail_the_call_with_nothing_written(void **state) {
  (void)state;
  static const char *const keys[] = {"active", "lease", "retry"};
  const mc_settle_item items[] = {item("a", 1, NOW_S)};
  for (size_t i = 0; i < 3; i++) {
    queue_clear(state);
    queue_give("a");
    queue_take(1, 1);
    queue_ask("SET asynq:{q}:%s x", keys[i]);
    assert_non_null(strstr(queue_settle(MC_SETTLE_RETRY, items, 1), "WRONGTYPE"));
    assert_string_equal(queue_fields("a"), "mc_owner msg state");
    assert_redis("active", "HGET asynq:{q}:t:a state");
    assert_redis("x", "GET asynq:{q}:%s", keys[i]);
  }
}

static void memory_that_is_full_is_no_obstacle(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1, NOW_S)};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(queue_settle(MC_SETTLE_RETRY, items, 1), "");
  assert_redis("a", "ZRANGE asynq:{q}:retry 0 -1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(failed_tasks_wait_as_asynq_lets_them_wait),
      queue_test(an_error_that_is_no_failure_is_not_counted),
      queue_test(a_snoozed_task_is_scheduled_and_not_counted),
      queue_test(crashes_are_remembered_over_a_retry),
      queue_test(tasks_of_others_are_refused_and_left_alone),
      queue_test(keys_of_another_type_fail_the_call_with_nothing_written),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
