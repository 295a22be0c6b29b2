/* A growable run of bytes that owns its memory. A zeroed mc_buf is empty and ready. */
#ifndef MC_BASE_BUF_H
#define MC_BASE_BUF_H

#include "base/slice.h"

#include <stdint.h>

typedef struct mc_buf {
  char *data;
  size_t size;     /* bytes in use */
  size_t capacity; /* bytes allocated */
} mc_buf;

void mc_buf_deinit(mc_buf *buf);                 /* frees; the buffer is empty and ready again */
void mc_buf_clear(mc_buf *buf);                  /* empties; keeps the memory */
char *mc_buf_reserve(mc_buf *buf, size_t extra); /* room for extra more bytes; where they go */
void mc_buf_add(mc_buf *buf, const void *bytes, size_t size);
void mc_buf_add_slice(mc_buf *buf, mc_slice slice);
void mc_buf_add_text(mc_buf *buf, const char *text);
void mc_buf_add_char(mc_buf *buf, char c);
void mc_buf_printf(mc_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mc_buf_consume(mc_buf *buf, size_t size); /* drops the first size bytes, moving the rest down */

static inline mc_slice mc_buf_slice(const mc_buf *buf) {
  return (mc_slice){buf->data, buf->size};
}

#endif
