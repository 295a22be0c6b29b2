/* A growable run of bytes: see buf.h. */
#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void mc_buf_deinit(mc_buf *buf) {
  free(buf->data);
  *buf = (mc_buf){0};
}

void mc_buf_clear(mc_buf *buf) {
  buf->size = 0;
}

char *mc_buf_reserve(mc_buf *buf, size_t extra) {
  if (buf->capacity - buf->size < extra) {
    size_t capacity = buf->capacity ? buf->capacity * 2 : 64;
    while (capacity - buf->size < extra)
      capacity *= 2;
    buf->data = mc_realloc(buf->data, capacity);
    buf->capacity = capacity;
  }
  return buf->data + buf->size;
}

void mc_buf_add(mc_buf *buf, const void *bytes, size_t size) {
  if (!size)
    return;
  memcpy(mc_buf_reserve(buf, size), bytes, size);
  buf->size += size;
}

void mc_buf_add_slice(mc_buf *buf, mc_slice slice) {
  mc_buf_add(buf, slice.data, slice.size);
}

void mc_buf_add_text(mc_buf *buf, const char *text) {
  mc_buf_add(buf, text, strlen(text));
}

void mc_buf_add_char(mc_buf *buf, char c) {
  *mc_buf_reserve(buf, 1) = c;
  buf->size++;
}

void mc_buf_printf(mc_buf *buf, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int size = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (size > 0) {
    vsnprintf(mc_buf_reserve(buf, (size_t)size + 1), (size_t)size + 1, format, again);
    buf->size += (size_t)size;
  }
  va_end(again);
}

void mc_buf_consume(mc_buf *buf, size_t size) {
  if (size < buf->size)
    memmove(buf->data, buf->data + size, buf->size - size);
  buf->size -= size;
}
