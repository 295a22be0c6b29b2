/* From what a handler did to what is written: see outcome.h. */
#include "supervisor/outcome.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/utf8.h"
#include "protocol/backoff.h"
#include "supervisor/cancel.h"
#include "supervisor/node.h"

#define ERROR_MAX_SIZE 4096 /* bytes of an error text kept in Redis */
#define CRASH_MAX_SIZE 1024 /* bytes of the reason of a crash, likewise */

/* Rounded up: a task never runs early. */
static int64_t seconds_from_now(int64_t delay_ms) {
  return (mc_clock_wall_ms() + delay_ms + 999) / 1000;
}

static void set_text(mc_held *held, mc_slice text) {
  mc_buf_clear(&held->text);
  mc_buf_add_slice(&held->text, text);
}

static void set_error(mc_held *held, mc_slice error) {
  mc_buf_clear(&held->text);
  mc_utf8_sanitize(error, ERROR_MAX_SIZE, &held->text);
}

/* The message as it will stand in Redis. */
static void set_message(mc_held *held, const mc_message *message) {
  mc_buf_clear(&held->message);
  mc_message_encode(message, &held->message);
  held->item.message = mc_buf_slice(&held->message);
}

static mc_message failed_message(const mc_held *held) {
  mc_message message = held->box.message;
  message.error_msg = mc_buf_slice(&held->text);
  message.last_failed_at_s = mc_clock_wall_s();
  return message;
}

static void retry_at(mc_node *node, mc_held *held, int64_t at_s) {
  mc_message message = failed_message(held);
  message.retried++;
  set_message(held, &message);
  held->item.at_s = at_s;
  held->item.counts_failure = true;
  mc_settle_add(node, held, MC_SETTLE_RETRY);
}

void mc_outcome_archive(mc_node *node, mc_held *held, mc_slice reason) {
  set_error(held, reason);
  mc_message message = failed_message(held);
  set_message(held, &message);
  mc_settle_add(node, held, MC_SETTLE_ARCHIVE);
}

void mc_outcome_fail(mc_node *node, mc_held *held, mc_slice error, int64_t delay_ms) {
  const mc_message *message = &held->box.message;
  if (message->retried >= message->max_retry) {
    mc_outcome_archive(node, held, error);
    return;
  }
  set_error(held, error);
  if (delay_ms < 0) /* counted from the second at hand, as asynq does */
    retry_at(node, held, mc_clock_wall_s() + mc_backoff_default_s(message->retried, mc_random_below(30)));
  else
    retry_at(node, held, seconds_from_now(delay_ms));
}

void mc_outcome_requeue(mc_node *node, mc_held *held) {
  mc_settle_add(node, held, MC_SETTLE_REQUEUE);
}

static void add_meaning(mc_buf *text, mc_slice meaning) {
  if (meaning.size)
    mc_buf_add_text(text, ": ");
  mc_buf_add_slice(text, meaning);
}

/* "<unix s> <what>: <meaning>" */
static void set_crash(mc_held *held, const char *what, mc_slice meaning) {
  mc_buf text = {0};
  mc_buf_add_text(&text, what);
  add_meaning(&text, meaning);
  mc_buf_clear(&held->crash);
  mc_buf_printf(&held->crash, "%lld ", (long long)mc_clock_wall_s());
  mc_utf8_sanitize(mc_buf_slice(&text), CRASH_MAX_SIZE, &held->crash);
  mc_buf_deinit(&text);
  held->item.crash = mc_buf_slice(&held->crash);
}

static void archive_crashed(mc_node *node, mc_held *held, uint32_t crashes, const char *what, mc_slice meaning) {
  mc_buf reason = {0};
  mc_buf_printf(&reason, "%s, %u time%s (max_crashes is %lld)", what, crashes, crashes == 1 ? "" : "s",
                (long long)node->config->max_crashes);
  add_meaning(&reason, meaning);
  mc_outcome_archive(node, held, mc_buf_slice(&reason));
  mc_buf_deinit(&reason);
}

void mc_outcome_crash(mc_node *node, mc_held *held, const char *what, mc_slice meaning) {
  uint32_t crashes = held->crashes + 1;
  set_crash(held, what, meaning);
  if ((int64_t)crashes >= node->config->max_crashes) {
    archive_crashed(node, held, crashes, what, meaning);
    return;
  }
  held->item.crashes = crashes;
  mc_settle_add(node, held, MC_SETTLE_REQUEUE);
}

void mc_outcome_bury(mc_node *node, mc_held *held, const char *reason) {
  set_text(held, mc_slice_of(reason));
  held->item.error = mc_buf_slice(&held->text);
  mc_settle_add(node, held, MC_SETTLE_ARCHIVE);
}

