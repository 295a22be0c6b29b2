/* The task message: what lies in the field `msg` of a task's hash. Fields and numbers are asynq's (task.proto). */
#ifndef MC_PROTOCOL_MESSAGE_H
#define MC_PROTOCOL_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

typedef struct mc_header {
  mc_slice name, value;
} mc_header;

typedef struct mc_message {
  mc_slice type, payload, id, queue;
  int32_t max_retry; /* field 5 `retry` */
  int32_t retried;
  mc_slice error_msg;
  int64_t timeout_s;        /* 0: none */
  int64_t deadline_s;       /* unix; 0: none */
  mc_slice unique_key;      /* the whole Redis key; empty: none */
  int64_t last_failed_at_s; /* unix; 0: never */
  int64_t retention_s;
  int64_t completed_at_s; /* unix; 0: not yet */
  mc_slice group_key;
  const mc_header *headers; /* sorted by name when encoded */
  size_t header_count;
} mc_message;

/* A decoded message that owns what its slices point into. */
typedef struct mc_message_box {
  mc_message message;
  void *memory;
} mc_message_box;

/* Appends the encoded message. Every text field must be clean (mc_utf8_clean); error_msg is sanitised here and
 * cut after 4 KB. */
void mc_message_encode(const mc_message *message, mc_buf *out);

/* 0, or MC_EMALFORMED with the reason: not protobuf, a blank type or id, text that is not UTF-8 or holds NUL (which
 * error_msg alone may), negative counts. Unknown fields are tolerated (and not kept). On success the caller frees the
 * box. */
int mc_message_decode(mc_slice bytes, mc_message_box *out, mc_err *err);
void mc_message_free(mc_message_box *box);

/* Empty, or nothing but ASCII white space: no fit type, id, queue or group. */
bool mc_text_is_blank(mc_slice text);

#endif
