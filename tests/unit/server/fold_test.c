/* server/aggregate.lua, extend_set.lua, fold.lua, regroup.lua and reclaim.lua, the life of an aggregation set, against
 * a real Redis. */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "protocol/fold.h"

#define SET "set-1"
#define SET_KEY "asynq:{q}:g:g:" SET

/* A task "m" in a group since joined_s. */
static void join(const char *group, const char *id, int64_t joined_s) {
  queue_ask("HSET asynq:{q}:t:%s msg m state aggregating group %s", id, group);
  queue_ask("ZADD asynq:{q}:g:%s %lld %s", group, (long long)joined_s, id);
  queue_ask("SADD asynq:{q}:groups %s", group);
}

static mc_group_check rule(const char *group, const char *set, uint32_t size, int64_t delay_s, int64_t grace_s) {
  return (mc_group_check){mc_slice_of(group), set, size, delay_s, grace_s};
}

static const char *aggregate(const mc_group_check *groups, size_t count, size_t sets) {
  mc_call call = {0};
  mc_call_aggregate(&call, mc_slice_of("q"), NOW_S, sets, groups, count);
  return queue_call(&call);
}

static const char *aggregate_one(uint32_t size, int64_t delay_s, int64_t grace_s) {
  mc_group_check group = rule("g", SET, size, delay_s, grace_s);
  return aggregate(&group, 1, 1);
}

/* Makes a set of a and b, of which a is the older by 5 s. */
static void make_set(void) {
  join("g", "a", NOW_S - 15);
  join("g", "b", NOW_S - 10);
  assert_string_equal(aggregate_one(0, 0, 10), "[0 0 [a m b m]]");
}

/* Until the set's deadline, by Redis' clock and not by whoever made it. */
static long seconds_left(void) {
  long now_s = atol(queue_ask("TIME"));
  return atol(queue_ask("ZSCORE asynq:{q}:aggregation_sets " SET_KEY)) - now_s;
}

static void let_pass(int seconds) {
  queue_ask("ZINCRBY asynq:{q}:aggregation_sets -%d " SET_KEY, seconds);
}

/* ---- aggregate ---- */

static void a_group_is_due_by_size_by_age_or_by_quiet(void **state) {
  static const struct {
    uint32_t size;
    int64_t delay_s, grace_s;
    bool due;
  } cases[] = {
      {3, 0, 11, false}, {2, 0, 11, true}, {1, 0, 11, true},  {0, 16, 11, false},
      {0, 15, 11, true}, {0, 0, 10, true}, {0, 0, 11, false},
  };
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    queue_clear(state);
    join("g", "a", NOW_S - 15);
    join("g", "b", NOW_S - 10);
    const char *made = aggregate_one(cases[i].size, cases[i].delay_s, cases[i].grace_s);
    const char *taken = cases[i].size == 1 ? "[0 0 [a m]]" : "[0 0 [a m b m]]";
    if (strcmp(made, cases[i].due ? taken : "") != 0)
      fail_msg("case %zu: \"%s\"", i, made);
  }
}

static void a_set_is_registered_and_keeps_when_its_tasks_joined(void **state) {
  (void)state;
  make_set();
  assert_redis(SET_KEY, "ZRANGE asynq:{q}:aggregation_sets 0 -1");
  assert_in_range(seconds_left(), 25, 30);
  assert_redis("a 1699999985 b 1699999990", "ZRANGE " SET_KEY " 0 -1 WITHSCORES");
  assert_redis("0", "EXISTS asynq:{q}:g:g asynq:{q}:groups");
  assert_redis("aggregating g", "HMGET asynq:{q}:t:a state group");
}

static void a_set_takes_max_size_tasks_the_oldest_first(void **state) {
  (void)state;
  join("g", "c", NOW_S);
  join("g", "a", NOW_S - 2);
  join("g", "b", NOW_S - 1);
  assert_string_equal(aggregate_one(2, 0, 60), "[0 0 [a m b m]]");
  assert_redis("c", "ZRANGE asynq:{q}:g:g 0 -1");
  assert_redis("g", "SMEMBERS asynq:{q}:groups");
}

