/* server/shelve_tasks.lua against a real Redis. */
#include "moves.h"

static void whatever_is_not_active_is_archived_now(void **state) {
  (void)state;
  queue_give("a");
  moves_give("b", "scheduled", NOW_S + 60);
  moves_give("c", "retry", NOW_S + 60);
  moves_give("d", "completed", NOW_S + 60);
  moves_give_grouped("e", "g1");
  assert_string_equal(moves_one(MC_MOVE_ARCHIVE, "a b c d e"), "1 1 1 1 1");
  assert_redis("a 1700000000 b 1700000000 c 1700000000 d 1700000000 e 1700000000",
               "ZRANGE asynq:{q}:archived 0 -1 WITHSCORES");
  assert_redis("0", "EXISTS asynq:{q}:pending asynq:{q}:scheduled asynq:{q}:retry asynq:{q}:completed asynq:{q}:g:g1");
  assert_redis("0", "EXISTS asynq:{q}:groups");
  assert_string_equal(queue_fields("a"), "msg state");
  assert_redis("archived", "HGET asynq:{q}:t:e state");
}

static void active_and_archived_ones_are_refused(void **state) {
  (void)state;
  queue_give("a");
  queue_take(1, 1);
  moves_give("b", "archived", 7);
  assert_string_equal(moves_one(MC_MOVE_ARCHIVE, "a b nobody"), "-1 -2 0");
  assert_redis("b 7", "ZRANGE asynq:{q}:archived 0 -1 WITHSCORES");
  assert_redis("a", "LRANGE asynq:{q}:active 0 -1");
}

static void no_counter_moves_and_the_lock_stays(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("a");
  options.unique_ms = 60000;
  queue_enqueue(&options, 1);
  assert_string_equal(moves_one(MC_MOVE_ARCHIVE, "a"), "1");
  assert_redis("0", "EXISTS asynq:{q}:processed asynq:{q}:failed asynq:{q}:failed:" TODAY);
  assert_redis("a", "GET asynq:{q}:unique:kind:99914b932bd37a50b983c5e7c90ae93b");
}

static void the_archive_is_not_trimmed(void **state) {
  (void)state;
  queue_ask("EVAL %s 1 asynq:{q}:archived", "for i = 1, 10001 do redis.call('ZADD', KEYS[1], 1, 'x' .. i) end");
  moves_give("a", "retry", NOW_S);
  assert_string_equal(moves_one(MC_MOVE_ARCHIVE, "a"), "1");
  assert_redis("10002", "ZCARD asynq:{q}:archived");
}

static void of_a_state_only_what_is_still_in_it_moves(void **state) {
  (void)state;
  queue_give("a b c");
  assert_string_equal(queue_take(1, 1), "a");
  assert_string_equal(moves_found(MC_MOVE_ARCHIVE, MC_TASK_PENDING, "", "a b"), "-4 1");
  queue_ask("RPUSH asynq:{q}:pending nobody");
  assert_string_equal(moves_found(MC_MOVE_ARCHIVE, MC_TASK_PENDING, "", "nobody"), "0");
  assert_redis("c", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("a", "LRANGE asynq:{q}:active 0 -1");
}

static void keys_of_another_type_fail_the_call_with_nothing_written(void **state) {
  (void)state;
  moves_give("a", "retry", NOW_S);
  queue_ask("SET asynq:{q}:archived x");
  assert_non_null(strstr(moves_one(MC_MOVE_ARCHIVE, "a"), "WRONGTYPE"));
  assert_redis("a", "ZRANGE asynq:{q}:retry 0 -1");
}

static void a_group_that_is_empty_has_failed_no_more(void **state) {
  (void)state;
  moves_give_grouped("a", "g");
  moves_give_grouped("b", "g");
  queue_ask("HSET asynq:{q}:mc_fold_failures g 1 other 1");
  assert_string_equal(moves_one(MC_MOVE_ARCHIVE, "a"), "1");
  assert_redis("2", "HLEN asynq:{q}:mc_fold_failures");
  assert_string_equal(moves_one(MC_MOVE_ARCHIVE, "b"), "1");
  assert_redis("other", "HKEYS asynq:{q}:mc_fold_failures");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(whatever_is_not_active_is_archived_now),
      queue_test(active_and_archived_ones_are_refused),
      queue_test(no_counter_moves_and_the_lock_stays),
      queue_test(the_archive_is_not_trimmed),
      queue_test(of_a_state_only_what_is_still_in_it_moves),
      queue_test(keys_of_another_type_fail_the_call_with_nothing_written),
      queue_test(a_group_that_is_empty_has_failed_no_more),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
