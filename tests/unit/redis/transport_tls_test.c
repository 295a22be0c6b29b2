/* TLS, against a real server: what is trusted, what every failure says, and that bytes of any size pass. */
#include "probe.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>

#include "../support/certificates.h"
#include "base/clock.h"

static certificates files;
static redis_server *server;
static int port, plain_port;

typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Stands before the C library's, which knows no "localhost." on most machines. */
__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **out) {
  getaddrinfo_fn real = (getaddrinfo_fn)dlsym(RTLD_NEXT, "getaddrinfo");
  return real(strcmp(host, "localhost.") == 0 ? "localhost" : host, service, hints, out);
}

/* "…/name.pem" of the throw-away files; the text lives for the next seven calls. */
static const char *file(const char *name) {
  static char texts[8][128];
  static unsigned at;
  char *text = texts[at++ % 8];
  snprintf(text, sizeof *texts, "%s/%s", files.folder, name);
  return text;
}

/* "rediss://host:port?ca=…" with more behind it; the text lives until the next call. */
static const char *address(const char *host, const char *ca, const char *more) {
  static char text[512];
  snprintf(text, sizeof text, "rediss://bob:hunter2@%s:%d?ca=%s%s", host, port, file(ca), more);
  return text;
}

static int start_server(void **state) {
  char tls_digits[8], digits[8];
  (void)state;
  certificates_make(&files);
  port = redis_server_free_port();
  plain_port = redis_server_free_port();
  snprintf(tls_digits, sizeof tls_digits, "%d", port);
  snprintf(digits, sizeof digits, "%d", plain_port);
  server = redis_server_start((const char *const[]){"--tls-port",
                                                    tls_digits,
                                                    "--port",
                                                    digits,
                                                    "--bind",
                                                    "127.0.0.1",
                                                    "--tls-cert-file",
                                                    file("server.pem"),
                                                    "--tls-key-file",
                                                    file("server.key"),
                                                    "--tls-ca-cert-file",
                                                    file("ca.pem"),
                                                    "--tls-auth-clients",
                                                    "no",
                                                    "--user",
                                                    "bob",
                                                    "on",
                                                    ">hunter2",
                                                    "~*",
                                                    "&*",
                                                    "+@all",
                                                    NULL});
  return 0;
}

static int stop_server(void **state) {
  (void)state;
  redis_server_stop(server);
  certificates_remove(&files);
  return 0;
}

static void set(const char *name, const char *value) {
  assert_string_equal(redis_server_ask(server, "CONFIG SET %s %s", name, value), "OK");
}

/* The next attempt fails, says this and the address, and never the password. */
static void assert_fails(const char *url, const char *says) {
  probe p;
  char where[64];
  probe_init(&p, url, (mc_conn_options){.connect_timeout_ms = 15000});
  mc_conn_start(p.conn);
  RUN_UNTIL(&p, p.lost > 0 || p.ready > 0);
  mc_redis_url_show(&p.conn->url, where, sizeof where);
  if (p.ready || !strstr(p.why, says))
    fail_msg("%s: expected \"%s\", got \"%s\"", url, says, p.ready ? "a connection" : p.why);
  assert_ptr_equal(strstr(p.why, where), p.why);
  assert_null(strstr(p.why, "hunter2"));
  probe_end(&p);
}

static void assert_reaches(const char *url) {
  probe p;
  answer a = {0};
  probe_open(&p, url, (mc_conn_options){0});
  assert_int_equal(mc_conn_send_words(p.conn, on_answer, &a, "ECHO", "hello", NULL), 0);
  RUN_UNTIL(&p, a.calls == 1);
  assert_string_equal(a.text, "hello");
  probe_end(&p);
}

/* ---- reaching ---- */

static void a_server_is_reached_by_name_and_by_address(void **state) {
  (void)state;
  assert_reaches(address("localhost", "ca.pem", "&db=3"));
  assert_reaches(address("127.0.0.1", "ca.pem", ""));
}

static void the_dot_behind_a_name_is_for_dns_alone(void **state) {
  (void)state;
  assert_reaches(address("localhost.", "ca.pem", ""));
  set("tls-cert-file", file("wrong.pem"));
  assert_fails(address("localhost.", "ca.pem", ""), "not for this host name");
  set("tls-cert-file", file("server.pem"));
}

