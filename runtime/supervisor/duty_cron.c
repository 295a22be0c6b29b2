/* Cron ticks: see duty_cron.h. */
#include "supervisor/duty_cron.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "protocol/keys.h"
#include "supervisor/duty_cron_tell.h"
#include "supervisor/node.h"
#include "supervisor/refusal.h"

#include <stdlib.h>

static void step(mc_cron_item *item);

static mc_slice queue_of(const mc_cron_item *item) {
  return item->entry.options.queue.size ? item->entry.options.queue : mc_slice_of(MC_DEFAULT_QUEUE);
}

/* How long the record is to last: until the tick after this one, and then some. */
static int64_t record_lasts_s(const mc_cron_item *item, int64_t tick_s) {
  int64_t next_s;
  bool known = mc_cron_next(&item->cron, tick_s, &next_s);
  return MC_CRON_RECORD_S + (known ? next_s - tick_s : 0);
}

static void log_item(mc_log_level level, const char *event, const mc_cron_item *item, int64_t tick_s) {
  mc_log_begin(level, event);
  mc_log_slice("entry", item->id);
  mc_log_slice("type", item->entry.options.type);
  mc_log_slice("queue", queue_of(item));
  mc_log_int("tick", tick_s);
}

static void log_skipped(mc_cron_item *item) {
  if (item->plan.skipped_s == 0)
    return;
  log_item(MC_LOG_WARN, "missed cron ticks", item, item->plan.skipped_s);
  mc_log_slice("source", item->entry.source);
  mc_log_text("detail", "up to this one they are passed over: this node could not enqueue them within 30 s");
  mc_log_end();
  item->plan.skipped_s = 0;
}

/* ---- ticks ---- */

static const struct {
  mc_log_level level;
  const char *event, *detail;
} outcomes[] = {
    [MC_CRON_ENQUEUED - MC_CRON_TOO_LATE] = {MC_LOG_INFO, "enqueued cron tick", NULL},
    [MC_CRON_TAKEN - MC_CRON_TOO_LATE] = {MC_LOG_DEBUG, "cron tick taken by another node", NULL},
    [MC_CRON_DUPLICATE - MC_CRON_TOO_LATE] = {MC_LOG_WARN, "cron tick without a task",
                                              "the uniqueness lock is held: the task before it is not done yet"},
    [MC_CRON_CONFLICT -
        MC_CRON_TOO_LATE] = {MC_LOG_WARN, "cron tick without a task", "a task with the entry's task_id exists"},
    [MC_CRON_TOO_LATE - MC_CRON_TOO_LATE] = {MC_LOG_WARN, "cron tick came too late",
                                             "a later one was dealt with long ago, and whether this one was enqueued "
                                             "cannot be told any more; is the clock of this host, or of Redis, right?"},
};

static void log_outcome(const mc_cron_item *item, mc_cron_answer answer) {
  bool missed = answer == MC_CRON_TOO_LATE && item->asked_late; /* it was only a try */
  log_item(missed ? MC_LOG_DEBUG : outcomes[answer - MC_CRON_TOO_LATE].level, outcomes[answer - MC_CRON_TOO_LATE].event,
           item, item->task_s);
  if (answer == MC_CRON_ENQUEUED)
    mc_log_slice("task_id", item->task.id);
  mc_log_text("detail", outcomes[answer - MC_CRON_TOO_LATE].detail);
  mc_log_end();
}

static void settle_tick(mc_cron_item *item, mc_cron_answer answer) {
  log_outcome(item, answer);
  if (answer == MC_CRON_ENQUEUED)
    mc_cron_tell_event(item->node, item->id, item->task.id, record_lasts_s(item, item->task_s));
  if ((answer == MC_CRON_ENQUEUED || answer == MC_CRON_TAKEN) && item->task_s > item->enqueued_s)
    item->enqueued_s = item->task_s;
  mc_cron_plan_done(&item->plan, item->task_s);
  mc_enqueue_deinit(&item->task);
  item->task_s = 0;
}

