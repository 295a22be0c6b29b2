/* The inside of a connection, for the files that together are one: conn.c (life), greeting.c (first commands),
 * flow.c (commands out, replies in), script.c (scripts).
 */
#ifndef MC_REDIS_CONN_STATE_H
#define MC_REDIS_CONN_STATE_H

#include "redis/command.h"
#include "redis/conn.h"
#include "redis/reply.h"
#include "redis/requests.h"
#include "redis/subscriptions.h"
#include "redis/transport.h"

typedef enum mc_conn_phase {
  MC_CONN_NEW,
  MC_CONN_CONNECTING,
  MC_CONN_GREETING,
  MC_CONN_READY,
  MC_CONN_WAITING, /* lost; the next attempt is set */
  MC_CONN_CLOSING,
} mc_conn_phase;

typedef mc_transport *(*mc_transport_open_fn)(uv_loop_t *loop, const mc_redis_url *url,
                                              const mc_transport_events *events);

struct mc_conn {
  uv_loop_t *loop;
  mc_redis_url url;
  mc_conn_options options; /* defaults filled in; name is ours */
  mc_conn_phase phase;

  mc_transport_open_fn open_transport;
  mc_transport *transport; /* NULL while there is none */
  int open_handles;        /* the three below, and transports that are closing: the memory goes with the last */
  uv_timer_t timer;        /* one for all: the phase says what it waits for */
  uv_prepare_t turn_end;   /* active while out holds something: flushes before the loop waits */
  uv_idle_t stay_awake;    /* active with it: see flow.c */
  uint64_t due_at_ms;      /* when the timer has something to do; it may fire earlier, as the loop's clock can lag */

  mc_buf out; /* commands of this loop turn */
  mc_command command;
  mc_args words; /* scratch for commands written out as words */
  mc_requests waiting;
  mc_replies *replies;
  mc_subscriptions subscriptions;

  uint64_t answered;        /* commands, since the connection was made */
  uint64_t overdue_at;      /* 1 + answered when the oldest command was first found overdue; 0: it was not */
  unsigned failed_attempts; /* in a row: decides the back-off */
  uint64_t ready_at_ms;

  void (*on_closed)(void *arg);
  void *on_closed_arg;
};

/* ---- conn.c ---- */

/* Ends the present attempt or connection for this reason, and sets the next attempt. */
void mc_conn_lose(mc_conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mc_conn_become_ready(mc_conn *conn);

/* Has the timer look again at that time. */
void mc_conn_wake_at(mc_conn *conn, uint64_t due_at_ms);

/* ---- greeting.c ---- */

/* Sends the first commands; ends in mc_conn_become_ready or mc_conn_lose. */
void mc_conn_greet(mc_conn *conn);

/* ---- flow.c ---- */

/* Sends in any phase that has a transport: the words of head, then those of args (may be NULL). */
void mc_conn_submit(mc_conn *conn, const mc_slice *head, size_t head_count, const mc_args *args, mc_reply_fn fn,
                    void *arg);
void mc_conn_receive(mc_conn *conn, const char *bytes, size_t size);

/* Runs the callbacks of all waiting commands with MC_ECLOSED, and forgets what was not written yet. */
void mc_conn_drop_waiting(mc_conn *conn);

/* The oldest command may be overdue: lose the connection, or have the timer look again. */
void mc_conn_check_overdue(mc_conn *conn);

/* The callbacks of the two handles of a loop turn. */
void mc_conn_on_turn_end(uv_prepare_t *handle);
void mc_conn_on_idle(uv_idle_t *handle);

#endif