static void tls_1_2_and_1_3_are_spoken_and_nothing_older(void **state) {
  (void)state;
  set("tls-protocols", "TLSv1.2");
  assert_reaches(address("127.0.0.1", "ca.pem", ""));
  set("tls-protocols", "TLSv1.3");
  assert_reaches(address("127.0.0.1", "ca.pem", ""));
  set("tls-protocols", "TLSv1.1");
  assert_fails(address("127.0.0.1", "ca.pem", ""), "TLS");
  set("tls-protocols", "");
}

static void the_systems_authorities_are_trusted_unless_others_are_named(void **state) {
  (void)state;
  char url[64];
  snprintf(url, sizeof url, "rediss://bob:hunter2@127.0.0.1:%d", port);
  assert_fails(url, "its authority is not trusted here: name its authority's certificate by ?ca=");
  setenv("SSL_CERT_FILE", file("ca.pem"), 1);
  assert_reaches(url);
  assert_fails(address("127.0.0.1", "stranger.pem", ""), "its authority is not trusted here");
  unsetenv("SSL_CERT_FILE");
}

/* ---- whom not to trust ---- */

static void a_certificate_that_does_not_hold_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *certificate, *host, *ca, *says;
  } cases[] = {
      {"wrong.pem", "127.0.0.1", "ca.pem", "not for this IP address: write into the address"},
      {"wrong.pem", "localhost", "ca.pem", "not for this host name: write into the address"},
      {"expired.pem", "127.0.0.1", "ca.pem", "has expired: renew it on the server"},
      {"self.pem", "127.0.0.1", "ca.pem", "signed by itself, and not trusted here: name"},
      {"server.pem", "127.0.0.1", "stranger.pem", "not trusted here"},
  };
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    set("tls-cert-file", file(cases[i].certificate));
    assert_fails(address(cases[i].host, cases[i].ca, ""), cases[i].says);
  }
  set("tls-cert-file", file("self.pem"));
  assert_reaches(address("127.0.0.1", "self.pem", "")); /* it may be named itself */
  set("tls-cert-file", file("server.pem"));
}

/* ---- who is no TLS server ---- */

static void plain_redis_and_silence_are_told_apart_from_tls(void **state) {
  (void)state;
  char url[64];
  snprintf(url, sizeof url, "rediss://bob:hunter2@127.0.0.1:%d", redis_server_free_port());
  assert_fails(url, "cannot connect");

  probe p;
  uint64_t began = mc_clock_mono_ms();
  snprintf(url, sizeof url, "rediss://bob:hunter2@127.0.0.1:%d", plain_port);
  probe_init(&p, url, (mc_conn_options){.connect_timeout_ms = 300});
  mc_conn_start(p.conn);
  RUN_UNTIL(&p, p.lost > 0);
  assert_true(mc_clock_mono_ms() - began < 10000);
  assert_non_null(strstr(p.why, "tls-port"));
  probe_end(&p);
}

typedef struct rude {
  uv_tcp_t listener, client;
  const char *says; /* to whoever connects, before it hangs up; NULL: it never does either */
} rude;

static void rude_on_connection(uv_stream_t *listener, int status) {
  rude *r = mc_container_of((uv_tcp_t *)listener, rude, listener);
  assert_int_equal(status, 0);
  uv_tcp_init(listener->loop, &r->client);
  assert_int_equal(uv_accept(listener, (uv_stream_t *)&r->client), 0);
  uv_close((uv_handle_t *)listener, NULL);
  if (!r->says)
    return;
  uv_buf_t bytes = uv_buf_init((char *)r->says, (unsigned)strlen(r->says));
  uv_try_write((uv_stream_t *)&r->client, &bytes, 1);
  uv_close((uv_handle_t *)&r->client, NULL);
}

