/* server/retain.lua against a real Redis. Who may settle is tested in complete_test.c. */
#include "queue.h"

#define LOCK "asynq:{q}:unique:kind:99914b932bd37a50b983c5e7c90ae93b" /* md5 of {} */

static mc_settle_item item(const char *id, uint64_t attempt) {
  return (mc_settle_item){
      .id = mc_slice_of(id), .attempt = attempt, .at_s = NOW_S + 3600, .message = MC_SLICE_LITERAL("new")};
}

static void done_tasks_are_kept_as_asynq_keeps_them(void **state) {
  (void)state;
  mc_settle_item items[] = {item("a", 1), item("b", 2)};
  items[1].at_s = NOW_S + 60;
  queue_give("a b c");
  queue_take(3, 1);
  queue_ask("HSET asynq:{q}:t:a mc_crashes 1");
  assert_string_equal(queue_settle(MC_SETTLE_RETAIN, items, 2), "");
  assert_redis("c", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("c", "ZRANGE asynq:{q}:lease 0 -1");
  assert_redis("b 1700000060 a 1700003600", "ZRANGE asynq:{q}:completed 0 -1 WITHSCORES");
  assert_string_equal(queue_fields("a"), "msg state");
  assert_redis("new completed", "HMGET asynq:{q}:t:a msg state");
  assert_redis("2 2", "MGET asynq:{q}:processed asynq:{q}:processed:" TODAY);
  assert_redis("7776000", "TTL asynq:{q}:processed:" TODAY);
}

static void a_result_is_kept_also_when_it_is_empty(void **state) {
  (void)state;
  mc_settle_item items[] = {item("a", 1), item("b", 2)};
  items[0].has_result = items[1].has_result = true;
  items[1].result = (mc_slice){"x\0y", 3};
  queue_give("a b");
  queue_take(2, 1);
  queue_settle(MC_SETTLE_RETAIN, items, 2);
  assert_string_equal(queue_fields("a"), "msg result state");
  assert_redis("0", "HSTRLEN asynq:{q}:t:a result");
  assert_redis("3", "HSTRLEN asynq:{q}:t:b result");
}

static void without_a_new_message_msg_stays(void **state) {
  (void)state;
  mc_settle_item items[] = {item("a", 1)};
  items[0].message = (mc_slice){0};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("HSET asynq:{q}:t:a msg old");
  queue_settle(MC_SETTLE_RETAIN, items, 1);
  assert_redis("old completed", "HMGET asynq:{q}:t:a msg state");
}

static void its_lock_is_released(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("a");
  mc_settle_item items[] = {item("a", 1)};
  options.unique_ms = 60000;
  items[0].unique_key = MC_SLICE_LITERAL(LOCK);
  queue_enqueue(&options, 1);
  queue_take(1, 1);
  queue_settle(MC_SETTLE_RETAIN, items, 1);
  assert_redis("0", "EXISTS " LOCK);
}

static void tasks_of_others_are_refused_and_left_alone(void **state) {
  (void)state;
  mc_settle_item items[] = {item("a", 7), item("b", 2), item("gone", 3)};
  queue_give("a b");
  queue_take(2, 1);
  assert_string_equal(queue_settle(MC_SETTLE_RETAIN, items, 3), "7 3");
  assert_redis("active", "HGET asynq:{q}:t:a state");
  assert_redis("b", "ZRANGE asynq:{q}:completed 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:gone");
}

static void keys_of_another_type_fail_the_call_with_nothing_written(void **state) {
  (void)state;
  static const char *const keys[] = {"active", "lease", "completed"};
  const mc_settle_item items[] = {item("a", 1)};
  for (size_t i = 0; i < 3; i++) {
    queue_clear(state);
    queue_give("a");
    queue_take(1, 1);
    queue_ask("SET asynq:{q}:%s x", keys[i]);
    assert_non_null(strstr(queue_settle(MC_SETTLE_RETAIN, items, 1), "WRONGTYPE"));
    assert_string_equal(queue_fields("a"), "mc_owner msg state");
    assert_redis("active", "HGET asynq:{q}:t:a state");
    assert_redis("x", "GET asynq:{q}:%s", keys[i]);
  }
}

static void memory_that_is_full_is_no_obstacle(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1)};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(queue_settle(MC_SETTLE_RETAIN, items, 1), "");
  assert_redis("a", "ZRANGE asynq:{q}:completed 0 -1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(done_tasks_are_kept_as_asynq_keeps_them),
      queue_test(a_result_is_kept_also_when_it_is_empty),
      queue_test(without_a_new_message_msg_stays),
      queue_test(its_lock_is_released),
      queue_test(tasks_of_others_are_refused_and_left_alone),
      queue_test(keys_of_another_type_fail_the_call_with_nothing_written),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
