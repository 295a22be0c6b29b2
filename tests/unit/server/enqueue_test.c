/* server/enqueue.lua against a real Redis: what is written, field by field, and the answer for each task. */
#include "queue.h"

#include <stdio.h>

static mc_enqueue_options unique_options(const char *id) {
  mc_enqueue_options options = queue_options(id);
  options.unique_ms = 60000;
  return options;
}

#define LOCK "asynq:{q}:unique:kind:99914b932bd37a50b983c5e7c90ae93b" /* md5 of {} */

static void pending_tasks_are_as_asynq_writes_them(void **state) {
  (void)state;
  const mc_enqueue_options options[] = {queue_options("a"), queue_options("b"), queue_options("c")};
  assert_string_equal(queue_enqueue(options, 3), "1 1 1");
  assert_redis("c b a", "LRANGE asynq:{q}:pending 0 -1");
  assert_string_equal(queue_fields("a"), "msg pending_since state");
  assert_redis("pending 1700000000000000005", "HMGET asynq:{q}:t:a state pending_since");
  assert_redis("\n\004kind\022\002{}\032\001a\"\001q(\031@\210\016", "HGET asynq:{q}:t:a msg");
  assert_redis("4", "DBSIZE");
}

static void scheduled_tasks_are_as_asynq_writes_them(void **state) {
  (void)state;
  mc_enqueue_options options[] = {queue_options("a"), queue_options("b")};
  options[0].process_at_ms = NOW_S * 1000 + 1500;
  options[1].process_at_ms = NOW_S * 1000 + 7000;
  assert_string_equal(queue_enqueue(options, 2), "1 1");
  assert_redis("a 1700000002 b 1700000007", "ZRANGE asynq:{q}:scheduled 0 -1 WITHSCORES");
  assert_string_equal(queue_fields("a"), "msg state");
  assert_redis("scheduled", "HGET asynq:{q}:t:a state");
  assert_redis("0", "EXISTS asynq:{q}:pending");
}

static void grouped_tasks_are_as_asynq_writes_them(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("a");
  options.group = MC_SLICE_LITERAL("g1");
  assert_string_equal(queue_enqueue(&options, 1), "1");
  assert_redis("a 1700000000", "ZRANGE asynq:{q}:g:g1 0 -1 WITHSCORES");
  assert_redis("g1", "SMEMBERS asynq:{q}:groups");
  assert_string_equal(queue_fields("a"), "group msg state");
  assert_redis("aggregating g1", "HMGET asynq:{q}:t:a state group");
}

