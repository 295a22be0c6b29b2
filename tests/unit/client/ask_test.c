/* Questions and orders to a real Redis, over a network that is not always kind. */
#include "client/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/redis_server.h"
#include "../support/relay.h"

struct fixture {
  redis_server *server;
  struct relay *relay;
  mc_client *client;
};

static int set_up(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  fixture->server = redis_server_start(NULL);
  *state = fixture;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *fixture = *state;
  mc_client_close(fixture->client);
  if (fixture->relay)
    relay_stop(fixture->relay);
  redis_server_stop(fixture->server);
  free(fixture);
  return 0;
}

/* Opens the client behind a relay with this rule. */
static void open_behind(struct fixture *fixture, relay_rule rule) {
  mc_err err;
  fixture->relay = relay_start(redis_server_socket(fixture->server), &rule, 1);
  assert_int_equal(mc_client_open(relay_url(fixture->relay), &fixture->client, &err), 0);
  assert_int_equal(mc_client_begin(fixture->client, &err), 0);
}

static void increments(mc_call *calls, size_t count) {
  for (size_t i = 0; i < count; i++)
    mc_call_words(&calls[i], "INCR", "counter", (mc_slice){0});
}

static int sum(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  int64_t *sums = arg;
  (void)err;
  sums[i] = reply->integer;
  return 0;
}

static void what_was_lost_is_asked_again(void **state) {
  struct fixture *fixture = *state;
  mc_call calls[2] = {0};
  int64_t numbers[2] = {0};
  mc_err err;
  open_behind(fixture, (relay_rule){"INCR", RELAY_CUT, NULL, 1, 1});
  increments(calls, 2);
  assert_int_equal(mc_client_ask(fixture->client, calls, 2, sum, numbers, &err), 0);
  mc_client_end(fixture->client);
  assert_int_equal(numbers[0], 3); /* the whole round once more */
  assert_int_equal(numbers[1], 4);
  mc_calls_deinit(calls, 2);
}

static void what_was_told_is_told_once(void **state) {
  struct fixture *fixture = *state;
  mc_call call = {0};
  int64_t number = 0;
  mc_err err;
  open_behind(fixture, (relay_rule){"INCR", RELAY_CUT, NULL, 0, 1});
  increments(&call, 1);
  assert_int_equal(mc_client_tell(fixture->client, &call, mc_answer_number, &number, &err), MC_EUNKNOWN);
  mc_client_end(fixture->client);
  assert_non_null(strstr(err.text, "no answer"));
  assert_int_equal(number, 0);
  assert_string_equal(redis_server_ask(fixture->server, "GET counter"), "1");
  mc_calls_deinit(&call, 1);
}

static void a_redis_that_is_busy_is_waited_for(void **state) {
  struct fixture *fixture = *state;
  mc_call call = {0};
  int64_t number = 0;
  mc_err err;
  open_behind(fixture, (relay_rule){"INCR", RELAY_ANSWER, "-BUSY Redis is busy running a script\r\n", 0, 2});
  increments(&call, 1);
  assert_int_equal(mc_client_tell(fixture->client, &call, mc_answer_number, &number, &err), 0);
  mc_client_end(fixture->client);
  assert_int_equal(number, 1);
  mc_calls_deinit(&call, 1);
}

static void a_redis_that_stays_busy_is_unavailable(void **state) {
  struct fixture *fixture = *state;
  mc_call call = {0};
  int64_t number = 0;
  mc_err err;
  open_behind(fixture, (relay_rule){"INCR", RELAY_ANSWER, "-LOADING the dataset\r\n", 0, 1000000});
  mc_client_end(fixture->client);
  assert_int_equal(mc_client_begin_for(fixture->client, 200, &err), 0);
  increments(&call, 1);
  assert_int_equal(mc_client_ask(fixture->client, &call, 1, mc_answer_number, &number, &err), MC_EUNAVAILABLE);
  mc_client_end(fixture->client);
  assert_non_null(strstr(err.text, "LOADING"));
  mc_calls_deinit(&call, 1);
}

static void a_refusal_names_the_place(void **state) {
  struct fixture *fixture = *state;
  mc_call call = {0};
  int64_t number = 0;
  mc_err err;
  open_behind(fixture, (relay_rule){"NOTHING", RELAY_CUT, NULL, 0, 0});
  redis_server_ask(fixture->server, "SET counter x");
  increments(&call, 1);
  assert_int_equal(mc_client_ask(fixture->client, &call, 1, mc_answer_number, &number, &err), MC_ESERVER);
  mc_client_end(fixture->client);
  assert_non_null(strstr(err.text, "not an integer"));
  assert_non_null(strstr(err.text, mc_client_where(fixture->client)));
  mc_calls_deinit(&call, 1);
}

static void an_answer_of_another_kind_is_malformed(void **state) {
  struct fixture *fixture = *state;
  mc_call call = {0};
  int64_t number = 7;
  mc_err err;
  open_behind(fixture, (relay_rule){"NOTHING", RELAY_CUT, NULL, 0, 0});
  mc_call_words(&call, "GET", "counter", (mc_slice){0});
  assert_int_equal(mc_client_ask(fixture->client, &call, 1, mc_answer_number, &number, &err), MC_EMALFORMED);
  mc_client_end(fixture->client);
  assert_int_equal(number, 7);
  mc_calls_deinit(&call, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_was_lost_is_asked_again, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_was_told_is_told_once, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_redis_that_is_busy_is_waited_for, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_redis_that_stays_busy_is_unavailable, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_refusal_names_the_place, set_up, tear_down),
      cmocka_unit_test_setup_teardown(an_answer_of_another_kind_is_malformed, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
