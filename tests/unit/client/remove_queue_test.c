/* A queue that is removed, or is not. */
#include "inspected.h"

#include "../support/relay.h"

#include <stdio.h>

static void an_empty_queue_is_removed(void **state) {
  inspected *i = *state;
  int64_t deleted = -1;
  inspected_ask(i, "SADD asynq:queues q p");
  inspected_ask(i, "SET asynq:{q}:paused 1");
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 0, NULL, NULL, &deleted, &i->error), MOONCREW_OK);
  assert_int_equal(deleted, 0);
  assert_string_equal(inspected_ask(i, "SMEMBERS asynq:queues"), "p");
  assert_string_equal(inspected_ask(i, "EXISTS asynq:{q}:paused"), "0");
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 0, NULL, NULL, NULL, &i->error), MOONCREW_ENOT_FOUND);
}

static void limits_and_failures_of_folds_go_along(void **state) {
  inspected *i = *state;
  inspected_ask(i, "SADD asynq:queues q");
  inspected_ask(i, "HSET asynq:{q}:mc_limits concurrency 1");
  inspected_ask(i, "HSET asynq:{q}:mc_rate tokens 1 at_ms 1");
  inspected_ask(i, "HSET asynq:{q}:mc_fold_failures g 1");
  inspected_ask(i, "HSET asynq:{q}:mc_cron:e last 1");
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 0, NULL, NULL, NULL, &i->error), MOONCREW_OK);
  assert_string_equal(inspected_ask(i, "KEYS *"), "asynq:{q}:mc_cron:e");
}

static void very_many_groups_are_not_read_to_find_a_task(void **state) {
  inspected *i = *state;
  inspected_ask(i, "SADD asynq:queues q");
  inspected_ask(i, "EVAL %s 0",
                "for i = 1, 5000 do redis.call('SADD', 'asynq:{q}:groups', i) "
                "redis.call('ZADD', 'asynq:{q}:g:' .. i, 1, 'a') end");
  inspected_ask(i, "CONFIG RESETSTAT");
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 0, NULL, NULL, NULL, &i->error), MOONCREW_ENOT_EMPTY);
  assert_int_equal(inspected_calls(i, "smembers"), 0);
  inspected_ask(i, "EVAL %s 0", "for i = 1, 5000 do redis.call('DEL', 'asynq:{q}:g:' .. i) end");
  inspected_ask(i, "CONFIG RESETSTAT");
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 0, NULL, NULL, NULL, &i->error), MOONCREW_OK);
  assert_true(inspected_calls(i, "sscan") >= 4); /* pages of 1,000 */
  assert_string_equal(inspected_ask(i, "KEYS *"), "");
}

/* Three tasks: pending and unique, completed, in a group. */
static void fill(inspected *i) {
  mooncrew_options options = MOONCREW_OPTIONS_INIT;
  options.unique_ms = 60000;
  inspected_give_options(i, "a", "x", options);
  options.unique_ms = -1;
  options.group = "g1";
  inspected_give_options(i, "b", "x", options);
  inspected_give(i, "c");
  inspected_ask(i, "LREM asynq:{q}:pending 1 c");
  inspected_ask(i, "HSET asynq:{q}:t:c state completed");
  inspected_ask(i, "ZADD asynq:{q}:completed 1 c");
}

static void a_queue_with_tasks_is_removed_only_by_force(void **state) {
  inspected *i = *state;
  int64_t deleted = -1;
  fill(i);
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 0, NULL, NULL, &deleted, &i->error), MOONCREW_ENOT_EMPTY);
  assert_int_equal(deleted, 0);
  assert_string_equal(inspected_ask(i, "LLEN asynq:{q}:pending"), "1");
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 1, NULL, NULL, &deleted, &i->error), MOONCREW_OK);
  assert_int_equal(deleted, 3);
  assert_string_equal(inspected_ask(i, "KEYS *"), "");
}

static void not_even_force_removes_what_is_worked_on(void **state) {
  inspected *i = *state;
  int64_t deleted = -1;
  fill(i);
  inspected_ask(i, "RPOPLPUSH asynq:{q}:pending asynq:{q}:active");
  inspected_ask(i, "HSET asynq:{q}:t:a state active");
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 1, NULL, NULL, &deleted, &i->error), MOONCREW_ESTATE);
  assert_int_equal(deleted, 0);
  assert_string_equal(inspected_ask(i, "ZCARD asynq:{q}:completed"), "1");
  assert_string_equal(inspected_ask(i, "SMEMBERS asynq:queues"), "q");
}

