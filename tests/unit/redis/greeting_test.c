/* The first commands of a connection: users, passwords, databases, and servers that are not ready. */
#include "probe.h"

#include "fake_server.h"

static redis_server *server;
static char tcp_place[32];

static int start_server(void **state) {
  static char port[8];
  (void)state;
  snprintf(port, sizeof port, "%d", redis_server_free_port());
  snprintf(tcp_place, sizeof tcp_place, "127.0.0.1:%s", port);
  const char *extra[] = {"--requirepass", "hunter2", "--port",  port,       "--bind", "127.0.0.1", /* */
                         "--user",        "ann",     "on",      ">hunter2", "~*",     "+@all",     /* */
                         "--user",        "ben",     "on",      ">hunter2", "~*",     "+@all",
                         "-ping",         "-select", "-client", NULL};
  server = redis_server_start(extra);
  return 0;
}

static int stop_server(void **state) {
  (void)state;
  redis_server_stop(server);
  return 0;
}

/* "redis+unix://credentials@/socket?query" */
static const char *local_url(const char *credentials, const char *query) {
  static char text[256];
  snprintf(text, sizeof text, "redis+unix://%s%s%s", credentials, redis_server_socket(server), query);
  return text;
}

static const char *tcp_url(const char *credentials, const char *path) {
  static char text[256];
  snprintf(text, sizeof text, "redis://%s%s%s", credentials, tcp_place, path);
  return text;
}

static void assert_says(mc_conn *conn, probe *p, const char *word, const char *name, const char *expected) {
  answer a = {0};
  assert_int_equal(mc_conn_send_words(conn, on_answer, &a, word, name, NULL), 0);
  RUN_UNTIL(p, a.calls == 1);
  assert_non_null(strstr(a.text, expected));
}

static void a_password_lets_in(void **state) {
  (void)state;
  probe p;
  probe_open(&p, local_url(":hunter2@", ""), (mc_conn_options){0});
  assert_says(p.conn, &p, "ACL", "WHOAMI", "default");
  probe_end(&p);
  probe_open(&p, tcp_url(":hunter2@", ""), (mc_conn_options){0});
  probe_end(&p);
}

static void a_user_gets_a_database_and_a_name(void **state) {
  (void)state;
  probe p;
  char name[] = "crew-7";
  probe_open(&p, tcp_url("ann:hunter2@", "/5"), (mc_conn_options){.name = name});
  memset(name, 'x', 4); /* it was copied */
  assert_says(p.conn, &p, "ACL", "WHOAMI", "ann");
  assert_says(p.conn, &p, "CLIENT", "GETNAME", "crew-7");
  assert_says(p.conn, &p, "CLIENT", "INFO", " db=5 ");
  probe_end(&p);
}

static void a_user_who_may_not_ping_is_let_in(void **state) {
  (void)state;
  probe p;
  probe_open(&p, local_url("ben:hunter2@", ""), (mc_conn_options){.name = "ignored"});
  assert_says(p.conn, &p, "ACL", "WHOAMI", "ben");
  probe_end(&p);
}

static void assert_refused(const char *url, const char *why) {
  probe p;
  probe_init(&p, url, (mc_conn_options){0});
  p.close_on_lost = true;
  mc_conn_start(p.conn);
  RUN_UNTIL(&p, p.closed == 1);
  if (!strstr(p.why, why))
    fail_msg("expected \"%s\", got \"%s\"", why, p.why);
  assert_null(strstr(p.why, "hunter"));
  assert_int_equal(p.ready, 0);
  assert_int_equal(p.lost, 1);
  probe_end(&p);
}

static void refusals_are_explained_without_the_password(void **state) {
  (void)state;
  assert_refused(local_url(":hunter3@", ""), "refused the user or password (WRONGPASS)");
  assert_refused(tcp_url("eve:hunter2@", "/3"), "refused the user or password (WRONGPASS)");
  assert_refused(local_url("", ""), "asks for a password, and the address holds none");
  assert_refused(tcp_url("", "/3"), "asks for a password, and the address holds none");
  assert_refused(local_url(":hunter2@", "?db=99"), "refused database 99: ERR");
  assert_refused(local_url("ben:hunter2@", "?db=1"), "refused database 1: NOPERM");
}

static void a_password_nobody_asked_for_is_refused_by_redis(void **state) {
  (void)state;
  char url[256];
  redis_server *open_server = redis_server_start(NULL);
  snprintf(url, sizeof url, "redis+unix://:hunter2@%s", redis_server_socket(open_server));
  assert_refused(url, "a password was given, but Redis has none set");
  redis_server_stop(open_server);
}

