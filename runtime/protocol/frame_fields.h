/* What the bodies of frames are made of: numbers (little-endian), texts (u32 size + bytes), and what is composed of
 * those.
 *
 * The mc_put_… functions append to a buffer. The mc_read_… functions read from a cursor, in the same order. A cursor
 * that runs out of bytes, or meets what cannot be, remembers it and gives zeroes from then on, so that a decoder needs
 * one check only, at its end.
 */
#ifndef MC_PROTOCOL_FRAME_FIELDS_H
#define MC_PROTOCOL_FRAME_FIELDS_H

#include "base/buf.h"
#include "base/slice.h"
#include "protocol/enqueue.h"
#include "protocol/message.h"

#include <stdbool.h>
#include <stdint.h>

void mc_put_u32(mc_buf *out, uint32_t number);
void mc_put_u64(mc_buf *out, uint64_t number);
void mc_put_double(mc_buf *out, double number);
void mc_put_slice(mc_buf *out, mc_slice slice);
void mc_put_headers(mc_buf *out, const mc_header *headers, size_t count);
void mc_put_options(mc_buf *out, const mc_enqueue_options *options);

/* Over bytes that are borrowed: they must outlive the slices that are taken from it. */
typedef struct mc_cursor {
  const unsigned char *at;
  size_t left;
  bool failed;
} mc_cursor;

mc_cursor mc_cursor_over(mc_slice body);

/* True when all was there and nothing is left: bytes left over mean that the two ends do not mean the same layout. */
bool mc_cursor_done(const mc_cursor *in);

uint32_t mc_read_u32(mc_cursor *in);
uint64_t mc_read_u64(mc_cursor *in);
double mc_read_double(mc_cursor *in);
bool mc_read_bool(mc_cursor *in);
mc_slice mc_read_slice(mc_cursor *in);

/* A count of items that take at least 8 bytes each, so that a wrong one cannot make us allocate without bound. */
size_t mc_read_count(mc_cursor *in);

/* Allocated, the caller frees it; NULL when there are none. Its texts are borrowed. */
mc_header *mc_read_headers(mc_cursor *in, size_t *out_count);

/* Its headers are as those of mc_read_headers. */
mc_enqueue_options mc_read_options(mc_cursor *in);

#endif
