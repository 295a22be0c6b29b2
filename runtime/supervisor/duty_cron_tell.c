/* Cron entries for asynq's tools: see duty_cron_tell.h. */
#include "supervisor/duty_cron_tell.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/keys.h"
#include "supervisor/node.h"
#include "supervisor/refusal.h"

#define TTL_S 20
#define EVENTS_MAX 1000

static void on_told(void *arg, int status, const mc_value *reply) {
  mc_node *node = arg;
  if (status == 0)
    mc_granted(MC_REFUSED_CRON_TELL, &node->crons.refused, (mc_slice){0}, reply);
}

static void transmit(mc_node *node, mc_args *args, mc_reply_fn fn) {
  mc_conn_send(node->link.commands, args, fn, node);
  mc_args_clear(args);
}

static void begin(mc_args *args, const char *command, void (*key)(mc_buf *, mc_slice), mc_slice name) {
  mc_args_add_text(args, command);
  key(&args->bytes, name);
  mc_args_end(args);
}

static void add_item(mc_args *args, const mc_cron_item *item, int64_t now_s) {
  int64_t next_s = 0;
  mc_cron_next(&item->cron, now_s, &next_s);
  mc_cron_entry_encode(&item->entry, item->id, next_s, item->enqueued_s, &args->bytes);
  mc_args_end(args);
}

/* In one transaction, so that nobody finds the list half made. */
void mc_duty_cron_tell(mc_node *node) {
  mc_slice server = mc_node_server(node);
  mc_args args = {0};
  if (node->crons.count == 0) {
    mc_cron_tell_clear(node);
    return;
  }
  mc_conn_send_words(node->link.commands, NULL, NULL, "MULTI", NULL);
  begin(&args, "DEL", mc_key_scheduler_entries, server);
  transmit(node, &args, NULL);
  begin(&args, "RPUSH", mc_key_scheduler_entries, server);
  MC_LIST_EACH(link, &node->crons.items) {
    const mc_cron_item *item = mc_container_of(link, mc_cron_item, link);
    if (!item->leaving)
      add_item(&args, item, mc_clock_wall_s());
  }
  transmit(node, &args, NULL);
  begin(&args, "EXPIRE", mc_key_scheduler_entries, server);
  mc_args_add_int(&args, TTL_S);
  transmit(node, &args, NULL);
  mc_conn_send_words(node->link.commands, on_told, node, "EXEC", NULL);
  mc_args_add_text(&args, "ZADD");
  mc_args_add_text(&args, MC_KEY_SCHEDULERS);
  mc_args_add_int(&args, mc_clock_wall_s() + TTL_S);
  mc_key_scheduler_entries(&args.bytes, server);
  mc_args_end(&args);
  transmit(node, &args, on_told);
  mc_args_deinit(&args);
  node->crons.told = true;
}

void mc_cron_tell_clear(mc_node *node) {
  mc_slice server = mc_node_server(node);
  mc_args args = {0};
  if (!node->crons.told || !node->link.up)
    return;
  mc_args_add_text(&args, "ZREM");
  mc_args_add_text(&args, MC_KEY_SCHEDULERS);
  mc_key_scheduler_entries(&args.bytes, server);
  mc_args_end(&args);
  transmit(node, &args, NULL);
  begin(&args, "DEL", mc_key_scheduler_entries, server);
  transmit(node, &args, NULL);
  mc_args_deinit(&args);
  node->crons.told = false;
}

void mc_cron_tell_event(mc_node *node, mc_slice entry, mc_slice task_id, int64_t lasts_s) {
  mc_args args = {0};
  begin(&args, "ZADD", mc_key_scheduler_history, entry);
  mc_args_add_int(&args, mc_clock_wall_s());
  mc_cron_event_encode(task_id, mc_clock_wall_ns(), &args.bytes);
  mc_args_end(&args);
  transmit(node, &args, on_told);
  begin(&args, "ZREMRANGEBYRANK", mc_key_scheduler_history, entry);
  mc_args_add_int(&args, 0);
  mc_args_add_int(&args, -EVENTS_MAX - 1);
  transmit(node, &args, NULL);
  begin(&args, "EXPIRE", mc_key_scheduler_history, entry);
  mc_args_add_int(&args, lasts_s);
  transmit(node, &args, NULL);
  mc_args_deinit(&args);
}
