/* Subscribed connections: what is a message, what answers a command, and notices of changed keys. */
#include "redis/subscriptions.h"

#include "probe.h"

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

static void messages_go_to_on_push_and_answers_to_their_commands(void **state) {
  (void)state;
  probe p;
  answer subscribed = {0}, pattern = {0}, pong = {0}, refused = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  mc_conn_send_words(p.conn, on_answer, &subscribed, "subscribe", "a", "b", "c", NULL);
  mc_conn_send_words(p.conn, on_answer, &pattern, "PSUBSCRIBE", "x*", NULL);
  RUN_UNTIL(&p, pattern.calls == 1);
  assert_int_equal(subscribed.calls, 1);
  assert_int_equal(subscribed.count, 3);
  assert_int_equal(p.pushed, 0);

  redis_server_ask(server, "PUBLISH b hello");
  RUN_UNTIL(&p, p.pushed == 1);
  assert_string_equal(p.push[0], "message");
  assert_string_equal(p.push[1], "b");
  assert_string_equal(p.push[2], "hello");

  redis_server_ask(server, "PUBLISH xyz more");
  mc_conn_send_words(p.conn, on_answer, &pong, "PING", NULL);
  mc_conn_send_words(p.conn, on_answer, &refused, "GET", "k", NULL);
  RUN_UNTIL(&p, refused.calls == 1 && p.pushed == 2);
  assert_string_equal(p.push[0], "pmessage");
  assert_string_equal(p.push[3], "more");
  assert_string_equal(pong.text, "[2]");
  assert_int_equal(refused.kind, MC_VALUE_ERROR);
  probe_end(&p);
}

static void a_bare_unsubscribe_ends_all_channels_and_makes_a_normal_connection(void **state) {
  (void)state;
  probe p;
  answer channels = {0}, patterns = {0}, none = {0}, list = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  redis_server_ask(server, "RPUSH list message a b");
  mc_conn_send_words(p.conn, NULL, NULL, "SUBSCRIBE", "a", "b", "a", NULL);
  mc_conn_send_words(p.conn, NULL, NULL, "PSUBSCRIBE", "x*", "y*", NULL);
  mc_conn_send_words(p.conn, on_answer, &channels, "UNSUBSCRIBE", NULL);
  mc_conn_send_words(p.conn, on_answer, &patterns, "PUNSUBSCRIBE", NULL);
  mc_conn_send_words(p.conn, on_answer, &none, "UNSUBSCRIBE", NULL);
  mc_conn_send_words(p.conn, on_answer, &list, "LRANGE", "list", "0", "-1", NULL);
  RUN_UNTIL(&p, list.calls == 1);
  assert_int_equal(channels.calls, 1);
  assert_int_equal(patterns.calls, 1);
  assert_int_equal(none.calls, 1);
  assert_int_equal(list.count, 3); /* looks like a message, and is an answer */
  assert_int_equal(p.pushed, 0);
  assert_int_equal(p.conn->subscriptions.channels + p.conn->subscriptions.patterns, 0);
  probe_end(&p);
}

static void a_refused_subscription_is_answered_by_its_error(void **state) {
  (void)state;
  probe p;
  answer refused = {0}, bare = {0}, pong = {0};
  redis_server_ask(server, "ACL SETUSER deaf on >pw ~* +@all resetchannels &allowed");
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  mc_conn_send_words(p.conn, NULL, NULL, "AUTH", "deaf", "pw", NULL);
  mc_conn_send_words(p.conn, on_answer, &refused, "SUBSCRIBE", "allowed", "forbidden", NULL);
  mc_conn_send_words(p.conn, on_answer, &bare, "SUBSCRIBE", NULL);
  mc_conn_send_words(p.conn, on_answer, &pong, "PING", NULL);
  RUN_UNTIL(&p, pong.calls == 1);
  assert_int_equal(refused.kind, MC_VALUE_ERROR);
  assert_int_equal(bare.kind, MC_VALUE_ERROR);
  assert_string_equal(pong.text, "PONG");
  probe_end(&p);
}

