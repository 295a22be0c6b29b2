/* Heartbeat: see duty_heartbeat.h. Both keys are rewritten in one transaction, so that an observer never finds a live
 * server without its workers hash. Keys live for two beats.
 */
#include "supervisor/duty_heartbeat.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/server_info.h"
#include "supervisor/node.h"
#include "supervisor/refusal.h"
#include "supervisor/status.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define TTL_S 10
#define PAYLOAD_MAX 4096 /* larger payloads are left out: they would be sent again at every beat */

static const char *status(const mc_node *node) {
  return mc_shutdown_fetching(node) ? "active" : "stopped";
}

static void encode_server(const mc_node *node, mc_buf *out) {
  mc_queue_weight *queues = mc_zalloc((node->queues.count + 1) * sizeof *queues);
  for (size_t i = 0; i < node->queues.count; i++)
    queues[i] = (mc_queue_weight){node->queues.items[i]->name, node->queues.items[i]->weight};
  mc_server_info info = {
      .host = mc_slice_of(node->host),
      .server_id = mc_slice_of(node->uuid),
      .pid = getpid(),
      .concurrency = (int32_t)mc_pool_concurrency(&node->pool),
      .active_workers = (int32_t)node->held.count,
      .queues = queues,
      .queue_count = node->queues.count,
      .strict = mc_queues_strict(&node->queues),
      .status = mc_slice_of(status(node)),
      .started_ns = node->started_ns,
  };
  mc_server_info_encode(&info, out);
  free(queues);
}

/* When its handler started, by the shared page; what has not started counts from now. */
static int64_t started_ns(const mc_held *held) {
  uint64_t now_ms = mc_clock_mono_ms();
  const mc_page *page = held->worker ? held->worker->page : NULL;
  int64_t concurrency = page ? held->worker->config->concurrency : 0;
  for (int64_t i = 0; i < concurrency; i++)
    if (atomic_load(&page->slots[i].attempt) == held->attempt)
      return mc_clock_wall_ns() - (int64_t)(now_ms - atomic_load(&page->slots[i].started_ms)) * 1000000;
  return mc_clock_wall_ns();
}

static int64_t deadline_ns(const mc_message *message, int64_t start_ns) {
  int64_t by_timeout = message->timeout_s > 0 ? start_ns + mc_clock_clamp_s(message->timeout_s) * 1000000000 : 0;
  int64_t by_deadline = mc_clock_clamp_s(message->deadline_s) * 1000000000;
  if (by_timeout && by_deadline)
    return by_timeout < by_deadline ? by_timeout : by_deadline;
  return by_timeout ? by_timeout : by_deadline;
}

static void add_worker_info(const mc_node *node, const mc_held *held, mc_args *hset) {
  const mc_message *message = &held->box.message;
  int64_t start_ns = started_ns(held);
  mc_worker_info info = {
      .host = mc_slice_of(node->host),
      .server_id = mc_slice_of(node->uuid),
      .task_id = message->id,
      .type = message->type,
      .payload = message->payload.size <= PAYLOAD_MAX ? message->payload : (mc_slice){0},
      .queue = held->queue->name,
      .pid = getpid(),
      .started_ns = start_ns,
      .deadline_ns = deadline_ns(message, start_ns),
  };
  mc_args_add(hset, message->id);
  mc_worker_info_encode(&info, &hset->bytes);
  mc_args_end(hset);
}

static void transmit(mc_node *node, mc_args *args) {
  mc_conn_send(node->link.commands, args, NULL, NULL); /* an error shows in the reply of EXEC */
  mc_args_clear(args);
}

static void add_key(mc_args *args, void (*key)(mc_buf *, mc_slice), mc_slice server) {
  key(&args->bytes, server);
  mc_args_end(args);
}

static void send_workers(mc_node *node, mc_args *args) {
  mc_slice server = mc_node_server(node);
  mc_held *held, *next;
  mc_args_add_text(args, "DEL");
  add_key(args, mc_key_server_workers, server);
  transmit(node, args);
  if (node->held.count == 0)
    return;
  mc_args_add_text(args, "HSET");
  add_key(args, mc_key_server_workers, server);
  HASH_ITER(hh, node->held.by_attempt, held, next) {
    add_worker_info(node, held, args);
  }
  transmit(node, args);
  mc_args_add_text(args, "EXPIRE");
  add_key(args, mc_key_server_workers, server);
  mc_args_add_int(args, TTL_S);
  transmit(node, args);
}

static void register_key(mc_node *node, mc_args *args, const char *index, void (*key)(mc_buf *, mc_slice)) {
  mc_args_add_text(args, "ZADD");
  mc_args_add_text(args, index);
  mc_args_add_int(args, mc_clock_wall_s() + TTL_S);
  add_key(args, key, mc_node_server(node));
  transmit(node, args);
}

static void on_beat(void *arg, int status, const mc_value *reply) {
  mc_node *node = arg;
  if (status == 0)
    mc_granted(MC_REFUSED_HEARTBEAT, &node->duties.refused, (mc_slice){0}, reply);
}

void mc_duty_heartbeat(mc_node *node) {
  mc_args args = {0};
  mc_conn_send_words(node->link.commands, NULL, NULL, "MULTI", NULL);
  mc_args_add_text(&args, "SET");
  add_key(&args, mc_key_server, mc_node_server(node));
  encode_server(node, &args.bytes);
  mc_args_end(&args);
  mc_args_add_text(&args, "EX");
  mc_args_add_int(&args, TTL_S);
  transmit(node, &args);
  send_workers(node, &args);
  mc_conn_send_words(node->link.commands, on_beat, node, "EXEC", NULL);
  register_key(node, &args, MC_KEY_SERVERS, mc_key_server);
  register_key(node, &args, MC_KEY_WORKERS, mc_key_server_workers);
  mc_args_deinit(&args);
  mc_status_tell(node);
}

static void remove_key(mc_node *node, mc_args *args, const char *index, void (*key)(mc_buf *, mc_slice)) {
  mc_args_add_text(args, "DEL");
  add_key(args, key, mc_node_server(node));
  transmit(node, args);
  mc_args_add_text(args, "ZREM");
  mc_args_add_text(args, index);
  add_key(args, key, mc_node_server(node));
  transmit(node, args);
}

void mc_heartbeat_clear(mc_node *node) {
  mc_args args = {0};
  if (!node->link.up)
    return;
  remove_key(node, &args, MC_KEY_SERVERS, mc_key_server);
  remove_key(node, &args, MC_KEY_WORKERS, mc_key_server_workers);
  mc_status_clear(node);
  mc_args_deinit(&args);
}
