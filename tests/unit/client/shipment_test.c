/* What becomes of tasks when the connection is lost, Redis is silent, or busy: through a relay that misbehaves. */
#include "client/shipment.h"

#include "base/clock.h"
#include "../support/redis_server.h"
#include "../support/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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

/* Puts a relay in front of the server, and a client in front of the relay. */
static void relay_with_rules(struct fixture *fixture, const relay_rule *rules, size_t count) {
  mc_err err;
  fixture->relay = relay_start(redis_server_socket(fixture->server), rules, count);
  assert_int_equal(mc_client_open(relay_url(fixture->relay), &fixture->client, &err), 0);
}

static void relay_with(struct fixture *fixture, const relay_rule *rule) {
  relay_with_rules(fixture, rule, 1);
}

static mc_enqueue_options options_of(const char *id) {
  mc_enqueue_options options;
  mc_enqueue_options_init(&options);
  options.type = MC_SLICE_LITERAL("email:send");
  options.id = mc_slice_of(id);
  options.has_id = id != NULL;
  return options;
}

/* Enqueues one task; its code. */
static int enqueue(struct fixture *fixture, const mc_enqueue_options *options) {
  mc_delivery delivery;
  mc_delivery_prepare(&delivery, options);
  mc_shipment_send(fixture->client, &delivery, 1);
  assert_true(delivery.settled);
  mc_delivery_deinit(&delivery);
  return delivery.code;
}

static void a_task_whose_answer_was_lost_is_accepted_once(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of(NULL);
  relay_with(fixture, &(relay_rule){"EVAL", RELAY_CUT, NULL, 0, 1});
  assert_int_equal(enqueue(fixture, &options), 0);
  assert_int_equal(relay_connections(fixture->relay), 2);
  assert_string_equal(redis_server_ask(fixture->server, "LLEN asynq:{default}:pending"), "1");
}

static void so_is_one_whose_answer_was_lost_three_times(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of(NULL);
  const relay_rule rules[] = {{"EVAL", RELAY_CUT, NULL, 0, 1}, {"EVALSHA", RELAY_CUT, NULL, 1, 2}};
  relay_with_rules(fixture, rules, 2);
  assert_int_equal(enqueue(fixture, &options), 0);
  assert_int_equal(relay_connections(fixture->relay), 4);
  assert_string_equal(redis_server_ask(fixture->server, "LLEN asynq:{default}:pending"), "1");
}

static void a_unique_lock_that_the_task_itself_holds_means_accepted(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of(NULL);
  options.unique_ms = 60000;
  relay_with(fixture, &(relay_rule){"EVAL", RELAY_CUT, NULL, 0, 1});
  assert_int_equal(enqueue(fixture, &options), 0);
  assert_int_equal(enqueue(fixture, &options), MC_EDUPLICATE);
  assert_string_equal(redis_server_ask(fixture->server, "LLEN asynq:{default}:pending"), "1");
}

static void with_an_id_of_the_caller_a_lost_answer_leaves_it_unknown(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of("one");
  relay_with(fixture, &(relay_rule){"EVAL", RELAY_CUT, NULL, 0, 1});
  assert_int_equal(enqueue(fixture, &options), MC_EUNKNOWN);
  assert_int_equal(enqueue(fixture, &options), MC_ECONFLICT);
  assert_string_equal(redis_server_ask(fixture->server, "LLEN asynq:{default}:pending"), "1");
}

static void an_id_of_the_caller_that_never_arrived_is_accepted_the_second_time(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of("one");
  relay_with(fixture, &(relay_rule){"SADD", RELAY_CUT, NULL, 0, 1});
  assert_int_equal(enqueue(fixture, &options), 0);
  assert_string_equal(redis_server_ask(fixture->server, "LLEN asynq:{default}:pending"), "1");
}

static void what_was_answered_is_not_sent_again(void **state) {
  struct fixture *fixture = *state;
  enum { COUNT = 2 };
  mc_enqueue_options options[COUNT] = {options_of("one"), options_of("two")};
  mc_delivery deliveries[COUNT];
  options[0].queue = MC_SLICE_LITERAL("a");
  options[1].queue = MC_SLICE_LITERAL("b");
  options[0].has_queue = options[1].has_queue = true;
  mc_enqueue_options first = options_of("zero"); /* has the script known, so that both calls are EVALSHA */
  relay_with(fixture, &(relay_rule){"EVALSHA", RELAY_CUT, NULL, 2, 1});
  assert_int_equal(enqueue(fixture, &first), 0);
  for (int i = 0; i < COUNT; i++)
    mc_delivery_prepare(&deliveries[i], &options[i]);
  mc_shipment_send(fixture->client, deliveries, COUNT);
  assert_int_equal(deliveries[0].code, 0); /* a second sending would have made it UNKNOWN */
  assert_int_equal(deliveries[1].code, MC_EUNKNOWN);
  for (int i = 0; i < COUNT; i++)
    mc_delivery_deinit(&deliveries[i]);
}