static void a_lost_connection_is_subscribed_to_nothing(void **state) {
  (void)state;
  probe p;
  answer subscribed = {0}, list = {0};
  probe_open(&p, redis_server_url(server), (mc_conn_options){.backoff_min_ms = 2});
  redis_server_ask(server, "DEL list");
  redis_server_ask(server, "RPUSH list message a b");
  mc_conn_send_words(p.conn, on_answer, &subscribed, "SUBSCRIBE", "a", NULL);
  RUN_UNTIL(&p, subscribed.calls == 1);
  redis_server_ask(server, "CLIENT KILL TYPE pubsub");
  RUN_UNTIL(&p, p.ready == 2);
  mc_conn_send_words(p.conn, on_answer, &list, "LRANGE", "list", "0", "-1", NULL);
  RUN_UNTIL(&p, list.calls == 1);
  assert_int_equal(list.count, 3);
  probe_end(&p);
}

/* The wake-up of an idle queue: one connection listens, the other arms a key with CLIENT CACHING. */
static void a_changed_key_sends_one_notice_each_time_it_is_armed(void **state) {
  (void)state;
  probe p;
  answer id = {0}, subscribed = {0}, tracking = {0}, exists = {0};
  char listener_id[24];
  probe_open(&p, redis_server_url(server), (mc_conn_options){0});
  mc_conn_send_words(p.conn, on_answer, &id, "CLIENT", "ID", NULL);
  mc_conn_send_words(p.conn, on_answer, &subscribed, "SUBSCRIBE", "__redis__:invalidate", NULL);
  RUN_UNTIL(&p, subscribed.calls == 1);
  snprintf(listener_id, sizeof listener_id, "%lld", (long long)id.integer);

  probe sender = {0};
  mc_conn *armed = probe_connect(&p, redis_server_url(server), (mc_conn_options){0});
  mc_conn_start(armed);
  RUN_UNTIL(&p, p.ready == 2);
  mc_conn_send_words(armed, on_answer, &tracking, "CLIENT", "TRACKING", "ON", "REDIRECT", listener_id, "OPTIN", NULL);
  for (int round = 1; round <= 3; round++) {
    mc_conn_send_words(armed, NULL, NULL, "CLIENT", "CACHING", "YES", NULL);
    mc_conn_send_words(armed, on_answer, &exists, "EXISTS", "k", NULL);
    RUN_UNTIL(&p, exists.calls == round);
    assert_int_equal(exists.integer, round > 1);
    redis_server_ask(server, "LPUSH k 1");
    redis_server_ask(server, "LPUSH k 2");
    RUN_UNTIL(&p, p.pushed == round);
    assert_string_equal(p.push[0], "message");
    assert_string_equal(p.push[1], "__redis__:invalidate");
    assert_string_equal(p.push[2], "[1]");
  }
  assert_string_equal(tracking.text, "OK");
  mc_conn_send_words(armed, NULL, NULL, "CLIENT", "CACHING", "YES", NULL);
  mc_conn_send_words(armed, on_answer, &exists, "EXISTS", "k", NULL);
  RUN_UNTIL(&p, exists.calls == 4);
  redis_server_ask(server, "FLUSHALL");
  RUN_UNTIL(&p, p.pushed == 4);
  assert_string_equal(p.push[2], ""); /* nil: everything changed */

  mc_conn_close(armed, probe_on_closed, &sender);
  RUN_UNTIL(&p, sender.closed == 1);
  probe_end(&p);
}

static void only_the_four_commands_await_confirmations(void **state) {
  (void)state;
  assert_int_equal(mc_subscriptions_expected(MC_SLICE_LITERAL("SUBSCRIBE"), 2), 2);
  assert_int_equal(mc_subscriptions_expected(MC_SLICE_LITERAL("pUnsubscribe"), 3), 3);
  assert_int_equal(mc_subscriptions_expected(MC_SLICE_LITERAL("UNSUBSCRIBE"), 0), MC_CONFIRMED_ALL);
  assert_int_equal(mc_subscriptions_expected(MC_SLICE_LITERAL("SUBSCRIBED"), 2), 0);
  assert_int_equal(mc_subscriptions_expected(MC_SLICE_LITERAL("PUBLISH"), 2), 0);
  assert_int_equal(mc_subscriptions_expected((mc_slice){0}, 0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(messages_go_to_on_push_and_answers_to_their_commands),
      cmocka_unit_test(a_bare_unsubscribe_ends_all_channels_and_makes_a_normal_connection),
      cmocka_unit_test(a_refused_subscription_is_answered_by_its_error),
      cmocka_unit_test(a_lost_connection_is_subscribed_to_nothing),
      cmocka_unit_test(a_changed_key_sends_one_notice_each_time_it_is_armed),
      cmocka_unit_test(only_the_four_commands_await_confirmations),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