static void on_ticked(void *arg, int status, const mc_value *reply) {
  mc_cron_item *item = arg;
  mc_cron_answer answer;
  mc_err err;
  item->asking = false;
  if (status || !mc_granted(MC_REFUSED_CRON, &item->refused, queue_of(item), reply))
    return;
  if (mc_cron_answer_read(reply, &item->task, &answer, &err)) {
    mc_log_event(MC_LOG_ERROR, "malformed reply", "%s", err.text);
    return;
  }
  settle_tick(item, answer);
  step(item);
}

/* The task of a tick; kept when it is made already. */
static int prepare(mc_cron_item *item, const mc_cron_tick *tick) {
  mc_err err;
  mc_enqueue_options options = item->entry.options;
  if (item->task_s == tick->at_s)
    return 0;
  mc_enqueue_deinit(&item->task);
  item->task_s = tick->at_s;
  if (item->entry.process_in_ms > 0)
    options.process_at_ms = tick->at_s * 1000 + item->entry.process_in_ms;
  int rc = mc_enqueue_init(&item->task, &options, mc_clock_wall_ms(), &err);
  if (rc) {
    log_item(MC_LOG_ERROR, "cron tick without a task", item, tick->at_s);
    mc_log_slice("source", item->entry.source);
    mc_log_text("detail", err.text);
    mc_log_end();
    item->task_s = 0;
    mc_cron_plan_done(&item->plan, tick->at_s);
  }
  return rc;
}

static void attempt(mc_cron_item *item, const mc_cron_tick *tick) {
  mc_conn *commands = item->node->link.commands;
  mc_call call = {0};
  mc_args add = {0};
  mc_args_add_text(&add, "SADD");
  mc_args_add_text(&add, MC_KEY_QUEUES);
  mc_args_add(&add, item->task.queue);
  mc_conn_send(commands, &add, NULL, NULL);
  mc_args_deinit(&add);
  item->asked_late = tick->missed;
  mc_call_cron_tick(&call, item->id, tick, &item->task, record_lasts_s(item, tick->at_s), mc_clock_wall_ns());
  item->asking = mc_conn_call(commands, &call, on_ticked, item) == 0;
}

/* ---- the record ---- */

static void on_opened(void *arg, int status, const mc_value *reply) {
  mc_cron_item *item = arg;
  mc_cron_record record;
  mc_err err;
  item->asking = false;
  if (status || !mc_granted(MC_REFUSED_CRON, &item->refused, queue_of(item), reply))
    return;
  if (mc_cron_record_read(reply, &record, &err)) {
    mc_log_event(MC_LOG_ERROR, "malformed reply", "%s", err.text);
    return;
  }
  int64_t now_s = mc_clock_wall_s();
  item->opened = true;
  item->enqueued_s = record.enqueued_s;
  /* Ticks up to the newest are in good hands; but a clock that is ahead of ours must not make us skip any. */
  mc_cron_plan_done(&item->plan, record.newest_s < now_s ? record.newest_s : now_s);
  step(item);
}

static void open_record(mc_cron_item *item) {
  mc_call call = {0};
  int64_t now_s = mc_clock_wall_s();
  mc_call_cron_open(&call, queue_of(item), item->id, now_s, record_lasts_s(item, now_s));
  item->asking = mc_conn_call(item->node->link.commands, &call, on_opened, item) == 0;
}

/* ---- one entry, one step ---- */

static void step(mc_cron_item *item) {
  mc_cron_tick tick;
  if (item->asking || !item->node->link.up || mc_shutdown_started(item->node))
    return;
  if (!item->opened && !item->leaving) {
    open_record(item);
    return;
  }
  while (!item->asking && item->opened && mc_cron_plan_due(&item->plan, mc_clock_wall_s(), &tick)) {
    if (prepare(item, &tick))
      continue;
    attempt(item, &tick);
    if (!item->asking)
      return; /* not sent: the next second tries again */
  }
  log_skipped(item);
}

static bool is_over(mc_cron_item *item) {
  mc_cron_tick tick;
  return !item->opened || !mc_cron_plan_due(&item->plan, mc_clock_wall_s(), &tick);
}

void mc_duty_cron(mc_node *node) {
  MC_LIST_EACH(link, &node->crons.items) {
    mc_cron_item *item = mc_container_of(link, mc_cron_item, link);
    step(item);
    if (item->leaving && !item->asking && is_over(item))
      mc_crons_drop(item);
  }
}