static void a_silent_redis_leaves_a_sent_task_unknown(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of(NULL);
  mc_delivery delivery;
  relay_with(fixture, &(relay_rule){"EVALSHA", RELAY_SWALLOW, NULL, 0, 1});
  mc_client_set_timeout(fixture->client, 200);
  uint64_t start_ms = mc_clock_mono_ms();
  mc_delivery_prepare(&delivery, &options);
  mc_shipment_send(fixture->client, &delivery, 1);
  assert_in_range(mc_clock_mono_ms() - start_ms, 190, 2000);
  assert_int_equal(delivery.code, MC_EUNKNOWN);
  char id[64];
  snprintf(id, sizeof id, "\"%.*s\"", MC_SLICE_PRINT(delivery.task.id));
  assert_non_null(strstr(delivery.err.text, id));
  assert_null(mc_delivery_state(&delivery));
  mc_delivery_deinit(&delivery);
  mc_client_set_timeout(fixture->client, 0);
  assert_int_equal(enqueue(fixture, &options), 0);
  assert_string_equal(redis_server_ask(fixture->server, "LLEN asynq:{default}:pending"), "1");
}

static void a_redis_that_never_greets_was_given_nothing(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of("one");
  relay_with(fixture, &(relay_rule){"PING", RELAY_SWALLOW, NULL, 0, 1});
  mc_client_set_timeout(fixture->client, 200);
  assert_int_equal(enqueue(fixture, &options), MC_EUNAVAILABLE);
}

static void a_busy_redis_is_asked_again(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of("one");
  relay_with(fixture, &(relay_rule){"EVALSHA", RELAY_ANSWER, "-BUSY Redis is busy running a script\r\n", 0, 2});
  assert_int_equal(enqueue(fixture, &options), 0);
  assert_int_equal(relay_connections(fixture->relay), 1);
}

static void a_redis_that_stays_busy_has_accepted_nothing(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of("one");
  mc_delivery delivery;
  relay_with(fixture, &(relay_rule){"EVALSHA", RELAY_ANSWER, "-BUSY Redis is busy running a script\r\n", 0, 1000});
  mc_client_set_timeout(fixture->client, 200);
  mc_delivery_prepare(&delivery, &options);
  mc_shipment_send(fixture->client, &delivery, 1);
  assert_int_equal(delivery.code, MC_EUNAVAILABLE);
  assert_non_null(strstr(delivery.err.text, "BUSY"));
  mc_delivery_deinit(&delivery);
}

static void an_answer_that_makes_no_sense_is_said_to_be_one(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of("one");
  relay_with(fixture, &(relay_rule){"EVALSHA", RELAY_ANSWER, "+fine\r\n", 0, 1});
  assert_int_equal(enqueue(fixture, &options), MC_EMALFORMED);
}

static void an_error_after_a_lost_answer_leaves_it_unknown(void **state) {
  struct fixture *fixture = *state;
  mc_enqueue_options options = options_of(NULL);
  const relay_rule rules[] = {
      {"EVAL", RELAY_CUT, NULL, 0, 1},
      {"EVALSHA", RELAY_ANSWER, "-OOM command not allowed\r\n", 1, 1},
  };
  relay_with_rules(fixture, rules, 2);
  assert_int_equal(enqueue(fixture, &options), MC_EUNKNOWN);
}

static void a_big_shipment_travels_in_several_parcels(void **state) {
  struct fixture *fixture = *state;
  enum { COUNT = 12, SIZE = 1 << 20 };
  mc_delivery deliveries[COUNT];
  char *payload = calloc(1, SIZE);
  mc_enqueue_options options = options_of(NULL);
  options.payload = (mc_slice){payload, SIZE};
  relay_with_rules(fixture, NULL, 0);
  for (int i = 0; i < COUNT; i++)
    mc_delivery_prepare(&deliveries[i], &options);
  mc_shipment_send(fixture->client, deliveries, COUNT);
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal(deliveries[i].code, 0);
    mc_delivery_deinit(&deliveries[i]);
  }
  assert_string_equal(redis_server_ask(fixture->server, "LLEN asynq:{default}:pending"), "12");
  free(payload);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_task_whose_answer_was_lost_is_accepted_once),
      TEST(so_is_one_whose_answer_was_lost_three_times),
      TEST(a_unique_lock_that_the_task_itself_holds_means_accepted),
      TEST(with_an_id_of_the_caller_a_lost_answer_leaves_it_unknown),
      TEST(an_id_of_the_caller_that_never_arrived_is_accepted_the_second_time),
      TEST(what_was_answered_is_not_sent_again),
      TEST(a_silent_redis_leaves_a_sent_task_unknown),
      TEST(a_redis_that_never_greets_was_given_nothing),
      TEST(a_busy_redis_is_asked_again),
      TEST(a_redis_that_stays_busy_has_accepted_nothing),
      TEST(an_answer_that_makes_no_sense_is_said_to_be_one),
      TEST(an_error_after_a_lost_answer_leaves_it_unknown),
      TEST(a_big_shipment_travels_in_several_parcels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
