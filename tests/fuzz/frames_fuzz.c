/* Fuzzes the frames between supervisor and worker: the reader, fed in pieces, and every decoder. What a decoder accepts
 * must encode to the very same bytes. Built with libFuzzer (clang -fsanitize=fuzzer). */
#include "protocol/frames.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_same(mc_buf *out, mc_slice body) {
  mc_slice encoded = {out->data + MC_FRAME_HEAD_SIZE, out->size - MC_FRAME_HEAD_SIZE};
  if (!mc_slice_equal(encoded, body))
    abort();
}

#define ROUND_TRIP(name, struct_type)                                                                                  \
  static void try_##name(mc_slice body, mc_buf *out) {                                                                 \
    struct_type frame;                                                                                                 \
    if (mc_frame_##name##_decode(body, &frame))                                                                        \
      return;                                                                                                          \
    mc_frame_##name##_encode(out, &frame);                                                                             \
    expect_same(out, body);                                                                                            \
    release(frame);                                                                                                    \
  }

#define release(frame) (void)frame
ROUND_TRIP(settings, mc_frame_settings)
ROUND_TRIP(cancel, mc_frame_attempt)
ROUND_TRIP(enqueued, mc_frame_enqueued)
ROUND_TRIP(load_failed, mc_frame_load_failed)
ROUND_TRIP(result, mc_frame_result)
ROUND_TRIP(progress, mc_frame_progress)
#undef release
#define release(frame) free((void *)frame.headers)
ROUND_TRIP(task, mc_frame_task)
#undef release
#define release(frame) free((void *)frame.options.headers)
ROUND_TRIP(enqueue, mc_frame_enqueue)
#undef release
#define release(frame) mc_frame_ready_free(&frame)
ROUND_TRIP(ready, mc_frame_ready)
#undef release
#define release(frame) mc_frame_fold_free(&frame)
ROUND_TRIP(fold, mc_frame_fold)
#undef release
#define release(frame) mc_frame_folded_free(&frame)
ROUND_TRIP(folded, mc_frame_folded)

static void try_token(mc_slice body, mc_buf *out) {
  mc_frame_token token;
  if (mc_frame_token_decode(body, &token))
    return;
  mc_frame_token_encode(out, MC_FRAME_PING, &token);
  expect_same(out, body);
}

static void (*const decoders[])(mc_slice body, mc_buf *out) = {
    [MC_FRAME_SETTINGS] = try_settings, [MC_FRAME_TASK] = try_task,       [MC_FRAME_CANCEL] = try_cancel,
    [MC_FRAME_ENQUEUED] = try_enqueued, [MC_FRAME_PING] = try_token,      [MC_FRAME_READY] = try_ready,
    [MC_FRAME_RESULT] = try_result,     [MC_FRAME_ENQUEUE] = try_enqueue, [MC_FRAME_LOAD_FAILED] = try_load_failed,
    [MC_FRAME_PONG] = try_token,        [MC_FRAME_FOLD] = try_fold,       [MC_FRAME_FOLDED] = try_folded,
    [MC_FRAME_PROGRESS] = try_progress,
};

static bool read_frames(mc_frame_reader *reader, mc_buf *out) {
  mc_frame frame;
  int rc;
  while ((rc = mc_frame_reader_next(reader, &frame, NULL)) == 1) {
    mc_buf_clear(out);
    if (decoders[frame.type])
      decoders[frame.type](frame.body, out);
  }
  return rc == 0;
}

/* The first byte says how large the pieces are that the rest arrives in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mc_frame_reader reader = {0};
  mc_buf out = {0};
  size_t piece = size ? data[0] + 1u : 1;
  for (size_t at = 1; at < size; at += piece) {
    mc_frame_reader_feed(&reader, (const char *)data + at, size - at < piece ? size - at : piece);
    if (!read_frames(&reader, &out))
      break;
  }
  mc_frame_reader_deinit(&reader);
  mc_buf_deinit(&out);
  return 0;
}
