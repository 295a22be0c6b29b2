/* server/extend.lua against a real Redis. */
#include "queue.h"

static const char *extend(const mc_held_id *ids, size_t count) {
  mc_call call = {0};
  mc_call_extend(&call, mc_slice_of("q"), mc_slice_of("s"), LEASE_S + 5, ids, count);
  return queue_call(&call);
}

static const mc_held_id held[] = {{MC_SLICE_LITERAL("a"), 1}, {MC_SLICE_LITERAL("b"), 2}, {MC_SLICE_LITERAL("c"), 3}};

static void leases_grow(void **state) {
  (void)state;
  queue_give("a b c");
  queue_take(3, 1);
  assert_string_equal(extend(held, 2), "");
  assert_redis("c 1700000030 a 1700000035 b 1700000035", "ZRANGE asynq:{q}:lease 0 -1 WITHSCORES");
}

static void tasks_of_others_are_refused(void **state) {
  (void)state;
  queue_give("a b c");
  queue_take(3, 1);
  queue_ask("HSET asynq:{q}:t:a mc_owner other:1");
  queue_ask("DEL asynq:{q}:t:b");
  queue_ask("HSET asynq:{q}:t:b mc_owner s:9");
  assert_string_equal(extend(held, 3), "1 2");
  assert_redis("a 1700000030 b 1700000030 c 1700000035", "ZRANGE asynq:{q}:lease 0 -1 WITHSCORES");
}

static void hashes_that_are_none_are_refused(void **state) {
  (void)state;
  queue_ask("SET asynq:{q}:t:a x");
  assert_string_equal(extend(held, 2), "1 2");
  assert_redis("1", "DBSIZE");
}

static void a_lease_that_is_gone_is_not_made_anew(void **state) {
  (void)state;
  queue_give("a");
  queue_take(1, 1);
  queue_ask("ZREM asynq:{q}:lease a");
  extend(held, 1);
  assert_redis("0", "EXISTS asynq:{q}:lease");
}

static void a_lease_key_of_another_type_fails_the_call(void **state) {
  (void)state;
  queue_give("a");
  queue_take(1, 1);
  queue_ask("SET asynq:{q}:lease x");
  assert_non_null(strstr(extend(held, 1), "WRONGTYPE"));
}

static void memory_that_is_full_is_no_obstacle(void **state) {
  (void)state;
  queue_give("a");
  queue_take(1, 1);
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(extend(held, 1), "");
  assert_redis("a 1700000035", "ZRANGE asynq:{q}:lease 0 -1 WITHSCORES");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(leases_grow),
      queue_test(tasks_of_others_are_refused),
      queue_test(hashes_that_are_none_are_refused),
      queue_test(a_lease_that_is_gone_is_not_made_anew),
      queue_test(a_lease_key_of_another_type_fails_the_call),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
