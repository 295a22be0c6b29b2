/* The frames between supervisor and worker, over one socketpair.
 *
 * A frame is an 8-byte head (body size u32, version u8, type u8, two zero bytes) and a body; all numbers little-endian,
 * texts and bytes as u32 size + bytes. Both ends are the same binary, so a version that differs is an error, not a
 * negotiation: raise MC_FRAME_VERSION with every change of a body's layout.
 *
 *   supervisor → worker   SETTINGS (first)  TASK  CANCEL  DRAIN  ENQUEUED  PING  FOLD
 *   worker → supervisor   READY or LOAD_FAILED (first)  RESULT  ENQUEUE  PONG  FOLDED  PROGRESS
 *
 * Encoders append a whole frame to a buffer; decoders read a body and lend slices into it.
 */
#ifndef MC_PROTOCOL_FRAMES_H
#define MC_PROTOCOL_FRAMES_H

#include "base/buf.h"
#include "base/err.h"
#include "protocol/cron_entry.h"
#include "protocol/enqueue.h"
#include "protocol/message.h"

#define MC_FRAME_VERSION 6
#define MC_FRAME_HEAD_SIZE 8
#define MC_FRAME_MAX_BODY (600u << 20) /* above Redis' own limit of 512 MB for a value */

typedef enum mc_frame_type {
  MC_FRAME_SETTINGS = 1,
  MC_FRAME_TASK,
  MC_FRAME_CANCEL,
  MC_FRAME_DRAIN,
  MC_FRAME_ENQUEUED,
  MC_FRAME_PING,
  MC_FRAME_FOLD,
  MC_FRAME_READY = 32,
  MC_FRAME_LOAD_FAILED,
  MC_FRAME_RESULT,
  MC_FRAME_ENQUEUE,
  MC_FRAME_PONG,
  MC_FRAME_FOLDED,
  MC_FRAME_PROGRESS,
} mc_frame_type;

typedef struct mc_frame {
  mc_frame_type type;
  mc_slice body; /* borrowed until the next call on the reader */
} mc_frame;

/* Cuts a byte stream into frames. A zeroed reader is ready. */
typedef struct mc_frame_reader {
  mc_buf bytes;
  size_t at;
} mc_frame_reader;

void mc_frame_reader_feed(mc_frame_reader *reader, const char *bytes, size_t size);
/* 1 and *out: a frame; 0: none whole yet; MC_EMALFORMED: wrong version or size, the stream is of no more use. */
int mc_frame_reader_next(mc_frame_reader *reader, mc_frame *out, mc_err *err);
void mc_frame_reader_deinit(mc_frame_reader *reader);

/* ---- supervisor → worker ---- */

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

/* ---- worker → supervisor ---- */

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

/* ---- the shared page (a memfd, descriptor 4 of the worker) ----
 *
 * The worker writes, the supervisor reads, also after the worker's death. `current` is the attempt whose code is
 * running right now, or for which something that came in is being dealt with (0: none): it alone is blamed when the
 * worker dies. A slot is filled when a handler starts and emptied when its result is queued for the socket; the
 * supervisor reads from it which tasks had started, and which are past their time. Single words, written and read with
 * atomics; times are CLOCK_MONOTONIC milliseconds.
 *
 * `steps` grows with every value of `current` but 0: two looks that find the same attempt and the same number have seen
 * the same piece of its code, which has not come back to the loop between them.
 *
 * `loading` is, until the worker is ready, where its scripts have come to: the place of the file among those of its
 * copy of the scripts (protocol/sources.h), from 1, in the upper half, and the line, 0 when it is not known, in the
 * lower one. 0: no script is at work. So a script that does not come to its end, or ends its worker, is known by name.
 *
 * `peak` and `grown` tell who took the memory of a worker that has too much (worker/growth.h): `peak` is the largest
 * resident set that was measured so far, and a slot's `grown` the part by which its task's code has raised that.
 *
 * Behind the slots each has a place for the error of a handler that has failed, filled before functions of the scripts
 * (crew.on_error, retry functions) hear of it: one that takes the worker with it must not hide what it was called for.
 * Attempts are not used twice, so that nobody needs to clear it; memory is taken where something is written.
 *
 * Two words go the other way, since a worker that runs Lua code for long, or is stuck, reads no frames. `cancelled` of
 * a slot tells the handler in it to stop. `withdrawn` takes back what has not started: the supervisor stores a number
 * there and then looks at `newest`; the worker stores there what it starts and then looks at `withdrawn`. So of an
 * attempt that starts at that very moment at least one of them learns, and none runs twice. The slots would not tell:
 * the result of what is in none may be on its way. */
typedef struct mc_page_slot {
  _Atomic uint64_t attempt; /* 0: free. Written last when filling, first when emptying. */
  _Atomic uint64_t started_ms;
  _Atomic uint64_t deadline_ms; /* 0: none */
  _Atomic uint64_t cancelled;   /* by the supervisor: the attempt that it wants to stop, if that is still here */
  _Atomic uint64_t grown;       /* bytes */
} mc_page_slot;

typedef struct mc_page {
  _Atomic uint64_t current;
  _Atomic uint64_t slot_count;
  _Atomic uint64_t newest;    /* the highest number of an attempt that was ever started */
  _Atomic uint64_t withdrawn; /* by the supervisor: attempts up to this one are not to be started any more */
  _Atomic uint64_t peak;      /* bytes */
  _Atomic uint64_t steps;     /* how often an attempt's code was begun; grows before `current` changes */
  _Atomic uint64_t loading;   /* file << 32 | line */
  mc_page_slot slots[];
} mc_page;

#define MC_PAGE_FAILURE_MAX 488 /* bytes of an error that are kept */

typedef struct mc_page_failure {
  _Atomic uint64_t attempt; /* 0: nothing was ever written here. Written last. */
  _Atomic uint64_t size;
  char text[MC_PAGE_FAILURE_MAX];
} mc_page_failure;

static inline size_t mc_page_size(uint32_t concurrency) {
  return sizeof(mc_page) + concurrency * (sizeof(mc_page_slot) + sizeof(mc_page_failure));
}

static inline mc_page_failure *mc_page_failure_of(mc_page *page, uint32_t concurrency, uint32_t slot) {
  return (mc_page_failure *)(void *)&page->slots[concurrency] + slot;
}

#define MC_WORKER_SOCKET_FD 3
#define MC_WORKER_PAGE_FD 4

/* Exit codes of `mooncrew worker`. */
#define MC_WORKER_EXIT_DONE 0
#define MC_WORKER_EXIT_LOAD_FAILED 78 /* the scripts do not load: not respawned in a loop */
#define MC_WORKER_EXIT_CUT_OFF 79     /* what runs has closed descriptors that the worker needs */

#endif