/* A server takes one of the tasks while they are being deleted. */
static int take_one(void *arg, int64_t done, int64_t total) {
  inspected *i = arg;
  assert_true(done <= total);
  inspected_ask(i, "EVAL %s 0",
                "redis.call('HSET', 'asynq:{q}:t:new', 'msg', 'm', 'state', 'active') "
                "redis.call('LREM', 'asynq:{q}:active', 0, 'new') "
                "redis.call('LPUSH', 'asynq:{q}:active', 'new')");
  return 0;
}

static void work_that_begins_meanwhile_keeps_the_queue(void **state) {
  inspected *i = *state;
  int64_t deleted = -1;
  fill(i);
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 1, take_one, i, &deleted, &i->error), MOONCREW_ESTATE);
  assert_int_equal(deleted, 3);
  assert_string_equal(inspected_ask(i, "SMEMBERS asynq:queues"), "q");
  assert_string_equal(inspected_ask(i, "EXISTS asynq:{q}:t:new"), "1");
}

/* A producer that is quicker than we are. */
static int add_one(void *arg, int64_t done, int64_t total) {
  inspected *i = arg;
  assert_true(done <= total);
  inspected_ask(i, "EVAL %s 0",
                "local id = redis.call('INCR', 'next') "
                "redis.call('HSET', 'asynq:{q}:t:' .. id, 'msg', 'm', 'state', 'pending') "
                "redis.call('LPUSH', 'asynq:{q}:pending', id)");
  return 0;
}

static void tasks_that_keep_coming_keep_the_queue(void **state) {
  inspected *i = *state;
  fill(i);
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 1, add_one, i, NULL, &i->error), MOONCREW_ENOT_EMPTY);
  assert_non_null(strstr(i->error.message, "more came in"));
}

/* The script finds the queue empty; what stands there came in after it. */
static void a_task_that_comes_in_at_the_last_moment_brings_the_name_back(void **state) {
  inspected *i = *state;
  const relay_rule rule = {"EVALSHA", RELAY_ANSWER, ":1\r\n", 1, 1}; /* the first one looks at the groups */
  struct relay *relay = relay_start(redis_server_socket(i->server), &rule, 1);
  mooncrew_client *client;
  assert_int_equal(mooncrew_open(relay_url(relay), &client, NULL), MOONCREW_OK);
  inspected_give(i, "a");
  inspected_expect(i, mooncrew_remove_queue(client, "q", 0, NULL, NULL, NULL, &i->error), MOONCREW_ENOT_EMPTY);
  assert_non_null(strstr(i->error.message, "more came in"));
  assert_string_equal(inspected_ask(i, "SMEMBERS asynq:queues"), "q");
  mooncrew_close(client);
  relay_stop(relay);
}

static int stop(void *arg, int64_t done, int64_t total) {
  int *calls = arg;
  assert_true(done <= total);
  return ++*calls == 2;
}

static void progress_can_end_the_work(void **state) {
  inspected *i = *state;
  int64_t deleted = -1;
  int calls = 0;
  fill(i);
  inspected_expect(i, mooncrew_remove_queue(i->client, "q", 1, stop, &calls, &deleted, &i->error), MOONCREW_ENOT_EMPTY);
  assert_int_equal(deleted, 2);
  assert_non_null(strstr(i->error.message, "stopped"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      inspected_test(an_empty_queue_is_removed),
      inspected_test(limits_and_failures_of_folds_go_along),
      inspected_test(very_many_groups_are_not_read_to_find_a_task),
      inspected_test(a_queue_with_tasks_is_removed_only_by_force),
      inspected_test(not_even_force_removes_what_is_worked_on),
      inspected_test(work_that_begins_meanwhile_keeps_the_queue),
      inspected_test(tasks_that_keep_coming_keep_the_queue),
      inspected_test(a_task_that_comes_in_at_the_last_moment_brings_the_name_back),
      inspected_test(progress_can_end_the_work),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