static void a_call_makes_no_more_sets_than_it_may(void **state) {
  (void)state;
  const mc_group_check groups[] = {rule("x", "1", 1, 0, 60), rule("y", "2", 9, 0, 60), rule("z", "3", 1, 0, 60),
                                   rule("w", "4", 1, 0, 60)};
  join("x", "a", NOW_S);
  join("y", "b", NOW_S);
  join("z", "c", NOW_S);
  join("w", "d", NOW_S);
  assert_string_equal(aggregate(groups, 4, 2), "[0 0 [a m]] [2 0 [c m]]");
  assert_redis("2", "ZCARD asynq:{q}:aggregation_sets");
  assert_redis("d", "ZRANGE asynq:{q}:g:w 0 -1");
}

static void ids_without_a_hash_leave_the_group_and_an_empty_group_its_list(void **state) {
  (void)state;
  queue_ask("ZADD asynq:{q}:g:g 1 gone 2 text");
  queue_ask("SET asynq:{q}:t:text x");
  queue_ask("SADD asynq:{q}:groups g");
  assert_string_equal(aggregate_one(1, 0, 60), "");
  assert_string_equal(aggregate_one(0, 0, 60), "");
  assert_redis("asynq:{q}:t:text", "KEYS *");
  queue_ask("SADD asynq:{q}:groups g");
  assert_string_equal(aggregate_one(0, 0, 60), "");
  assert_redis("0", "EXISTS asynq:{q}:groups");
}

static void a_group_key_of_another_type_holds_up_no_other(void **state) {
  (void)state;
  const mc_group_check groups[] = {rule("x", "1", 1, 0, 60), rule("g", SET, 1, 0, 60)};
  queue_ask("SET asynq:{q}:g:x text");
  queue_ask("SADD asynq:{q}:groups x");
  join("g", "a", NOW_S);
  assert_string_equal(aggregate(groups, 2, 2), "[1 0 [a m]]");
  assert_redis("0", "EXISTS asynq:{q}:groups");
}

static void a_group_that_failed_waits_for_its_next_try(void **state) {
  (void)state;
  join("g", "a", NOW_S - 100);
  queue_ask("HSET asynq:{q}:mc_fold_failures g %b", "2 1700000001 why", (size_t)16);
  assert_string_equal(aggregate_one(1, 0, 1), "");
  queue_ask("HSET asynq:{q}:mc_fold_failures g %b", "2 1700000000 why", (size_t)16);
  assert_string_equal(aggregate_one(1, 0, 1), "[0 2 [a m]]");
}

static void messages_are_bounded_by_their_bytes(void **state) {
  (void)state;
  static char big[(MC_FOLD_BYTES / 2) + 1];
  memset(big, 'x', sizeof big);
  const mc_group_check groups[] = {rule("g", SET, 2, 0, 60), rule("h", "set-2", 1, 0, 60)};
  join("g", "a", NOW_S - 2);
  join("g", "b", NOW_S - 1);
  join("h", "c", NOW_S);
  queue_ask("HSET asynq:{q}:t:a msg %b", big, sizeof big);
  queue_ask("HSET asynq:{q}:t:b msg %b", big, sizeof big);
  aggregate(groups, 2, 2);
  assert_redis("a", "ZRANGE " SET_KEY " 0 -1");
  assert_redis("b", "ZRANGE asynq:{q}:g:g 0 -1");
  assert_redis("1", "ZCARD asynq:{q}:aggregation_sets");
}

static void many_tasks_move_at_once(void **state) {
  (void)state;
  for (int i = 0; i < 2500; i++) {
    char id[16];
    sprintf(id, "%04d", i);
    join("g", id, NOW_S - 100);
  }
  aggregate_one(0, 0, 60);
  assert_redis("2500", "ZCARD " SET_KEY);
  assert_redis("0", "EXISTS asynq:{q}:g:g");
}

/* ---- fold ---- */

static mc_args locks; /* of the next fold */

static const char *fold(const mc_enqueue_options *options) {
  mc_call call = {0};
  mc_enqueue task;
  mc_err err;
  if (mc_enqueue_init(&task, options, NOW_S * 1000, &err))
    fail_msg("%s", err.text);
  mc_call_fold(&call, mc_slice_of("g"), SET, &task, &locks, NOW_NS);
  mc_enqueue_deinit(&task);
  mc_args_deinit(&locks);
  return queue_call(&call);
}

