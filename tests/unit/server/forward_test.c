/* server/forward.lua against a real Redis. */
#include "queue.h"

#include <stdio.h>

static const char *forward(void) {
  mc_call call = {0};
  mc_call_forward(&call, mc_slice_of("q"), NOW_NS);
  return queue_call(&call);
}

/* A task that waits in `scheduled` or `retry` until at_s. */
static void delay(const char *set, const char *id, int64_t at_s) {
  queue_ask("HSET asynq:{q}:t:%s msg m state %s", id, set);
  queue_ask("ZADD asynq:{q}:%s %lld %s", set, (long long)at_s, id);
}

static void what_is_due_becomes_pending_the_earliest_at_the_head(void **state) {
  (void)state;
  delay("scheduled", "a", NOW_S - 5);
  delay("scheduled", "b", NOW_S);
  delay("scheduled", "c", NOW_S + 1);
  delay("retry", "d", NOW_S - 100);
  queue_give("e");
  assert_string_equal(forward(), "3");
  assert_redis("d b a e", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("c", "ZRANGE asynq:{q}:scheduled 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:retry");
  assert_string_equal(queue_fields("a"), "msg pending_since state");
  assert_redis("pending 1700000000000000005", "HMGET asynq:{q}:t:a state pending_since");
  assert_redis("scheduled", "HGET asynq:{q}:t:c state");
  assert_string_equal(forward(), "0");
}

static void a_grouped_task_joins_its_group(void **state) {
  (void)state;
  delay("scheduled", "a", NOW_S);
  delay("retry", "b", NOW_S);
  queue_ask("HSET asynq:{q}:t:a group g1");
  queue_ask("HSET asynq:{q}:t:b group %b", "", (size_t)0);
  assert_string_equal(forward(), "2");
  assert_redis("a 1700000000", "ZRANGE asynq:{q}:g:g1 0 -1 WITHSCORES");
  assert_redis("g1", "SMEMBERS asynq:{q}:groups");
  assert_redis("aggregating", "HGET asynq:{q}:t:a state");
  assert_string_equal(queue_fields("a"), "group msg state");
  assert_redis("b", "LRANGE asynq:{q}:pending 0 -1");
}

static void a_group_key_of_another_type_does_not_hold_the_task_back(void **state) {
  (void)state;
  delay("scheduled", "a", NOW_S);
  delay("scheduled", "b", NOW_S);
  queue_ask("HSET asynq:{q}:t:a group g1");
  queue_ask("HSET asynq:{q}:t:b group g2");
  queue_ask("MSET asynq:{q}:g:g1 x asynq:{q}:groups x");
  assert_string_equal(forward(), "2");
  assert_redis("b a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:g:g2");
}

static void ids_without_a_hash_are_dropped(void **state) {
  (void)state;
  queue_ask("ZADD asynq:{q}:scheduled 1 a 2 b");
  queue_ask("SET asynq:{q}:t:b x");
  assert_string_equal(forward(), "2");
  assert_redis("asynq:{q}:t:b", "KEYS *");
  assert_redis("x", "GET asynq:{q}:t:b");
}

static void a_hash_without_a_state_is_forwarded_all_the_same(void **state) {
  (void)state;
  queue_ask("ZADD asynq:{q}:retry 1 a");
  queue_ask("HSET asynq:{q}:t:a msg m");
  assert_string_equal(forward(), "1");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
}

static void a_call_moves_a_hundred_of_each_set_at_most(void **state) {
  (void)state;
  char id[16];
  for (int i = 0; i < 150; i++) {
    sprintf(id, "s%03d", i);
    delay("scheduled", id, NOW_S - 150 + i);
    sprintf(id, "r%03d", i);
    delay("retry", id, NOW_S - 150 + i);
  }
  assert_string_equal(forward(), "200");
  assert_redis("s100", "ZRANGE asynq:{q}:scheduled 0 0");
  assert_string_equal(forward(), "100");
  assert_string_equal(forward(), "0");
  assert_redis("300", "LLEN asynq:{q}:pending");
}

static void keys_of_another_type_fail_the_call_with_nothing_written(void **state) {
  (void)state;
  static const char *const keys[] = {"pending", "retry"};
  for (size_t i = 0; i < 2; i++) {
    queue_clear(state);
    delay("scheduled", "a", NOW_S);
    queue_ask("SET asynq:{q}:%s x", keys[i]);
    assert_non_null(strstr(forward(), "WRONGTYPE"));
    assert_redis("a", "ZRANGE asynq:{q}:scheduled 0 -1");
    assert_redis("scheduled", "HGET asynq:{q}:t:a state");
  }
}

static void memory_that_is_full_is_no_obstacle(void **state) {
  (void)state;
  delay("scheduled", "a", NOW_S);
  delay("retry", "b", NOW_S);
  queue_ask("HSET asynq:{q}:t:b group g1");
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(forward(), "2");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("b", "ZRANGE asynq:{q}:g:g1 0 -1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(what_is_due_becomes_pending_the_earliest_at_the_head),
      queue_test(a_grouped_task_joins_its_group),
      queue_test(a_group_key_of_another_type_does_not_hold_the_task_back),
      queue_test(ids_without_a_hash_are_dropped),
      queue_test(a_hash_without_a_state_is_forwarded_all_the_same),
      queue_test(a_call_moves_a_hundred_of_each_set_at_most),
      queue_test(keys_of_another_type_fail_the_call_with_nothing_written),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
