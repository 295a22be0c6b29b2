/* server/run_tasks.lua against a real Redis. */
#include "moves.h"

static void whatever_waits_or_ended_becomes_pending(void **state) {
  (void)state;
  moves_give("a", "scheduled", NOW_S + 60);
  moves_give("b", "retry", NOW_S + 60);
  moves_give("c", "archived", NOW_S - 60);
  moves_give("d", "completed", NOW_S + 60);
  moves_give_grouped("e", "g1");
  moves_give_grouped("f", "g1");
  assert_string_equal(moves_one(MC_MOVE_RUN, "a b c d e"), "1 1 1 1 1");
  assert_redis("e d c b a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:scheduled asynq:{q}:retry asynq:{q}:archived asynq:{q}:completed");
  assert_redis("f", "ZRANGE asynq:{q}:g:g1 0 -1");
  assert_redis("g1", "SMEMBERS asynq:{q}:groups");
  assert_redis("pending 1700000000000000005", "HMGET asynq:{q}:t:a state pending_since");
}

static void a_group_without_tasks_is_none(void **state) {
  (void)state;
  moves_give_grouped("a", "g1");
  assert_string_equal(moves_one(MC_MOVE_RUN, "a"), "1");
  assert_redis("0", "EXISTS asynq:{q}:g:g1 asynq:{q}:groups");
  assert_redis("g1", "HGET asynq:{q}:t:a group");
}

static void active_and_pending_ones_are_refused(void **state) {
  (void)state;
  queue_give("a b");
  assert_string_equal(queue_take(1, 1), "a");
  assert_string_equal(moves_one(MC_MOVE_RUN, "a b nobody"), "-1 -2 0");
  assert_redis("b", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("a", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("active", "HGET asynq:{q}:t:a state");
}

static void what_an_earlier_end_left_goes_and_the_lock_stays(void **state) {
  (void)state;
  moves_give("a", "archived", NOW_S);
  queue_ask("HSET asynq:{q}:t:a mc_error why result r unique_key lock");
  queue_ask("SET lock a");
  assert_string_equal(moves_one(MC_MOVE_RUN, "a"), "1");
  assert_string_equal(queue_fields("a"), "msg pending_since state unique_key");
  assert_redis("a", "GET lock");
}

static void a_task_that_stands_elsewhere_is_left_alone(void **state) {
  (void)state;
  moves_give_grouped("a", "g1");
  queue_ask("RENAME asynq:{q}:g:g1 asynq:{q}:g:g1:set"); /* it is being aggregated */
  queue_ask("HSET asynq:{q}:t:b msg m");
  assert_string_equal(moves_one(MC_MOVE_RUN, "a b"), "-3 -3");
  assert_redis("aggregating", "HGET asynq:{q}:t:a state");
  assert_redis("0", "EXISTS asynq:{q}:pending");
}

static void of_a_state_only_what_is_still_in_it_moves(void **state) {
  (void)state;
  moves_give("a", "scheduled", NOW_S);
  moves_give("b", "retry", NOW_S);
  queue_ask("ZADD asynq:{q}:scheduled 1 b 2 nobody");
  assert_string_equal(moves_found(MC_MOVE_RUN, MC_TASK_SCHEDULED, "", "a b nobody"), "1 -4 0");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("b", "ZRANGE asynq:{q}:scheduled 0 -1"); /* contradictory, but not for us to lose */
  assert_redis("b", "ZRANGE asynq:{q}:retry 0 -1");
}

static void of_a_group_only_what_names_it_moves(void **state) {
  (void)state;
  moves_give_grouped("a", "g1");
  moves_give_grouped("b", "g2");
  queue_ask("ZADD asynq:{q}:g:g1 1 b");
  assert_string_equal(moves_found(MC_MOVE_RUN, MC_TASK_AGGREGATING, "g1", "a b"), "1 -4");
  assert_redis("b", "ZRANGE asynq:{q}:g:g2 0 -1");
}

static void a_hash_without_a_state_is_of_the_state_it_was_found_in(void **state) {
  (void)state;
  queue_ask("ZADD asynq:{q}:retry 1 a");
  queue_ask("HSET asynq:{q}:t:a msg m");
  assert_string_equal(moves_found(MC_MOVE_RUN, MC_TASK_RETRY, "", "a"), "1");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
}

static void a_pending_key_of_another_type_fails_the_call_with_nothing_written(void **state) {
  (void)state;
  moves_give("a", "retry", NOW_S);
  queue_ask("SET asynq:{q}:pending x");
  assert_non_null(strstr(moves_one(MC_MOVE_RUN, "a"), "WRONGTYPE"));
  assert_redis("a", "ZRANGE asynq:{q}:retry 0 -1");
  assert_redis("retry", "HGET asynq:{q}:t:a state");
}

static void a_group_that_is_empty_has_failed_no_more(void **state) {
  (void)state;
  moves_give_grouped("a", "g");
  moves_give_grouped("b", "g");
  queue_ask("HSET asynq:{q}:mc_fold_failures g 1 other 1");
  assert_string_equal(moves_one(MC_MOVE_RUN, "a"), "1");
  assert_redis("2", "HLEN asynq:{q}:mc_fold_failures");
  assert_string_equal(moves_one(MC_MOVE_RUN, "b"), "1");
  assert_redis("other", "HKEYS asynq:{q}:mc_fold_failures");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(whatever_waits_or_ended_becomes_pending),
      queue_test(a_group_without_tasks_is_none),
      queue_test(active_and_pending_ones_are_refused),
      queue_test(what_an_earlier_end_left_goes_and_the_lock_stays),
      queue_test(a_task_that_stands_elsewhere_is_left_alone),
      queue_test(of_a_state_only_what_is_still_in_it_moves),
      queue_test(of_a_group_only_what_names_it_moves),
      queue_test(a_hash_without_a_state_is_of_the_state_it_was_found_in),
      queue_test(a_pending_key_of_another_type_fails_the_call_with_nothing_written),
      queue_test(a_group_that_is_empty_has_failed_no_more),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
