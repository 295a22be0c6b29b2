/* The life of a connection, against a real server. */
#include "probe.h"

#include "base/clock.h"

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

static void a_connection_becomes_ready_and_answers(void **state) {
  (void)state;
  probe p;
  answer a = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  assert_true(mc_conn_is_ready(p.conn));
  assert_int_equal(mc_conn_send_words(p.conn, on_answer, &a, "ECHO", "hello", NULL), 0);
  assert_int_equal(mc_conn_waiting(p.conn), 1);
  assert_int_equal(a.calls, 0);
  RUN_UNTIL(&p, a.calls == 1);
  assert_int_equal(a.status, 0);
  assert_string_equal(a.text, "hello");
  assert_int_equal(mc_conn_waiting(p.conn), 0);
  probe_end(&p);
}

static void nothing_is_sent_before_it_is_ready(void **state) {
  (void)state;
  probe p;
  answer a = {0};
  probe_init(&p, redis_server_url(server), (mc_conn_options){0});
  assert_int_equal(mc_conn_send_words(p.conn, on_answer, &a, "PING", NULL), MC_EUNAVAILABLE);
  mc_conn_start(p.conn);
  assert_false(mc_conn_is_ready(p.conn));
  assert_int_equal(mc_conn_send_words(p.conn, on_answer, &a, "PING", NULL), MC_EUNAVAILABLE);
  RUN_UNTIL(&p, p.ready == 1);
  assert_int_equal(mc_conn_waiting(p.conn), 0);
  probe_end(&p);
  assert_int_equal(a.calls, 0);
}

static void it_can_be_closed_at_any_moment(void **state) {
  (void)state;
  probe p;
  probe_init(&p, redis_server_url(server), (mc_conn_options){0}); /* before it starts */
  probe_end(&p);

  for (int turns = 0; turns < 8; turns++) { /* at any turn of connecting and greeting */
    probe_init(&p, redis_server_url(server), (mc_conn_options){0});
    mc_conn_start(p.conn);
    for (int i = 0; i < turns && !p.ready; i++)
      uv_run(&p.loop, UV_RUN_ONCE);
    int ready = p.ready;
    probe_end(&p);
    assert_int_equal(p.ready, ready);
    assert_int_equal(p.lost, 0);
  }
}

static void closing_from_a_callback_is_fine(void **state) {
  (void)state;
  probe p;
  probe_init(&p, redis_server_url(server), (mc_conn_options){0});
  p.close_on_ready = true;
  mc_conn_start(p.conn);
  RUN_UNTIL(&p, p.closed == 1);
  probe_end(&p);

  probe_init(&p, "redis+unix:///nowhere/redis.sock", (mc_conn_options){0});
  p.close_on_lost = true;
  mc_conn_start(p.conn);
  RUN_UNTIL(&p, p.closed == 1);
  probe_end(&p);
  assert_int_equal(p.lost, 1);
}

static void close_and_count(void *arg, int status, const mc_value *reply) {
  probe *p = arg;
  on_answer_of_probe(arg, status, reply);
  if (p->conn->phase != MC_CONN_CLOSING)
    mc_conn_close(p->conn, probe_on_closed, p);
  assert_int_equal(mc_conn_send_words(p->conn, NULL, NULL, "PING", NULL), MC_EUNAVAILABLE);
}

static void closing_from_a_reply_fails_the_commands_behind_it_once(void **state) {
  (void)state;
  probe p;
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  for (int i = 0; i < 100; i++)
    mc_conn_send_words(p.conn, close_and_count, &p, "PING", NULL);
  RUN_UNTIL(&p, p.closed == 1);
  assert_int_equal(p.failed, 99);
  assert_int_equal(p.lost, 0);
  probe_end(&p);
}

static void closing_from_outside_fails_the_waiting_commands_from_the_loop(void **state) {
  (void)state;
  probe p;
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  mc_conn_send_words(p.conn, on_answer_of_probe, &p, "PING", NULL);
  mc_conn_close(p.conn, probe_on_closed, &p);
  assert_int_equal(p.failed, 0);
  RUN_UNTIL(&p, p.closed == 1);
  assert_int_equal(p.failed, 1);
  probe_end(&p);
}

static void it_comes_back_after_the_server_restarted(void **state) {
  (void)state;
  probe p;
  probe_open(&p, redis_server_url(server), (mc_conn_options){.backoff_min_ms = 5, .backoff_max_ms = 20});
  redis_server_freeze(server);
  for (int i = 0; i < 10; i++)
    mc_conn_send_words(p.conn, on_answer_of_probe, &p, "PING", NULL);
  mc_conn_flush(p.conn);
  redis_server_kill(server);
  RUN_UNTIL(&p, p.lost > 0);
  assert_int_equal(p.failed, 10);
  assert_int_equal(p.failed_when_lost, 10);
  assert_int_equal(mc_conn_waiting(p.conn), 0);
  assert_non_null(strstr(p.why, redis_server_url(server)));
  RUN_UNTIL(&p, p.lost > 3); /* attempts go on */
  redis_server_resume(server);
  RUN_UNTIL(&p, p.ready == 2);
  answer a = {0};
  assert_int_equal(mc_conn_send_words(p.conn, on_answer, &a, "PING", NULL), 0);
  RUN_UNTIL(&p, a.calls == 1);
  assert_string_equal(a.text, "PONG");
  probe_end(&p);
}

