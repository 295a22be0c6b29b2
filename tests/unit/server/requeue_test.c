/* server/requeue.lua against a real Redis. Who may settle is tested in complete_test.c. */
#include "queue.h"

static mc_settle_item item(const char *id, uint64_t attempt, uint32_t crashes) {
  return (mc_settle_item){
      .id = mc_slice_of(id), .attempt = attempt, .crashes = crashes, .crash = MC_SLICE_LITERAL("5 died")};
}

static void tasks_go_back_to_the_head_in_the_order_given(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1, 0), item("b", 2, 0)};
  queue_give("a b c");
  queue_take(2, 1);
  assert_string_equal(queue_settle(MC_SETTLE_REQUEUE, items, 2), "");
  assert_redis("c b a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:active asynq:{q}:lease asynq:{q}:processed asynq:{q}:failed");
  assert_string_equal(queue_fields("a"), "msg pending_since state");
  assert_redis("pending 1700000000000000005", "HMGET asynq:{q}:t:a state pending_since");
  assert_string_equal(queue_take(1, 3), "a");
}

static void crashes_are_written_when_there_are_any(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1, 2), item("b", 2, 0)};
  queue_give("a b");
  queue_take(2, 1);
  queue_ask("HSET asynq:{q}:t:b mc_crashes 1");
  queue_settle(MC_SETTLE_REQUEUE, items, 2);
  assert_redis("2", "HGET asynq:{q}:t:a mc_crashes");
  assert_redis("5 died", "HGET asynq:{q}:t:a mc_last_crash");
  assert_redis("1", "HGET asynq:{q}:t:b mc_crashes");
  assert_redis("0", "HEXISTS asynq:{q}:t:b mc_last_crash");
}

static void tasks_of_others_are_refused_and_left_alone(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 7, 1), item("b", 2, 1), item("gone", 3, 1)};
  queue_give("a b");
  queue_take(2, 1);
  assert_string_equal(queue_settle(MC_SETTLE_REQUEUE, items, 3), "7 3");
  assert_redis("active", "HGET asynq:{q}:t:a state");
  assert_redis("b", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:gone");
}

static void keys_of_another_type_fail_the_call_with_nothing_written(void **state) {
  (void)state;
  static const char *const keys[] = {"active", "lease", "pending"};
  const mc_settle_item items[] = {item("a", 1, 0)};
  for (size_t i = 0; i < 3; i++) {
    queue_clear(state);
    queue_give("a");
    queue_take(1, 1);
    queue_ask("SET asynq:{q}:%s x", keys[i]);
    assert_non_null(strstr(queue_settle(MC_SETTLE_REQUEUE, items, 1), "WRONGTYPE"));
    assert_string_equal(queue_fields("a"), "mc_owner msg state");
    assert_redis("active", "HGET asynq:{q}:t:a state");
  }
}

static void memory_that_is_full_is_no_obstacle(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1, 1)};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(queue_settle(MC_SETTLE_REQUEUE, items, 1), "");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(tasks_go_back_to_the_head_in_the_order_given),
      queue_test(crashes_are_written_when_there_are_any),
      queue_test(tasks_of_others_are_refused_and_left_alone),
      queue_test(keys_of_another_type_fail_the_call_with_nothing_written),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
