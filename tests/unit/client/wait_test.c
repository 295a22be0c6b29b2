/* Waiting for a task's end, while a thread plays the server that works on it. */
#include "inspected.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "protocol/message.h"

#define SOON_MS 500 /* a notice comes in less */

/* Does something to Redis once the waiter has looked at the task `looks` times. */
struct server {
  const char *socket;
  void (*act)(redis_sync *redis, const char *script);
  const char *script; /* in Redis' Lua */
  int looks;
  uint64_t done_ms;
  pthread_t thread;
};

static long looks_at(redis_sync *redis) {
  const char *stats = redis_sync_text(redis, redis_sync_ask(redis, "INFO commandstats"));
  const char *found = strstr(stats, "cmdstat_hmget:calls=");
  return found ? atol(found + strlen("cmdstat_hmget:calls=")) : 0;
}

static void run_script(redis_sync *redis, const char *script) {
  if (redis_sync_ask(redis, "EVAL %s 0", script)->kind == MC_VALUE_ERROR)
    abort();
}

/* Ends the waiter's connections, both of which have a name. */
static void kill_connections(redis_sync *redis, const char *script) {
  char *list = strdup(redis_sync_text(redis, redis_sync_ask(redis, "CLIENT LIST"))), *rest = NULL;
  int killed = 0;
  (void)script;
  for (char *line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
    if (strstr(line, "name=mooncrew-client")) {
      redis_sync_ask(redis, "CLIENT KILL ID %d", atoi(line + strlen("id=")));
      killed++;
    }
  free(list);
  if (killed != 2)
    abort();
}

static void *serve(void *arg) {
  struct server *server = arg;
  redis_sync *redis = redis_sync_open(server->socket);
  while (looks_at(redis) < server->looks)
    usleep(2000); /* Redis tells nobody that a key was read: this one has to ask */
  server->act(redis, server->script);
  server->done_ms = mc_clock_mono_ms();
  redis_sync_close(redis);
  return NULL;
}

static void server_start(struct server *server, inspected *i, const char *script, int looks) {
  *server =
      (struct server){redis_server_socket(i->server), script ? run_script : kill_connections, script, looks, 0, 0};
  assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_join(struct server *server) {
  pthread_join(server->thread, NULL);
}

#define COMPLETE                                                                                                       \
  "redis.call('HSET', 'asynq:{q}:t:a', 'state', 'completed', 'result', 'r') redis.call('ZADD', "                       \
  "'asynq:{q}:completed', "                                                                                            \
  "9999999999, 'a')"

static void what_has_ended_needs_no_waiting(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  inspected_give(i, "a");
  inspected_ask(i, "EVAL %s 0", COMPLETE);
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 0, &list, &i->error), MOONCREW_OK);
  assert_string_equal(list.items[0].state, "completed");
  assert_int_equal(list.items[0].result_size, 1);
  assert_memory_equal(list.items[0].result, "r", 1);
  mooncrew_release(list.memory);
}

/* After two looks, the second of which was armed, the end is heard at once. */
static void the_end_is_heard_by_a_notice(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  struct server server;
  inspected_give(i, "a");
  inspected_ask(i, "CONFIG RESETSTAT");
  server_start(&server, i, COMPLETE, 2);
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 60000, &list, &i->error), MOONCREW_OK);
  uint64_t heard_ms = mc_clock_mono_ms();
  server_join(&server);
  assert_true(heard_ms < server.done_ms + SOON_MS);
  assert_memory_equal(list.items[0].result, "r", 1);
  mooncrew_release(list.memory);
  assert_string_equal(inspected_ask(i, "CLIENT TRACKINGINFO"), "flags [off] redirect -1 prefixes []");
}

static void a_task_that_is_not_retained_is_gone_and_no_success(void **state) {
  inspected *i = *state;
  mooncrew_task_list list = {.count = 7};
  struct server server;
  inspected_give(i, "a");
  inspected_ask(i, "CONFIG RESETSTAT");
  server_start(&server, i, "redis.call('DEL', 'asynq:{q}:t:a')", 2);
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 60000, &list, &i->error), MOONCREW_EGONE);
  uint64_t heard_ms = mc_clock_mono_ms();
  server_join(&server); /* which says when it was done */
  assert_true(heard_ms < server.done_ms + SOON_MS);
  assert_non_null(strstr(i->error.message, "any more"));
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 60000, &list, &i->error), MOONCREW_EGONE);
  assert_non_null(strstr(i->error.message, "never enqueued"));
  assert_int_equal(list.count, 7);
}

