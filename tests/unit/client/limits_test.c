/* Limits of a queue, read and changed by a client: client/limits.c, against a real Redis. */
#include "client/limits.h"

#include "../support/redis_server.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUEUE MC_SLICE_LITERAL("mail")

static redis_server *server;
static mc_client *client;

static int set_up(void **state) {
  (void)state;
  mc_err err;
  server = redis_server_start(NULL);
  return mc_client_open(redis_server_url(server), &client, &err);
}

static int tear_down(void **state) {
  (void)state;
  mc_client_close(client);
  redis_server_stop(server);
  return 0;
}

static void expect_limits(const mc_limits_change *change, mc_limits expected) {
  mc_limits found = {7, 7, 7};
  mc_err err;
  if (mc_client_limit(client, QUEUE, change, &found, &err))
    fail_msg("%s", err.text);
  assert_true(mc_limits_equal(&found, &expected));
}

static void a_queue_that_nobody_knows_has_none(void **state) {
  (void)state;
  expect_limits(NULL, (mc_limits){0, 0, 0});
}

static void each_limit_is_changed_by_itself(void **state) {
  (void)state;
  expect_limits(&(mc_limits_change){.concurrency = true, .to = {3, 0, 0}}, (mc_limits){3, 0, 0});
  expect_limits(&(mc_limits_change){.rate = true, .to = {0, 10, 1000}}, (mc_limits){3, 10, 1000});
  expect_limits(NULL, (mc_limits){3, 10, 1000});
  expect_limits(&(mc_limits_change){.concurrency = true}, (mc_limits){0, 10, 1000});
  expect_limits(&(mc_limits_change){.concurrency = true, .rate = true, .to = {5, 0, 0}}, (mc_limits){5, 0, 0});
  expect_limits(&(mc_limits_change){.concurrency = true}, (mc_limits){0, 0, 0});
  assert_string_equal(redis_server_ask(server, "EXISTS asynq:{mail}:mc_limits"), "0");
}

static void what_makes_no_sense_is_not_sent(void **state) {
  (void)state;
  const mc_slice names[] = {{"", 0}, {"a\0b", 3}, {"\xff", 1}};
  mc_limits found = {7, 7, 7};
  mc_err err;
  for (size_t i = 0; i < MC_COUNT(names); i++)
    assert_int_equal(mc_client_limit(client, names[i], NULL, &found, &err), MC_EINVALID);
  mc_limits_change change = {.concurrency = true, .to = {-1, 0, 0}};
  assert_int_equal(mc_client_limit(client, QUEUE, &change, &found, &err), MC_EINVALID);
  assert_int_equal(found.concurrency, 7);
}

static void a_key_of_another_type_is_told(void **state) {
  (void)state;
  mc_limits found;
  mc_err err;
  redis_server_ask(server, "SET asynq:{mail}:mc_limits x");
  assert_int_equal(mc_client_limit(client, QUEUE, NULL, &found, &err), MC_ESERVER);
  assert_non_null(strstr(err.text, "WRONGTYPE"));
}

static void what_servers_cannot_read_is_told_until_it_is_set_anew(void **state) {
  (void)state;
  mc_limits found;
  mc_err err;
  redis_server_ask(server, "HSET asynq:{mail}:mc_limits concurrency -3");
  assert_int_equal(mc_client_limit(client, QUEUE, NULL, &found, &err), MC_EMALFORMED);
  redis_server_ask(server, "HSET asynq:{mail}:mc_limits concurrency 3x");
  assert_int_equal(mc_client_limit(client, QUEUE, NULL, &found, &err), MC_EMALFORMED);
  assert_non_null(strstr(err.text, "'3x'"));
  expect_limits(&(mc_limits_change){.concurrency = true, .to = {3, 0, 0}}, (mc_limits){3, 0, 0});
  redis_server_ask(server, "HSET asynq:{mail}:mc_limits rate 5");
  assert_int_equal(mc_client_limit(client, QUEUE, NULL, &found, &err), MC_EMALFORMED);
  assert_non_null(strstr(err.text, "interval_ms"));
  expect_limits(&(mc_limits_change){.rate = true}, (mc_limits){3, 0, 0});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_queue_that_nobody_knows_has_none, set_up, tear_down),
      cmocka_unit_test_setup_teardown(each_limit_is_changed_by_itself, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_makes_no_sense_is_not_sent, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_key_of_another_type_is_told, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_servers_cannot_read_is_told_until_it_is_set_anew, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
