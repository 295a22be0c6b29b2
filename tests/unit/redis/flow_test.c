/* Commands out and replies in: order, one write per turn, large writes, and servers that misbehave. */
#include "probe.h"

#include "base/clock.h"
#include "fake_server.h"

static redis_server *server;

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

typedef struct sequence {
  int64_t last;
  int out_of_order;
} sequence;

static void on_next_number(void *arg, int status, const mc_value *reply) {
  sequence *s = arg;
  if (status != 0 || reply->kind != MC_VALUE_INTEGER || reply->integer != s->last + 1)
    s->out_of_order++;
  s->last++;
}

static void ten_thousand_commands_are_answered_in_order(void **state) {
  (void)state;
  probe p;
  sequence s = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  for (int i = 0; i < 10000; i++)
    assert_int_equal(mc_conn_send_words(p.conn, on_next_number, &s, "INCR", "counter", NULL), 0);
  assert_int_equal(mc_conn_waiting(p.conn), 10000);
  RUN_UNTIL(&p, s.last == 10000);
  assert_int_equal(s.out_of_order, 0);
  assert_int_equal(mc_conn_waiting(p.conn), 0);
  probe_end(&p);
}

static void send_more(void *arg, int status, const mc_value *reply) {
  probe *p = arg;
  assert_int_equal(status, 0);
  assert_int_equal(reply->kind, MC_VALUE_STRING);
  for (int i = 0; i < 10; i++)
    mc_conn_send_words(p->conn, on_answer_of_probe, p, "PING", NULL);
}

static void a_turn_of_the_loop_makes_one_write(void **state) {
  (void)state;
  probe p;
  probe_init(&p, redis_server_url(server), (mc_conn_options){.name = "counted"});
  p.conn->open_transport = open_counted;
  writes.count = 0;
  mc_conn_start(p.conn);
  RUN_UNTIL(&p, p.ready == 1);
  assert_int_equal(writes.count, 1); /* the greeting as a whole */

  for (int i = 0; i < 50; i++)
    mc_conn_send_words(p.conn, i ? on_answer_of_probe : send_more, &p, "PING", NULL);
  assert_int_equal(writes.count, 1);
  RUN_UNTIL(&p, mc_conn_waiting(p.conn) == 0);
  assert_int_equal(writes.count, 3); /* the fifty, and the ten that were sent in answer to the first */

  mc_conn_send_words(p.conn, on_answer_of_probe, &p, "PING", NULL);
  mc_conn_flush(p.conn);
  assert_int_equal(writes.count, 4);
  mc_conn_flush(p.conn);
  RUN_UNTIL(&p, mc_conn_waiting(p.conn) == 0);
  assert_int_equal(writes.count, 4);
  probe_end(&p);
}

typedef struct late_sender {
  uv_prepare_t handle;
  probe *p;
  answer answer;
  int wait_ms; /* for how long the loop would then wait for events; -1: without end */
} late_sender;

static void on_late_prepare(uv_prepare_t *handle) {
  late_sender *late = mc_container_of(handle, late_sender, handle);
  uv_prepare_stop(handle);
  mc_conn_send_words(late->p->conn, on_answer, &late->answer, "PING", NULL);
  late->wait_ms = uv_backend_timeout(handle->loop);
}

static void a_command_sent_right_before_the_loop_waits_is_not_left_lying(void **state) {
  (void)state;
  probe p;
  late_sender late = {.p = &p, .wait_ms = -1};
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  uv_prepare_init(&p.loop, &late.handle);
  uv_prepare_start(&late.handle, on_late_prepare);
  RUN_UNTIL(&p, late.answer.calls == 1);
  assert_int_equal(late.wait_ms, 0);
  uv_close((uv_handle_t *)&late.handle, NULL);
  probe_end(&p);
}

static void large_commands_and_replies_pass_whole(void **state) {
  (void)state;
  probe p;
  answer set[3] = {{0}}, length = {0}, got = {0};
  mc_args args = {0};
  size_t size = (size_t)8 << 20;
  char *bytes = mc_alloc(size);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (char)('a' + (i * 31 >> 3) % 26);
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  for (int i = 0; i < 3; i++) { /* the later ones find the socket full */
    mc_args_clear(&args);
    mc_args_add_text(&args, i ? "APPEND" : "SET");
    mc_args_add_text(&args, "large");
    mc_args_add(&args, (mc_slice){bytes, size});
    mc_conn_send(p.conn, &args, on_answer, &set[i]);
    mc_conn_flush(p.conn);
  }
  mc_conn_send_words(p.conn, on_answer, &length, "STRLEN", "large", NULL);
  mc_conn_send_words(p.conn, on_answer, &got, "GETRANGE", "large", "16777000", "25165823", NULL);
  RUN_UNTIL(&p, got.calls == 1);
  assert_string_equal(set[0].text, "OK");
  assert_int_equal(length.integer, 3 * size);
  assert_memory_equal(got.text, bytes + 16777000 - size, 32);
  probe_end(&p);
  mc_args_deinit(&args);
  free(bytes);
  redis_server_ask(server, "DEL large");
}