static void a_failed_command_may_close_the_lost_connection(void **state) {
  (void)state;
  probe p;
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  redis_server_freeze(server);
  for (int i = 0; i < 10; i++)
    mc_conn_send_words(p.conn, close_and_count, &p, "PING", NULL);
  mc_conn_flush(p.conn);
  redis_server_kill(server);
  RUN_UNTIL(&p, p.closed == 1);
  assert_int_equal(p.failed, 10);
  assert_int_equal(p.lost, 0);
  probe_end(&p);
  redis_server_resume(server);
}

static void waits_between_attempts_double_with_jitter_up_to_the_most(void **state) {
  (void)state;
  static const uint64_t whole[] = {8, 16, 32, 50, 50, 50};
  probe p;
  probe_init(&p, "redis+unix:///nowhere/redis.sock", (mc_conn_options){.backoff_min_ms = 8, .backoff_max_ms = 50});
  mc_conn_start(p.conn);
  for (int i = 0; i < (int)MC_COUNT(whole); i++) {
    RUN_UNTIL(&p, p.lost == i + 1);
    assert_in_range(p.wait_ms, whole[i] / 2 - 1, whole[i]); /* 1: the clock may step after the wait was chosen */
    if (i == 0)
      assert_string_equal(p.why, "redis+unix:///nowhere/redis.sock?db=0: cannot connect: no such file or directory");
  }
  assert_int_equal(p.ready, 0);
  probe_end(&p);
}

static void a_command_without_an_answer_ends_the_connection(void **state) {
  (void)state;
  probe p;
  answer slow = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){.command_timeout_ms = 50});
  redis_server_freeze(server);
  uint64_t before = mc_clock_mono_ms();
  mc_conn_send_words(p.conn, on_answer, &slow, "PING", NULL);
  RUN_UNTIL(&p, p.lost == 1);
  assert_true(mc_clock_mono_ms() - before >= 50);
  assert_int_equal(slow.calls, 1);
  assert_int_equal(slow.status, MC_ECLOSED);
  assert_non_null(strstr(p.why, "no answer to a command within 50 ms"));
  redis_server_thaw(server);
  RUN_UNTIL(&p, p.ready == 2);
  probe_end(&p);
}

static void a_server_that_does_not_greet_is_given_up(void **state) {
  (void)state;
  probe p;
  redis_server_freeze(server);
  probe_init(&p, redis_server_url(server), (mc_conn_options){.connect_timeout_ms = 50});
  mc_conn_start(p.conn);
  RUN_UNTIL(&p, p.lost == 1);
  assert_non_null(strstr(p.why, "no answer to the first commands within 50 ms"));
  probe_end(&p);
  redis_server_thaw(server);
}

static void commands_answered_in_time_keep_the_connection(void **state) {
  (void)state;
  probe p;
  probe_open(&p, redis_server_url(server), (mc_conn_options){.command_timeout_ms = 200});
  uint64_t end = mc_clock_mono_ms() + 600;
  while (mc_clock_mono_ms() < end) {
    answer a = {0};
    mc_conn_send_words(p.conn, on_answer, &a, "PING", NULL);
    RUN_UNTIL(&p, a.calls == 1);
    assert_int_equal(a.status, 0);
  }
  assert_int_equal(p.lost, 0);
  probe_end(&p);
}

static void a_process_that_stood_still_reads_before_it_judges(void **state) {
  (void)state;
  probe p;
  answer a = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){.command_timeout_ms = 30});
  mc_conn_send_words(p.conn, on_answer, &a, "PING", NULL);
  mc_conn_flush(p.conn);
  uv_sleep(40); /* stands still … */
  redis_server_ask(server, "PING");
  redis_server_ask(server, "PING"); /* … and the answer has arrived when the loop turns again */
  RUN_UNTIL(&p, a.calls == 1);
  assert_int_equal(a.status, 0);
  assert_int_equal(p.lost, 0);
  probe_end(&p);
}

static void a_lagging_clock_of_the_loop_shortens_no_time_limit(void **state) {
  (void)state;
  probe p;
  answer a = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){.command_timeout_ms = 200});
  redis_server_freeze(server);
  uv_sleep(250); /* the loop's clock stands still meanwhile: a timer that is set now is due at its next turn */
  mc_conn_send_words(p.conn, on_answer, &a, "PING", NULL);
  for (uint64_t end = mc_clock_mono_ms() + 50; mc_clock_mono_ms() < end;)
    uv_run(&p.loop, UV_RUN_NOWAIT);
  assert_int_equal(p.lost, 0);
  redis_server_thaw(server);
  RUN_UNTIL(&p, a.calls == 1);
  assert_int_equal(a.status, 0);
  probe_end(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_connection_becomes_ready_and_answers),
      cmocka_unit_test(nothing_is_sent_before_it_is_ready),
      cmocka_unit_test(it_can_be_closed_at_any_moment),
      cmocka_unit_test(closing_from_a_callback_is_fine),
      cmocka_unit_test(closing_from_a_reply_fails_the_commands_behind_it_once),
      cmocka_unit_test(closing_from_outside_fails_the_waiting_commands_from_the_loop),
      cmocka_unit_test(it_comes_back_after_the_server_restarted),
      cmocka_unit_test(a_failed_command_may_close_the_lost_connection),
      cmocka_unit_test(waits_between_attempts_double_with_jitter_up_to_the_most),
      cmocka_unit_test(a_command_without_an_answer_ends_the_connection),
      cmocka_unit_test(a_server_that_does_not_greet_is_given_up),
      cmocka_unit_test(commands_answered_in_time_keep_the_connection),
      cmocka_unit_test(a_process_that_stood_still_reads_before_it_judges),
      cmocka_unit_test(a_lagging_clock_of_the_loop_shortens_no_time_limit),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
