/* What workers say: see worker_frames.h. */
#include "supervisor/worker_frames.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/node.h"
#include "supervisor/outcome.h"
#include "supervisor/status.h"

#include <stdlib.h>

typedef int frame_fn(mc_worker *worker, mc_slice body);

static int on_ready(mc_worker *worker, mc_slice body) {
  mc_frame_ready ready;
  if (mc_frame_ready_decode(body, &ready))
    return MC_EMALFORMED;
  worker->ready_ms = mc_clock_mono_ms();
  if (worker->state == MC_WORKER_STARTING)
    worker->state = MC_WORKER_SERVING;
  mc_log_begin(MC_LOG_INFO, "worker ready");
  mc_worker_log(worker);
  mc_log_int("pid", worker->process.pid);
  mc_log_int("types", (int64_t)ready.count);
  mc_log_int("cron", (int64_t)ready.cron_count);
  mc_log_end();
  mc_manifest_take(worker, body, &ready);
  mc_frame_ready_free(&ready);
  if (mc_reload_awaits(worker)) {
    mc_reload_on_ready(worker);
    return 0;
  }
  mc_reload_first_ready(worker->node);
  mc_status_tell(worker->node);
  mc_manifest_agree(worker->node);
  return 0;
}

static int on_load_failed(mc_worker *worker, mc_slice body) {
  mc_frame_load_failed failed;
  if (mc_frame_load_failed_decode(body, &failed))
    return MC_EMALFORMED;
  worker->load_failed = true;
  if (worker->killed_to_stop) /* a neighbour was refused before, and the log says why */
    return 0;
  if (mc_reload_awaits(worker)) {
    mc_reload_refuse(worker->node, failed.message);
    return 0;
  }
  mc_reload_first_failed(worker->node, failed.message);
  mc_log_begin(MC_LOG_ERROR, "scripts do not load");
  mc_worker_log(worker);
  mc_log_slice("detail", failed.message);
  mc_log_end();
  return 0;
}

static int on_result(mc_worker *worker, mc_slice body) {
  mc_frame_result result;
  if (mc_frame_result_decode(body, &result))
    return MC_EMALFORMED;
  if (!mc_folds_fail(worker->node, &result))
    mc_outcome_take(worker->node, &result);
  return 0;
}

static int on_enqueue(mc_worker *worker, mc_slice body) {
  mc_frame_enqueue request;
  if (mc_frame_enqueue_decode(body, &request))
    return MC_EMALFORMED;
  mc_outbox_add(worker->node, worker, &request);
  free((void *)request.options.headers);
  return 0;
}

static int on_progress(mc_worker *worker, mc_slice body) {
  mc_frame_progress progress;
  if (mc_frame_progress_decode(body, &progress))
    return MC_EMALFORMED;
  mc_progress_take(worker, &progress);
  return 0;
}

static int on_folded(mc_worker *worker, mc_slice body) {
  mc_frame_folded folded;
  if (mc_frame_folded_decode(body, &folded))
    return MC_EMALFORMED;
  mc_folds_end(worker->node, &folded);
  mc_frame_folded_free(&folded);
  return 0;
}

static frame_fn *const frames[] = {
    [MC_FRAME_READY] = on_ready,       [MC_FRAME_LOAD_FAILED] = on_load_failed, [MC_FRAME_RESULT] = on_result,
    [MC_FRAME_ENQUEUE] = on_enqueue,   [MC_FRAME_FOLDED] = on_folded,           [MC_FRAME_PONG] = mc_pulse_answered,
    [MC_FRAME_PROGRESS] = on_progress,
};

void mc_worker_on_frame(void *arg, const mc_frame *frame) {
  mc_worker *worker = arg;
  frame_fn *handle = (size_t)frame->type < MC_COUNT(frames) ? frames[frame->type] : NULL;
  if (handle && handle(worker, frame->body) == 0)
    return;
  mc_log_event(MC_LOG_ERROR, "worker sent a malformed frame", "worker %u is killed: frame of type %d", worker->index,
               (int)frame->type);
  mc_worker_kill(worker);
}
