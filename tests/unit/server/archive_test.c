/* server/archive.lua against a real Redis: archiving and trimming. Who may settle is tested in complete_test.c. */
#include "queue.h"

#include <stdio.h>

#define DAY_S 86400

static mc_settle_item item(const char *id, uint64_t attempt) {
  return (mc_settle_item){.id = mc_slice_of(id), .attempt = attempt, .message = MC_SLICE_LITERAL("new")};
}

/* Settles tasks 1 … count, whose attempts have the same numbers, into an archive of this size. */
static const char *archive_numbers(size_t count, int64_t max_size) {
  static char ids[MC_SETTLE_BATCH][8];
  static mc_settle_item items[MC_SETTLE_BATCH];
  const mc_settle_item *pointers[MC_SETTLE_BATCH] = {NULL};
  const mc_settle_context context = {.queue = mc_slice_of("q"),
                                     .server = mc_slice_of("s"),
                                     .now_ns = NOW_NS,
                                     .archive_max_age_s = 90 * DAY_S,
                                     .archive_max_size = max_size};
  mc_call call = {0};
  for (size_t i = 0; i < count; i++) {
    snprintf(ids[i], sizeof ids[i], "%zu", i + 1);
    items[i] = item(ids[i], i + 1);
    pointers[i] = &items[i];
  }
  mc_call_settle(&call, MC_SETTLE_ARCHIVE, &context, pointers, count);
  return queue_call(&call);
}

/* Archives tasks by hand, as if long ago: old1 … oldN, one per second from at_s on. */
static void fill_archive(int count, int64_t at_s) {
  for (int i = 1; i <= count; i++) {
    queue_ask("HSET asynq:{q}:t:old%d msg m state archived", i);
    queue_ask("ZADD asynq:{q}:archived %lld old%d", (long long)at_s + i, i);
  }
}

static void dead_tasks_are_kept_as_asynq_keeps_them(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1), item("b", 2)};
  queue_give("a b c");
  queue_take(3, 1);
  queue_ask("HSET asynq:{q}:t:a mc_crashes 3");
  assert_string_equal(queue_settle(MC_SETTLE_ARCHIVE, items, 2), "");
  assert_redis("c", "LRANGE asynq:{q}:active 0 -1");
  assert_redis("c", "ZRANGE asynq:{q}:lease 0 -1");
  assert_redis("a 1700000000 b 1700000000", "ZRANGE asynq:{q}:archived 0 -1 WITHSCORES");
  assert_string_equal(queue_fields("a"), "msg state");
  assert_redis("new archived", "HMGET asynq:{q}:t:a msg state");
  assert_redis("2 2", "MGET asynq:{q}:processed asynq:{q}:processed:" TODAY);
  assert_redis("2 2", "MGET asynq:{q}:failed asynq:{q}:failed:" TODAY);
  assert_redis("7776000", "TTL asynq:{q}:failed:" TODAY);
}

static void a_message_that_cannot_be_read_stays_and_the_reason_stands_beside(void **state) {
  (void)state;
  mc_settle_item items[] = {item("a", 1)};
  items[0].message = (mc_slice){0};
  items[0].error = MC_SLICE_LITERAL("not protobuf");
  queue_give("a");
  queue_take(1, 1);
  queue_ask("HSET asynq:{q}:t:a msg junk");
  queue_settle(MC_SETTLE_ARCHIVE, items, 1);
  assert_string_equal(queue_fields("a"), "mc_error msg state");
  assert_redis("junk archived not protobuf", "HMGET asynq:{q}:t:a msg state mc_error");
}

static void the_crash_that_it_is_archived_for_is_noted_and_an_earlier_one_stays(void **state) {
  (void)state;
  mc_settle_item items[] = {item("a", 1), item("b", 2)};
  items[0].crash = MC_SLICE_LITERAL("5 died");
  queue_give("a b");
  queue_take(2, 1);
  queue_ask("HSET asynq:{q}:t:b mc_last_crash earlier");
  queue_settle(MC_SETTLE_ARCHIVE, items, 2);
  assert_string_equal(queue_fields("a"), "mc_last_crash msg state");
  assert_redis("5 died", "HGET asynq:{q}:t:a mc_last_crash");
  assert_redis("earlier", "HGET asynq:{q}:t:b mc_last_crash");
}

static void the_lock_stays_until_its_time_is_up(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("1");
  options.unique_ms = 60000;
  queue_enqueue(&options, 1);
  queue_take(1, 1);
  archive_numbers(1, 10);
  assert_redis("1", "GET asynq:{q}:unique:kind:99914b932bd37a50b983c5e7c90ae93b");
}

static void what_is_too_old_is_trimmed(void **state) {
  (void)state;
  fill_archive(3, NOW_S - 90 * DAY_S - 2); /* the third is one second too young */
  queue_give("1");
  queue_take(1, 1);
  archive_numbers(1, 10000);
  assert_redis("old3 1", "ZRANGE asynq:{q}:archived 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:old1 asynq:{q}:t:old2");
  assert_redis("2", "EXISTS asynq:{q}:t:old3 asynq:{q}:t:1");
}

