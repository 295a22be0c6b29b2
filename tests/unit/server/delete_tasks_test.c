/* server/delete_tasks.lua against a real Redis. */
#include "moves.h"

#include "protocol/message.h"

static void whatever_is_not_active_is_deleted(void **state) {
  (void)state;
  queue_give("a");
  moves_give("b", "scheduled", NOW_S);
  moves_give("c", "retry", NOW_S);
  moves_give("d", "archived", NOW_S);
  moves_give("e", "completed", NOW_S);
  moves_give_grouped("f", "g1");
  assert_string_equal(moves_one(MC_MOVE_DELETE, "a b c d e f"), "1 1 1 1 1 1");
  assert_redis("", "KEYS *");
}

static void active_ones_are_refused(void **state) {
  (void)state;
  queue_give("a");
  queue_take(1, 1);
  assert_string_equal(moves_one(MC_MOVE_DELETE, "a nobody"), "-1 0");
  assert_redis("1", "EXISTS asynq:{q}:t:a");
}

static void a_lock_goes_with_the_task_that_holds_it(void **state) {
  (void)state;
  moves_give("a", "retry", NOW_S);
  moves_give("b", "retry", NOW_S);
  queue_ask("HSET asynq:{q}:t:a unique_key lock1");
  queue_ask("HSET asynq:{q}:t:b unique_key lock2");
  queue_ask("MSET lock1 a lock2 somebody");
  assert_string_equal(moves_one(MC_MOVE_DELETE, "a b"), "1 1");
  assert_redis("lock2", "KEYS *");
}

/* A task of a group whose message alone names its lock, as asynq's client adds it. */
static void give_grouped_unique(const char *id, mc_slice payload, const char *lock) {
  mc_message message = {.type = MC_SLICE_LITERAL("t"),
                        .id = mc_slice_of(id),
                        .queue = MC_SLICE_LITERAL("q"),
                        .payload = payload,
                        .max_retry = 300,
                        .unique_key = mc_slice_of(lock)};
  mc_buf bytes = {0};
  mc_message_encode(&message, &bytes);
  moves_give_grouped(id, "g");
  queue_ask("HSET asynq:{q}:t:%s msg %b", id, bytes.data, bytes.size);
  mc_buf_deinit(&bytes);
}

static void a_lock_that_only_the_message_names_goes_too(void **state) {
  (void)state;
  static char large[70000];
  give_grouped_unique("a", (mc_slice){large, 200}, "lock1");
  give_grouped_unique("b", (mc_slice){0}, "lock2");
  give_grouped_unique("c", (mc_slice){0}, "");
  give_grouped_unique("d", (mc_slice){large, sizeof large}, "lock4");
  moves_give_grouped("e", "g");
  queue_ask("HSET asynq:{q}:t:e msg %b", "R\377\377\377", (size_t)4);
  queue_ask("MSET lock1 a lock2 somebody lock4 d");
  assert_string_equal(moves_one(MC_MOVE_DELETE, "a b c d e"), "1 1 1 1 1");
  assert_redis("0", "EXISTS lock1");
  assert_redis("2", "EXISTS lock2 lock4"); /* of another; of a message that is too large to be looked into */
}

static void of_a_state_only_what_is_still_in_it_goes(void **state) {
  (void)state;
  queue_give("a b c");
  assert_string_equal(queue_take(1, 1), "a");
  assert_string_equal(moves_found(MC_MOVE_DELETE, MC_TASK_PENDING, "", "a b"), "-4 1");
  assert_redis("c", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("2", "EXISTS asynq:{q}:t:a asynq:{q}:t:c");
}

static void a_task_that_stands_elsewhere_is_left_alone(void **state) {
  (void)state;
  moves_give_grouped("a", "g1");
  queue_ask("RENAME asynq:{q}:g:g1 asynq:{q}:g:g1:set");
  queue_ask("SET asynq:{q}:t:b x");
  assert_string_equal(moves_one(MC_MOVE_DELETE, "a b"), "-3 0");
  assert_redis("2", "EXISTS asynq:{q}:t:a asynq:{q}:t:b");
}

static void a_group_that_is_empty_has_failed_no_more(void **state) {
  (void)state;
  moves_give_grouped("a", "g");
  moves_give_grouped("b", "g");
  queue_ask("HSET asynq:{q}:mc_fold_failures g 1 other 1");
  assert_string_equal(moves_one(MC_MOVE_DELETE, "a"), "1");
  assert_redis("2", "HLEN asynq:{q}:mc_fold_failures");
  assert_string_equal(moves_one(MC_MOVE_DELETE, "b"), "1");
  assert_redis("other", "HKEYS asynq:{q}:mc_fold_failures");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(whatever_is_not_active_is_deleted),        queue_test(active_ones_are_refused),
      queue_test(a_lock_goes_with_the_task_that_holds_it),  queue_test(a_lock_that_only_the_message_names_goes_too),
      queue_test(of_a_state_only_what_is_still_in_it_goes), queue_test(a_task_that_stands_elsewhere_is_left_alone),
      queue_test(a_group_that_is_empty_has_failed_no_more),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
