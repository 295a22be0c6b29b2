/* tcp and unix sockets: reaching a server by every kind of address, and saying why one cannot be reached. */
#include "redis/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "../support/redis_server.h"
#include "base/mem.h"

typedef struct watched {
  uv_loop_t loop;
  uv_timer_t limit;
  mc_transport *transport;
  bool expired, inside_open, write_on_open;
  int opened, failed, closed;
  char why[256], data[256];
} watched;

static redis_server *server;
static int port;

typedef int (*getaddrinfo_fn)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Stands before the C library's: a host named "one+other" has two addresses, in that order. */
__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **out) {
  static const struct addrinfo stream_hints = {.ai_socktype = SOCK_STREAM};
  getaddrinfo_fn real = (getaddrinfo_fn)dlsym(RTLD_NEXT, "getaddrinfo");
  const char *plus = strchr(host, '+');
  if (!plus)
    return real(host, service, hints, out);
  if (hints && hints->ai_flags & AI_NUMERICHOST)
    return EAI_NONAME;
  char one[64];
  snprintf(one, sizeof one, "%.*s", (int)(plus - host), host);
  int rc = real(one, service, &stream_hints, out);
  return rc ? rc : real(plus + 1, service, &stream_hints, &(*out)->ai_next);
}

static int start_server(void **state) {
  char digits[8];
  (void)state;
  port = redis_server_free_port();
  snprintf(digits, sizeof digits, "%d", port);
  server = redis_server_start((const char *const[]){"--port", digits, "--bind", "127.0.0.1", NULL});
  return 0;
}

static int stop_server(void **state) {
  (void)state;
  redis_server_stop(server);
  return 0;
}

static void write_ping(watched *w) {
  mc_buf bytes = {0};
  mc_buf_add_text(&bytes, "PING\r\n");
  w->transport->ops->write(w->transport, &bytes);
  assert_int_equal(bytes.size, 0);
  mc_buf_deinit(&bytes);
}

static void on_open(void *arg) {
  watched *w = arg;
  w->opened++;
  if (w->write_on_open)
    write_ping(w);
}

static void on_data(void *arg, const char *bytes, size_t size) {
  watched *w = arg;
  size_t used = strlen(w->data);
  snprintf(w->data + used, sizeof w->data - used, "%.*s", (int)size, bytes);
}

static void on_failed(void *arg, const char *why) {
  watched *w = arg;
  assert_false(w->inside_open);
  w->failed++;
  snprintf(w->why, sizeof w->why, "%s", why);
}

static void on_closed(void *arg) {
  ((watched *)arg)->closed++;
}

static void on_limit(uv_timer_t *timer) {
  mc_container_of(timer, watched, limit)->expired = true;
}

static void run_until(watched *w, const int *count) {
  while (!*count && !w->expired)
    uv_run(&w->loop, UV_RUN_ONCE);
  assert_false(w->expired);
}

static void watched_open(watched *w, const mc_redis_url *url) {
  *w = (watched){0};
  uv_loop_init(&w->loop);
  uv_timer_init(&w->loop, &w->limit);
  uv_timer_start(&w->limit, on_limit, 20000, 0);
  mc_transport_events events = {on_open, on_data, on_failed, w};
  w->inside_open = true;
  w->transport = mc_transport_open_stream(&w->loop, url, &events);
  w->inside_open = false;
}