static void what_is_too_much_is_trimmed_the_oldest_first(void **state) {
  (void)state;
  fill_archive(5, NOW_S - 100);
  queue_give("1 2");
  queue_take(2, 1);
  archive_numbers(2, 4);
  assert_redis("old4 old5 1 2", "ZRANGE asynq:{q}:archived 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:old1 asynq:{q}:t:old2 asynq:{q}:t:old3");
  assert_redis("4", "EXISTS asynq:{q}:t:old4 asynq:{q}:t:old5 asynq:{q}:t:1 asynq:{q}:t:2");
}

static void a_trimmed_task_gives_up_the_lock_it_holds(void **state) {
  (void)state;
  fill_archive(3, NOW_S - 100);
  queue_ask("HSET asynq:{q}:t:old1 unique_key asynq:{q}:unique:x:");
  queue_ask("HSET asynq:{q}:t:old2 unique_key asynq:{q}:unique:y:");
  queue_ask("MSET asynq:{q}:unique:x: old1 asynq:{q}:unique:y: another");
  queue_ask("DEL asynq:{q}:t:old3");
  queue_give("1");
  queue_take(1, 1);
  archive_numbers(1, 1);
  assert_redis("1", "ZRANGE asynq:{q}:archived 0 -1");
  assert_redis("(nil) another", "MGET asynq:{q}:unique:x: asynq:{q}:unique:y:");
}

static void one_call_trims_a_hundred_at_most(void **state) {
  (void)state;
  fill_archive(130, NOW_S - 90 * DAY_S - 1000);
  queue_give("1 2");
  queue_take(2, 1);
  archive_numbers(1, 10);
  assert_redis("31", "ZCARD asynq:{q}:archived");
  assert_redis("0", "EXISTS asynq:{q}:t:old100");
  assert_redis("1", "EXISTS asynq:{q}:t:old101");
}

static void a_large_batch_does_not_outgrow_the_archive(void **state) {
  (void)state;
  char ids[200 * 4 + 1] = "";
  for (int i = 1; i <= 200; i++)
    sprintf(ids + strlen(ids), "%d ", i);
  fill_archive(10, NOW_S - 100);
  queue_give(ids);
  queue_take(200, 1);
  assert_string_equal(archive_numbers(200, 10), "");
  assert_redis("10", "ZCARD asynq:{q}:archived");
  assert_redis("0", "EXISTS asynq:{q}:t:old10");
}

static void tasks_of_others_are_refused_and_left_alone(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 7), item("b", 2), item("gone", 3)};
  queue_give("a b");
  queue_take(2, 1);
  assert_string_equal(queue_settle(MC_SETTLE_ARCHIVE, items, 3), "7 3");
  assert_redis("active", "HGET asynq:{q}:t:a state");
  assert_redis("b", "ZRANGE asynq:{q}:archived 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:gone");
}

static void keys_of_another_type_fail_the_call_with_nothing_written(void **state) {
  (void)state;
  static const char *const keys[] = {"active", "lease", "archived"};
  const mc_settle_item items[] = {item("a", 1)};
  for (size_t i = 0; i < 3; i++) {
    queue_clear(state);
    queue_give("a");
    queue_take(1, 1);
    queue_ask("SET asynq:{q}:%s x", keys[i]);
    assert_non_null(strstr(queue_settle(MC_SETTLE_ARCHIVE, items, 1), "WRONGTYPE"));
    assert_string_equal(queue_fields("a"), "mc_owner msg state");
    assert_redis("active", "HGET asynq:{q}:t:a state");
  }
}

static void memory_that_is_full_is_no_obstacle(void **state) {
  (void)state;
  const mc_settle_item items[] = {item("a", 1)};
  queue_give("a");
  queue_take(1, 1);
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(queue_settle(MC_SETTLE_ARCHIVE, items, 1), "");
  assert_redis("a", "ZRANGE asynq:{q}:archived 0 -1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(dead_tasks_are_kept_as_asynq_keeps_them),
      queue_test(a_message_that_cannot_be_read_stays_and_the_reason_stands_beside),
      queue_test(the_crash_that_it_is_archived_for_is_noted_and_an_earlier_one_stays),
      queue_test(the_lock_stays_until_its_time_is_up),
      queue_test(what_is_too_old_is_trimmed),
      queue_test(what_is_too_much_is_trimmed_the_oldest_first),
      queue_test(a_trimmed_task_gives_up_the_lock_it_holds),
      queue_test(one_call_trims_a_hundred_at_most),
      queue_test(a_large_batch_does_not_outgrow_the_archive),
      queue_test(tasks_of_others_are_refused_and_left_alone),
      queue_test(keys_of_another_type_fail_the_call_with_nothing_written),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
