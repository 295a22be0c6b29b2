/* One frame between supervisor and worker, whatever is in it: its head, and how a stream of bytes is cut into frames.
 * frames.h says which there are.
 */
#ifndef MC_PROTOCOL_FRAME_H
#define MC_PROTOCOL_FRAME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

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

/* Begins a frame, whose body is appended next; gives its offset, for mc_frame_end, which fills in the size. */
size_t mc_frame_begin(mc_buf *out, mc_frame_type type);
void mc_frame_end(mc_buf *out, size_t start);

#endif
