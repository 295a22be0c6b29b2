/* Frames, whatever is in them: see frame.h. */
#include "protocol/frame.h"

#include "protocol/frame_fields.h"

#define COMPACT_AT_BYTES 65536 /* what was read is moved away once so much of it has gathered */
#define KEEP_BYTES (1u << 20)  /* a larger buffer gives its memory back once it is empty */

size_t mc_frame_begin(mc_buf *out, mc_frame_type type) {
  size_t start = out->size;
  mc_put_u32(out, 0);
  mc_buf_add(out, (char[]){MC_FRAME_VERSION, (char)type, 0, 0}, 4);
  return start;
}

void mc_frame_end(mc_buf *out, size_t start) {
  uint32_t size = (uint32_t)(out->size - start - MC_FRAME_HEAD_SIZE);
  for (int i = 0; i < 4; i++)
    out->data[start + (size_t)i] = (char)(size >> (8 * i));
}

/* ---- the reader ---- */

static bool type_known(int type) {
  return (type >= MC_FRAME_SETTINGS && type <= MC_FRAME_FOLD) || (type >= MC_FRAME_READY && type <= MC_FRAME_PROGRESS);
}

void mc_frame_reader_feed(mc_frame_reader *reader, const char *bytes, size_t size) {
  if (reader->at == reader->bytes.size || reader->at >= COMPACT_AT_BYTES) {
    mc_buf_consume(&reader->bytes, reader->at);
    reader->at = 0;
    if (reader->bytes.size == 0 && reader->bytes.capacity > KEEP_BYTES)
      mc_buf_deinit(&reader->bytes);
  }
  mc_buf_add(&reader->bytes, bytes, size);
}

int mc_frame_reader_next(mc_frame_reader *reader, mc_frame *out, mc_err *err) {
  size_t left = reader->bytes.size - reader->at;
  if (left < MC_FRAME_HEAD_SIZE)
    return 0;
  const unsigned char *head = (const unsigned char *)reader->bytes.data + reader->at;
  mc_cursor first = mc_cursor_over((mc_slice){(const char *)head, MC_FRAME_HEAD_SIZE});
  uint32_t size = mc_read_u32(&first);
  int version = head[4], type = head[5];
  if (version != MC_FRAME_VERSION)
    return mc_fail(err, MC_EMALFORMED, "a frame of version %d where %d is spoken: both ends must be the same binary",
                   version, MC_FRAME_VERSION);
  if (size > MC_FRAME_MAX_BODY || !type_known(type) || head[6] || head[7])
    return mc_fail(err, MC_EMALFORMED, "a malformed frame: type %d, %u bytes", type, size);
  if (left - MC_FRAME_HEAD_SIZE < size)
    return 0;
  *out = (mc_frame){(mc_frame_type)type, {(const char *)head + MC_FRAME_HEAD_SIZE, size}};
  reader->at += MC_FRAME_HEAD_SIZE + size;
  return 1;
}

void mc_frame_reader_deinit(mc_frame_reader *reader) {
  mc_buf_deinit(&reader->bytes);
  reader->at = 0;
}
