/* A talk over a connection of libcurl: see dialogue.h. */
#include "worker/dialogue.h"

#include "base/mem.h"

#include <stdlib.h>

#define PIECE 65536 /* bytes that are sent in one turn of the loop */
#define HEARD 4096  /* bytes that are heard at a time */

struct mc_dialogue {
  CURL *easy;
  uv_poll_t poll;
  uv_timer_t limit;
  int open_handles;
  mc_slice unsent;
  mc_dialogue_fn fn; /* NULL: no exchange is under way */
  void *arg;
  char heard[HEARD];
};

static void on_closed(uv_handle_t *handle) {
  mc_dialogue *self = handle->data;
  if (--self->open_handles == 0)
    free(self);
}

int mc_dialogue_open(uv_loop_t *loop, mc_transfer *transfer, mc_dialogue **out, mc_err *err) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  mc_curl.easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &socket);
  mc_dialogue *self = mc_zalloc(sizeof *self);
  self->easy = transfer->easy;
  if (socket == CURL_SOCKET_BAD || uv_poll_init(loop, &self->poll, socket)) {
    free(self);
    return mc_fail(err, MC_EUNAVAILABLE, "the connection was lost");
  }
  uv_timer_init(loop, &self->limit);
  self->poll.data = self->limit.data = self;
  self->open_handles = 2;
  *out = self;
  return 0;
}

static void finish(mc_dialogue *self, CURLcode result, mc_slice heard) {
  mc_dialogue_fn fn = self->fn;
  self->fn = NULL;
  uv_poll_stop(&self->poll);
  uv_timer_stop(&self->limit);
  fn(self->arg, result, heard); /* it may have closed us */
}

static void on_limit(uv_timer_t *limit) {
  finish(limit->data, CURLE_OPERATION_TIMEDOUT, (mc_slice){0});
}

/* What curl's TLS layer holds is not seen by a poll, so it is asked before each wait. failure: why sending failed, told
 * when there are no words about it. */
static CURLcode hear(mc_dialogue *self, CURLcode failure) {
  size_t size = 0;
  CURLcode result = mc_curl.easy_recv(self->easy, self->heard, sizeof self->heard, &size);
  if (result == CURLE_OK && size > 0)
    finish(self, CURLE_OK, (mc_slice){self->heard, size});
  else if (failure || result != CURLE_AGAIN)
    finish(self, failure ? failure : result ? result : CURLE_GOT_NOTHING, (mc_slice){0});
  return result;
}

static CURLcode say(mc_dialogue *self) {
  size_t size = 0, piece = self->unsent.size < PIECE ? self->unsent.size : PIECE;
  CURLcode result = mc_curl.easy_send(self->easy, self->unsent.data, piece, &size);
  self->unsent.data += size;
  self->unsent.size -= size;
  return result;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  mc_dialogue *self = poll->data;
  (void)status; /* curl finds the same */
  (void)events;
  if (self->unsent.size > 0) {
    CURLcode result = say(self);
    if (result && result != CURLE_AGAIN)
      hear(self, result);
  } else if (hear(self, CURLE_OK) == CURLE_AGAIN) {
    uv_poll_start(poll, UV_READABLE, on_poll);
  }
}

void mc_dialogue_exchange(mc_dialogue *self, mc_slice bytes, uint64_t timeout_ms, mc_dialogue_fn fn, void *arg) {
  self->unsent = bytes;
  self->fn = fn;
  self->arg = arg;
  uv_poll_start(&self->poll, UV_WRITABLE, on_poll);
  if (timeout_ms > 0) {
    uv_update_time(self->limit.loop); /* a handler may have computed for long since the turn began */
    uv_timer_start(&self->limit, on_limit, timeout_ms, 0);
  }
}

void mc_dialogue_close(mc_dialogue *self, mc_slice last_words) {
  if (last_words.size > 0) {
    self->unsent = last_words;
    say(self);
  }
  uv_close((uv_handle_t *)&self->poll, on_closed);
  uv_close((uv_handle_t *)&self->limit, on_closed);
}
