/* Discovery: see duty_discover.h. */
#include "supervisor/duty_discover.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "protocol/inspect.h"
#include "protocol/keys.h"
#include "supervisor/node.h"
#include "supervisor/refusal.h"

#include <stdlib.h>

static void log_queue(const char *event, mc_slice name) {
  mc_log_begin(MC_LOG_INFO, event);
  mc_log_slice("queue", name);
  mc_log_end();
}

/* Such a name cannot be told to other tools: their decoders refuse the whole message. */
static void log_odd(mc_discovery *discovery) {
  if (discovery->said_odd)
    return;
  discovery->said_odd = true;
  mc_log_event(MC_LOG_WARN, "queue not served", "a name in " MC_KEY_QUEUES " is empty, or no valid UTF-8");
}

static void see(mc_node *node, const mc_value *item) {
  if (item->kind != MC_VALUE_STRING || item->text.size == 0 || !mc_utf8_clean(item->text)) {
    log_odd(&node->discovery);
    return;
  }
  mc_queue *queue = mc_queues_find(&node->queues, item->text);
  if (!queue) {
    queue = mc_queues_add(&node->queues, item->text);
    if (queue)
      log_queue("queue found", queue->name);
  }
  if (queue)
    queue->listed = node->discovery.look;
}

/* ---- queues that are not in the set any more ---- */

/* A producer of asynq puts a queue's name there once in its life. If that is taken out while tasks come in, they would
 * wait for ever, so whoever still serves the queue puts it back. */
struct probe {
  mc_node *node;
  mc_queue *queue;
};

static void let_go(mc_node *node, mc_queue *queue) {
  mc_slice name = {mc_strndup(queue->name.data, queue->name.size), queue->name.size};
  if (mc_queues_remove(&node->queues, queue))
    log_queue("queue gone", name);
  free((char *)name.data);
}

static void log_kept(mc_slice name) {
  mc_log_begin(MC_LOG_WARN, "queue kept");
  mc_log_slice("queue", name);
  mc_log_text("detail", "its name was taken out of " MC_KEY_QUEUES " while it has tasks, and is there again");
  mc_log_end();
}

static void put_back(const mc_node *node, const mc_queue *queue) {
  mc_args args = {0};
  mc_args_add_text(&args, "SADD");
  mc_args_add_text(&args, MC_KEY_QUEUES);
  mc_args_add(&args, queue->name);
  if (mc_conn_send(node->link.commands, &args, NULL, NULL) == 0)
    log_kept(queue->name);
  mc_args_deinit(&args);
}

static void on_probed(void *arg, int status, const mc_value *reply) {
  struct probe probe = *(struct probe *)arg;
  mc_discovery *discovery = &probe.node->discovery;
  int64_t filled = 0;
  free(arg);
  probe.queue->calls--;
  if (status || !mc_granted(MC_REFUSED_DISCOVER, &probe.node->duties.refused, probe.queue->name, reply) ||
      mc_value_integer(reply, &filled))
    return; /* served on; the next look asks again */
  if (filled)
    put_back(probe.node, probe.queue);
  else if (probe.queue->listed != discovery->look)
    let_go(probe.node, probe.queue);
}

static void probe(mc_node *node, mc_queue *queue) {
  struct probe *sent = mc_alloc(sizeof *sent);
  mc_args args = {0};
  *sent = (struct probe){node, queue};
  mc_queue_filled(&args, queue->name);
  if (mc_conn_send(node->link.commands, &args, on_probed, sent) == 0)
    queue->calls++;
  else
    free(sent);
  mc_args_deinit(&args);
}

static void probe_unlisted(mc_node *node) {
  for (size_t i = 0; i < node->queues.count; i++) {
    mc_queue *queue = node->queues.items[i];
    if (queue->listed != node->discovery.look && !queue->named)
      probe(node, queue);
  }
}

/* ---- the look ---- */

static void on_names(void *arg, int status, const mc_value *reply) {
  mc_node *node = arg;
  mc_discovery *discovery = &node->discovery;
  discovery->asking = false;
  if (status || !mc_granted(MC_REFUSED_DISCOVER, &node->duties.refused, (mc_slice){0}, reply) ||
      reply->kind != MC_VALUE_ARRAY)
    return;
  discovery->look++;
  for (size_t i = 0; i < reply->count; i++)
    see(node, reply->items[i]);
  probe_unlisted(node);
  if (discovery->again)
    mc_duty_discover(node);
}

void mc_duty_discover(mc_node *node) {
  mc_discovery *discovery = &node->discovery;
  if (!node->queues.patterns || !node->link.up)
    return;
  discovery->again = discovery->asking;
  if (discovery->asking)
    return;
  if (node->link.tracking)
    mc_conn_send_words(node->link.commands, NULL, NULL, "CLIENT", "CACHING", "YES", NULL);
  discovery->asking = mc_conn_send_words(node->link.commands, on_names, node, "SMEMBERS", MC_KEY_QUEUES, NULL) == 0;
}
