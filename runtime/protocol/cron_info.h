/* What schedulers tell about their cron entries and what these enqueued: SchedulerEntry and SchedulerEnqueueEvent, read
 * as asynq's inspector reads them.
 */
#ifndef MC_PROTOCOL_CRON_INFO_H
#define MC_PROTOCOL_CRON_INFO_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

typedef struct mc_cron_info {
  mc_slice id, spec, type, payload;
  const mc_slice *options; /* as Go prints them: MaxRetry(3), Queue("low") … */
  size_t option_count;
  int64_t next_ns, prev_ns; /* 0: none */
} mc_cron_info;

typedef struct mc_cron_event_info {
  mc_slice task_id;
  int64_t at_ns;
} mc_cron_event_info;

/* Decoded ones own what their slices point into: the caller frees the box. */
typedef struct mc_cron_info_box {
  mc_cron_info info;
  void *wire, *options;
} mc_cron_info_box;

typedef struct mc_cron_event_info_box {
  mc_cron_event_info info;
  void *wire;
} mc_cron_event_info_box;

/* 0, or MC_EMALFORMED with the reason: not protobuf, or text that is not UTF-8 or holds NUL. */
int mc_cron_info_decode(mc_slice bytes, mc_cron_info_box *out, mc_err *err);
void mc_cron_info_free(mc_cron_info_box *box);
int mc_cron_event_info_decode(mc_slice bytes, mc_cron_event_info_box *out, mc_err *err);
void mc_cron_event_info_free(mc_cron_event_info_box *box);

#endif
