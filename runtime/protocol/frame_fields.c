/* What the bodies of frames are made of: see frame_fields.h. */
#include "protocol/frame_fields.h"

#include "base/mem.h"

#include <string.h>

/* ---- out ---- */

void mc_put_u32(mc_buf *out, uint32_t number) {
  char *at = mc_buf_reserve(out, 4);
  for (int i = 0; i < 4; i++)
    at[i] = (char)(number >> (8 * i));
  out->size += 4;
}

void mc_put_u64(mc_buf *out, uint64_t number) {
  mc_put_u32(out, (uint32_t)number);
  mc_put_u32(out, (uint32_t)(number >> 32));
}

void mc_put_double(mc_buf *out, double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  mc_put_u64(out, bits);
}

void mc_put_slice(mc_buf *out, mc_slice slice) {
  mc_put_u32(out, (uint32_t)slice.size);
  mc_buf_add_slice(out, slice);
}

void mc_put_headers(mc_buf *out, const mc_header *headers, size_t count) {
  mc_put_u32(out, (uint32_t)count);
  for (size_t i = 0; i < count; i++) {
    mc_put_slice(out, headers[i].name);
    mc_put_slice(out, headers[i].value);
  }
}

void mc_put_options(mc_buf *out, const mc_enqueue_options *options) {
  mc_put_slice(out, options->type);
  mc_put_slice(out, options->payload);
  mc_put_slice(out, options->queue);
  mc_put_slice(out, options->id);
  mc_put_slice(out, options->group);
  mc_put_u32(out, options->has_id);
  mc_put_u32(out, options->has_queue);
  mc_put_u32(out, options->has_group);
  mc_put_u32(out, (uint32_t)options->max_retry);
  mc_put_u64(out, (uint64_t)options->timeout_ms);
  mc_put_u64(out, (uint64_t)options->deadline_s);
  mc_put_u64(out, (uint64_t)options->unique_ms);
  mc_put_u64(out, (uint64_t)options->process_at_ms);
  mc_put_u64(out, (uint64_t)options->retention_ms);
  mc_put_headers(out, options->headers, options->header_count);
}

/* ---- in ---- */

mc_cursor mc_cursor_over(mc_slice body) {
  return (mc_cursor){(const unsigned char *)body.data, body.size, false};
}

/* The next size bytes, or NULL (and the cursor has failed). */
static const unsigned char *take_bytes(mc_cursor *in, size_t size) {
  if (in->failed || in->left < size) {
    in->failed = true;
    return NULL;
  }
  const unsigned char *bytes = in->at;
  in->at += size;
  in->left -= size;
  return bytes;
}

uint32_t mc_read_u32(mc_cursor *in) {
  const unsigned char *at = take_bytes(in, 4);
  if (!at)
    return 0;
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint64_t mc_read_u64(mc_cursor *in) {
  uint64_t low = mc_read_u32(in);
  return low | (uint64_t)mc_read_u32(in) << 32;
}

double mc_read_double(mc_cursor *in) {
  uint64_t bits = mc_read_u64(in);
  double number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

bool mc_read_bool(mc_cursor *in) {
  uint32_t value = mc_read_u32(in);
  in->failed = in->failed || value > 1;
  return value == 1;
}

mc_slice mc_read_slice(mc_cursor *in) {
  uint32_t size = mc_read_u32(in);
  const unsigned char *bytes = take_bytes(in, size);
  return bytes ? (mc_slice){(const char *)bytes, size} : (mc_slice){0};
}

size_t mc_read_count(mc_cursor *in) {
  size_t count = mc_read_u32(in);
  in->failed = in->failed || count > in->left / 8;
  return in->failed ? 0 : count;
}

mc_header *mc_read_headers(mc_cursor *in, size_t *out_count) {
  size_t count = mc_read_count(in);
  mc_header *headers = count ? mc_alloc(count * sizeof *headers) : NULL;
  for (size_t i = 0; i < count; i++) {
    headers[i].name = mc_read_slice(in);
    headers[i].value = mc_read_slice(in);
  }
  *out_count = count;
  return headers;
}

mc_enqueue_options mc_read_options(mc_cursor *in) {
  mc_enqueue_options options = {0};
  options.type = mc_read_slice(in);
  options.payload = mc_read_slice(in);
  options.queue = mc_read_slice(in);
  options.id = mc_read_slice(in);
  options.group = mc_read_slice(in);
  options.has_id = mc_read_bool(in);
  options.has_queue = mc_read_bool(in);
  options.has_group = mc_read_bool(in);
  options.max_retry = (int32_t)mc_read_u32(in);
  options.timeout_ms = (int64_t)mc_read_u64(in);
  options.deadline_s = (int64_t)mc_read_u64(in);
  options.unique_ms = (int64_t)mc_read_u64(in);
  options.process_at_ms = (int64_t)mc_read_u64(in);
  options.retention_ms = (int64_t)mc_read_u64(in);
  options.headers = mc_read_headers(in, &options.header_count);
  return options;
}

bool mc_cursor_done(const mc_cursor *in) {
  return !in->failed && in->left == 0;
}
