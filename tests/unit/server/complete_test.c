/* server/complete.lua against a real Redis, and what all settling shares: who may, and what it counts. */
#include "queue.h"

#define LOCK "asynq:{q}:unique:kind:99914b932bd37a50b983c5e7c90ae93b" /* md5 of {} */

static mc_settle_item item(const char *id, uint64_t attempt) {
  return (mc_settle_item){.id = mc_slice_of(id), .attempt = attempt};
}

static void done_tasks_are_gone_and_counted(void **state) {
  (void)state;
  mc_settle_item items[] = {item("a", 1), item("c", 3)};
  items[1].near_head = true;
  queue_give("a b c");
  queue_take(3, 1);
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items, 2), "");
  assert_redis("b", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("b", "ZRANGE asynq:{q}:lease 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:a asynq:{q}:t:c");
  assert_redis("2 2", "MGET asynq:{q}:processed asynq:{q}:processed:" TODAY);
  assert_redis("0", "EXISTS asynq:{q}:failed asynq:{q}:failed:" TODAY);
  assert_redis("7776000", "TTL asynq:{q}:processed:" TODAY);
  assert_redis("-1", "TTL asynq:{q}:processed");
}

static void the_daily_counter_gets_its_expiry_once(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1), item("b", 2)};
  queue_give("a b");
  queue_take(2, 1);
  queue_settle(MC_SETTLE_COMPLETE, items, 1);
  queue_ask("EXPIRE asynq:{q}:processed:" TODAY " 100");
  queue_settle(MC_SETTLE_COMPLETE, items + 1, 1);
  assert_redis("100", "TTL asynq:{q}:processed:" TODAY);
  assert_redis("2", "GET asynq:{q}:processed:" TODAY);
}

static void tasks_of_others_are_refused_and_left_alone(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 9), item("b", 2), item("c", 3), item("d", 4), item("e", 5)};
  queue_give("a b c d");
  queue_take(4, 1);
  queue_ask("HSET asynq:{q}:t:c mc_owner other:3");
  queue_ask("DEL asynq:{q}:t:d");
  queue_ask("SET asynq:{q}:t:e x");
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items, 5), "9 3 4 5");
  assert_redis("d c a", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("3", "ZCARD asynq:{q}:lease");
  assert_redis("2", "EXISTS asynq:{q}:t:a asynq:{q}:t:c");
  assert_redis("x", "GET asynq:{q}:t:e");
  assert_redis("1", "GET asynq:{q}:processed");
}

static void of_two_attempts_of_one_task_the_older_is_refused(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1), item("a", 2)};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("RPOPLPUSH asynq:{q}:active asynq:{q}:pending");
  queue_take(1, 2);
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items, 2), "1");
  assert_redis("1", "GET asynq:{q}:processed");
  assert_redis("0", "EXISTS asynq:{q}:t:a");
}

static void a_task_that_someone_else_moved_on_is_refused(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1)};
  queue_give("a");
  queue_take(1, 1);
  /* asynq's recovery, which knows no owners. */
  queue_ask("LREM asynq:{q}:active 0 a");
  queue_ask("ZREM asynq:{q}:lease a");
  queue_ask("ZADD asynq:{q}:retry 1 a");
  queue_ask("HSET asynq:{q}:t:a state retry");
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items, 1), "1");
  assert_string_equal(queue_fields("a"), "msg state");
  assert_redis("0", "EXISTS asynq:{q}:processed");
}

static void a_lock_is_released_by_its_holder_alone(void **state) {
  (void)state;
  mc_enqueue_options options[] = {queue_options("a"), queue_options("b")};
  mc_settle_item items[] = {item("a", 1), item("b", 2)};
  options[0].unique_ms = 60000;
  items[0].unique_key = items[1].unique_key = MC_SLICE_LITERAL(LOCK);
  queue_enqueue(options, 2);
  queue_take(2, 1);
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items + 1, 1), "");
  assert_redis("a", "GET " LOCK);
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items, 1), "");
  assert_redis("0", "EXISTS " LOCK);
}

static void a_refused_task_keeps_its_lock(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("a");
  mc_settle_item items[] = {item("a", 8)};
  options.unique_ms = 60000;
  items[0].unique_key = MC_SLICE_LITERAL(LOCK);
  queue_enqueue(&options, 1);
  queue_take(1, 1);
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items, 1), "8");
  assert_redis("a", "GET " LOCK);
}

static void a_counter_at_its_end_begins_again_at_one(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1)};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("SET asynq:{q}:processed %s", "9223372036854775807");
  queue_settle(MC_SETTLE_COMPLETE, items, 1);
  assert_redis("1", "GET asynq:{q}:processed");
  assert_redis("1", "GET asynq:{q}:processed:" TODAY);
}

static void a_counter_that_is_no_number_does_not_hold_up_the_task(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1)};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("LPUSH asynq:{q}:processed x");
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items, 1), "");
  assert_redis("0", "EXISTS asynq:{q}:t:a");
  assert_redis("x", "LRANGE asynq:{q}:processed 0 -1");
}

static void keys_of_another_type_fail_the_call_with_nothing_written(void **state) {
  (void)state;
  static const char *const keys[] = {"active", "lease"};
  const mc_settle_item items[] = {item("a", 1)};
  for (size_t i = 0; i < 2; i++) {
    queue_clear(state);
    queue_give("a");
    queue_take(1, 1);
    queue_ask("SET asynq:{q}:%s x", keys[i]);
    assert_non_null(strstr(queue_settle(MC_SETTLE_COMPLETE, items, 1), "WRONGTYPE"));
    assert_string_equal(queue_fields("a"), "mc_owner msg state");
    assert_redis("1", "EXISTS asynq:{q}:%s", keys[1 - i]);
  }
}

static void memory_that_is_full_is_no_obstacle(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1)};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, items, 1), "");
  assert_redis("asynq:{q}:processed", "KEYS *processed");
  assert_redis("2", "DBSIZE");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(done_tasks_are_gone_and_counted),
      queue_test(the_daily_counter_gets_its_expiry_once),
      queue_test(tasks_of_others_are_refused_and_left_alone),
      queue_test(of_two_attempts_of_one_task_the_older_is_refused),
      queue_test(a_task_that_someone_else_moved_on_is_refused),
      queue_test(a_lock_is_released_by_its_holder_alone),
      queue_test(a_refused_task_keeps_its_lock),
      queue_test(a_counter_at_its_end_begins_again_at_one),
      queue_test(a_counter_that_is_no_number_does_not_hold_up_the_task),
      queue_test(keys_of_another_type_fail_the_call_with_nothing_written),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