/* Such a server quotes the arguments of AUTH in its error. */
static void a_server_that_does_not_know_auth_betrays_nothing(void **state) {
  (void)state;
  char url[256];
  redis_server *odd_server = redis_server_start((const char *const[]){"--rename-command", "AUTH", "", NULL});
  assert_non_null(strstr(redis_server_ask(odd_server, "AUTH ann hunter2"), "hunter2"));
  snprintf(url, sizeof url, "redis+unix://ann:hunter2@%s", redis_server_socket(odd_server));
  assert_refused(url, "Redis refused AUTH");
  redis_server_stop(odd_server);
}

static void a_full_server_says_so(void **state) {
  (void)state;
  char url[256];
  probe p;
  redis_server *full_server = redis_server_start((const char *const[]){"--maxclients", "1", NULL});
  probe_open(&p, redis_server_url(full_server), (mc_conn_options){0});
  snprintf(url, sizeof url, "redis+unix://:hunter2@%s", redis_server_socket(full_server));
  assert_refused(url, "no room for another client");
  assert_refused(redis_server_url(full_server), "max number of clients");
  probe_end(&p);
  redis_server_stop(full_server);
}

static void a_server_that_hangs_up_at_once_is_heard(void **state) {
  (void)state;
  probe p;
  fake_server fake;
  fake_open(&fake, &p, (const char *const[]){NULL}, (mc_conn_options){0});
  fake.parting = "-ERR max number of clients reached\r\n";
  p.close_on_lost = true;
  RUN_UNTIL(&p, p.closed == 1);
  assert_non_null(strstr(p.why, "no room for another client"));
  fake_end(&fake, &p);
}

static void a_replica_without_its_master_is_tried_until_it_serves(void **state) {
  (void)state;
  probe p;
  const char *extra[] = {"--replica-serve-stale-data", "no", "--replicaof", "127.0.0.1", "1", NULL};
  redis_server *replica = redis_server_start(extra);
  probe_init(&p, redis_server_url(replica), (mc_conn_options){.backoff_min_ms = 2, .backoff_max_ms = 10});
  mc_conn_start(p.conn);
  RUN_UNTIL(&p, p.lost == 3);
  assert_non_null(strstr(p.why, "Redis is not ready: MASTERDOWN"));
  assert_int_equal(p.ready, 0);
  redis_server_ask(replica, "REPLICAOF NO ONE");
  RUN_UNTIL(&p, p.ready == 1);
  probe_end(&p);
  redis_server_stop(replica);
}

static void a_server_that_is_loading_is_tried_again(void **state) {
  (void)state;
  probe p;
  fake_server fake;
  const char *script[] = {"+OK\r\n-LOADING Redis is loading the dataset in memory\r\n",
                          "-LOADING Redis is loading the dataset in memory\r\n-LOADING\r\n",
                          "+OK\r\n-MISCONF Errors writing to the AOF file\r\n", "+PONG\r\n", NULL};
  fake_open(&fake, &p, script, (mc_conn_options){.backoff_min_ms = 2, .backoff_max_ms = 4});
  fake.goes_on = true;
  RUN_UNTIL(&p, p.lost == 1);
  assert_non_null(strstr(p.why, "Redis is not ready: LOADING"));
  RUN_UNTIL(&p, p.lost == 2);
  assert_non_null(strstr(p.why, "Redis is loading its data"));
  RUN_UNTIL(&p, p.ready == 1); /* a server that cannot save can still be read */
  assert_int_equal(fake.accepted, 3);
  fake_end(&fake, &p);
}

static void what_greets_with_garbage_is_no_redis(void **state) {
  (void)state;
  static const char *const greetings[] = {"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", "*1000000000000\r\n",
                                          "421 too busy for hunter2\r\n"};
  for (size_t i = 0; i < MC_COUNT(greetings); i++) {
    probe p;
    fake_server fake;
    fake_open(&fake, &p, (const char *const[]){greetings[i], NULL}, (mc_conn_options){0});
    p.close_on_lost = true;
    RUN_UNTIL(&p, p.closed == 1);
    assert_non_null(strstr(p.why, "this is not the Redis protocol"));
    assert_null(strstr(p.why, "hunter2"));
    fake_end(&fake, &p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_password_lets_in),
      cmocka_unit_test(a_user_gets_a_database_and_a_name),
      cmocka_unit_test(a_user_who_may_not_ping_is_let_in),
      cmocka_unit_test(refusals_are_explained_without_the_password),
      cmocka_unit_test(a_password_nobody_asked_for_is_refused_by_redis),
      cmocka_unit_test(a_server_that_does_not_know_auth_betrays_nothing),
      cmocka_unit_test(a_full_server_says_so),
      cmocka_unit_test(a_server_that_hangs_up_at_once_is_heard),
      cmocka_unit_test(a_replica_without_its_master_is_tried_until_it_serves),
      cmocka_unit_test(a_server_that_is_loading_is_tried_again),
      cmocka_unit_test(what_greets_with_garbage_is_no_redis),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
