/* server/progress.lua against a real Redis. */
#include "queue.h"

static const mc_progress_item items[] = {
    {MC_SLICE_LITERAL("a"), 1, 0.4, NOW_S * 1000 + 250, true, MC_SLICE_LITERAL("400 of \"1000\"")},
    {MC_SLICE_LITERAL("b"), 2, 1, NOW_S * 1000, false, {0}},
};

static const char *tell(size_t count) {
  mc_call call = {0};
  mc_call_progress(&call, mc_slice_of("q"), mc_slice_of("s"), items, count);
  return queue_call(&call);
}

static void assert_told(const char *id, const char *part) {
  const char *text = queue_ask("HGET asynq:{q}:t:%s mc_progress", id);
  if (!strstr(text, part))
    fail_msg("%s: \"%s\" does not hold %s", id, text, part);
}

static void it_stands_with_the_task(void **state) {
  (void)state;
  queue_give("a b");
  queue_take(2, 1);
  assert_string_equal(tell(2), "2");
  assert_told("a", "\"fraction\":0.4");
  assert_told("a", "\"at\":1700000000.25");
  assert_told("a", "\"text\":\"400 of \\\"1000\\\"\"");
  assert_told("b", "\"fraction\":1");
  assert_null(strstr(queue_ask("HGET asynq:{q}:t:b mc_progress"), "text"));
}

static void tasks_of_others_are_left_alone(void **state) {
  (void)state;
  queue_give("a b");
  queue_take(2, 1);
  queue_ask("HSET asynq:{q}:t:a mc_owner other:1");
  queue_ask("ZREM asynq:{q}:lease b");
  assert_string_equal(tell(2), "0");
  assert_string_equal(queue_fields("a"), "mc_owner msg state");
  assert_string_equal(queue_fields("b"), "mc_owner msg state");
}

static void a_task_that_is_gone_is_not_made_anew(void **state) {
  (void)state;
  assert_string_equal(tell(2), "0");
  queue_ask("SET asynq:{q}:t:a x");
  assert_string_equal(tell(2), "0");
  assert_redis("1", "DBSIZE");
}

static void nothing_is_written_where_memory_is_full(void **state) {
  (void)state;
  queue_give("a");
  queue_take(1, 1);
  queue_ask("CONFIG SET maxmemory 1");
  assert_memory_is_full(tell(1));
  queue_ask("CONFIG SET maxmemory 0");
  assert_string_equal(queue_fields("a"), "mc_owner msg state");
}

/* Every way out of active takes it away, and so does the next way in. */
static void it_goes_with_the_attempt(void **state) {
  (void)state;
  static const mc_settle_kind kinds[] = {MC_SETTLE_RETAIN, MC_SETTLE_RETRY, MC_SETTLE_SNOOZE, MC_SETTLE_ARCHIVE,
                                         MC_SETTLE_REQUEUE};
  const mc_settle_item item = {.id = MC_SLICE_LITERAL("a"), .attempt = 1, .at_s = NOW_S + 60};
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    queue_ask("FLUSHALL");
    queue_give("a");
    queue_take(1, 1);
    tell(1);
    assert_string_equal(queue_fields("a"), "mc_owner mc_progress msg state");
    assert_string_equal(queue_settle(kinds[i], &item, 1), "");
    assert_redis("0", "HEXISTS asynq:{q}:t:a mc_progress");
  }
  queue_ask("HSET asynq:{q}:t:a mc_progress left");
  queue_take(1, 2);
  assert_redis("0", "HEXISTS asynq:{q}:t:a mc_progress");
}

static void it_goes_when_the_task_is_recovered(void **state) {
  (void)state;
  mc_call call = {0};
  const mc_orphan orphan = {MC_SLICE_LITERAL("a"), LEASE_S};
  queue_give("a");
  queue_take(1, 1);
  tell(1);
  mc_call_recover(&call, mc_slice_of("q"), NOW_NS, &orphan, 1);
  assert_string_equal(queue_call(&call), "1");
  assert_redis("0", "HEXISTS asynq:{q}:t:a mc_progress");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(it_stands_with_the_task),
      queue_test(tasks_of_others_are_left_alone),
      queue_test(a_task_that_is_gone_is_not_made_anew),
      queue_test(nothing_is_written_where_memory_is_full),
      queue_test(it_goes_with_the_attempt),
      queue_test(it_goes_when_the_task_is_recovered),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
