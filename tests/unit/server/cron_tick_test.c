/* server/cron_open.lua and server/cron_tick.lua against a real Redis. */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "protocol/cron_tick.h"

#define RECORD "asynq:{q}:mc_cron:e"

/* Redis measures with its own clock, so these tests live in the present. */
static int64_t now_s(void) {
  return mc_clock_wall_s();
}

static const char *open_at(int64_t start_s) {
  mc_call call = {0};
  mc_call_cron_open(&call, mc_slice_of("q"), mc_slice_of("e"), start_s, 1000);
  return queue_call(&call);
}

/* The reply to a tick whose task is made of these options. */
static const char *tick_task(int64_t tick_s, bool missed, const mc_enqueue_options *options) {
  mc_call call = {0};
  mc_enqueue task;
  mc_err err;
  mc_cron_tick tick = {tick_s, missed};
  if (mc_enqueue_init(&task, options, now_s() * 1000, &err))
    fail_msg("%s", err.text);
  mc_call_cron_tick(&call, mc_slice_of("e"), &tick, &task, 1000, NOW_NS);
  mc_enqueue_deinit(&task);
  return queue_call(&call);
}

static const char *tick(int64_t tick_s, const char *id) {
  mc_enqueue_options options = queue_options(id);
  return tick_task(tick_s, false, &options);
}

static const char *missed_tick(int64_t tick_s, const char *id) {
  mc_enqueue_options options = queue_options(id);
  return tick_task(tick_s, true, &options);
}

static const char *number(int64_t value) {
  static char text[32];
  snprintf(text, sizeof text, "%lld", (long long)value);
  return text;
}

static void a_new_record_begins_where_it_is_told_and_an_old_one_stays(void **state) {
  (void)state;
  assert_string_equal(open_at(100), "100 (nil)");
  assert_string_equal(open_at(200), "100 (nil)");
  tick(300, "a");
  assert_string_equal(open_at(200), "300 300");
  assert_redis("1000", "TTL " RECORD);
}

static void the_first_to_come_enqueues_and_the_others_are_told_who_did(void **state) {
  (void)state;
  int64_t at_s = now_s();
  assert_string_equal(tick(at_s, "a"), "1 a");
  assert_string_equal(tick(at_s, "b"), "0 a");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
  assert_string_equal(queue_fields("a"), "msg pending_since state");
  assert_redis("pending 1700000000000000005", "HMGET asynq:{q}:t:a state pending_since");
  assert_redis("0", "EXISTS asynq:{q}:t:b");
  assert_redis(number(at_s), "HGET " RECORD " enqueued");
}

static void a_task_that_is_long_done_is_not_enqueued_again(void **state) {
  (void)state;
  int64_t at_s = now_s();
  tick(at_s, "a");
  queue_ask("DEL asynq:{q}:t:a asynq:{q}:pending");
  assert_string_equal(tick(at_s, "b"), "0 a");
  assert_redis("0", "EXISTS asynq:{q}:pending");
}