/* What a connection with such a server says when it is lost. */
static void meet(const char *says, const char *expected) {
  probe p;
  rude r = {.says = says};
  char url[64];
  struct sockaddr_in at;
  int rude_port = redis_server_free_port();
  snprintf(url, sizeof url, "rediss://bob:hunter2@127.0.0.1:%d", rude_port);
  probe_init(&p, url, (mc_conn_options){.connect_timeout_ms = 1000});
  p.close_on_lost = true;
  uv_ip4_addr("127.0.0.1", rude_port, &at);
  uv_tcp_init(&p.loop, &r.listener);
  assert_int_equal(uv_tcp_bind(&r.listener, (const struct sockaddr *)&at, 0), 0);
  assert_int_equal(uv_listen((uv_stream_t *)&r.listener, 1, rude_on_connection), 0);
  mc_conn_start(p.conn);
  RUN_UNTIL(&p, p.closed == 1);
  if (!strstr(p.why, expected))
    fail_msg("expected \"%s\", got \"%s\"", expected, p.why);
  if (!says)
    uv_close((uv_handle_t *)&r.client, NULL);
  probe_end(&p);
}

static void a_server_that_breaks_the_handshake_is_named(void **state) {
  (void)state;
  meet(NULL, "no answer to the TLS handshake (is this the server's tls-port?) within 1000 ms");
  meet("-ERR what?\r\n", "does not speak TLS on this port");
  meet("\x16\x03\x03", " in the TLS handshake: is this the server's tls-port?");
}

/* ---- who we are ---- */

static void a_client_certificate_is_shown_where_the_server_asks_for_one(void **state) {
  (void)state;
  char more[300];
  const char *const protocols[] = {"TLSv1.2", "TLSv1.3"};
  set("tls-auth-clients", "yes");
  for (size_t i = 0; i < MC_COUNT(protocols); i++) {
    set("tls-protocols", protocols[i]);
    assert_fails(address("127.0.0.1", "ca.pem", ""), "?cert=");
    snprintf(more, sizeof more, "&cert=%s&key=%s", file("client.pem"), file("client.key"));
    assert_reaches(address("127.0.0.1", "ca.pem", more));
    snprintf(more, sizeof more, "&cert=%s", file("both.pem"));
    assert_reaches(address("127.0.0.1", "ca.pem", more));
    snprintf(more, sizeof more, "&cert=%s&key=%s", file("stranger.pem"), file("stranger.key"));
    assert_fails(address("127.0.0.1", "ca.pem", more), "client certificate");
  }
  set("tls-protocols", "");
  set("tls-auth-clients", "no");
}

static void files_that_cannot_be_used_are_named(void **state) {
  (void)state;
  char more[300];
  static const struct {
    const char *cert, *key, *says;
  } cases[] = {
      {"none.pem", "client.key", "none.pem, which the address names by cert=: No such file"},
      {"client.pem", "none.key", "none.key, which the address names by key=: No such file"},
      {"client.pem", "locked.key", "without a passphrase"},
      {"client.pem", "server.key", "key values mismatch"},
      {"client.key", "client.key", "a PEM file of a certificate"},
  };
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    snprintf(more, sizeof more, "&cert=%s&key=%s", file(cases[i].cert), file(cases[i].key));
    assert_fails(address("127.0.0.1", "ca.pem", more), cases[i].says);
  }
  assert_fails(address("127.0.0.1", "none.pem", ""), "none.pem, which the address names by ca=: No such file");
  assert_fails(address("127.0.0.1", "ca.key", ""), "a PEM file of certificates");
}

/* ---- bytes, and the life of a connection ---- */

typedef struct echo {
  mc_buf sent;
  int right, wrong;
} echo;

static void on_echo(void *arg, int status, const mc_value *reply) {
  echo *e = arg;
  bool same = status == 0 && reply->kind == MC_VALUE_STRING && mc_slice_equal(reply->text, mc_buf_slice(&e->sent));
  e->right += same;
  e->wrong += !same;
}

