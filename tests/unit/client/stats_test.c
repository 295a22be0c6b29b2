/* What the stats say about a Redis that is known by heart. */
#include "client/stats.h"

#include "../support/redis_server.h"
#include "../support/relay.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct fixture {
  redis_server *server;
  mc_client *client;
};

static int set_up(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  mc_err err;
  fixture->server = redis_server_start(NULL);
  assert_int_equal(mc_client_open(redis_server_url(fixture->server), &fixture->client, &err), 0);
  *state = fixture;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *fixture = *state;
  mc_client_close(fixture->client);
  redis_server_stop(fixture->server);
  free(fixture);
  return 0;
}

static mc_stats stats_of(mc_client *client) {
  mc_stats stats;
  mc_err err;
  if (mc_client_stats(client, &stats, &err))
    fail_msg("%s", err.text);
  return stats;
}

static void an_empty_redis_has_no_queues_and_no_servers(void **state) {
  struct fixture *fixture = *state;
  mc_stats stats = stats_of(fixture->client);
  assert_int_equal(stats.queue_count, 0);
  assert_int_equal(stats.server_count, 0);
  mc_stats_deinit(&stats);
}

static void queues_stand_by_name(void **state) {
  struct fixture *fixture = *state;
  redis_server_ask(fixture->server, "SADD asynq:queues low critical default");
  mc_stats stats = stats_of(fixture->client);
  assert_int_equal(stats.queue_count, 3);
  assert_string_equal(stats.queues[0].name, "critical");
  assert_string_equal(stats.queues[1].name, "default");
  assert_string_equal(stats.queues[2].name, "low");
  mc_stats_deinit(&stats);
}

static void every_state_is_counted(void **state) {
  struct fixture *fixture = *state;
  redis_server_ask(fixture->server, "SADD asynq:queues q");
  redis_server_ask(fixture->server, "LPUSH asynq:{q}:pending a");
  redis_server_ask(fixture->server, "LPUSH asynq:{q}:active a b");
  redis_server_ask(fixture->server, "ZADD asynq:{q}:scheduled 1 a 2 b 3 c");
  redis_server_ask(fixture->server, "ZADD asynq:{q}:retry 1 a 2 b 3 c 4 d");
  redis_server_ask(fixture->server, "ZADD asynq:{q}:archived 1 a 2 b 3 c 4 d 5 e");
  redis_server_ask(fixture->server, "ZADD asynq:{q}:completed 1 a 2 b 3 c 4 d 5 e 6 f");
  redis_server_ask(fixture->server, "SADD asynq:{q}:groups g h");
  redis_server_ask(fixture->server, "ZADD asynq:{q}:g:g 1 a 2 b 3 c");
  redis_server_ask(fixture->server, "ZADD asynq:{q}:g:h 1 a 2 b 3 c 4 d");
  redis_server_ask(fixture->server, "HSET asynq:{q}:mc_fold_failures g 1 h 2");
  redis_server_ask(fixture->server, "SET asynq:{q}:paused 1");
  redis_server_ask(fixture->server, "SET asynq:{q}:processed 100");
  redis_server_ask(fixture->server, "SET asynq:{q}:failed 50");
  mc_stats stats = stats_of(fixture->client);
  const mc_queue_stats *queue = &stats.queues[0];
  assert_int_equal(queue->pending, 1);
  assert_int_equal(queue->active, 2);
  assert_int_equal(queue->scheduled, 3);
  assert_int_equal(queue->retry, 4);
  assert_int_equal(queue->archived, 5);
  assert_int_equal(queue->completed, 6);
  assert_int_equal(queue->aggregating, 7);
  assert_int_equal(queue->failing_folds, 2);
  assert_int_equal(queue->paused, 1);
  assert_int_equal(queue->processed, 100);
  assert_int_equal(queue->failed, 50);
  assert_int_equal(queue->processed_today, 0);
  mc_stats_deinit(&stats);
}

static void today_ends_at_midnight_utc(void **state) {
  struct fixture *fixture = *state;
  char today[16], yesterday[16];
  time_t now = (time_t)mc_clock_wall_s(), before = now - 86400;
  struct tm utc;
  strftime(today, sizeof today, "%Y-%m-%d", gmtime_r(&now, &utc));
  strftime(yesterday, sizeof yesterday, "%Y-%m-%d", gmtime_r(&before, &utc));
  redis_server_ask(fixture->server, "SADD asynq:queues q");
  redis_server_ask(fixture->server, "SET asynq:{q}:processed:%s 7", today);
  redis_server_ask(fixture->server, "SET asynq:{q}:failed:%s 2", today);
  redis_server_ask(fixture->server, "SET asynq:{q}:processed:%s 9", yesterday);
  mc_stats stats = stats_of(fixture->client);
  assert_int_equal(stats.queues[0].processed_today, 7);
  assert_int_equal(stats.queues[0].failed_today, 2);
  mc_stats_deinit(&stats);
}

