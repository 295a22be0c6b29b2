/* What a worker says to the supervisor: see frames.h. */
#ifndef MC_PROTOCOL_FRAMES_TO_SUPERVISOR_H
#define MC_PROTOCOL_FRAMES_TO_SUPERVISOR_H

#include "base/buf.h"
#include "base/slice.h"
#include "protocol/cron_entry.h"
#include "protocol/enqueue.h"
#include "protocol/frame.h"

/* READY: the manifest: the registered types with the queue each declares, the cron entries, and the rules for groups.
 */
typedef struct mc_frame_manifest_entry {
  mc_slice type, queue; /* queue empty: none declared */
} mc_frame_manifest_entry;

typedef struct mc_frame_group_rule {
  mc_slice queue;               /* empty: any */
  mc_slice pattern;             /* a group's name, or a prefix and "*" */
  int64_t grace_s, max_delay_s; /* max_delay_s 0: none */
  uint32_t max_size;            /* 0: none */
  int64_t timeout_ms;           /* of one fold */
} mc_frame_group_rule;

typedef struct mc_frame_ready {
  const mc_frame_manifest_entry *entries; /* encode: borrowed; decode: allocated, see mc_frame_ready_free */
  size_t count;
  const mc_cron_entry *cron; /* likewise */
  size_t cron_count;
  const mc_frame_group_rule *rules; /* likewise */
  size_t rule_count;
} mc_frame_ready;

typedef struct mc_frame_load_failed {
  mc_slice message; /* names file and line */
} mc_frame_load_failed;

/* How a handler ended. The names are those of the log and of `outcome` in mooncrew.testing. */
typedef enum mc_outcome {
  MC_OUTCOME_DONE = 1,    /* result: has_result, text */
  MC_OUTCOME_FAILED,      /* text: message and place; trace; delay_ms: the task's own retry delay, or -1 */
  MC_OUTCOME_TIMED_OUT,   /* like FAILED */
  MC_OUTCOME_CANCELLED,   /* like FAILED; the supervisor knows whether it asked because it shuts down */
  MC_OUTCOME_SKIP_RETRY,  /* archive now; text: why */
  MC_OUTCOME_INVALID,     /* archive now: the payload does not fit; text: path and reason */
  MC_OUTCOME_REVOKED,     /* drop; text: why */
  MC_OUTCOME_SNOOZED,     /* again in delay_ms, no retry spent */
  MC_OUTCOME_RETRY_IN,    /* failed; again in delay_ms; text: why */
  MC_OUTCOME_NOT_STARTED, /* handed back on DRAIN */
} mc_outcome;

typedef struct mc_frame_result {
  uint64_t attempt;
  mc_outcome outcome;
  bool has_result;
  mc_slice text;        /* the result, or the error or reason */
  mc_slice trace;       /* traceback, for the log */
  int64_t delay_ms;     /* -1: none */
  uint64_t duration_us; /* of the handler */
} mc_frame_result;

typedef struct mc_frame_enqueue {
  uint64_t request;           /* the worker's number for it; comes back in ENQUEUED */
  uint64_t attempt;           /* the task that asks */
  mc_enqueue_options options; /* headers: encode borrowed; decode allocated, the caller frees */
} mc_frame_enqueue;

/* How a fold ended well; one that did not ends with a RESULT: FAILED, TIMED_OUT, CANCELLED or NOT_STARTED. */
typedef struct mc_frame_folded {
  uint64_t attempt;
  uint64_t duration_us;
  const uint64_t *unfit; /* places of tasks whose payload does not fit; then nothing was folded. Decode: allocated */
  size_t unfit_count;
  mc_enqueue_options options; /* the new task. headers: encode borrowed; decode allocated */
} mc_frame_folded;

/* How far a task has come. The worker sends it about once a second for each task at most. */
typedef struct mc_frame_progress {
  uint64_t attempt;
  double fraction; /* 0 … 1 */
  int64_t at_ms;   /* unix ms: when the handler said so */
  bool has_text;
  mc_slice text; /* any bytes */
} mc_frame_progress;

void mc_frame_ready_encode(mc_buf *out, const mc_frame_ready *ready);
int mc_frame_ready_decode(mc_slice body, mc_frame_ready *out);
void mc_frame_ready_free(mc_frame_ready *ready); /* what decoding allocated */
void mc_frame_load_failed_encode(mc_buf *out, const mc_frame_load_failed *failed);
int mc_frame_load_failed_decode(mc_slice body, mc_frame_load_failed *out);
void mc_frame_result_encode(mc_buf *out, const mc_frame_result *result);
int mc_frame_result_decode(mc_slice body, mc_frame_result *out);
void mc_frame_enqueue_encode(mc_buf *out, const mc_frame_enqueue *enqueue);
int mc_frame_enqueue_decode(mc_slice body, mc_frame_enqueue *out);
void mc_frame_folded_encode(mc_buf *out, const mc_frame_folded *folded);
int mc_frame_folded_decode(mc_slice body, mc_frame_folded *out);
void mc_frame_folded_free(mc_frame_folded *folded); /* what decoding allocated */
void mc_frame_progress_encode(mc_buf *out, const mc_frame_progress *progress);
int mc_frame_progress_decode(mc_slice body, mc_frame_progress *out);

#endif
