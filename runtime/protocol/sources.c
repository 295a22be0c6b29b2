/* The sources of all scripts as one run of bytes: see sources.h. */
#include "protocol/sources.h"

#include <string.h>

static void add_part(mc_buf *out, mc_slice part) {
  uint64_t size = part.size;
  mc_buf_add(out, &size, sizeof size);
  mc_buf_add_slice(out, part);
}

void mc_source_add(mc_buf *out, mc_slice path, mc_slice text) {
  add_part(out, path);
  add_part(out, text);
}

static bool take_part(mc_slice *rest, mc_slice *out) {
  uint64_t size;
  if (rest->size < sizeof size)
    return false;
  memcpy(&size, rest->data, sizeof size);
  if (size > rest->size - sizeof size)
    return false;
  *out = (mc_slice){rest->data + sizeof size, (size_t)size};
  *rest = (mc_slice){out->data + out->size, rest->size - sizeof size - out->size};
  return true;
}

bool mc_source_next(mc_slice *rest, mc_source *out) {
  return take_part(rest, &out->path) && take_part(rest, &out->text);
}
