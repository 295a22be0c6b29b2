/* Commands out, replies in: see conn_state.h.
 *
 * Commands gather in one buffer. A prepare handle, which runs right before the loop waits for events, hands it to the
 * transport: one write per loop turn. A command that is sent by another prepare handle after ours ran would lie there
 * until something else wakes the loop; so an idle handle is active as long as there is something to flush, and the loop
 * does not wait. The flush stops both, so in all other cases the idle handle never has its turn.
 */
#include <inttypes.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/mem.h"
#include "redis/conn_state.h"

static void submit(mc_conn *conn, const mc_slice *head, size_t head_count, const mc_args *args,
                   const mc_request *request);
static void expect_reply(mc_conn *conn, const mc_request *request);
static void handle_reply(mc_conn *conn, const mc_value *reply);
static void lose_unasked(mc_conn *conn, const mc_value *reply);

bool mc_conn_is_ready(const mc_conn *conn) {
  return conn->phase == MC_CONN_READY;
}

size_t mc_conn_waiting(const mc_conn *conn) {
  return conn->waiting.count;
}

int mc_conn_send(mc_conn *conn, const mc_args *args, mc_reply_fn fn, void *arg) {
  if (conn->phase != MC_CONN_READY)
    return MC_EUNAVAILABLE;
  mc_request request = {.fn = fn, .arg = arg};
  if (args->count)
    request.confirmations = mc_subscriptions_expected(mc_args_at(args, 0), args->count - 1);
  submit(conn, NULL, 0, args, &request);
  return 0;
}

int mc_conn_send_words(mc_conn *conn, mc_reply_fn fn, void *arg, ...) {
  va_list list;
  mc_args_clear(&conn->words);
  va_start(list, arg);
  for (const char *word = va_arg(list, const char *); word; word = va_arg(list, const char *))
    mc_args_add_text(&conn->words, word);
  va_end(list);
  return mc_conn_send(conn, &conn->words, fn, arg);
}

void mc_conn_submit(mc_conn *conn, const mc_slice *head, size_t head_count, const mc_args *args, mc_reply_fn fn,
                    void *arg) {
  submit(conn, head, head_count, args, &(mc_request){.fn = fn, .arg = arg});
}

void mc_conn_flush(mc_conn *conn) {
  if (conn->phase == MC_CONN_CLOSING)
    return;
  uv_prepare_stop(&conn->turn_end);
  uv_idle_stop(&conn->stay_awake);
  if (conn->transport && conn->out.size)
    conn->transport->ops->write(conn->transport, &conn->out);
}

static void receive(mc_conn *conn, const char *bytes, size_t size) {
  const mc_transport *transport = conn->transport;
  const mc_value *reply;
  mc_err err;
  if (mc_replies_feed(conn->replies, bytes, size, &err) != 0) {
    mc_conn_lose(conn, "%s", err.text);
    return;
  }
  while (conn->transport == transport) { /* callbacks may close the connection */
    if (mc_replies_next(conn->replies, &reply, &err) != 0) {
      mc_conn_lose(conn, "%s", err.text);
      return;
    }
    if (!reply)
      return;
    handle_reply(conn, reply);
  }
}

void mc_conn_receive(mc_conn *conn, const char *bytes, size_t size) {
  void (*on_read)(void *arg, bool begins) = conn->options.on_read;
  if (on_read)
    on_read(conn->options.arg, true);
  receive(conn, bytes, size);
  if (on_read)
    on_read(conn->options.arg, false);
}

void mc_conn_drop_waiting(mc_conn *conn) {
  mc_buf_clear(&conn->out);
  while (conn->waiting.count) {
    mc_request request = mc_requests_pop(&conn->waiting);
    if (request.fn)
      request.fn(request.arg, MC_ECLOSED, NULL);
  }
}

/* A process that was stopped for a while finds its timer due before it has read what arrived meanwhile. So an overdue
 * command is given one more turn of the loop, in which replies are read. */
void mc_conn_check_overdue(mc_conn *conn) {
  const mc_request *oldest = mc_requests_first(&conn->waiting);
  if (!oldest)
    return;
  uint64_t now = mc_clock_mono_ms(), due = oldest->sent_at_ms + conn->options.command_timeout_ms;
  if (now < due) {
    mc_conn_wake_at(conn, due);
  } else if (conn->overdue_at != conn->answered + 1) {
    conn->overdue_at = conn->answered + 1;
    mc_conn_wake_at(conn, now + 1);
  } else {
    mc_conn_lose(conn, "no answer to a command within %" PRIu64 " ms", conn->options.command_timeout_ms);
  }
}

void mc_conn_on_turn_end(uv_prepare_t *handle) {
  mc_conn_flush(mc_container_of(handle, mc_conn, turn_end));
}

void mc_conn_on_idle(uv_idle_t *handle) {
  (void)handle; /* that it is active is all it does */
}

static void submit(mc_conn *conn, const mc_slice *head, size_t head_count, const mc_args *args,
                   const mc_request *request) {
  if (conn->out.size == 0) {
    uv_prepare_start(&conn->turn_end, mc_conn_on_turn_end);
    uv_idle_start(&conn->stay_awake, mc_conn_on_idle);
  }
  mc_command_write(&conn->command, head, head_count, args, &conn->out);
  expect_reply(conn, request);
}

static void expect_reply(mc_conn *conn, const mc_request *request) {
  mc_request sent = *request;
  sent.sent_at_ms = mc_clock_mono_ms();
  mc_requests_push(&conn->waiting, &sent);
  if (conn->phase == MC_CONN_READY && !uv_is_active((uv_handle_t *)&conn->timer))
    mc_conn_wake_at(conn, sent.sent_at_ms + conn->options.command_timeout_ms);
}

static void handle_reply(mc_conn *conn, const mc_value *reply) {
  mc_request *first = mc_requests_first(&conn->waiting);
  if (mc_subscriptions_is_push(&conn->subscriptions, first, reply)) {
    if (conn->options.on_push)
      conn->options.on_push(conn->options.arg, reply);
    return;
  }
  if (!first) {
    lose_unasked(conn, reply);
    return;
  }
  if (first->confirmations && !mc_subscriptions_confirm(&conn->subscriptions, first, reply))
    return;
  mc_request request = mc_requests_pop(&conn->waiting);
  conn->answered++;
  if (request.fn)
    request.fn(request.arg, 0, reply);
}

/* Redis says by such an error why it is about to hang up. */
static void lose_unasked(mc_conn *conn, const mc_value *reply) {
  if (reply->kind == MC_VALUE_ERROR)
    mc_conn_lose(conn, "the server said: %.*s", MC_SLICE_PRINT(reply->text));
  else
    mc_conn_lose(conn, "the server sent a reply that answers no command");
}