static void latency_is_the_wait_of_the_oldest(void **state) {
  struct fixture *fixture = *state;
  int64_t since_ns = mc_clock_wall_ns() - INT64_C(90000000000);
  redis_server_ask(fixture->server, "SADD asynq:queues other q");
  redis_server_ask(fixture->server, "LPUSH asynq:{q}:pending oldest newest");
  redis_server_ask(fixture->server, "HSET asynq:{q}:t:oldest pending_since %lld", (long long)since_ns);
  redis_server_ask(fixture->server, "HSET asynq:{q}:t:newest pending_since %lld", (long long)mc_clock_wall_ns());
  mc_stats stats = stats_of(fixture->client);
  assert_int_equal(stats.queues[0].latency_ms, 0);
  assert_in_range(stats.queues[1].latency_ms, 90000, 95000);
  mc_stats_deinit(&stats);
}

static void only_servers_that_are_alive_are_named(void **state) {
  struct fixture *fixture = *state;
  long long now_s = (long long)mc_clock_wall_s();
  redis_server_ask(fixture->server, "ZADD asynq:servers %lld asynq:servers:{b:2:id}", now_s + 10);
  redis_server_ask(fixture->server, "ZADD asynq:servers %lld asynq:servers:{a:1:id}", now_s + 10);
  redis_server_ask(fixture->server, "ZADD asynq:servers %lld asynq:servers:{gone:3:id}", now_s - 10);
  mc_stats stats = stats_of(fixture->client);
  assert_int_equal(stats.server_count, 2);
  assert_string_equal(stats.servers[0], "a:1:id");
  assert_string_equal(stats.servers[1], "b:2:id");
  mc_stats_deinit(&stats);
}

static void a_lost_answer_is_asked_for_again(void **state) {
  struct fixture *fixture = *state;
  const relay_rule rules[] = {{"ZRANGEBYSCORE", RELAY_CUT, NULL, 0, 1}, {"LINDEX", RELAY_CUT, NULL, 0, 1}};
  mc_client *client;
  mc_err err;
  redis_server_ask(fixture->server, "SADD asynq:queues q");
  redis_server_ask(fixture->server, "LPUSH asynq:{q}:pending a");
  struct relay *relay = relay_start(redis_server_socket(fixture->server), rules, 2);
  assert_int_equal(mc_client_open(relay_url(relay), &client, &err), 0);
  mc_client_set_timeout(client, 30000); /* two reconnects on a busy machine */
  mc_stats stats = stats_of(client);
  assert_int_equal(relay_connections(relay), 3);
  assert_int_equal(stats.queues[0].pending, 1);
  mc_stats_deinit(&stats);
  mc_client_close(client);
  relay_stop(relay);
}

static void a_key_of_the_wrong_kind_is_an_error(void **state) {
  struct fixture *fixture = *state;
  mc_stats stats;
  mc_err err;
  redis_server_ask(fixture->server, "SET asynq:queues q");
  assert_int_equal(mc_client_stats(fixture->client, &stats, &err), MC_ESERVER);
  assert_non_null(strstr(err.text, "WRONGTYPE"));
}

static void without_redis_it_says_so(void **state) {
  struct fixture *fixture = *state;
  mc_stats stats;
  mc_err err;
  redis_server_halt(fixture->server);
  mc_client_set_timeout(fixture->client, 100);
  assert_int_equal(mc_client_stats(fixture->client, &stats, &err), MC_EUNAVAILABLE);
  assert_non_null(strstr(err.text, "cannot reach Redis at redis+unix://"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(an_empty_redis_has_no_queues_and_no_servers),
      TEST(queues_stand_by_name),
      TEST(every_state_is_counted),
      TEST(today_ends_at_midnight_utc),
      TEST(latency_is_the_wait_of_the_oldest),
      TEST(only_servers_that_are_alive_are_named),
      TEST(a_lost_answer_is_asked_for_again),
      TEST(a_key_of_the_wrong_kind_is_an_error),
      TEST(without_redis_it_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