static void an_archived_task_answers_its_error(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  const mc_message message = {.type = MC_SLICE_LITERAL("kind"),
                              .id = MC_SLICE_LITERAL("a"),
                              .queue = MC_SLICE_LITERAL("q"),
                              .error_msg = MC_SLICE_LITERAL("no such user")};
  mc_buf bytes = {0};
  mc_message_encode(&message, &bytes);
  inspected_ask(i, "HSET asynq:{q}:t:a state archived msg %b", bytes.data, bytes.size);
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 60000, &list, &i->error), MOONCREW_EARCHIVED);
  assert_string_equal(i->error.message, "no such user");
  inspected_ask(i, "HSET asynq:{q}:t:a msg x mc_error unreadable");
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 60000, &list, &i->error), MOONCREW_EARCHIVED);
  assert_string_equal(i->error.message, "unreadable");
  mc_buf_deinit(&bytes);
}

static void a_retry_is_no_end(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  inspected_give(i, "a");
  inspected_ask(i, "HSET asynq:{q}:t:a state retry");
  uint64_t start_ms = mc_clock_mono_ms();
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 300, &list, &i->error), MOONCREW_ETIMEOUT);
  assert_in_range(mc_clock_mono_ms() - start_ms, 299, 5000);
  assert_non_null(strstr(i->error.message, "it is retry"));
}

/* Between the second, armed look and the last one, nothing is asked. */
static void nothing_is_polled_while_a_notice_is_awaited(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  inspected_give(i, "a");
  inspected_ask(i, "CONFIG RESETSTAT");
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 3000, &list, &i->error), MOONCREW_ETIMEOUT);
  assert_int_equal(inspected_calls(i, "hmget"), 3);
}

static void a_handler_that_tells_its_progress_costs_few_looks(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  struct server server;
  inspected_give(i, "a");
  inspected_ask(i, "CONFIG RESETSTAT");
  server_start(&server, i, "for n = 1, 1000 do redis.call('HSET', 'asynq:{q}:t:a', 'mc_progress', n) end", 2);
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 1000, &list, &i->error), MOONCREW_ETIMEOUT);
  server_join(&server);
  assert_in_range(inspected_calls(i, "hmget"), 4, 5); /* the notices of one script are one */
}

/* ---- when there are no notices ---- */

static void where_redis_grants_no_notices_there_is_a_look_each_second(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  struct server server;
  inspected_ask(i, "ACL SETUSER default -client");
  inspected_give(i, "a");
  inspected_ask(i, "CONFIG RESETSTAT");
  server_start(&server, i, COMPLETE, 3);
  uint64_t start_ms = mc_clock_mono_ms();
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 60000, &list, &i->error), MOONCREW_OK);
  server_join(&server);
  assert_in_range(mc_clock_mono_ms() - start_ms, 2900, 6000);
  assert_int_equal(inspected_calls(i, "hmget"), 5); /* four looks, and one by the script that reads the task */
  mooncrew_release(list.memory);
}

static void connections_that_go_meanwhile_come_back(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  struct server killer, server;
  inspected_give(i, "a");
  inspected_ask(i, "CONFIG RESETSTAT");
  server_start(&killer, i, NULL, 2);
  server_start(&server, i, COMPLETE, 3); /* the third look is for the connections lost */
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 60000, &list, &i->error), MOONCREW_OK);
  uint64_t heard_ms = mc_clock_mono_ms();
  server_join(&killer);
  server_join(&server);
  assert_true(heard_ms < server.done_ms + SOON_MS);
  assert_in_range(server.done_ms - killer.done_ms, 0, 3000);
  mooncrew_release(list.memory);
}

static void a_redis_that_is_away_is_no_time_out(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  inspected_give(i, "a");
  redis_server_halt(i->server);
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", 100, &list, &i->error), MOONCREW_EUNAVAILABLE);
  redis_server_resume(i->server);
}

static void waiting_for_nothing_is_refused(void **state) {
  inspected *i = *state;
  mooncrew_task_list list;
  inspected_expect(i, mooncrew_wait(i->client, "q", "a", -1, &list, &i->error), MOONCREW_EINVALID);
  inspected_expect(i, mooncrew_wait(i->client, "", "a", 1, &list, &i->error), MOONCREW_EINVALID);
  inspected_expect(i, mooncrew_wait(i->client, "q", NULL, 1, &list, &i->error), MOONCREW_EINVALID);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      inspected_test(what_has_ended_needs_no_waiting),
      inspected_test(the_end_is_heard_by_a_notice),
      inspected_test(a_task_that_is_not_retained_is_gone_and_no_success),
      inspected_test(an_archived_task_answers_its_error),
      inspected_test(a_retry_is_no_end),
      inspected_test(nothing_is_polled_while_a_notice_is_awaited),
      inspected_test(a_handler_that_tells_its_progress_costs_few_looks),
      inspected_test(where_redis_grants_no_notices_there_is_a_look_each_second),
      inspected_test(connections_that_go_meanwhile_come_back),
      inspected_test(a_redis_that_is_away_is_no_time_out),
      inspected_test(waiting_for_nothing_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
