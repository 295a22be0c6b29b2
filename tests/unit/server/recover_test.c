/* server/recover.lua against a real Redis. */
#include "queue.h"

static const char *recover(const mc_orphan *orphans, size_t count) {
  mc_call call = {0};
  mc_call_recover(&call, mc_slice_of("q"), NOW_NS, orphans, count);
  return queue_call(&call);
}

static const mc_orphan seen[] = {
    {MC_SLICE_LITERAL("a"), LEASE_S}, {MC_SLICE_LITERAL("b"), LEASE_S}, {MC_SLICE_LITERAL("c"), LEASE_S}};

static void orphans_go_back_to_the_head_in_the_order_given(void **state) {
  (void)state;
  queue_give("a b c d");
  queue_take(3, 1);
  queue_ask("HSET asynq:{q}:t:b mc_crashes 2");
  assert_string_equal(recover(seen, 2), "1 1");
  assert_redis("d b a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("c", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("c", "ZRANGE asynq:{q}:lease 0 -1");
  assert_string_equal(queue_fields("a"), "msg pending_since state");
  assert_redis("pending 1700000000000000005", "HMGET asynq:{q}:t:a state pending_since");
  assert_redis("2", "HGET asynq:{q}:t:b mc_crashes"); /* no death of a node makes a task innocent */
  assert_redis("0", "EXISTS asynq:{q}:processed asynq:{q}:failed");
}

static void a_task_whose_lease_moved_is_left_alone(void **state) {
  (void)state;
  queue_give("a b c");
  queue_take(3, 1);
  queue_ask("ZADD asynq:{q}:lease %lld a", (long long)LEASE_S + 5);
  queue_ask("ZREM asynq:{q}:lease b");
  assert_string_equal(recover(seen, 3), "0 0 1");
  assert_redis("b a", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("s:1", "HGET asynq:{q}:t:a mc_owner");
}

static void a_task_in_active_without_a_lease_is_recovered(void **state) {
  (void)state;
  const mc_orphan orphans[] = {{MC_SLICE_LITERAL("a"), MC_NO_LEASE}, {MC_SLICE_LITERAL("b"), MC_NO_LEASE}};
  queue_give("a b");
  queue_take(2, 1);
  queue_ask("ZREM asynq:{q}:lease a");
  assert_string_equal(recover(orphans, 2), "1 0");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("b", "LRANGE asynq:{q}:active 0 -1");
}

static void a_task_that_was_settled_meanwhile_is_left_alone(void **state) {
  (void)state;
  const mc_orphan orphans[] = {{MC_SLICE_LITERAL("a"), MC_NO_LEASE}};
  const mc_settle_item item = {.id = mc_slice_of("a"), .attempt = 1};
  queue_give("a");
  queue_take(1, 1);
  queue_settle(MC_SETTLE_COMPLETE, &item, 1);
  assert_string_equal(recover(seen, 1), "0");
  assert_string_equal(recover(orphans, 1), "0");
  assert_redis("0", "EXISTS asynq:{q}:pending asynq:{q}:t:a");
}

static void a_lease_left_behind_is_cleared_away(void **state) {
  (void)state;
  queue_give("a b");
  queue_ask("ZADD asynq:{q}:lease %lld a", (long long)LEASE_S);
  assert_string_equal(recover(seen, 1), "0");
  assert_redis("0", "EXISTS asynq:{q}:lease");
  assert_redis("b a", "LRANGE asynq:{q}:pending 0 -1");
}

static void an_active_task_with_a_lease_alone_is_recovered(void **state) {
  (void)state;
  queue_give("a");
  queue_take(1, 1);
  queue_ask("DEL asynq:{q}:active");
  assert_string_equal(recover(seen, 1), "1");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
}

static void ids_without_a_hash_are_dropped(void **state) {
  (void)state;
  queue_give("a b c");
  queue_take(3, 1);
  queue_ask("DEL asynq:{q}:t:a asynq:{q}:t:b");
  queue_ask("SET asynq:{q}:t:b x");
  assert_string_equal(recover(seen, 3), "2 2 1");
  assert_redis("0", "EXISTS asynq:{q}:active asynq:{q}:lease asynq:{q}:t:a");
  assert_redis("x", "GET asynq:{q}:t:b");
  assert_redis("c", "LRANGE asynq:{q}:pending 0 -1");
}

static void what_was_recovered_is_no_longer_its_owners(void **state) {
  (void)state;
  const mc_settle_item item = {.id = mc_slice_of("a"), .attempt = 1};
  queue_give("a");
  queue_take(1, 1);
  recover(seen, 1);
  queue_take(1, 2);
  assert_string_equal(queue_settle(MC_SETTLE_COMPLETE, &item, 1), "1");
  assert_redis("a", "LRANGE asynq:{q}:active 0 -1");
}

static void keys_of_another_type_fail_the_call_with_nothing_written(void **state) {
  (void)state;
  static const char *const keys[] = {"active", "lease", "pending"};
  for (size_t i = 0; i < 3; i++) {
    queue_clear(state);
    queue_give("a");
    queue_take(1, 1);
    queue_ask("SET asynq:{q}:%s x", keys[i]);
    assert_non_null(strstr(recover(seen, 1), "WRONGTYPE"));
    assert_string_equal(queue_fields("a"), "mc_owner msg state");
    assert_redis("1", "EXISTS asynq:{q}:%s", keys[i == 0]);
  }
}

static void memory_that_is_full_is_no_obstacle(void **state) {
  (void)state;
  queue_give("a");
  queue_take(1, 1);
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(recover(seen, 1), "1");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(orphans_go_back_to_the_head_in_the_order_given),
      queue_test(a_task_whose_lease_moved_is_left_alone),
      queue_test(a_task_in_active_without_a_lease_is_recovered),
      queue_test(a_task_that_was_settled_meanwhile_is_left_alone),
      queue_test(a_lease_left_behind_is_cleared_away),
      queue_test(an_active_task_with_a_lease_alone_is_recovered),
      queue_test(ids_without_a_hash_are_dropped),
      queue_test(what_was_recovered_is_no_longer_its_owners),
      queue_test(keys_of_another_type_fail_the_call_with_nothing_written),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
