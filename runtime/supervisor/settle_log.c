/* The log lines at the end of an attempt: see settle_log.h. */
#include "supervisor/settle_log.h"

#include "base/log.h"
#include "supervisor/queue.h"

static const struct event {
  mc_log_level level;
  const char *name;
  const char *reason_key; /* what held->text is; NULL: not logged */
} events[] = {
    [MC_SETTLE_COMPLETE] = {MC_LOG_INFO, "processed task", NULL},
    [MC_SETTLE_RETAIN] = {MC_LOG_INFO, "processed task", NULL},
    [MC_SETTLE_RETRY] = {MC_LOG_WARN, "task failed", "error"},
    [MC_SETTLE_SNOOZE] = {MC_LOG_INFO, "task snoozed", NULL},
    [MC_SETTLE_ARCHIVE] = {MC_LOG_ERROR, "task archived", "error"},
    [MC_SETTLE_REQUEUE] = {MC_LOG_INFO, "task requeued", NULL},
};

static const struct event revoked = {MC_LOG_INFO, "task revoked", "reason"};

static void log_task(const mc_held *held) {
  const mc_message *message = &held->box.message;
  mc_log_slice("type", message->type);
  mc_log_slice("task_id", message->id);
  mc_log_slice("queue", held->queue->name);
  mc_log_int("retried", message->retried);
  if (held->outcome) /* its handler ended by itself */
    mc_log_float("duration_ms", (double)held->duration_us / 1000);
  if (held->worker_index >= 0)
    mc_log_int("worker", held->worker_index);
  if (held->pool && *held->pool)
    mc_log_text("pool", held->pool);
}

void mc_settle_log_done(const mc_held *held, const char *detail) {
  const struct event *event = held->outcome == MC_OUTCOME_REVOKED ? &revoked : &events[held->kind];
  if (!mc_log_enabled(event->level))
    return;
  mc_log_begin(event->level, event->name);
  log_task(held);
  if (held->kind == MC_SETTLE_RETRY || held->kind == MC_SETTLE_SNOOZE)
    mc_log_int("process_at", held->item.at_s);
  if (held->item.crashes)
    mc_log_int("crashes", held->item.crashes);
  if (event->reason_key && held->text.size)
    mc_log_slice(event->reason_key, mc_buf_slice(&held->text));
  mc_log_text("detail", detail);
  if (held->trace.size && held->kind != MC_SETTLE_REQUEUE)
    mc_log_slice("trace", mc_buf_slice(&held->trace));
  mc_log_end();
}

void mc_settle_log_refused(const mc_held *held) {
  mc_log_begin(MC_LOG_WARN, "result refused");
  log_task(held);
  mc_log_text("detail", "the task is no longer ours: its lease was lost and another server has it, or it was removed");
  mc_log_end();
}
