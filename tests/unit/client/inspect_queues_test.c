/* Queues as a client sees and switches them. */
#include "inspected.h"

#include <stdlib.h>
#include <time.h>

static void queues_stand_by_name_with_their_numbers(void **state) {
  inspected *i = *state;
  mooncrew_queue_list list;
  inspected_give(i, "a");
  inspected_give(i, "b");
  inspected_ask(i, "SADD asynq:queues low critical");
  inspected_ask(i, "MSET asynq:{q}:processed 9 asynq:{q}:failed 2 asynq:{q}:paused 1");
  inspected_expect(i, mooncrew_queues(i->client, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 3);
  assert_string_equal(list.items[0].name, "critical");
  assert_string_equal(list.items[1].name, "low");
  const mooncrew_queue_info *q = &list.items[2];
  assert_string_equal(q->name, "q");
  assert_int_equal(q->pending, 2);
  assert_int_equal(q->size, 2);
  assert_int_equal(q->processed, 9);
  assert_int_equal(q->failed, 2);
  assert_int_equal(q->paused, 1);
  assert_true(q->memory_bytes > 100);
  mooncrew_release(list.memory);
}

static void the_latency_is_how_long_the_oldest_has_waited(void **state) {
  inspected *i = *state;
  mooncrew_queue_list list;
  inspected_give(i, "a");
  inspected_ask(i, "HSET asynq:{q}:t:a pending_since %lld", (long long)(time(NULL) - 100) * 1000000000);
  inspected_expect(i, mooncrew_queue(i->client, "q", &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 1);
  assert_in_range(list.items[0].latency_ms, 99000, 130000);
  mooncrew_release(list.memory);
}

static void a_queue_that_does_not_exist_is_not_found(void **state) {
  inspected *i = *state;
  mooncrew_queue_list queues;
  mooncrew_day_list days;
  mooncrew_group_list groups;
  inspected_expect(i, mooncrew_queue(i->client, "q", &queues, &i->error), MOONCREW_ENOT_FOUND);
  assert_non_null(strstr(i->error.message, "\"q\""));
  inspected_expect(i, mooncrew_history(i->client, "q", 1, &days, &i->error), MOONCREW_ENOT_FOUND);
  inspected_expect(i, mooncrew_groups(i->client, "q", &groups, &i->error), MOONCREW_ENOT_FOUND);
  inspected_expect(i, mooncrew_queue(i->client, " ", &queues, &i->error), MOONCREW_EINVALID);
  inspected_expect(i, mooncrew_queue(i->client, NULL, &queues, &i->error), MOONCREW_EINVALID);
}

static void the_history_begins_today(void **state) {
  inspected *i = *state;
  mooncrew_day_list list;
  char today[16], before[16];
  time_t now = time(NULL), then = now - 86400;
  strftime(today, sizeof today, "%Y-%m-%d", gmtime(&now));
  strftime(before, sizeof before, "%Y-%m-%d", gmtime(&then));
  inspected_ask(i, "SADD asynq:queues q");
  inspected_ask(i, "SET asynq:{q}:processed:%s 7", today);
  inspected_ask(i, "SET asynq:{q}:failed:%s 3", before);
  inspected_expect(i, mooncrew_history(i->client, "q", 3, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 3);
  assert_string_equal(list.items[0].date, today);
  assert_int_equal(list.items[0].processed, 7);
  assert_int_equal(list.items[0].failed, 0);
  assert_string_equal(list.items[1].date, before);
  assert_int_equal(list.items[1].failed, 3);
  assert_int_equal(list.items[2].processed, 0);
  mooncrew_release(list.memory);
  inspected_expect(i, mooncrew_history(i->client, "q", 0, &list, &i->error), MOONCREW_EINVALID);
}

static void groups_stand_by_name_with_their_sizes(void **state) {
  inspected *i = *state;
  mooncrew_group_list list;
  mooncrew_options options = MOONCREW_OPTIONS_INIT;
  options.group = "g2";
  inspected_give_options(i, "a", "x", options);
  inspected_give_options(i, "b", "x", options);
  options.group = "g1";
  inspected_give_options(i, "c", "x", options);
  inspected_expect(i, mooncrew_groups(i->client, "q", &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.count, 2);
  assert_string_equal(list.items[0].name, "g1");
  assert_int_equal(list.items[0].size, 1);
  assert_string_equal(list.items[1].name, "g2");
  assert_int_equal(list.items[1].size, 2);
  mooncrew_release(list.memory);
}

static void give_groups(inspected *i, int count) {
  inspected_ask(i, "SADD asynq:queues q");
  inspected_ask(i, "EVAL %s 0 %d",
                "for i = 1, ARGV[1] do redis.call('SADD', 'asynq:{q}:groups', i) "
                "redis.call('ZADD', 'asynq:{q}:g:' .. i, 1, 'a', 2, 'b') end",
                count);
}

/* Counted in calls that each look at a page of groups. */
static void the_tasks_of_very_many_groups_are_counted(void **state) {
  inspected *i = *state;
  mooncrew_queue_list list;
  give_groups(i, 20000);
  inspected_ask(i, "LPUSH asynq:{q}:pending p");
  inspected_ask(i, "CONFIG RESETSTAT");
  inspected_expect(i, mooncrew_queue(i->client, "q", &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.items[0].groups, 20000);
  assert_int_equal(list.items[0].aggregating, 40000);
  assert_int_equal(list.items[0].size, 40001);
  mooncrew_release(list.memory);
  assert_int_equal(inspected_calls(i, "smembers"), 0);
  assert_true(inspected_calls(i, "sscan") >= 15);
  inspected_expect(i, mooncrew_queues(i->client, &list, &i->error), MOONCREW_OK);
  assert_int_equal(list.items[0].aggregating, 40000);
  mooncrew_release(list.memory);
}

static void limits_are_read_changed_and_kept(void **state) {
  inspected *i = *state;
  mooncrew_queue_limits limits = {3, 10, 1000}, found;
  inspected_expect(i, mooncrew_set_limits(i->client, "q", &limits, NULL, &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "HGET asynq:{q}:mc_limits concurrency"), "3");
  limits = (mooncrew_queue_limits){MOONCREW_KEEP, 0, 0};
  inspected_expect(i, mooncrew_set_limits(i->client, "q", &limits, &found, &i->error), MOONCREW_OK);
  assert_int_equal(found.concurrency, 3);
  assert_int_equal(found.rate, 0);
  limits = (mooncrew_queue_limits){0, MOONCREW_KEEP, 0};
  inspected_expect(i, mooncrew_set_limits(i->client, "q", &limits, &found, &i->error), MOONCREW_OK);
  inspected_expect(i, mooncrew_get_limits(i->client, "q", &found, &i->error), MOONCREW_OK);
  assert_int_equal(found.concurrency, 0);
  limits = (mooncrew_queue_limits){-5, 10, 0};
  inspected_expect(i, mooncrew_set_limits(i->client, "q", &limits, &found, &i->error), MOONCREW_EINVALID);
  inspected_expect(i, mooncrew_get_limits(i->client, "", &found, &i->error), MOONCREW_EINVALID);
}

static void a_queue_is_paused_once(void **state) {
  inspected *i = *state;
  inspected_expect(i, mooncrew_unpause(i->client, "q", &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_pause(i->client, "q", &i->error), MOONCREW_OK);
  assert_in_range(atoll(inspected_ask(i, "GET asynq:{q}:paused")), time(NULL) - 60, time(NULL));
  inspected_expect(i, mooncrew_pause(i->client, "q", &i->error), MOONCREW_ESTATE);
  inspected_expect(i, mooncrew_unpause(i->client, "q", &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "EXISTS asynq:{q}:paused"), "0");
  inspected_expect(i, mooncrew_pause(i->client, "", &i->error), MOONCREW_EINVALID);
}

static void what_redis_refuses_is_said(void **state) {
  inspected *i = *state;
  mooncrew_queue_list list;
  inspected_ask(i, "SADD asynq:queues q");
  inspected_ask(i, "SET asynq:{q}:pending x");
  inspected_expect(i, mooncrew_queues(i->client, &list, &i->error), MOONCREW_ESERVER);
  assert_non_null(strstr(i->error.message, "WRONGTYPE"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      inspected_test(queues_stand_by_name_with_their_numbers),
      inspected_test(the_latency_is_how_long_the_oldest_has_waited),
      inspected_test(a_queue_that_does_not_exist_is_not_found),
      inspected_test(the_history_begins_today),
      inspected_test(groups_stand_by_name_with_their_sizes),
      inspected_test(the_tasks_of_very_many_groups_are_counted),
      inspected_test(limits_are_read_changed_and_kept),
      inspected_test(a_queue_is_paused_once),
      inspected_test(what_redis_refuses_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