static void bytes_of_any_size_pass_both_ways(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 65536, 100001, 20000000};
  probe p;
  mc_args args = {0};
  probe_open(&p, address("127.0.0.1", "ca.pem", ""), (mc_conn_options){0});
  for (size_t i = 0; i < MC_COUNT(sizes); i++) {
    echo e = {0};
    for (size_t at = 0; at < sizes[i]; at++)
      mc_buf_add_char(&e.sent, (char)(at * 31 + at / 977));
    mc_args_clear(&args);
    mc_args_add_text(&args, "ECHO");
    mc_args_add(&args, mc_buf_slice(&e.sent));
    for (int round = 0; round < 3; round++) /* more than the kernel takes at once */
      assert_int_equal(mc_conn_send(p.conn, &args, on_echo, &e), 0);
    RUN_UNTIL(&p, e.right + e.wrong == 3);
    assert_int_equal(e.wrong, 0);
    mc_buf_deinit(&e.sent);
  }
  mc_args_deinit(&args);
  probe_end(&p);
}

static void a_lost_connection_comes_back(void **state) {
  (void)state;
  probe p;
  probe_open(&p, address("127.0.0.1", "ca.pem", ""), (mc_conn_options){.backoff_min_ms = 5, .backoff_max_ms = 20});
  mc_conn_send_words(p.conn, on_answer_of_probe, &p, "BLPOP", "none", "0", NULL);
  redis_server_kill(server);
  RUN_UNTIL(&p, p.lost > 2);
  assert_int_equal(p.failed, 1);
  redis_server_resume(server);
  RUN_UNTIL(&p, p.ready == 2);
  probe_end(&p);
}

static void it_can_be_closed_at_any_moment(void **state) {
  (void)state;
  for (int turns = 0; turns < 12; turns++) {
    probe p;
    probe_init(&p, address("127.0.0.1", "ca.pem", ""), (mc_conn_options){0});
    mc_conn_start(p.conn);
    for (int i = 0; i < turns && !p.ready; i++)
      uv_run(&p.loop, UV_RUN_ONCE);
    probe_end(&p);
    assert_int_equal(p.lost, 0);
  }
}

static void messages_and_invalidations_arrive(void **state) {
  (void)state;
  probe listener, asker;
  answer id = {0}, got = {0}, done = {0};
  char digits[24];
  probe_open(&listener, address("127.0.0.1", "ca.pem", ""), (mc_conn_options){0});
  mc_conn_send_words(listener.conn, on_answer, &id, "CLIENT", "ID", NULL);
  RUN_UNTIL(&listener, id.calls == 1);
  mc_conn_send_words(listener.conn, on_answer, &got, "SUBSCRIBE", "__redis__:invalidate", "news", NULL);
  RUN_UNTIL(&listener, got.calls == 1);
  probe_open(&asker, address("127.0.0.1", "ca.pem", ""), (mc_conn_options){0});
  snprintf(digits, sizeof digits, "%lld", (long long)id.integer);
  mc_conn_send_words(asker.conn, NULL, NULL, "CLIENT", "TRACKING", "ON", "REDIRECT", digits, NULL);
  mc_conn_send_words(asker.conn, NULL, NULL, "GET", "watched", NULL);
  mc_conn_send_words(asker.conn, NULL, NULL, "SET", "watched", "1", NULL);
  mc_conn_send_words(asker.conn, on_answer, &done, "PUBLISH", "news", "hello", NULL);
  RUN_UNTIL(&asker, done.calls == 1);
  RUN_UNTIL(&listener, listener.pushed == 2);
  assert_string_equal(listener.push[2], "hello");
  probe_end(&asker);
  probe_end(&listener);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_server_is_reached_by_name_and_by_address),
      cmocka_unit_test(the_dot_behind_a_name_is_for_dns_alone),
      cmocka_unit_test(tls_1_2_and_1_3_are_spoken_and_nothing_older),
      cmocka_unit_test(the_systems_authorities_are_trusted_unless_others_are_named),
      cmocka_unit_test(a_certificate_that_does_not_hold_is_refused),
      cmocka_unit_test(plain_redis_and_silence_are_told_apart_from_tls),
      cmocka_unit_test(a_server_that_breaks_the_handshake_is_named),
      cmocka_unit_test(a_client_certificate_is_shown_where_the_server_asks_for_one),
      cmocka_unit_test(files_that_cannot_be_used_are_named),
      cmocka_unit_test(bytes_of_any_size_pass_both_ways),
      cmocka_unit_test(a_lost_connection_comes_back),
      cmocka_unit_test(it_can_be_closed_at_any_moment),
      cmocka_unit_test(messages_and_invalidations_arrive),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
