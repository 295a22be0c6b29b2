/* Log lines about folds: see fold_log.h. */
#include "supervisor/fold_log.h"

#include "base/log.h"
#include "supervisor/fold_settle.h"

static void log_begin(const mc_fold *fold, mc_log_level level, const char *event) {
  mc_log_begin(level, event);
  mc_log_slice("queue", fold->queue);
  mc_log_slice("group", fold->group);
  mc_log_int("tasks", (int64_t)fold->ids.count);
}

void mc_fold_log_folded(const mc_fold *fold, const char *detail) {
  log_begin(fold, MC_LOG_INFO, "group folded");
  mc_log_slice("type", fold->task.type);
  mc_log_slice("task_id", fold->task.id);
  mc_log_float("duration_ms", (double)fold->duration_us / 1000);
  mc_log_text("detail", detail);
  mc_log_end();
}

void mc_fold_log_refused(const mc_fold *fold) {
  log_begin(fold, MC_LOG_WARN, "fold refused");
  mc_log_text("detail",
              "the set was taken from us meanwhile (its deadline passed); its tasks are in their group again");
  mc_log_end();
}

void mc_fold_log_failed(const mc_fold *fold, mc_slice trace) {
  log_begin(fold, MC_LOG_ERROR, "group fold failed");
  mc_log_slice("error", mc_buf_slice(&fold->error));
  mc_log_int("failures", (int64_t)fold->failures + 1);
  mc_log_int("next_try", mc_fold_next_try_s(fold));
  if (trace.size)
    mc_log_slice("trace", trace);
  mc_log_end();
}

void mc_fold_log_left(const mc_fold *fold, mc_slice why) {
  log_begin(fold, MC_LOG_ERROR, "group set left");
  mc_log_slice("detail", why);
  mc_log_text("then", "its tasks go back to their group when the set's deadline has passed");
  mc_log_end();
}

void mc_fold_log_unfit(const mc_fold *fold) {
  log_begin(fold, MC_LOG_WARN, "tasks of a group cannot be folded");
  mc_log_int("unfit", (int64_t)fold->alone_count);
  mc_log_text("detail", "their messages or payloads are not what they should be; each is dealt with alone");
  mc_log_end();
}

void mc_fold_log_late(uint64_t number) {
  mc_log_begin(MC_LOG_WARN, "fold refused");
  mc_log_int("attempt", (int64_t)number);
  mc_log_text("detail", "it is no longer in hand");
  mc_log_end();
}
