/* tcp and unix sockets: the transport over a libuv stream. See transport.h.
 *
 *   open ── resolve ──▶ try an address ──▶ connected ──▶ … failed
 *                        ▲         │ refused, or too slow while another is left
 *                        └─────────┘
 *
 * A failed handle must be closed before the next address can be tried in its place. The memory goes when the timer, the
 * handle and the look-up are all finished; a look-up that has begun cannot be stopped, so then that is when it returns.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "redis/transport.h"

#define READ_SIZE ((size_t)64 * 1024)
#define NEXT_ADDRESS_AFTER_MS 1000
#define KEEPALIVE_AFTER_S 15
#define KEEPALIVE_EVERY_S 5
#define KEEPALIVE_PROBES 3

typedef struct stream {
  mc_transport transport;
  uv_loop_t *loop;
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } u;
  uv_timer_t timer; /* gives up on an address; reports a failure that came at once */
  uv_connect_t connect;
  uv_getaddrinfo_t lookup;
  char *path;                 /* unix socket; NULL for tcp */
  struct addrinfo *addresses; /* of the look-up */
  const struct addrinfo *address;
  bool handle_open, timer_open, looking_up; /* what the memory waits for */
  bool failed, closing;
  char why[256];
  void (*on_closed)(void *arg);
  void *on_closed_arg;
  char bytes[READ_SIZE];
} stream;

/* A write that the kernel did not take at once. */
typedef struct pending_write {
  uv_write_t request;
  stream *stream;
  mc_buf bytes;
} pending_write;

static void stream_write(mc_transport *transport, mc_buf *bytes);
static void stream_close(mc_transport *transport, void (*on_closed)(void *arg), void *arg);
static void look_up(stream *s, const mc_redis_url *url);
static void try_address(stream *s);
static void on_connect(uv_connect_t *connect, int status);
static void attempt_failed(stream *s, int status);
static void on_attempt_closed(uv_handle_t *handle);
static void fail(stream *s, const char *what, int status);
static void fail_soon(stream *s, const char *what, int status);
static void finish(stream *s);
static const char *stream_missing(const mc_transport *transport);

static const mc_transport_ops stream_ops = {stream_write, stream_close, stream_missing};

mc_transport *mc_transport_open_stream(uv_loop_t *loop, const mc_redis_url *url, const mc_transport_events *events) {
  stream *s = mc_alloc(sizeof *s);
  memset(s, 0, offsetof(stream, bytes));
  s->transport = (mc_transport){&stream_ops, *events};
  s->loop = loop;
  uv_timer_init(loop, &s->timer);
  s->timer.data = s;
  s->timer_open = true;
  s->path = mc_strdup(url->path);
  if (s->path)
    try_address(s);
  else
    look_up(s, url);
  return &s->transport;
}

/* ---- resolving and connecting ---- */

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *addresses) {
  stream *s = mc_container_of(lookup, stream, lookup);
  s->looking_up = false;
  s->addresses = addresses;
  s->address = addresses;
  if (s->closing)
    finish(s);
  else if (status != 0)
    fail(s, "cannot resolve the host name", status);
  else
    try_address(s);
}

static void look_up(stream *s, const mc_redis_url *url) {
  char port[16];
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
  snprintf(port, sizeof port, "%d", url->port);
  /* A numeric address needs no look-up, and so no thread of libuv's pool. */
  if (uv_getaddrinfo(s->loop, &s->lookup, NULL, url->host, port, &hints) == 0) {
    s->addresses = s->lookup.addrinfo;
    s->address = s->addresses;
    try_address(s);
    return;
  }
  hints.ai_flags = 0;
  int status = uv_getaddrinfo(s->loop, &s->lookup, on_lookup, url->host, port, &hints);
  s->looking_up = status == 0;
  if (status != 0)
    fail_soon(s, "cannot resolve the host name", status);
}

static void on_slow_address(uv_timer_t *timer) {
  attempt_failed(timer->data, UV_ETIMEDOUT);
}

static void try_address(stream *s) {
  int status = 0;
  s->handle_open = true;
  if (s->path) {
    uv_pipe_init(s->loop, &s->u.pipe, 0);
    uv_pipe_connect(&s->connect, &s->u.pipe, s->path, on_connect);
  } else {
    uv_tcp_init(s->loop, &s->u.tcp);
    status = uv_tcp_connect(&s->connect, &s->u.tcp, s->address->ai_addr, on_connect);
  }
  s->u.handle.data = s;
  if (status != 0)
    attempt_failed(s, status);
  else if (s->address && s->address->ai_next)
    uv_timer_start(&s->timer, on_slow_address, NEXT_ADDRESS_AFTER_MS, 0);
}

static void attempt_failed(stream *s, int status) {
  uv_timer_stop(&s->timer);
  snprintf(s->why, sizeof s->why, "cannot connect: %s", uv_strerror(status));
  uv_close(&s->u.handle, on_attempt_closed);
}

static void on_attempt_closed(uv_handle_t *handle) {
  stream *s = handle->data;
  s->handle_open = false;
  if (s->closing) {
    finish(s);
    return;
  }
  s->address = s->address ? s->address->ai_next : NULL;
  if (s->address)
    try_address(s);
  else
    fail(s, NULL, 0);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  stream *s = handle->data;
  (void)suggested;
  *buf = uv_buf_init(s->bytes, READ_SIZE);
}

