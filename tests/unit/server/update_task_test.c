/* server/update_task.lua against a real Redis. */
#include "moves.h"

static const char *update_from(const char *old_message, const char *old_lock, const char *new_message,
                               const char *new_lock) {
  mc_call call = {0};
  mc_call_update_task(&call, mc_slice_of("q"), mc_slice_of("a"), mc_slice_of(old_message), mc_slice_of(new_message),
                      mc_slice_of(old_lock), mc_slice_of(new_lock));
  return queue_call(&call);
}

static const char *update(const char *old_message, const char *new_message, const char *new_lock) {
  return update_from(old_message, "", new_message, new_lock);
}

static void the_message_of_a_task_that_waits_is_replaced(void **state) {
  static const char *const states[] = {"pending", "scheduled", "retry", "archived"};
  for (size_t i = 0; i < 4; i++) {
    queue_clear(state);
    moves_give("a", states[i], NOW_S);
    assert_string_equal(update("m", "new", ""), "1");
    assert_redis("new", "HGET asynq:{q}:t:a msg");
    assert_redis(states[i], "HGET asynq:{q}:t:a state");
  }
}

static void what_runs_or_has_run_is_refused(void **state) {
  (void)state;
  assert_string_equal(update("m", "new", ""), "0");
  moves_give("a", "active", NOW_S);
  assert_string_equal(update("m", "new", ""), "-1");
  queue_ask("HSET asynq:{q}:t:a state completed");
  assert_string_equal(update("m", "new", ""), "-2");
  assert_redis("m", "HGET asynq:{q}:t:a msg");
}

static void a_task_of_a_group_is_refused_while_the_group_is_folded(void **state) {
  (void)state;
  queue_ask("HSET asynq:{q}:t:a msg m state aggregating group g");
  queue_ask("ZADD asynq:{q}:g:g:set 1 a");
  assert_string_equal(update("m", "new", ""), "-5");
  assert_redis("m", "HGET asynq:{q}:t:a msg");
  queue_ask("RENAME asynq:{q}:g:g:set asynq:{q}:g:g");
  assert_string_equal(update("m", "new", ""), "1");
  assert_redis("new", "HGET asynq:{q}:t:a msg");
}

static void a_message_that_has_changed_is_not_overwritten(void **state) {
  (void)state;
  moves_give("a", "retry", NOW_S);
  assert_string_equal(update("older", "new", ""), "-3");
  assert_redis("m", "HGET asynq:{q}:t:a msg");
}

/* As asynq's client adds it to a group: without the field unique_key. */
static void a_lock_that_only_the_message_names_moves_along_too(void **state) {
  (void)state;
  moves_give_grouped("a", "g");
  queue_ask("SET old a EX 1000");
  assert_string_equal(update_from("m", "old", "new", "lock"), "1");
  assert_redis("0", "EXISTS old");
  assert_redis("a", "GET lock");
  assert_redis("lock", "HGET asynq:{q}:t:a unique_key");
}

static void the_lock_moves_along_with_the_time_it_had_left(void **state) {
  (void)state;
  moves_give("a", "retry", NOW_S);
  queue_ask("HSET asynq:{q}:t:a unique_key old");
  queue_ask("SET old a EX 1000");
  assert_string_equal(update("m", "new", "lock"), "1");
  assert_redis("0", "EXISTS old");
  assert_redis("a", "GET lock");
  assert_redis("lock", "HGET asynq:{q}:t:a unique_key");
  const char *left = queue_ask("TTL lock");
  assert_true(strcmp(left, "999") == 0 || strcmp(left, "1000") == 0);
}

static void a_lock_without_an_end_keeps_none(void **state) {
  (void)state;
  moves_give("a", "retry", NOW_S);
  queue_ask("HSET asynq:{q}:t:a unique_key old");
  queue_ask("SET old a");
  assert_string_equal(update("m", "new", "lock"), "1");
  assert_redis("-1", "TTL lock");
}

static void a_lock_that_another_task_holds_refuses_all(void **state) {
  (void)state;
  moves_give("a", "retry", NOW_S);
  queue_ask("HSET asynq:{q}:t:a unique_key old");
  queue_ask("MSET old a lock b");
  assert_string_equal(update("m", "new", "lock"), "-4");
  assert_redis("m old", "HMGET asynq:{q}:t:a msg unique_key");
  assert_redis("a b", "MGET old lock");
}

static void a_lock_that_has_run_out_is_not_brought_back(void **state) {
  (void)state;
  moves_give("a", "retry", NOW_S);
  queue_ask("HSET asynq:{q}:t:a unique_key old");
  assert_string_equal(update("m", "new", "lock"), "1");
  assert_redis("0", "EXISTS lock");
  assert_redis("new lock", "HMGET asynq:{q}:t:a msg unique_key");
}

static void a_lock_of_the_same_payload_stays(void **state) {
  (void)state;
  moves_give("a", "retry", NOW_S);
  queue_ask("HSET asynq:{q}:t:a unique_key lock");
  queue_ask("SET lock a EX 1000");
  assert_string_equal(update("m", "new", "lock"), "1");
  assert_redis("a", "GET lock");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(the_message_of_a_task_that_waits_is_replaced),
      queue_test(what_runs_or_has_run_is_refused),
      queue_test(a_task_of_a_group_is_refused_while_the_group_is_folded),
      queue_test(a_message_that_has_changed_is_not_overwritten),
      queue_test(a_lock_that_only_the_message_names_moves_along_too),
      queue_test(the_lock_moves_along_with_the_time_it_had_left),
      queue_test(a_lock_without_an_end_keeps_none),
      queue_test(a_lock_that_another_task_holds_refuses_all),
      queue_test(a_lock_that_has_run_out_is_not_brought_back),
      queue_test(a_lock_of_the_same_payload_stays),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