static void the_new_task_stands_and_the_set_is_gone(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("new");
  make_set();
  queue_ask("HSET asynq:{q}:mc_fold_failures g 1_2 h 1_2");
  queue_give("other");
  assert_string_equal(fold(&options), "1");
  assert_redis("new other", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("pending 1700000000000000005", "HMGET asynq:{q}:t:new state pending_since");
  assert_string_equal(queue_fields("new"), "msg pending_since state");
  assert_redis("0", "EXISTS asynq:{q}:t:a asynq:{q}:t:b " SET_KEY " asynq:{q}:aggregation_sets");
  assert_redis("h", "HKEYS asynq:{q}:mc_fold_failures");
}

static void the_new_task_can_be_scheduled_and_unique(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("new");
  options.process_at_ms = NOW_S * 1000 + 60000;
  options.unique_ms = 10000;
  make_set();
  assert_string_equal(fold(&options), "1");
  assert_redis("new 1700000060", "ZRANGE asynq:{q}:scheduled 0 -1 WITHSCORES");
  assert_string_equal(queue_fields("new"), "msg state unique_key");
  const char *key = queue_ask("HGET asynq:{q}:t:new unique_key");
  char lock[128];
  snprintf(lock, sizeof lock, "%s", key);
  assert_redis("new", "GET %s", lock);
  assert_redis("70", "TTL %s", lock);
}

static void a_set_that_is_no_more_is_refused(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("new");
  make_set();
  assert_string_equal(fold(&options), "1");
  options = queue_options("again");
  assert_string_equal(fold(&options), "-2");
  assert_redis("new", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("0", "EXISTS asynq:{q}:t:again");
}

static void an_id_or_a_lock_that_is_taken_leaves_all_as_it_was(void **state) {
  (void)state;
  mc_enqueue_options taken = queue_options("taken");
  make_set();
  taken.unique_ms = 10000;
  assert_string_equal(queue_enqueue(&taken, 1), "1");
  assert_string_equal(fold(&taken), "0");
  taken.id = MC_SLICE_LITERAL("new");
  assert_string_equal(fold(&taken), "-1");
  assert_redis("a b", "ZRANGE " SET_KEY " 0 -1");
  assert_redis("1", "ZCARD asynq:{q}:aggregation_sets");
  assert_redis("2", "EXISTS asynq:{q}:t:a asynq:{q}:t:b");
  assert_redis("0", "EXISTS asynq:{q}:t:new");
}

static void locks_and_ids_of_the_folded_tasks_are_free(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("a");
  options.unique_ms = 10000;
  options.group = MC_SLICE_LITERAL("g");
  options.has_group = true;
  assert_string_equal(queue_enqueue(&options, 1), "1");
  join("g", "b", NOW_S);
  queue_ask("HSET asynq:{q}:t:b unique_key lock-of-another");
  queue_ask("SET lock-of-another x");
  aggregate_one(2, 0, 60);
  options.has_group = false;
  options.group = (mc_slice){0};
  assert_string_equal(fold(&options), "1"); /* the same id, and the same type and payload */
  assert_redis("a", "LRANGE asynq:{q}:pending 0 -1");
  assert_redis("1", "EXISTS asynq:{q}:t:a");
  assert_redis("a", "GET asynq:{q}:unique:kind:99914b932bd37a50b983c5e7c90ae93b");
  assert_redis("x", "GET lock-of-another");
}

/* As asynq's client adds them to a group: without the field unique_key. */
static void locks_that_only_the_messages_name_are_free(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("new");
  make_set();
  queue_ask("MSET lock-of-a a lock-of-b another");
  const char *const named[] = {"a", "lock-of-a", "b", "lock-of-b"};
  for (size_t i = 0; i < MC_COUNT(named); i++)
    mc_args_add_text(&locks, named[i]);
  assert_string_equal(fold(&options), "1");
  assert_redis("0", "EXISTS lock-of-a");
  assert_redis("another", "GET lock-of-b");
}

static void a_pending_of_another_type_fails_the_call_with_nothing_written(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("new");
  make_set();
  queue_ask("SET asynq:{q}:pending x");
  assert_non_null(strstr(fold(&options), "WRONGTYPE"));
  assert_redis("2", "ZCARD " SET_KEY);
  assert_redis("2", "EXISTS asynq:{q}:t:a asynq:{q}:t:b");
}

/* ---- regroup ---- */

static const char *regroup(uint32_t failures, const mc_slice *alone, size_t alone_count) {
  mc_call call = {0};
  mc_regroup back = {.queue = MC_SLICE_LITERAL("q"),
                     .group = MC_SLICE_LITERAL("g"),
                     .set_id = SET,
                     .failures = failures,
                     .next_try_s = NOW_S + 4,
                     .error = MC_SLICE_LITERAL("it broke"),
                     .alone = alone,
                     .alone_count = alone_count};
  mc_call_regroup(&call, &back, NOW_NS);
  return queue_call(&call);
}

static void a_set_goes_back_to_its_group_as_it_was(void **state) {
  (void)state;
  make_set();
  join("g", "c", NOW_S);
  assert_string_equal(regroup(0, NULL, 0), "2");
  assert_redis("a 1699999985 b 1699999990 c 1700000000", "ZRANGE asynq:{q}:g:g 0 -1 WITHSCORES");
  assert_redis("g", "SMEMBERS asynq:{q}:groups");
  assert_redis("0", "EXISTS " SET_KEY " asynq:{q}:aggregation_sets asynq:{q}:mc_fold_failures");
  assert_string_equal(regroup(0, NULL, 0), "-1");
}

static void a_failure_is_kept_for_a_day(void **state) {
  (void)state;
  make_set();
  assert_string_equal(regroup(3, NULL, 0), "2");
  assert_redis("g 3 1700000004 it broke", "HGETALL asynq:{q}:mc_fold_failures");
  assert_redis("86400", "TTL asynq:{q}:mc_fold_failures");
}

static void tasks_that_cannot_be_folded_become_pending_alone(void **state) {
  (void)state;
  const mc_slice alone[] = {MC_SLICE_LITERAL("a"), MC_SLICE_LITERAL("gone")};
  make_set();
  queue_ask("ZADD " SET_KEY " 1 gone");
  assert_string_equal(regroup(0, alone, 2), "1");
  assert_redis("b", "ZRANGE asynq:{q}:g:g 0 -1");
  assert_string_equal(queue_fields("a"), "msg pending_since state");
  assert_redis("pending", "HGET asynq:{q}:t:a state");
}

static void a_set_that_was_reclaimed_is_not_given_back_again(void **state) {
  (void)state;
  make_set();
  queue_ask("DEL asynq:{q}:aggregation_sets");
  assert_string_equal(regroup(1, NULL, 0), "-1");
  assert_redis("0", "EXISTS asynq:{q}:g:g asynq:{q}:mc_fold_failures");
}

/* ---- extend and reclaim ---- */

static const char *reclaim(void) {
  mc_call call = {0};
  mc_call_reclaim(&call, mc_slice_of("q"));
  return queue_call(&call);
}

static const char *extend(void) {
  mc_call call = {0};
  mc_call_extend_set(&call, mc_slice_of("q"), mc_slice_of("g"), SET);
  return queue_call(&call);
}

static void a_set_past_its_deadline_goes_back(void **state) {
  (void)state;
  make_set();
  let_pass(25);
  assert_string_equal(reclaim(), "");
  assert_redis("0", "EXISTS asynq:{q}:g:g");
  let_pass(5);
  assert_string_equal(reclaim(), "[g 2]");
  assert_redis("a 1699999985 b 1699999990", "ZRANGE asynq:{q}:g:g 0 -1 WITHSCORES");
  assert_redis("g", "SMEMBERS asynq:{q}:groups");
  assert_redis("0", "EXISTS " SET_KEY " asynq:{q}:aggregation_sets");
  mc_enqueue_options options = queue_options("new");
  assert_string_equal(fold(&options), "-2");
}

static void a_set_that_is_extended_stays_and_a_reclaimed_one_is_not_revived(void **state) {
  (void)state;
  make_set();
  let_pass(25);
  assert_string_equal(extend(), "1");
  assert_in_range(seconds_left(), 25, 30);
  let_pass(30);
  assert_string_equal(reclaim(), "[g 2]");
  assert_string_equal(extend(), "0");
  assert_redis("0", "EXISTS asynq:{q}:aggregation_sets");
}

static void what_is_no_set_is_taken_off_the_list(void **state) {
  (void)state;
  queue_ask(
      "ZADD asynq:{q}:aggregation_sets 1 nonsense 2 asynq:{q}:g:x:text 3 asynq:{q}:g:with:colon:id 4 asynq:{q}:g::id");
  queue_ask("SET asynq:{q}:g:x:text t");
  queue_ask("ZADD asynq:{q}:g:with:colon:id 7 a");
  assert_string_equal(reclaim(), "[with:colon 1]");
  assert_redis("a 7", "ZRANGE asynq:{q}:g:with:colon 0 -1 WITHSCORES");
  assert_redis("0", "EXISTS asynq:{q}:aggregation_sets");
  assert_redis("t", "GET asynq:{q}:g:x:text");
}

static void a_call_reclaims_a_hundred_at_most(void **state) {
  (void)state;
  for (int i = 0; i < 101; i++) {
    queue_ask("ZADD asynq:{q}:aggregation_sets 1 asynq:{q}:g:g:%d", i);
    queue_ask("ZADD asynq:{q}:g:g:%d 1 id%d", i, i);
  }
  reclaim();
  assert_redis("1", "ZCARD asynq:{q}:aggregation_sets");
  assert_redis("100", "ZCARD asynq:{q}:g:g");
}

/* ---- all of them ---- */

static void memory_that_is_full_is_no_obstacle(void **state) {
  (void)state;
  mc_enqueue_options options = queue_options("new");
  join("g", "a", NOW_S - 100);
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(aggregate_one(0, 0, 10), "[0 0 [a m]]");
  assert_string_equal(regroup(1, NULL, 0), "1");
  assert_string_equal(aggregate_one(0, 0, 10), "");
  queue_ask("DEL asynq:{q}:mc_fold_failures");
  assert_string_equal(aggregate_one(0, 0, 10), "[0 0 [a m]]");
  assert_string_equal(extend(), "1");
  queue_ask("CONFIG SET maxmemory 0");
  let_pass(30);
  queue_ask("CONFIG SET maxmemory 1");
  assert_string_equal(reclaim(), "[g 1]");
  assert_string_equal(aggregate_one(0, 0, 10), "[0 0 [a m]]");
  assert_string_equal(fold(&options), "1");
  assert_redis("new", "LRANGE asynq:{q}:pending 0 -1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(a_group_is_due_by_size_by_age_or_by_quiet),
      queue_test(a_set_is_registered_and_keeps_when_its_tasks_joined),
      queue_test(a_set_takes_max_size_tasks_the_oldest_first),
      queue_test(a_call_makes_no_more_sets_than_it_may),
      queue_test(ids_without_a_hash_leave_the_group_and_an_empty_group_its_list),
      queue_test(a_group_key_of_another_type_holds_up_no_other),
      queue_test(a_group_that_failed_waits_for_its_next_try),
      queue_test(messages_are_bounded_by_their_bytes),
      queue_test(many_tasks_move_at_once),
      queue_test(the_new_task_stands_and_the_set_is_gone),
      queue_test(the_new_task_can_be_scheduled_and_unique),
      queue_test(a_set_that_is_no_more_is_refused),
      queue_test(an_id_or_a_lock_that_is_taken_leaves_all_as_it_was),
      queue_test(locks_and_ids_of_the_folded_tasks_are_free),
      queue_test(locks_that_only_the_messages_name_are_free),
      queue_test(a_pending_of_another_type_fails_the_call_with_nothing_written),
      queue_test(a_set_goes_back_to_its_group_as_it_was),
      queue_test(a_failure_is_kept_for_a_day),
      queue_test(tasks_that_cannot_be_folded_become_pending_alone),
      queue_test(a_set_that_was_reclaimed_is_not_given_back_again),
      queue_test(a_set_past_its_deadline_goes_back),
      queue_test(a_set_that_is_extended_stays_and_a_reclaimed_one_is_not_revived),
      queue_test(what_is_no_set_is_taken_off_the_list),
      queue_test(a_call_reclaims_a_hundred_at_most),
      queue_test(memory_that_is_full_is_no_obstacle),
  };
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
