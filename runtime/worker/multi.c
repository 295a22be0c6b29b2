/* libcurl on libuv: see multi.h. */
#include "worker/multi.h"

#include "base/mem.h"

#include <stdlib.h>

#define MAX_IDLE_CONNECTIONS 1024L /* as many as a worker may have tasks at a time, in practice */

struct mc_multi {
  CURLM *multi;
  uv_loop_t *loop;
  uv_timer_t timer;
  mc_multi_done on_done;
  mc_multi_socket on_socket;
  size_t sockets;
};

typedef struct watch {
  uv_poll_t poll;
  mc_multi *multi;
  curl_socket_t socket;
} watch;

static void finish_transfers(mc_multi *multi) {
  CURLMsg *message;
  for (int left; (message = mc_curl.multi_info_read(multi->multi, &left));) {
    if (message->msg != CURLMSG_DONE)
      continue;
    multi->on_done(message->easy_handle, message->data.result); /* the message goes when the transfer is removed */
  }
}

static void act(mc_multi *multi, curl_socket_t socket, int events) {
  int running;
  mc_curl.multi_socket_action(multi->multi, socket, events, &running);
  finish_transfers(multi);
}

/* ---- sockets ---- */

static void on_poll(uv_poll_t *poll, int status, int events) {
  watch *self = mc_container_of(poll, watch, poll);
  int seen = status < 0 ? CURL_CSELECT_ERR : 0;
  if (events & UV_READABLE)
    seen |= CURL_CSELECT_IN;
  if (events & UV_WRITABLE)
    seen |= CURL_CSELECT_OUT;
  act(self->multi, self->socket, seen); /* may close this watch */
}

static void on_watch_closed(uv_handle_t *handle) {
  free(mc_container_of((uv_poll_t *)handle, watch, poll));
}

static watch *watch_new(mc_multi *multi, curl_socket_t socket) {
  watch *self = mc_zalloc(sizeof *self);
  self->multi = multi;
  self->socket = socket;
  if (uv_poll_init(multi->loop, &self->poll, socket)) {
    free(self);
    return NULL;
  }
  multi->sockets++;
  mc_curl.multi_assign(multi->multi, socket, self);
  return self;
}

/* Curl closes the socket right after this; libuv lets go of it before uv_close returns. */
static void watch_close(watch *self) {
  self->multi->sockets--;
  mc_curl.multi_assign(self->multi->multi, self->socket, NULL);
  uv_close((uv_handle_t *)&self->poll, on_watch_closed);
}

static int on_socket_wanted(CURL *easy, curl_socket_t socket, int what, void *arg, void *socket_arg) {
  mc_multi *multi = arg;
  watch *self = socket_arg;
  multi->on_socket(easy, socket, what != CURL_POLL_REMOVE);
  if (what == CURL_POLL_REMOVE) {
    if (self)
      watch_close(self);
    return 0;
  }
  if (!self && !(self = watch_new(multi, socket)))
    return -1;
  int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
  return uv_poll_start(&self->poll, events, on_poll) ? -1 : 0;
}

/* ---- the timer ---- */

static void on_timer(uv_timer_t *timer) {
  act(mc_container_of(timer, mc_multi, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout_wanted(CURLM *curl_multi, long timeout_ms, void *arg) {
  mc_multi *multi = arg;
  (void)curl_multi;
  if (timeout_ms < 0) {
    uv_timer_stop(&multi->timer);
    return 0;
  }
  uv_update_time(multi->loop); /* a handler may have computed for long since the turn began */
  return uv_timer_start(&multi->timer, on_timer, (uint64_t)timeout_ms, 0) ? -1 : 0;
}

/* ---- its life ---- */

int mc_multi_open(uv_loop_t *loop, mc_multi_done on_done, mc_multi_socket on_socket, mc_multi **out, mc_err *err) {
  int rc = mc_curl_load(err);
  if (rc)
    return rc;
  mc_multi *multi = mc_zalloc(sizeof *multi);
  multi->loop = loop;
  multi->on_done = on_done;
  multi->on_socket = on_socket;
  multi->multi = mc_curl.multi_init();
  if (!multi->multi) {
    free(multi);
    return mc_fail(err, MC_ENO_MEMORY, "libcurl has no memory");
  }
  uv_timer_init(loop, &multi->timer);
  mc_curl.multi_setopt(multi->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
  mc_curl.multi_setopt(multi->multi, CURLMOPT_SOCKETDATA, multi);
  mc_curl.multi_setopt(multi->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
  mc_curl.multi_setopt(multi->multi, CURLMOPT_TIMERDATA, multi);
  mc_curl.multi_setopt(multi->multi, CURLMOPT_MAXCONNECTS, MAX_IDLE_CONNECTIONS);
  *out = multi;
  return 0;
}

static void on_multi_closed(uv_handle_t *handle) {
  free(mc_container_of((uv_timer_t *)handle, mc_multi, timer));
}

void mc_multi_close(mc_multi *multi) {
  mc_curl.multi_cleanup(multi->multi); /* closes the watches */
  uv_close((uv_handle_t *)&multi->timer, on_multi_closed);
}

int mc_multi_add(mc_multi *multi, CURL *easy, mc_err *err) {
  CURLMcode code = mc_curl.multi_add_handle(multi->multi, easy);
  return code ? mc_fail(err, MC_EINTERNAL, "libcurl: %s", mc_curl.multi_strerror(code)) : 0;
}

void mc_multi_remove(mc_multi *multi, CURL *easy) {
  mc_curl.multi_remove_handle(multi->multi, easy);
}

size_t mc_multi_sockets(const mc_multi *multi) {
  return multi->sockets;
}
