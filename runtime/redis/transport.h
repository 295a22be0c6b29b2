/* The seam under a connection: how bytes reach Redis. One implementation per way: transport_stream.c for tcp and unix
 * sockets, transport_tls.c for TLS above it. A connection owns its transport and makes a new one for every attempt.
 *
 * libuv writes with plain write(2): the program has to see to it that SIGPIPE does not end it.
 */
#ifndef MC_REDIS_TRANSPORT_H
#define MC_REDIS_TRANSPORT_H

#include "base/buf.h"
#include "redis/url.h"

#include <uv.h>

typedef struct mc_transport mc_transport;

typedef struct mc_transport_events {
  void (*on_open)(void *arg);
  void (*on_data)(void *arg, const char *bytes, size_t size);
  void (*on_failed)(void *arg,
                    const char *why); /* could not open, broke, or the other side closed; once, the last event */
  void *arg;
} mc_transport_events;

typedef struct mc_transport_ops {
  void (*write)(mc_transport *transport, mc_buf *bytes); /* takes the bytes; leaves the buffer empty and usable */
  void (*close)(mc_transport *transport, void (*on_closed)(void *arg),
                void *arg);                              /* no event after this; frees itself */
  const char *(*missing)(const mc_transport *transport); /* what has not come about, while it opens: for people */
} mc_transport_ops;

struct mc_transport {
  const mc_transport_ops *ops;
  mc_transport_events events;
};

/* Begin to open. Errors, also immediate ones, come through on_failed from the loop. The url is borrowed until the
 * transport has closed. */
mc_transport *mc_transport_open_stream(uv_loop_t *loop, const mc_redis_url *url, const mc_transport_events *events);
mc_transport *mc_transport_open_tls(uv_loop_t *loop, const mc_redis_url *url, const mc_transport_events *events);

/* For a transport above a stream: has on_failed run from the loop, for this reason. */
void mc_transport_stream_fail_soon(mc_transport *stream, const char *why);

#endif
