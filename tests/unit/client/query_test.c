/* Questions to a real Redis: what their answers become. */
#include "client/query.h"

#include "../support/redis_server.h"
#include "../support/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

static void query_words(mc_query *query, const char *command, const char *key) {
  mc_args_add_text(&query->args, command);
  mc_args_add_text(&query->args, key);
}

static int ask(mc_client *client, mc_query *queries, size_t count, mc_err *err) {
  assert_int_equal(mc_client_begin(client, err), 0);
  int code = mc_client_query(client, queries, count, err);
  mc_client_end(client);
  return code;
}

static void answers_are_numbers_and_texts(void **state) {
  struct fixture *fixture = *state;
  enum { LENGTH, DIGITS, NOTHING, WORD, MEMBERS, COUNT };
  mc_query queries[COUNT] = {0};
  mc_err err;
  redis_server_ask(fixture->server, "LPUSH list a b");
  redis_server_ask(fixture->server, "SET digits 42");
  redis_server_ask(fixture->server, "SET word hello");
  redis_server_ask(fixture->server, "SADD set only");
  query_words(&queries[LENGTH], "LLEN", "list");
  query_words(&queries[DIGITS], "GET", "digits");
  query_words(&queries[NOTHING], "GET", "missing");
  query_words(&queries[WORD], "GET", "word");
  query_words(&queries[MEMBERS], "SMEMBERS", "set");
  assert_int_equal(ask(fixture->client, queries, COUNT, &err), 0);
  assert_int_equal(queries[LENGTH].number, 2);
  assert_int_equal(queries[DIGITS].number, 42);
  assert_int_equal(queries[NOTHING].number, 0);
  assert_int_equal(queries[NOTHING].text_count, 0);
  assert_int_equal(queries[WORD].number, 0);
  assert_int_equal(queries[WORD].text_count, 1);
  assert_string_equal(queries[WORD].texts[0], "hello");
  assert_int_equal(queries[MEMBERS].text_count, 1);
  assert_string_equal(queries[MEMBERS].texts[0], "only");
  mc_queries_deinit(queries, COUNT);
}

static void a_refused_question_is_an_error_that_names_the_place(void **state) {
  struct fixture *fixture = *state;
  mc_query query = {0};
  mc_err err;
  redis_server_ask(fixture->server, "SET word hello");
  query_words(&query, "LLEN", "word");
  assert_int_equal(ask(fixture->client, &query, 1, &err), MC_ESERVER);
  assert_non_null(strstr(err.text, redis_server_socket(fixture->server)));
  assert_non_null(strstr(err.text, "WRONGTYPE"));
  mc_queries_deinit(&query, 1);
}

static void what_was_answered_before_a_loss_is_asked_for_again(void **state) {
  struct fixture *fixture = *state;
  const relay_rule rule = {"SMEMBERS", RELAY_CUT, NULL, 0, 2};
  struct relay *relay = relay_start(redis_server_socket(fixture->server), &rule, 1);
  mc_query queries[2] = {0};
  mc_client *client;
  mc_err err;
  redis_server_ask(fixture->server, "SET word hello");
  redis_server_ask(fixture->server, "SADD set only");
  query_words(&queries[0], "GET", "word");
  query_words(&queries[1], "SMEMBERS", "set");
  assert_int_equal(mc_client_open(relay_url(relay), &client, &err), 0);
  assert_int_equal(ask(client, queries, 2, &err), 0);
  assert_int_equal(relay_connections(relay), 3);
  assert_int_equal(queries[0].text_count, 1);
  assert_int_equal(queries[1].text_count, 1);
  mc_queries_deinit(queries, 2);
  mc_client_close(client);
  relay_stop(relay);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(answers_are_numbers_and_texts, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_refused_question_is_an_error_that_names_the_place, set_up, tear_down),
      cmocka_unit_test_setup_teardown(what_was_answered_before_a_loss_is_asked_for_again, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