static void on_read(uv_stream_t *handle, ssize_t size, const uv_buf_t *buf) {
  stream *s = handle->data;
  if (s->failed || s->closing)
    return;
  if (size == UV_EOF)
    fail(s, "the server closed the connection", 0);
  else if (size < 0)
    fail(s, "reading failed", (int)size);
  else if (size > 0)
    s->transport.events.on_data(s->transport.events.arg, buf->base, (size_t)size);
}

/* A host that vanished is noticed within half a minute, also by a connection that only listens. */
static void tune_tcp(stream *s) {
  int fd, every = KEEPALIVE_EVERY_S, probes = KEEPALIVE_PROBES;
  uv_tcp_nodelay(&s->u.tcp, 1);
  uv_tcp_keepalive(&s->u.tcp, 1, KEEPALIVE_AFTER_S);
  if (uv_fileno(&s->u.handle, &fd) != 0)
    return;
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static void on_connect(uv_connect_t *connect, int status) {
  stream *s = mc_container_of(connect, stream, connect);
  if (uv_is_closing(&s->u.handle)) /* given up meanwhile */
    return;
  if (status != 0) {
    attempt_failed(s, status);
    return;
  }
  uv_timer_stop(&s->timer);
  if (!s->path)
    tune_tcp(s);
  status = uv_read_start(&s->u.stream, on_alloc, on_read);
  if (status != 0)
    fail(s, "reading failed", status);
  else
    s->transport.events.on_open(s->transport.events.arg);
}

/* ---- writing ---- */

/* A write that fails because the other side hung up says little: what it sent before, such as "max number of clients
 * reached", waits to be read, and then comes the end, which is reported from there. */
static bool reading_will_tell(int status) {
  return status == UV_EPIPE || status == UV_ECONNRESET;
}

static void on_written(uv_write_t *request, int status) {
  pending_write *pending = mc_container_of(request, pending_write, request);
  stream *s = pending->stream;
  mc_buf_deinit(&pending->bytes);
  free(pending);
  if (status != 0 && !s->closing && !reading_will_tell(status))
    fail(s, "writing failed", status);
}

/* What the kernel does not take at once is handed to libuv with its memory. Errors are left to libuv as well: it
 * reports them from the loop. */
static void stream_write(mc_transport *transport, mc_buf *bytes) {
  stream *s = mc_container_of(transport, stream, transport);
  uv_buf_t rest = {.base = bytes->data, .len = bytes->size};
  int written = uv_try_write(&s->u.stream, &rest, 1);
  if (written >= 0 && (size_t)written == bytes->size) {
    mc_buf_clear(bytes);
    return;
  }
  if (written > 0) {
    rest.base += written;
    rest.len -= (size_t)written;
  }
  pending_write *pending = mc_alloc(sizeof *pending);
  pending->stream = s;
  pending->bytes = *bytes;
  *bytes = (mc_buf){0};
  int status = uv_write(&pending->request, &s->u.stream, &rest, 1, on_written);
  if (status == 0)
    return;
  mc_buf_deinit(&pending->bytes);
  free(pending);
  fail_soon(s, "writing failed", status);
}

/* ---- failing and closing ---- */

/* what NULL: s->why says it already. */
static void say_why(stream *s, const char *what, int status) {
  if (what)
    snprintf(s->why, sizeof s->why, "%s%s%s", what, status ? ": " : "", status ? uv_strerror(status) : "");
}

static void report_failure(stream *s) {
  if (s->failed || s->closing)
    return;
  s->failed = true;
  s->transport.events.on_failed(s->transport.events.arg, s->why);
}

static void on_fail_soon(uv_timer_t *timer) {
  report_failure(timer->data);
}

static void fail(stream *s, const char *what, int status) {
  say_why(s, what, status);
  report_failure(s);
}

static void fail_soon(stream *s, const char *what, int status) {
  say_why(s, what, status);
  uv_timer_start(&s->timer, on_fail_soon, 0, 0);
}

void mc_transport_stream_fail_soon(mc_transport *transport, const char *why) {
  fail_soon(mc_container_of(transport, stream, transport), why, 0);
}

static const char *stream_missing(const mc_transport *transport) {
  (void)transport;
  return "no connection";
}

static void on_handle_closed(uv_handle_t *handle) {
  stream *s = handle->data;
  s->handle_open = false;
  finish(s);
}

static void on_timer_closed(uv_handle_t *handle) {
  stream *s = handle->data;
  s->timer_open = false;
  finish(s);
}

static void stream_close(mc_transport *transport, void (*on_closed)(void *arg), void *arg) {
  stream *s = mc_container_of(transport, stream, transport);
  s->closing = true;
  s->on_closed = on_closed;
  s->on_closed_arg = arg;
  uv_close((uv_handle_t *)&s->timer, on_timer_closed);
  if (s->handle_open && !uv_is_closing(&s->u.handle))
    uv_close(&s->u.handle, on_handle_closed);
  if (s->looking_up)
    uv_cancel((uv_req_t *)&s->lookup);
}

static void finish(stream *s) {
  if (s->timer_open || s->handle_open || s->looking_up)
    return;
  uv_freeaddrinfo(s->addresses);
  free(s->path);
  if (s->on_closed)
    s->on_closed(s->on_closed_arg);
  free(s);
}