static void watched_end(watched *w) {
  int events = w->opened + w->failed;
  w->transport->ops->close(w->transport, on_closed, w);
  run_until(w, &w->closed);
  assert_int_equal(w->opened + w->failed, events);
  uv_close((uv_handle_t *)&w->limit, NULL);
  uv_run(&w->loop, UV_RUN_DEFAULT);
  assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void ping(watched *w) {
  write_ping(w);
  while (!strstr(w->data, "\r\n") && !w->expired)
    uv_run(&w->loop, UV_RUN_ONCE);
  assert_string_equal(w->data, "+PONG\r\n");
}

static void assert_reaches(mc_redis_url url) {
  watched w;
  watched_open(&w, &url);
  run_until(&w, &w.opened);
  ping(&w);
  watched_end(&w);
}

static void assert_fails(mc_redis_url url, const char *why) {
  watched w;
  watched_open(&w, &url);
  run_until(&w, &w.failed);
  if (!strstr(w.why, why))
    fail_msg("expected \"%s\", got \"%s\"", why, w.why);
  assert_int_equal(w.opened, 0);
  assert_int_equal(w.failed, 1);
  watched_end(&w);
}

static void a_server_is_reached_by_every_kind_of_address(void **state) {
  (void)state;
  assert_reaches((mc_redis_url){.path = (char *)redis_server_socket(server)});
  assert_reaches((mc_redis_url){.host = "127.0.0.1", .port = port});
  assert_reaches((mc_redis_url){.host = "localhost", .port = port});
}

/* The server listens on 127.0.0.1 alone. */
static void every_address_of_a_host_is_tried(void **state) {
  (void)state;
  assert_reaches((mc_redis_url){.host = "127.0.0.2+127.0.0.1", .port = port});
  assert_reaches((mc_redis_url){.host = "127.0.0.1+127.0.0.2", .port = port});
  assert_fails((mc_redis_url){.host = "127.0.0.2+127.0.0.3", .port = port}, "cannot connect: connection refused");
}

/* A listener with a full queue lets the next connection wait, as an address does that swallows packets. */
static void an_address_that_does_not_answer_is_left_for_the_next(void **state) {
  (void)state;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  inet_pton(AF_INET, "127.0.0.4", &address.sin_addr);
  int fds[8];
  fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fds[0], (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(fds[0], 0), 0);
  for (int i = 1; i < (int)MC_COUNT(fds); i++) {
    fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connect(fds[i], (struct sockaddr *)&address, sizeof address);
  }
  assert_reaches((mc_redis_url){.host = "127.0.0.4+127.0.0.1", .port = port});
  for (int i = 0; i < (int)MC_COUNT(fds); i++)
    close(fds[i]);
}

static void a_failure_says_why(void **state) {
  (void)state;
  assert_fails((mc_redis_url){.path = "/nowhere/redis.sock"}, "cannot connect: no such file or directory");
  assert_fails((mc_redis_url){.host = "127.0.0.1", .port = redis_server_free_port()},
               "cannot connect: connection refused");
  assert_fails((mc_redis_url){.host = "0123456789012345678901234567890123456789012345678901234567890123456789.invalid",
                              .port = 6379},
               "cannot resolve the host name");
}

static void a_transport_can_be_closed_while_it_opens(void **state) {
  (void)state;
  mc_redis_url urls[] = {{.host = "localhost", .port = port},
                         {.host = "127.0.0.1", .port = port},
                         {.host = "127.0.0.1", .port = 1},
                         {.path = (char *)redis_server_socket(server)},
                         {.path = "/nowhere/redis.sock"}};
  for (size_t i = 0; i < MC_COUNT(urls); i++) {
    for (int turns = 0; turns < 4; turns++) {
      watched w;
      watched_open(&w, &urls[i]);
      for (int turn = 0; turn < turns; turn++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
      watched_end(&w);
    }
  }
}

static void a_server_that_goes_is_noticed(void **state) {
  (void)state;
  mc_redis_url urls[] = {{.host = "127.0.0.1", .port = port}, {.path = (char *)redis_server_socket(server)}};
  for (size_t i = 0; i < MC_COUNT(urls); i++) {
    watched w;
    watched_open(&w, &urls[i]);
    run_until(&w, &w.opened);
    ping(&w);
    redis_server_kill(server);
    run_until(&w, &w.failed);
    assert_int_equal(w.failed, 1);
    watched_end(&w);
    redis_server_resume(server);
  }
}

static void what_a_server_said_before_it_hung_up_is_read_although_writing_fails_first(void **state) {
  (void)state;
  watched w;
  char folder[] = "/tmp/mooncrew-test-XXXXXX";
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  assert_non_null(mkdtemp(folder));
  snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(listener, 1), 0);

  watched_open(&w, &(mc_redis_url){.path = address.sun_path});
  int fd = accept(listener, NULL, NULL);
  assert_int_equal(write(fd, "-ERR bye\r\n", 10), 10);
  close(fd);
  w.write_on_open = true;
  run_until(&w, &w.failed);
  assert_string_equal(w.data, "-ERR bye\r\n");
  assert_string_equal(w.why, "the server closed the connection");
  watched_end(&w);
  close(listener);
  unlink(address.sun_path);
  rmdir(folder);
}

static void writing_to_a_server_that_went_ends_no_process(void **state) {
  (void)state;
  watched w;
  mc_buf bytes = {0};
  watched_open(&w, &(mc_redis_url){.path = (char *)redis_server_socket(server)});
  run_until(&w, &w.opened);
  redis_server_kill(server);
  for (int i = 0; i < 3; i++) {
    mc_buf_add_text(&bytes, "PING\r\n");
    w.transport->ops->write(w.transport, &bytes);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(w.failed, 0); /* failures come from the loop */
  }
  run_until(&w, &w.failed);
  assert_int_equal(w.failed, 1);
  watched_end(&w);
  mc_buf_deinit(&bytes);
  redis_server_resume(server);
}

static void the_programs_handling_of_sigpipe_is_left_alone(void **state) {
  (void)state;
  struct sigaction now;
  signal(SIGPIPE, SIG_DFL);
  assert_reaches((mc_redis_url){.path = (char *)redis_server_socket(server)});
  sigaction(SIGPIPE, NULL, &now);
  assert_true(now.sa_handler == SIG_DFL);
  signal(SIGPIPE, SIG_IGN);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_server_is_reached_by_every_kind_of_address),
      cmocka_unit_test(every_address_of_a_host_is_tried),
      cmocka_unit_test(an_address_that_does_not_answer_is_left_for_the_next),
      cmocka_unit_test(a_failure_says_why),
      cmocka_unit_test(a_transport_can_be_closed_while_it_opens),
      cmocka_unit_test(a_server_that_goes_is_noticed),
      cmocka_unit_test(what_a_server_said_before_it_hung_up_is_read_although_writing_fails_first),
      cmocka_unit_test(writing_to_a_server_that_went_ends_no_process),
      cmocka_unit_test(the_programs_handling_of_sigpipe_is_left_alone),
  };
  return cmocka_run_group_tests(tests, start_server, stop_server);
}
