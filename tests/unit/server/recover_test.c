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

static void a_lease_that_somebody_else_wrote_may_have_any_score(void **state) {
  (void)state;
  static const mc_orphan orphans[] = {{MC_SLICE_LITERAL("a"), 1795536224.0874686},
                                      {MC_SLICE_LITERAL("b"), 1e300 * 1e300}};
  queue_give("a b");
  queue_take(2, 1);
  queue_ask("ZADD asynq:{q}:lease 1795536224.0874686 a inf b");
  assert_string_equal(recover(orphans, 2), "1 1");
  assert_redis("b a", "LRANGE asynq:{q}:pending 0 -1");
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

static const mc_orphan without_lease[] = {{MC_SLICE_LITERAL("a"), MC_NO_LEASE}, {MC_SLICE_LITERAL("a"), MC_NO_LEASE}};

/* A task "a" that stands in active, and nowhere else, whatever its hash says. */
static void strand(const char *state) {
  queue_ask("FLUSHALL");
  queue_give("a b");
  queue_ask("LREM asynq:{q}:pending 1 a");
  queue_ask("LPUSH asynq:{q}:active a");
  queue_ask("HSET asynq:{q}:t:a state %s", state);
}

static void a_task_that_stands_nowhere_else_is_an_orphan_whatever_its_state(void **state) {
  (void)state;
  static const char *const states[] = {"pending", "scheduled", "retry", "aggregating", "nonsense", "t:a"};
  for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
    strand(states[i]);
    assert_string_equal(recover(without_lease, 1), "1");
    assert_redis("b a", "LRANGE asynq:{q}:pending 0 -1");
    assert_redis("pending", "HGET asynq:{q}:t:a state");
    assert_redis("0", "EXISTS asynq:{q}:active asynq:{q}:lease");
  }
}

static void a_trace_of_a_task_that_stands_where_its_state_says_is_cleared_away(void **state) {
  (void)state;
  static const char *const states[] = {"scheduled", "retry", "archived", "completed"};
  for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
    strand(states[i]);
    queue_ask("ZADD asynq:{q}:%s 7 a", states[i]);
    assert_string_equal(recover(without_lease, 1), "0");
    assert_redis("7", "ZSCORE asynq:{q}:%s a", states[i]);
    assert_redis("b", "LRANGE asynq:{q}:pending 0 -1");
    assert_redis("0", "EXISTS asynq:{q}:active");
  }
}

static void a_trace_of_a_task_in_a_group_or_in_one_that_is_folded_is_cleared_away(void **state) {
  (void)state;
  static const char *const sets[] = {"g:ada", "g:ada:123"};
  for (size_t i = 0; i < 2; i++) {
    strand("aggregating");
    queue_ask("HSET asynq:{q}:t:a group ada");
    queue_ask("ZADD asynq:{q}:%s 7 a", sets[i]);
    queue_ask("ZADD asynq:{q}:aggregation_sets 9 asynq:{q}:g:ada:123");
    assert_string_equal(recover(without_lease, 1), "0");
    assert_redis("7", "ZSCORE asynq:{q}:%s a", sets[i]);
    assert_redis("b", "LRANGE asynq:{q}:pending 0 -1");
  }
}

static void one_that_stands_in_active_twice_is_put_back_once(void **state) {
  (void)state;
  strand("retry");
  queue_ask("LPUSH asynq:{q}:active a");
  assert_string_equal(recover(without_lease, 2), "1 0");
  assert_redis("b a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:active");
}

static void what_has_ended_is_not_run_again(void **state) {
  (void)state;
  strand("archived");
  assert_string_equal(recover(without_lease, 1), "3");
  assert_redis("1700000000", "ZSCORE asynq:{q}:archived a");
  strand("completed");
  assert_string_equal(recover(without_lease, 1), "3");
  assert_redis("1700086400", "ZSCORE asynq:{q}:completed a");
  assert_redis("completed", "HGET asynq:{q}:t:a state");
  assert_redis("b", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:active");
}

static void a_call_searches_a_long_queue_once_and_leaves_the_rest(void **state) {
  (void)state;
  const mc_orphan orphans[] = {{MC_SLICE_LITERAL("a"), MC_NO_LEASE}, {MC_SLICE_LITERAL("b"), MC_NO_LEASE}};
  strand("pending");
  queue_ask("LPUSH asynq:{q}:active b");
  queue_ask("EVAL %s 0", "for i = 1, 600000 do redis.call('LPUSH', 'asynq:{q}:pending', 'x') end");
  assert_string_equal(recover(orphans, 2), "1 4");
  assert_redis("b", "LRANGE asynq:{q}:active 0 -1");
  assert_string_equal(recover(orphans + 1, 1), "0"); /* it stands there */
  assert_redis("0", "EXISTS asynq:{q}:active");
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
      queue_test(a_lease_that_somebody_else_wrote_may_have_any_score),
      queue_test(a_task_whose_lease_moved_is_left_alone),
      queue_test(a_task_in_active_without_a_lease_is_recovered),
      queue_test(a_task_that_was_settled_meanwhile_is_left_alone),
      queue_test(a_lease_left_behind_is_cleared_away),
      queue_test(a_task_that_stands_nowhere_else_is_an_orphan_whatever_its_state),
      queue_test(a_trace_of_a_task_that_stands_where_its_state_says_is_cleared_away),
      queue_test(a_trace_of_a_task_in_a_group_or_in_one_that_is_folded_is_cleared_away),
      queue_test(one_that_stands_in_active_twice_is_put_back_once),
      queue_test(what_has_ended_is_not_run_again),
      queue_test(a_call_searches_a_long_queue_once_and_leaves_the_rest),
      queue_test(an_active_task_with_a_lease_alone_is_recovered),
      queue_test(ids_without_a_hash_are_dropped),
      queue_test(what_was_recovered_is_no_longer_its_owners),
      queue_test(keys_of_another_type_fail_the_call_with_nothing_written),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
