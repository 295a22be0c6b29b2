/* The end of a node's own redis-server: see own_redis.h. */
#include "supervisor/own_redis.h"

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/node.h"

#include <sys/pidfd.h>
#include <unistd.h>

static void on_ended(uv_poll_t *poll, int status, int events) {
  mc_node *node = mc_container_of(poll, mc_node, own_redis.poll);
  (void)status;
  (void)events;
  uv_poll_stop(poll);
  mc_log_event(MC_LOG_ERROR, "the private redis-server has ended",
               "mooncrew dev cannot go on without it; .mooncrew/redis.log may say why");
  mc_shutdown_fail(node);
}

void mc_own_redis_open(mc_node *node, pid_t pid) {
  mc_own_redis *own = &node->own_redis;
  own->fd = pid ? pidfd_open(pid, 0) : -1;
  if (own->fd < 0)
    return;
  own->watched = uv_poll_init(&node->loop, &own->poll, own->fd) == 0;
  if (own->watched)
    uv_poll_start(&own->poll, UV_READABLE, on_ended);
  else
    close(own->fd);
}

void mc_own_redis_close(mc_node *node) {
  mc_own_redis *own = &node->own_redis;
  if (!own->watched)
    return;
  own->watched = false;
  uv_close((uv_handle_t *)&own->poll, NULL); /* from here on it does not look at the descriptor */
  close(own->fd);
}