static void a_tick_before_the_newest_is_enqueued_as_well(void **state) {
  (void)state;
  int64_t at_s = now_s();
  assert_string_equal(tick(at_s + 1, "a"), "1 a"); /* by a node whose clock is ahead */
  assert_string_equal(tick(at_s, "b"), "1 b");
  assert_redis("b a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis(number(at_s + 1), "HGET " RECORD " newest");
}

static void claims_outlive_their_ticks_by_five_minutes(void **state) {
  (void)state;
  int64_t at_s = now_s() + 2;
  tick(at_s, "a");
  int64_t ends_s = now_s() + atoll(queue_ask("TTL " RECORD ":%lld", (long long)at_s));
  assert_in_range(ends_s, at_s + MC_CRON_CLAIM_S - 1, at_s + MC_CRON_CLAIM_S + 1);
}

static void once_claims_are_gone_a_tick_is_too_late_unless_it_is_the_newest(void **state) {
  (void)state;
  int64_t old_s = now_s() - MC_CRON_CLAIM_S;
  assert_string_equal(tick(old_s, "a"), "1 a"); /* nobody ever dealt with a later one */
  queue_ask("DEL " RECORD ":%lld", (long long)old_s);
  assert_string_equal(tick(old_s, "b"), "-3 ");
  assert_string_equal(tick(old_s - 7, "b"), "-3 ");
  assert_string_equal(tick(old_s + 1, "c"), "1 c");
  assert_redis("c a", "LRANGE asynq:{q}:pending 0 -1");
}

static void a_missed_tick_is_enqueued_only_if_no_later_one_was_dealt_with(void **state) {
  (void)state;
  int64_t at_s = now_s() - 5000;
  open_at(at_s - 3600);
  assert_string_equal(missed_tick(at_s, "a"), "1 a");
  assert_string_equal(missed_tick(at_s, "b"), "-3 ");
  assert_string_equal(missed_tick(at_s - 60, "b"), "-3 ");
  open_at(at_s);
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
}

static void an_entry_that_is_new_has_missed_nothing(void **state) {
  (void)state;
  int64_t at_s = now_s();
  open_at(at_s);
  assert_string_equal(missed_tick(at_s - 50, "a"), "-3 ");
}

static void delayed_and_grouped_tasks_go_to_their_places(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("later");
  int64_t at_s = now_s();
  options.process_at_ms = (at_s + 100) * 1000;
  assert_string_equal(tick_task(at_s, false, &options), "1 later");
  assert_redis(number(at_s + 100), "ZSCORE asynq:{q}:scheduled later");
  options = queue_options("grouped");
  options.group = MC_SLICE_LITERAL("g");
  assert_string_equal(tick_task(at_s + 1, false, &options), "1 grouped");
  assert_redis("grouped", "ZRANGE asynq:{q}:g:g 0 -1");
  assert_redis("g", "SMEMBERS asynq:{q}:groups");
  assert_string_equal(queue_fields("grouped"), "group msg state");
}

static void a_unique_task_that_is_not_done_uses_the_tick_up(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("a");
  int64_t at_s = now_s();
  options.unique_ms = 60000;
  assert_string_equal(tick_task(at_s, false, &options), "1 a");
  assert_string_equal(queue_fields("a"), "msg pending_since state unique_key");
  options.id = MC_SLICE_LITERAL("b");
  assert_string_equal(tick_task(at_s + 1, false, &options), "-1 b");
  assert_string_equal(tick(at_s + 1, "c"), "0 b");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis(number(at_s), "HGET " RECORD " enqueued");
}

static void an_id_that_exists_uses_the_tick_up_and_gives_the_lock_back(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("a");
  queue_give("a");
  options.unique_ms = 60000;
  assert_string_equal(tick_task(now_s(), false, &options), "-2 a");
  assert_redis("", "KEYS asynq:{q}:unique:*");
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
}

static void what_fails_leaves_nothing_behind_and_can_be_tried_again(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("a");
  int64_t at_s = now_s();
  options.unique_ms = 60000;
  queue_ask("SET asynq:{q}:pending x");
  assert_non_null(strstr(tick_task(at_s, false, &options), "WRONGTYPE"));
  assert_redis("asynq:{q}:pending", "KEYS *");
  queue_ask("DEL asynq:{q}:pending");
  assert_string_equal(tick_task(at_s, false, &options), "1 a");
}

static void a_group_that_fails_is_left_as_it_was(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("a");
  options.group = MC_SLICE_LITERAL("g");
  queue_ask("SET asynq:{q}:groups x");
  assert_non_null(strstr(tick_task(now_s(), false, &options), "WRONGTYPE"));
  assert_redis("asynq:{q}:groups", "KEYS *");
}

static void memory_that_is_full_fails_the_tick_with_nothing_written(void **state) {
  (void)state;
  queue_ask("CONFIG SET maxmemory 1");
  assert_memory_is_full(tick(now_s(), "a"));
  assert_redis("", "KEYS *");
}

static void answers_are_read(void **state) {
  (void)state;
  mc_value zero = {.kind = MC_VALUE_INTEGER}, id = {.kind = MC_VALUE_STRING, .text = MC_SLICE_LITERAL("a")};
  mc_value *items[] = {&zero, &id};
  mc_value reply = {.kind = MC_VALUE_ARRAY, .count = 2, .items = items};
  mc_enqueue task = {.id = MC_SLICE_LITERAL("b")};
  mc_cron_answer answer;
  mc_err err;
  assert_int_equal(mc_cron_answer_read(&reply, &task, &answer, &err), 0);
  assert_int_equal(answer, MC_CRON_TAKEN);
  task.id = MC_SLICE_LITERAL("a"); /* the reply to the first of two sendings was lost */
  assert_int_equal(mc_cron_answer_read(&reply, &task, &answer, &err), 0);
  assert_int_equal(answer, MC_CRON_ENQUEUED);
  zero.integer = 2;
  assert_int_equal(mc_cron_answer_read(&reply, &task, &answer, &err), MC_EMALFORMED);
  reply.count = 1;
  assert_int_equal(mc_cron_answer_read(&reply, &task, &answer, &err), MC_EMALFORMED);
  mc_cron_record record;
  assert_int_equal(mc_cron_record_read(&reply, &record, &err), MC_EMALFORMED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(a_new_record_begins_where_it_is_told_and_an_old_one_stays),
      queue_test(the_first_to_come_enqueues_and_the_others_are_told_who_did),
      queue_test(a_task_that_is_long_done_is_not_enqueued_again),
      queue_test(a_tick_before_the_newest_is_enqueued_as_well),
      queue_test(claims_outlive_their_ticks_by_five_minutes),
      queue_test(once_claims_are_gone_a_tick_is_too_late_unless_it_is_the_newest),
      queue_test(a_missed_tick_is_enqueued_only_if_no_later_one_was_dealt_with),
      queue_test(an_entry_that_is_new_has_missed_nothing),
      queue_test(delayed_and_grouped_tasks_go_to_their_places),
      queue_test(a_unique_task_that_is_not_done_uses_the_tick_up),
      queue_test(an_id_that_exists_uses_the_tick_up_and_gives_the_lock_back),
      queue_test(what_fails_leaves_nothing_behind_and_can_be_tried_again),
      queue_test(a_group_that_fails_is_left_as_it_was),
      queue_test(memory_that_is_full_fails_the_tick_with_nothing_written),
      cmocka_unit_test(answers_are_read),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
