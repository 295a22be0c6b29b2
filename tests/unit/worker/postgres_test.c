/* Connections to PostgreSQL that come to nothing, and what is left of them on the loop: nothing. Those that succeed are
 * tested with a real server, by tests/integration/postgres_spec.lua. */
#include "worker/postgres.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct world {
  uv_loop_t loop;
  int listener, port; /* accepts, and never says a word */
  int opened, status;
  char reason[512];
} world;

static int setup(void **state) {
  world *self = mc_zalloc(sizeof *self);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  self->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (mc_pq_load(NULL) || uv_loop_init(&self->loop) || bind(self->listener, (struct sockaddr *)&address, size) ||
      listen(self->listener, 8) || getsockname(self->listener, (struct sockaddr *)&address, &size))
    return -1;
  self->port = ntohs(address.sin_port);
  *state = self;
  return 0;
}

static int teardown(void **state) {
  world *self = *state;
  uv_run(&self->loop, UV_RUN_DEFAULT);
  int rc = uv_loop_close(&self->loop); /* a handle left open fails the test */
  close(self->listener);
  free(self);
  return rc;
}

static void on_open(void *arg, int status, const char *reason) {
  world *self = arg;
  self->opened++;
  self->status = status;
  strncpy(self->reason, reason ? reason : "", sizeof self->reason - 1);
}

static int open_at(world *self, const char *host, int port, mc_postgres **out, mc_err *err) {
  char address[256];
  mc_postgres_events events = {.on_open = on_open, .arg = self};
  snprintf(address, sizeof address, "host='%s' port=%d user=u password=secret dbname=d", host, port);
  return mc_postgres_open(&self->loop, address, &events, out, err);
}

static void says_why_nobody_answers(void **state) {
  world *self = *state;
  mc_postgres *conn;
  close(self->listener);
  self->listener = -1;
  assert_int_equal(open_at(self, "127.0.0.1", self->port, &conn, NULL), 0);
  assert_int_equal(self->opened, 0); /* never from inside */
  while (!self->opened)
    uv_run(&self->loop, UV_RUN_ONCE);
  assert_int_equal(self->status, MC_EUNAVAILABLE);
  assert_non_null(strstr(self->reason, "Connection refused"));
  assert_null(strchr(self->reason, '\n'));
  assert_false(mc_postgres_is_ready(conn));
  mc_postgres_close(conn);
}

static void fails_at_once_where_no_socket_is(void **state) {
  world *self = *state;
  mc_postgres *conn = NULL;
  mc_err err;
  assert_int_equal(open_at(self, "/no/such/folder", 1, &conn, &err), MC_EUNAVAILABLE);
  assert_non_null(strstr(err.text, "/no/such/folder"));
  assert_null(conn);
}

static void can_be_closed_while_it_connects(void **state) {
  world *self = *state;
  mc_postgres *conn;
  assert_int_equal(open_at(self, "127.0.0.1", self->port, &conn, NULL), 0);
  for (int i = 0; i < 5; i++)
    uv_run(&self->loop, UV_RUN_NOWAIT);
  mc_postgres_close(conn);
  assert_int_equal(self->opened, 0);
}

static void can_be_closed_while_a_name_is_looked_up(void **state) {
  world *self = *state;
  mc_postgres *conn;
  assert_int_equal(open_at(self, "no-such-host.invalid", 1, &conn, NULL), 0);
  mc_postgres_close(conn);
  uv_run(&self->loop, UV_RUN_DEFAULT);
  assert_int_equal(self->opened, 0);
}

static void names_the_host_that_nobody_knows(void **state) {
  world *self = *state;
  mc_postgres *conn;
  assert_int_equal(open_at(self, "no-such-host.invalid", 1, &conn, NULL), 0);
  while (!self->opened)
    uv_run(&self->loop, UV_RUN_ONCE);
  assert_int_equal(self->status, MC_EUNAVAILABLE);
  assert_non_null(strstr(self->reason, "no-such-host.invalid"));
  mc_postgres_close(conn);
}

static void passes_over_hosts_that_nobody_knows(void **state) {
  world *self = *state;
  mc_postgres *conn;
  assert_int_equal(open_at(self, "no-such-host.invalid,/no/such/folder,localhost,127.0.0.1", self->port, &conn, NULL),
                   0);
  int visitors = 0;
  while (!self->opened) { /* whoever comes is sent away */
    uv_run(&self->loop, UV_RUN_NOWAIT);
    int visitor = accept(self->listener, NULL, NULL);
    visitors += visitor >= 0;
    if (visitor >= 0)
      close(visitor);
  }
  assert_true(visitors >= 1); /* libpq goes on to the next host where nobody listens, not after it was let in */
  assert_int_equal(self->status, MC_EUNAVAILABLE);
  mc_postgres_close(conn);
}

int main(void) {
#define POSTGRES_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
  const struct CMUnitTest tests[] = {
      POSTGRES_TEST(says_why_nobody_answers),          POSTGRES_TEST(fails_at_once_where_no_socket_is),
      POSTGRES_TEST(can_be_closed_while_it_connects),  POSTGRES_TEST(can_be_closed_while_a_name_is_looked_up),
      POSTGRES_TEST(names_the_host_that_nobody_knows), POSTGRES_TEST(passes_over_hosts_that_nobody_knows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
