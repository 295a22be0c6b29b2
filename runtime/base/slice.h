/* A borrowed run of bytes: not NUL-terminated, may hold any byte, lives as long as what it points into. */
#ifndef MC_BASE_SLICE_H
#define MC_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct mc_slice {
  const char *data; /* may be NULL when size is 0 */
  size_t size;
} mc_slice;

#define MC_SLICE_LITERAL(text) ((mc_slice){(text), sizeof(text) - 1})

/* For "%.*s": two arguments. */
#define MC_SLICE_PRINT(slice) (int)(slice).size, (slice).data ? (slice).data : ""

static inline mc_slice mc_slice_of(const char *text) {
  return (mc_slice){text, text ? strlen(text) : 0};
}

static inline bool mc_slice_equal(mc_slice a, mc_slice b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#endif
