/* The synchronous client under the calls: connecting, deadlines, and what it says when there is no Redis. */
#include "client/client.h"

#include "../support/redis_server.h"
#include "../support/relay.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static mc_client *client_of(const char *url, int64_t timeout_ms) {
  mc_client *client;
  mc_err err;
  if (mc_client_open(url, &client, &err))
    fail_msg("%s", err.text);
  mc_client_set_timeout(client, timeout_ms);
  return client;
}

/* One call that only waits for a connection. */
static int connect_once(mc_client *client, mc_err *err) {
  int code = mc_client_begin(client, err);
  assert_int_equal(code, 0);
  code = mc_client_ready(client, err);
  mc_client_end(client);
  return code;
}

static void it_connects_at_its_first_use(void **state) {
  redis_server *server = redis_server_start(NULL);
  struct relay *relay = relay_start(redis_server_socket(server), NULL, 0);
  mc_client *client = client_of(relay_url(relay), 0);
  mc_err err;
  (void)state;
  assert_int_equal(relay_connections(relay), 0);
  assert_int_equal(connect_once(client, &err), 0);
  assert_int_equal(connect_once(client, &err), 0);
  assert_int_equal(relay_connections(relay), 1);
  mc_client_close(client);
  relay_stop(relay);
  redis_server_stop(server);
}

static void a_redis_that_comes_back_in_time_is_waited_for(void **state) {
  redis_server *server = redis_server_start(NULL);
  const relay_rule rule = {"PING", RELAY_CUT, NULL, 0, 3};
  struct relay *relay = relay_start(redis_server_socket(server), &rule, 1);
  mc_client *client = client_of(relay_url(relay), 0);
  mc_err err;
  (void)state;
  assert_int_equal(connect_once(client, &err), 0);
  assert_int_equal(relay_connections(relay), 4);
  mc_client_close(client);
  relay_stop(relay);
  redis_server_stop(server);
}

static void where_nobody_listens_it_says_so_at_the_deadline(void **state) {
  char url[64], text[256];
  mc_err err;
  int port = redis_server_free_port();
  snprintf(url, sizeof url, "redis://user:secret@127.0.0.1:%d/2", port);
  snprintf(text, sizeof text,
           "cannot reach Redis at redis://127.0.0.1:%d/2: cannot connect: connection refused; is it running?", port);
  mc_client *client = client_of(url, 150);
  uint64_t start_ms = mc_clock_mono_ms();
  (void)state;
  assert_int_equal(connect_once(client, &err), MC_EUNAVAILABLE);
  assert_in_range(mc_clock_mono_ms() - start_ms, 140, 2000);
  assert_string_equal(err.text, text);
  mc_client_close(client);
}

static void a_socket_that_may_not_be_entered_is_told_from_a_server_that_does_not_run(void **state) {
  redis_server *server = redis_server_start(NULL);
  char url[256];
  mc_err err;
  (void)state;
  snprintf(url, sizeof url, "redis+unix://%s", redis_server_socket(server));
  assert_int_equal(chmod(redis_server_socket(server), 0), 0);
  uid_t user = geteuid();
  if (user == 0)
    assert_int_equal(seteuid(65534), 0); /* root may enter everything */
  mc_client *client = client_of(url, 150);
  int code = connect_once(client, &err);
  if (user == 0)
    assert_int_equal(seteuid(0), 0);
  assert_int_equal(code, MC_EUNAVAILABLE);
  assert_non_null(strstr(err.text, "permission denied: look at who may enter the socket's folder"));
  mc_client_close(client);
  redis_server_stop(server);
}

static void a_silent_server_is_not_waited_for_longer_than_allowed(void **state) {
  redis_server *server = redis_server_start(NULL);
  const relay_rule rule = {"PING", RELAY_SWALLOW, NULL, 0, 1000};
  struct relay *relay = relay_start(redis_server_socket(server), &rule, 1);
  mc_client *client = client_of(relay_url(relay), 150);
  mc_err err;
  (void)state;
  assert_int_equal(connect_once(client, &err), MC_EUNAVAILABLE);
  assert_non_null(strstr(err.text, "no answer within 150 ms"));
  mc_client_close(client);
  relay_stop(relay);
  redis_server_stop(server);
}

static void a_pause_ends_early_at_the_deadline(void **state) {
  redis_server *server = redis_server_start(NULL);
  mc_client *client = client_of(redis_server_url(server), 20);
  mc_err err;
  (void)state;
  assert_int_equal(mc_client_begin(client, &err), 0);
  assert_false(mc_client_pause(client));
  mc_client_end(client);
  mc_client_set_timeout(client, 0);
  assert_int_equal(mc_client_begin(client, &err), 0);
  assert_true(mc_client_pause(client));
  mc_client_end(client);
  mc_client_close(client);
  redis_server_stop(server);
}

static void it_shows_where_without_the_password(void **state) {
  mc_client *client = client_of("redis://user:secret@127.0.0.1:6380/1", 0);
  (void)state;
  assert_string_equal(mc_client_where(client), "redis://127.0.0.1:6380/1");
  mc_client_close(client);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_connects_at_its_first_use),
      cmocka_unit_test(a_redis_that_comes_back_in_time_is_waited_for),
      cmocka_unit_test(where_nobody_listens_it_says_so_at_the_deadline),
      cmocka_unit_test(a_socket_that_may_not_be_entered_is_told_from_a_server_that_does_not_run),
      cmocka_unit_test(a_silent_server_is_not_waited_for_longer_than_allowed),
      cmocka_unit_test(a_pause_ends_early_at_the_deadline),
      cmocka_unit_test(it_shows_where_without_the_password),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
