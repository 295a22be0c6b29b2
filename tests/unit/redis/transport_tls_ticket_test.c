/* What is written while a message of TLS' own has arrived in part waits for the rest of it. The server is this test's:
 * its tickets are larger than its records, and it sends the second half when the test says so. */
#include "redis/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/certificates.h"
#include "base/mem.h"

#define RECORD 512
#define TICKET 4000
#define LIMIT_MS 30000

typedef struct theatre {
  uv_loop_t loop;
  uv_timer_t limit;
  bool expired;
  mc_redis_url url;
  mc_transport *transport;
  int opened, closed;
  char why[256];

  int listener, socket;
  SSL_CTX *context;
  SSL *server;
  BIO *arrived, *sealed; /* the server's */
  mc_buf heard;          /* by the server */
} theatre;

static certificates files;

static int make_files(void **state) {
  (void)state;
  certificates_make(&files);
  return 0;
}

static int remove_files(void **state) {
  (void)state;
  certificates_remove(&files);
  return 0;
}

/* ---- the client ---- */

static void on_open(void *arg) {
  ((theatre *)arg)->opened++;
}

static void on_data(void *arg, const char *bytes, size_t size) {
  (void)arg, (void)bytes, (void)size;
}

static void on_failed(void *arg, const char *why) {
  snprintf(((theatre *)arg)->why, sizeof((theatre *)arg)->why, "%s", why);
}

static void on_closed(void *arg) {
  ((theatre *)arg)->closed++;
}

static void on_limit(uv_timer_t *timer) {
  mc_container_of(timer, theatre, limit)->expired = true;
}

static void say(theatre *self, size_t size) {
  mc_buf bytes = {0};
  for (size_t i = 0; i < size; i++)
    mc_buf_add_char(&bytes, (char)('a' + i % 26));
  self->transport->ops->write(self->transport, &bytes);
  assert_int_equal(bytes.size, 0);
  mc_buf_deinit(&bytes);
}

/* ---- the server ---- */

static int add_to_ticket(SSL *server, void *arg) {
  static char bytes[TICKET];
  (void)arg;
  return SSL_SESSION_set1_ticket_appdata(SSL_get_session(server), bytes, sizeof bytes);
}

static SSL_TICKET_RETURN take_ticket(SSL *server, SSL_SESSION *session, const unsigned char *name, size_t size,
                                     SSL_TICKET_STATUS status, void *arg) {
  (void)server, (void)session, (void)name, (void)size, (void)status, (void)arg;
  return SSL_TICKET_RETURN_IGNORE;
}

static void open_server(theatre *self) {
  char path[128];
  self->context = SSL_CTX_new(TLS_server_method());
  snprintf(path, sizeof path, "%s/server.pem", files.folder);
  assert_int_equal(SSL_CTX_use_certificate_chain_file(self->context, path), 1);
  snprintf(path, sizeof path, "%s/server.key", files.folder);
  assert_int_equal(SSL_CTX_use_PrivateKey_file(self->context, path, SSL_FILETYPE_PEM), 1);
  SSL_CTX_set_min_proto_version(self->context, TLS1_3_VERSION);
  SSL_CTX_set_max_send_fragment(self->context, RECORD);
  SSL_CTX_set_session_ticket_cb(self->context, add_to_ticket, take_ticket, NULL);
  self->server = SSL_new(self->context);
  self->arrived = BIO_new(BIO_s_mem());
  self->sealed = BIO_new(BIO_s_mem());
  SSL_set_bio(self->server, self->arrived, self->sealed);
  SSL_set_accept_state(self->server);
}

static int listen_somewhere(theatre *self) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  self->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(self->listener, (struct sockaddr *)&at, size), 0);
  assert_int_equal(listen(self->listener, 1), 0);
  assert_int_equal(getsockname(self->listener, (struct sockaddr *)&at, &size), 0);
  return ntohs(at.sin_port);
}

/* Sends so many of the bytes that the server has sealed. */
static void send_sealed(theatre *self, size_t size) {
  char bytes[65536];
  assert_true(size <= sizeof bytes);
  int taken = BIO_read(self->sealed, bytes, (int)size);
  if (taken > 0)
    assert_int_equal(send(self->socket, bytes, (size_t)taken, 0), taken);
}