static void closing_with_half_a_write_done_leaves_nothing_behind(void **state) {
  (void)state;
  probe p;
  mc_args args = {0};
  size_t size = (size_t)8 << 20;
  char *bytes = mc_zalloc(size);
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  redis_server_freeze(server);
  mc_args_add_text(&args, "SET");
  mc_args_add_text(&args, "large");
  mc_args_add(&args, (mc_slice){bytes, size});
  mc_conn_send(p.conn, &args, on_answer_of_probe, &p);
  mc_conn_flush(p.conn);
  mc_conn_send(p.conn, &args, on_answer_of_probe, &p);
  mc_conn_flush(p.conn);
  probe_end(&p);
  assert_int_equal(p.failed, 2);
  mc_args_deinit(&args);
  free(bytes);
  redis_server_thaw(server);
}

static void a_refusal_of_redis_is_an_error_value(void **state) {
  (void)state;
  probe p;
  answer refused = {0}, unknown = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  redis_server_ask(server, "REPLICAOF 127.0.0.1 1");
  mc_conn_send_words(p.conn, on_answer, &refused, "SET", "k", "v", NULL);
  mc_conn_send_words(p.conn, on_answer, &unknown, "NO-SUCH-COMMAND", NULL);
  RUN_UNTIL(&p, unknown.calls == 1);
  assert_int_equal(refused.status, 0);
  assert_int_equal(refused.kind, MC_VALUE_ERROR);
  assert_ptr_equal(strstr(refused.text, "READONLY "), refused.text);
  assert_int_equal(unknown.kind, MC_VALUE_ERROR);
  redis_server_ask(server, "REPLICAOF NO ONE");
  assert_int_equal(p.lost, 0);
  probe_end(&p);
}

static const struct misbehaviour {
  const char *says, *why;
} misbehaviours[] = {
    {"HTTP/1.1 400 Bad Request\r\n\r\n", "this is not the Redis protocol"},
    {"*-7\r\n", "this is not the Redis protocol"},
    {"*99999999999\r\n", "this is not the Redis protocol"},
    {"$-9\r\n", "this is not the Redis protocol"},
    {"+fine\r\n+one too many\r\n", "a reply that answers no command"},
    {"+fine\r\n-ERR Protocol error: too big\r\n", "the server said: ERR Protocol error: too big"},
    {"+fine\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n", "a reply that answers no command"},
    {"$100\r\nhalf a reply", "the server closed the connection"},
    {NULL, "the server closed the connection"},
};

static void a_server_that_misbehaves_is_left_with_the_reason(void **state) {
  (void)state;
  for (size_t i = 0; i < MC_COUNT(misbehaviours); i++) {
    probe p;
    fake_server fake;
    answer a = {0};
    const char *script[] = {"+OK\r\n+PONG\r\n", misbehaviours[i].says, NULL};
    fake_open(&fake, &p, script, (mc_conn_options){0});
    RUN_UNTIL(&p, p.ready == 1);
    p.close_on_lost = true;
    mc_conn_send_words(p.conn, on_answer, &a, "GET", "k", NULL);
    while (!p.lost && !p.expired) {
      uv_run(&p.loop, UV_RUN_ONCE);
      if (a.calls == 0 && fake.at == 2 && misbehaviours[i].says[0] == '$') /* makes it hang up in the middle */
        mc_conn_send_words(p.conn, on_answer_of_probe, &p, "PING", NULL);
    }
    RUN_UNTIL(&p, p.closed == 1);
    if (!strstr(p.why, misbehaviours[i].why))
      fail_msg("expected \"%s\", got \"%s\"", misbehaviours[i].why, p.why);
    assert_null(strstr(p.why, "hunter2"));
    assert_int_equal(a.calls, 1);
    fake_end(&fake, &p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ten_thousand_commands_are_answered_in_order),
      cmocka_unit_test(a_turn_of_the_loop_makes_one_write),
      cmocka_unit_test(a_command_sent_right_before_the_loop_waits_is_not_left_lying),
      cmocka_unit_test(large_commands_and_replies_pass_whole),
      cmocka_unit_test(closing_with_half_a_write_done_leaves_nothing_behind),
      cmocka_unit_test(a_refusal_of_redis_is_an_error_value),
      cmocka_unit_test(a_server_that_misbehaves_is_left_with_the_reason),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
