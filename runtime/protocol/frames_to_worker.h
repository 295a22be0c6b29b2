/* What the supervisor says to a worker: see frames.h. */
#ifndef MC_PROTOCOL_FRAMES_TO_WORKER_H
#define MC_PROTOCOL_FRAMES_TO_WORKER_H

#include "base/buf.h"
#include "base/slice.h"
#include "protocol/frame.h"
#include "protocol/message.h"

typedef struct mc_frame_settings {
  mc_slice scripts; /* folder */
  uint32_t worker;  /* number of this worker, for its log lines */
  uint32_t concurrency;
  uint32_t load_timeout_ms; /* until READY, from the start of the process */
  mc_slice log_level, log_format;
  mc_slice lua_path; /* MOONCREW_LUA_PATH; empty: the compiled-in modules */
} mc_frame_settings;

typedef struct mc_frame_task {
  uint64_t attempt;
  mc_slice id, type, queue, payload;
  int32_t retried, max_retry;
  int64_t timeout_ms;       /* from the handler's start; 0: none */
  int64_t deadline_ms;      /* unix ms; 0: none */
  const mc_header *headers; /* encode: borrowed; decode: allocated, the caller frees */
  size_t header_count;
} mc_frame_task;

typedef struct mc_frame_attempt { /* CANCEL */
  uint64_t attempt;
} mc_frame_attempt;

typedef struct mc_frame_enqueued { /* the answer to one ENQUEUE */
  uint64_t request;
  int32_t code;         /* 0 or MC_E… */
  mc_slice id;          /* the task's id */
  mc_slice message;     /* for people, when code is not 0 */
  int64_t process_at_s; /* 0 unless scheduled */
} mc_frame_enqueued;

typedef struct mc_frame_fold_task {
  mc_slice id, type, payload;
  const mc_header *headers;
  size_t header_count;
} mc_frame_fold_task;

typedef struct mc_frame_fold {
  uint64_t attempt;             /* numbered like tasks' attempts; CANCEL and DRAIN mean folds too */
  mc_slice rule_queue, pattern; /* which rule folds: the two name it, as in mc_frame_group_rule */
  mc_slice queue, group;
  int64_t timeout_ms;              /* from the function's start; 0: none */
  const mc_frame_fold_task *tasks; /* encode: borrowed; decode: allocated, see mc_frame_fold_free */
  size_t count;
} mc_frame_fold;

typedef struct mc_frame_token { /* PING and PONG */
  uint64_t token;
} mc_frame_token;

void mc_frame_settings_encode(mc_buf *out, const mc_frame_settings *settings);
int mc_frame_settings_decode(mc_slice body, mc_frame_settings *out);
void mc_frame_task_encode(mc_buf *out, const mc_frame_task *task);
int mc_frame_task_decode(mc_slice body, mc_frame_task *out);
void mc_frame_cancel_encode(mc_buf *out, const mc_frame_attempt *cancel);
int mc_frame_cancel_decode(mc_slice body, mc_frame_attempt *out);
void mc_frame_drain_encode(mc_buf *out); /* no body: hand back what was not started */
void mc_frame_enqueued_encode(mc_buf *out, const mc_frame_enqueued *enqueued);
int mc_frame_enqueued_decode(mc_slice body, mc_frame_enqueued *out);
void mc_frame_fold_encode(mc_buf *out, const mc_frame_fold *fold);
int mc_frame_fold_decode(mc_slice body, mc_frame_fold *out);
void mc_frame_fold_free(mc_frame_fold *fold); /* what decoding allocated */
void mc_frame_token_encode(mc_buf *out, mc_frame_type type, const mc_frame_token *token);
int mc_frame_token_decode(mc_slice body, mc_frame_token *out);

#endif