static void kinds_may_be_mixed_in_one_call(void **state) {
  (void)state;
  mc_enqueue_options options[] = {queue_options("a"), queue_options("b"), queue_options("c"), queue_options("d")};
  options[1].process_at_ms = NOW_S * 1000 + 1000;
  options[2].group = MC_SLICE_LITERAL("g1");
  assert_string_equal(queue_enqueue(options, 4), "1 1 1 1");
  assert_redis("d a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("b", "ZRANGE asynq:{q}:scheduled 0 -1");
  assert_redis("c", "ZRANGE asynq:{q}:g:g1 0 -1");
}

static void an_id_that_exists_is_a_conflict_and_changes_nothing(void **state) {
  (void)state;
  const mc_enqueue_options options[] = {queue_options("a"), queue_options("b"), queue_options("b")};
  queue_give("a");
  assert_string_equal(queue_take(1, 7), "a");
  assert_string_equal(queue_enqueue(options, 3), "0 1 0");
  assert_redis("active", "HGET asynq:{q}:t:a state");
  assert_redis("b", "LRANGE asynq:{q}:pending 0 -1");
}

static void a_unique_task_takes_its_lock(void **state) {
  (void)state;
  const mc_enqueue_options options = unique_options("a");
  assert_string_equal(queue_enqueue(&options, 1), "1");
  assert_redis("a", "GET " LOCK);
  assert_redis("60", "TTL " LOCK);
  assert_string_equal(queue_fields("a"), "msg pending_since state unique_key");
  assert_redis(LOCK, "HGET asynq:{q}:t:a unique_key");
}

static void a_delayed_unique_task_holds_its_lock_while_it_waits_too(void **state) {
  (void)state;
  mc_enqueue_options options = unique_options("a");
  options.process_at_ms = NOW_S * 1000 + 10000;
  assert_string_equal(queue_enqueue(&options, 1), "1");
  assert_redis("70", "TTL " LOCK);
  assert_string_equal(queue_fields("a"), "msg state unique_key");
}

static void a_duplicate_is_refused_and_told_from_itself(void **state) {
  (void)state;
  const mc_enqueue_options options[] = {unique_options("a"), unique_options("b")};
  assert_string_equal(queue_enqueue(options, 2), "1 -1");
  assert_string_equal(queue_enqueue(options, 2), "-2 -1");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:b");
}

static void a_conflict_gives_back_the_lock_just_taken(void **state) {
  (void)state;
  const mc_enqueue_options options = unique_options("a");
  queue_give("a");
  assert_string_equal(queue_enqueue(&options, 1), "0");
  assert_redis("0", "EXISTS " LOCK);
}

static void a_lock_key_of_another_type_is_a_duplicate(void **state) {
  (void)state;
  const mc_enqueue_options options = unique_options("a");
  queue_ask("LPUSH " LOCK " x");
  assert_string_equal(queue_enqueue(&options, 1), "-1");
}

static void a_place_of_another_type_refuses_its_tasks_alone_and_leaves_nothing(void **state) {
  (void)state;
  mc_enqueue_options options[] = {unique_options("a"), queue_options("b"), queue_options("c")};
  options[1].process_at_ms = NOW_S * 1000 + 1000;
  options[2].group = MC_SLICE_LITERAL("g1");
  queue_ask("SET asynq:{q}:pending x");
  queue_ask("SET asynq:{q}:groups x");
  const char *wrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
  char expected[256];
  snprintf(expected, sizeof expected, "error: %s 1 error: %s", wrong, wrong);
  assert_string_equal(queue_enqueue(options, 3), expected);
  assert_redis("0", "EXISTS " LOCK " asynq:{q}:t:a asynq:{q}:t:c asynq:{q}:g:g1");
  assert_redis("scheduled", "HGET asynq:{q}:t:b state");
}

static void with_memory_full_nothing_is_written(void **state) {
  (void)state;
  mc_enqueue_options options[] = {unique_options("a"), queue_options("b"), queue_options("c")};
  options[1].process_at_ms = NOW_S * 1000 + 1000;
  options[2].group = MC_SLICE_LITERAL("g1");
  queue_ask("CONFIG SET maxmemory 1");
  for (size_t i = 0; i < 3; i++)
    assert_memory_is_full(queue_enqueue(&options[i], 1));
  assert_memory_is_full(queue_enqueue(options, 3));
  assert_memory_is_full(queue_enqueue(options + 1, 2));
  assert_redis("0", "DBSIZE");
}

static void a_full_batch_is_accepted(void **state) {
  (void)state;
  static char ids[MC_ENQUEUE_BATCH][8];
  static mc_enqueue_options options[MC_ENQUEUE_BATCH];
  for (int i = 0; i < MC_ENQUEUE_BATCH; i++) {
    snprintf(ids[i], sizeof ids[i], "%d", i);
    options[i] = queue_options(ids[i]);
    options[i].process_at_ms = i % 2 ? NOW_S * 1000 + 1000 : -1;
  }
  queue_enqueue(options, MC_ENQUEUE_BATCH);
  assert_redis("250", "LLEN asynq:{q}:pending");
  assert_redis("250", "ZCARD asynq:{q}:scheduled");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(pending_tasks_are_as_asynq_writes_them),
      queue_test(scheduled_tasks_are_as_asynq_writes_them),
      queue_test(grouped_tasks_are_as_asynq_writes_them),
      queue_test(kinds_may_be_mixed_in_one_call),
      queue_test(an_id_that_exists_is_a_conflict_and_changes_nothing),
      queue_test(a_unique_task_takes_its_lock),
      queue_test(a_delayed_unique_task_holds_its_lock_while_it_waits_too),
      queue_test(a_duplicate_is_refused_and_told_from_itself),
      queue_test(a_conflict_gives_back_the_lock_just_taken),
      queue_test(a_lock_key_of_another_type_is_a_duplicate),
      queue_test(a_place_of_another_type_refuses_its_tasks_alone_and_leaves_nothing),
      queue_test(with_memory_full_nothing_is_written),
      queue_test(a_full_batch_is_accepted),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