/* One turn of the loop, and what has come to the server; the server sends nothing. */
static void turn(theatre *self) {
  char bytes[16384];
  uv_run(&self->loop, UV_RUN_NOWAIT);
  if (self->socket < 0)
    self->socket = accept4(self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (self->socket < 0)
    return;
  ssize_t size = recv(self->socket, bytes, sizeof bytes, 0);
  if (size > 0)
    assert_int_equal(BIO_write(self->arrived, bytes, (int)size), size);
  if (!SSL_is_init_finished(self->server)) {
    SSL_do_handshake(self->server);
    return;
  }
  while ((size = SSL_read(self->server, bytes, sizeof bytes)) > 0)
    mc_buf_add(&self->heard, bytes, (size_t)size);
}

#define UNTIL(self, condition)                                                                                         \
  do {                                                                                                                 \
    while (!(condition) && !(self)->expired && !(self)->why[0])                                                        \
      turn(self);                                                                                                      \
    if (!(condition))                                                                                                  \
      fail_msg("%s, while waiting for: %s", (self)->why[0] ? (self)->why : "time limit", #condition);                  \
  } while (0)

/* ---- the play ---- */

static int begin(void **state) {
  theatre *self = mc_zalloc(sizeof *self);
  char address[256];
  mc_err err;
  uv_loop_init(&self->loop);
  uv_timer_init(&self->loop, &self->limit);
  uv_timer_start(&self->limit, on_limit, LIMIT_MS, 0);
  self->socket = -1;
  open_server(self);
  snprintf(address, sizeof address, "rediss://127.0.0.1:%d?ca=%s/ca.pem", listen_somewhere(self), files.folder);
  assert_int_equal(mc_redis_url_parse(address, &self->url, &err), 0);
  self->transport =
      mc_transport_open_tls(&self->loop, &self->url, &(mc_transport_events){on_open, on_data, on_failed, self});
  *state = self;
  return 0;
}

static int end(void **state) {
  theatre *self = *state;
  self->transport->ops->close(self->transport, on_closed, self);
  uv_close((uv_handle_t *)&self->limit, NULL);
  uv_run(&self->loop, UV_RUN_DEFAULT);
  assert_int_equal(self->closed, 1);
  assert_int_equal(uv_loop_close(&self->loop), 0);
  mc_redis_url_deinit(&self->url);
  mc_buf_deinit(&self->heard);
  SSL_free(self->server);
  SSL_CTX_free(self->context);
  close(self->socket);
  close(self->listener);
  free(self);
  return 0;
}

static void shake_hands(theatre *self) {
  while (!SSL_is_init_finished(self->server) && !self->expired && !self->why[0]) {
    turn(self);
    if (!SSL_is_init_finished(self->server))
      send_sealed(self, BIO_ctrl_pending(self->sealed));
  }
  assert_string_equal(self->why, "");
  assert_int_equal(self->opened, 1);
  assert_true(BIO_ctrl_pending(self->sealed) > TICKET); /* it waits to be sent */
}

static void assert_heard(const theatre *self, size_t at, size_t size) {
  for (size_t i = 0; i < size; i++)
    assert_int_equal(self->heard.data[at + i], 'a' + i % 26);
}

static void what_is_written_amid_a_ticket_follows_it(void **state) {
  theatre *self = *state;
  shake_hands(self);
  send_sealed(self, TICKET / 2);
  uv_run(&self->loop, UV_RUN_ONCE); /* the client reads that */
  say(self, 100);
  say(self, 300000);
  turn(self);
  assert_string_equal(self->why, "");
  assert_int_equal(self->heard.size, 0);
  send_sealed(self, BIO_ctrl_pending(self->sealed));
  UNTIL(self, self->heard.size == 300100);
  assert_heard(self, 0, 100);
  assert_heard(self, 100, 300000);
  say(self, 50);
  UNTIL(self, self->heard.size == 300150);
}

static void what_waits_is_dropped_with_the_connection(void **state) {
  theatre *self = *state;
  shake_hands(self);
  send_sealed(self, TICKET / 2);
  uv_run(&self->loop, UV_RUN_ONCE);
  say(self, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_written_amid_a_ticket_follows_it, begin, end),
      cmocka_unit_test_setup_teardown(what_waits_is_dropped_with_the_connection, begin, end),
  };
  return cmocka_run_group_tests(tests, make_files, remove_files);
}
