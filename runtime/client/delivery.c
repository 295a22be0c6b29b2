/* One task on its way to Redis: see delivery.h. */
#include "client/delivery.h"

#include "base/clock.h"

void mc_delivery_prepare(mc_delivery *out, const mc_enqueue_options *options) {
  mc_err err;
  mc_enqueue task = {0};
  if (mc_enqueue_init(&task, options, mc_clock_wall_ms(), &err))
    mc_delivery_refuse(out, err.text);
  else
    *out = (mc_delivery){.task = task};
}

void mc_delivery_refuse(mc_delivery *out, const char *text) {
  *out = (mc_delivery){.settled = true, .code = MC_EINVALID};
  mc_fail(&out->err, MC_EINVALID, "%s", text);
}

void mc_delivery_settle(mc_delivery *delivery, int code, const char *why, const char *where) {
  const mc_enqueue *task = &delivery->task;
  mc_err *err = &delivery->err;
  delivery->settled = true;
  delivery->code = code;
  switch (code) {
  case 0:
    break;
  case MC_ECONFLICT:
    mc_fail(err, code, "a task with the id \"%.*s\" exists in queue \"%.*s\"", MC_SLICE_PRINT(task->id),
            MC_SLICE_PRINT(task->queue));
    break;
  case MC_EDUPLICATE:
    mc_fail(err, code, "a unique task \"%.*s\" with this payload is waiting or running in queue \"%.*s\"",
            MC_SLICE_PRINT(task->type), MC_SLICE_PRINT(task->queue));
    break;
  case MC_EUNKNOWN:
    mc_fail(err, code, "no answer from Redis at %s: look whether task \"%.*s\" is in queue \"%.*s\"", where,
            MC_SLICE_PRINT(task->id), MC_SLICE_PRINT(task->queue));
    break;
  case MC_ESERVER:
    mc_fail(err, code, "Redis at %s refused the task: %s", where, why);
    break;
  case MC_EMALFORMED:
    mc_fail(err, code, "the answer from %s makes no sense: is that a Redis server?", where);
    break;
  default: /* nothing was sent: why says it all */
    mc_fail(err, code, "%s", why);
  }
}

const char *mc_delivery_state(const mc_delivery *delivery) {
  static const char *const states[] = {
      [MC_ENQUEUE_PENDING] = "pending", [MC_ENQUEUE_SCHEDULED] = "scheduled", [MC_ENQUEUE_GROUP] = "aggregating"};
  return delivery->settled && delivery->code == 0 ? states[delivery->task.kind] : NULL;
}

void mc_delivery_deinit(mc_delivery *delivery) {
  mc_enqueue_deinit(&delivery->task);
}
