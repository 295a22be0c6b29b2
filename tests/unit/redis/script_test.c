/* Calls of scripts: by hash, and with the text only when Redis does not know it. */
#include "probe.h"

#include <stdlib.h>

static redis_server *server;

#define ECHO_BODY "return {KEYS[1], ARGV[1], #ARGV}"
static const mc_script echo_script = {
    .name = "echo",
    .body = ECHO_BODY,
    .body_size = sizeof ECHO_BODY - 1,
    .sha1 = "8dc2818ba1623288be206a9b42ace2bc5a8f2fd5",
    .keys = 1,
};

#define ODD_BODY "return redis.error_reply(\"ODD no\")"
static const mc_script odd_script = {
    .name = "odd",
    .body = ODD_BODY,
    .body_size = sizeof ODD_BODY - 1,
    .sha1 = "75630fa60f6481d12df59d638b7548ce4a67ae5d",
    .keys = 0,
};

static int start_server(void **state) {
  (void)state;
  server = redis_server_start(NULL);
  return 0;
}

static int stop_server(void **state) {
  (void)state;
  redis_server_stop(server);
  return 0;
}

/* How often Redis has run a command, since the statistics were reset. */
static int calls_of(const char *command) {
  char line[64];
  snprintf(line, sizeof line, "cmdstat_%s:calls=", command);
  const char *found = strstr(redis_server_ask(server, "INFO commandstats"), line);
  return found ? atoi(found + strlen(line)) : 0;
}

static void call_echo(mc_conn *conn, const char *key, const char *value, mc_reply_fn fn, void *arg, int expected) {
  mc_call call = {.script = &echo_script};
  mc_args_add_text(&call.args, key);
  mc_args_add_text(&call.args, value);
  mc_args_add_int(&call.args, 7);
  assert_int_equal(mc_conn_call(conn, &call, fn, arg), expected);
  assert_null(call.args.bytes.data);
  assert_null(call.args.ends);
  assert_int_equal(call.args.count, 0);
}

typedef struct echoed {
  int calls, good;
} echoed;

static void on_echo(void *arg, int status, const mc_value *reply) {
  echoed *e = arg;
  char expected[16];
  snprintf(expected, sizeof expected, "v%d", e->calls++);
  e->good += status == 0 && mc_value_is_text(mc_value_item(reply, 0), "k") &&
             mc_value_is_text(mc_value_item(reply, 1), expected) && reply->count == 3 && reply->items[2]->integer == 2;
}

static void call_echo_until(probe *p, echoed *e, int count) {
  char value[16];
  snprintf(value, sizeof value, "v%d", e->calls);
  call_echo(p->conn, "k", value, on_echo, e, 0);
  RUN_UNTIL(p, e->calls == count);
  assert_int_equal(e->good, count);
}

static void the_text_is_sent_once_and_again_after_a_flush(void **state) {
  (void)state;
  probe p;
  echoed e = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  redis_server_ask(server, "SCRIPT FLUSH");
  redis_server_ask(server, "CONFIG RESETSTAT");
  for (int i = 1; i <= 3; i++)
    call_echo_until(&p, &e, i);
  assert_int_equal(calls_of("evalsha"), 3);
  assert_int_equal(calls_of("eval"), 1);
  redis_server_ask(server, "SCRIPT FLUSH");
  call_echo_until(&p, &e, 4);
  call_echo_until(&p, &e, 5);
  assert_int_equal(calls_of("eval"), 2);
  probe_end(&p);
}

static void calls_that_crossed_the_flush_are_all_repeated_in_order(void **state) {
  (void)state;
  probe p;
  echoed e = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  redis_server_ask(server, "SCRIPT FLUSH");
  for (int i = 0; i < 20; i++) {
    char value[16];
    snprintf(value, sizeof value, "v%d", i);
    call_echo(p.conn, "k", value, on_echo, &e, 0);
  }
  RUN_UNTIL(&p, e.calls == 20);
  assert_int_equal(e.good, 20);
  probe_end(&p);
}

static void an_error_of_the_script_goes_to_the_caller(void **state) {
  (void)state;
  probe p;
  answer first = {0}, second = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  redis_server_ask(server, "SCRIPT FLUSH");
  assert_int_equal(mc_conn_call(p.conn, &(mc_call){.script = &odd_script}, on_answer, &first), 0);
  RUN_UNTIL(&p, first.calls == 1);
  assert_int_equal(mc_conn_call(p.conn, &(mc_call){.script = &odd_script}, on_answer, &second), 0);
  RUN_UNTIL(&p, second.calls == 1);
  assert_int_equal(first.kind, MC_VALUE_ERROR);
  assert_string_equal(first.text, "ODD no");
  assert_string_equal(second.text, "ODD no");
  probe_end(&p);
}

static void a_call_without_a_connection_takes_the_arguments_all_the_same(void **state) {
  (void)state;
  probe p;
  probe_init(&p, redis_server_url(server), (mc_conn_options){0});
  call_echo(p.conn, "k", "v", on_answer_of_probe, &p, MC_EUNAVAILABLE);
  probe_end(&p);
  assert_int_equal(p.failed, 0);
}

static void on_echo_close(void *arg, int status, const mc_value *reply) {
  probe *p = arg;
  on_answer_of_probe(arg, status, reply);
  if (p->conn->phase != MC_CONN_CLOSING)
    mc_conn_close(p->conn, probe_on_closed, p);
}

static void calls_end_with_the_connection(void **state) {
  (void)state;
  probe p;
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  redis_server_ask(server, "SCRIPT FLUSH");
  mc_conn_send_words(p.conn, on_echo_close, &p, "PING", NULL);
  for (int i = 0; i < 5; i++)
    call_echo(p.conn, "k", "v", on_echo_close, &p, 0);
  call_echo(p.conn, "k", "v", NULL, NULL, 0);
  RUN_UNTIL(&p, p.closed == 1);
  assert_int_equal(p.failed, 5);
  probe_end(&p);

  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  uint64_t answered = p.conn->answered;
  redis_server_ask(server, "SCRIPT FLUSH");
  call_echo(p.conn, "k", "v", on_answer_of_probe, &p, 0);
  RUN_UNTIL(&p, p.conn->answered == answered + 1); /* that was NOSCRIPT: the text is on its way */
  assert_int_equal(mc_conn_waiting(p.conn), 1);
  probe_end(&p);
  assert_int_equal(p.failed, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_text_is_sent_once_and_again_after_a_flush),
      cmocka_unit_test(calls_that_crossed_the_flush_are_all_repeated_in_order),
      cmocka_unit_test(an_error_of_the_script_goes_to_the_caller),
      cmocka_unit_test(a_call_without_a_connection_takes_the_arguments_all_the_same),
      cmocka_unit_test(calls_end_with_the_connection),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