void mc_outcome_lose(mc_node *node, mc_held *held, const char *why) {
  if (held->lost)
    return;
  held->lost = true;
  mc_log_begin(MC_LOG_WARN, "task lost");
  mc_log_slice("type", held->box.message.type);
  mc_log_slice("task_id", held->box.message.id);
  mc_log_slice("queue", held->queue->name);
  mc_log_text("detail", why);
  mc_log_end();
  if (held->worker)
    mc_cancel_held(held); /* its result frees the slot */
  else
    mc_held_free(&node->held, held);
}

/* ---- one function per outcome ---- */

typedef void outcome_fn(mc_node *node, mc_held *held, const mc_frame_result *result);

static void complete(mc_node *node, mc_held *held) {
  held->item.unique_key = held->box.message.unique_key;
  mc_settle_add(node, held, MC_SETTLE_COMPLETE);
}

static void on_done(mc_node *node, mc_held *held, const mc_frame_result *result) {
  mc_message message = held->box.message;
  if (message.retention_s <= 0) {
    complete(node, held);
    return;
  }
  message.completed_at_s = mc_clock_wall_s();
  set_message(held, &message);
  set_text(held, result->text);
  held->item.unique_key = message.unique_key;
  held->item.result = mc_buf_slice(&held->text);
  held->item.has_result = result->has_result;
  held->item.at_s = message.completed_at_s + mc_clock_clamp_s(message.retention_s);
  mc_settle_add(node, held, MC_SETTLE_RETAIN);
}

static void on_failed(mc_node *node, mc_held *held, const mc_frame_result *result) {
  mc_outcome_fail(node, held, result->text, result->delay_ms);
}

static void on_cancelled(mc_node *node, mc_held *held, const mc_frame_result *result) {
  if (mc_shutdown_started(node))
    mc_outcome_requeue(node, held);
  else
    on_failed(node, held, result);
}

static void on_skip(mc_node *node, mc_held *held, const mc_frame_result *result) {
  mc_outcome_archive(node, held, result->text);
}

static void on_revoked(mc_node *node, mc_held *held, const mc_frame_result *result) {
  set_error(held, result->text);
  complete(node, held);
}

static void on_snoozed(mc_node *node, mc_held *held, const mc_frame_result *result) {
  held->item.at_s = seconds_from_now(result->delay_ms);
  mc_settle_add(node, held, MC_SETTLE_SNOOZE);
}

static void on_not_started(mc_node *node, mc_held *held, const mc_frame_result *result) {
  (void)result;
  mc_outcome_requeue(node, held);
}

static outcome_fn *const outcomes[] = {
    [MC_OUTCOME_DONE] = on_done,        [MC_OUTCOME_FAILED] = on_failed,
    [MC_OUTCOME_TIMED_OUT] = on_failed, [MC_OUTCOME_CANCELLED] = on_cancelled,
    [MC_OUTCOME_SKIP_RETRY] = on_skip,  [MC_OUTCOME_INVALID] = on_skip,
    [MC_OUTCOME_REVOKED] = on_revoked,  [MC_OUTCOME_SNOOZED] = on_snoozed,
    [MC_OUTCOME_RETRY_IN] = on_failed,  [MC_OUTCOME_NOT_STARTED] = on_not_started,
};

static void log_late(const mc_frame_result *result, const mc_held *held) {
  mc_log_begin(MC_LOG_WARN, "result refused");
  mc_log_int("attempt", (int64_t)result->attempt);
  if (held) {
    mc_log_slice("type", held->box.message.type);
    mc_log_slice("task_id", held->box.message.id);
    mc_log_slice("queue", held->queue->name);
  }
  mc_log_text("detail", "the task is no longer held: its lease was lost or it was put back");
  mc_log_end();
}

void mc_outcome_take(mc_node *node, const mc_frame_result *result) {
  mc_held *held = mc_held_find(&node->held, result->attempt);
  if (!held || held->settling) {
    if (result->outcome != MC_OUTCOME_NOT_STARTED) /* else it was taken back meanwhile (withdraw.h) */
      log_late(result, held);
    return;
  }
  if (held->worker && result->outcome != MC_OUTCOME_NOT_STARTED)
    mc_worker_ended_one(held->worker, result->duration_us);
  mc_held_assign(held, NULL);
  if (held->lost) {
    log_late(result, held);
    mc_held_free(&node->held, held);
    return;
  }
  held->duration_us = result->duration_us;
  held->outcome = result->outcome;
  mc_buf_add_slice(&held->trace, result->trace);
  outcomes[result->outcome](node, held, result);
}
