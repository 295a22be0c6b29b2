/* What Redis refused: see refusal.h. */
#include "supervisor/refusal.h"

#include "base/log.h"

static const char *const names[] = {
    [MC_REFUSED_DEQUEUE] = "dequeue",
    [MC_REFUSED_FORWARD] = "forward",
    [MC_REFUSED_EXTEND] = "extend leases",
    [MC_REFUSED_RECOVER] = "recover",
    [MC_REFUSED_HEARTBEAT] = "heartbeat",
    [MC_REFUSED_JANITOR] = "delete what expired",
    [MC_REFUSED_DISCOVER] = "list queues",
    [MC_REFUSED_CRON] = "enqueue cron tick",
    [MC_REFUSED_CRON_TELL] = "list cron entries",
    [MC_REFUSED_AGGREGATE] = "aggregate",
    [MC_REFUSED_RECLAIM] = "reclaim aggregation sets",
};

static void log_change(mc_refusal what, mc_slice queue, const mc_value *reply) {
  mc_log_begin(reply ? MC_LOG_ERROR : MC_LOG_INFO, reply ? "redis refuses" : "redis grants again");
  mc_log_text("operation", names[what]);
  if (queue.size)
    mc_log_slice("queue", queue);
  if (reply)
    mc_log_slice("detail", reply->text);
  mc_log_end();
}

bool mc_granted(mc_refusal what, unsigned *said, mc_slice queue, const mc_value *reply) {
  unsigned bit = 1u << what;
  bool refused = reply->kind == MC_VALUE_ERROR;
  if (refused != ((*said & bit) != 0)) {
    *said ^= bit;
    log_change(what, queue, refused ? reply : NULL);
  }
  return !refused;
}
