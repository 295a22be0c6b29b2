/* Fuzzes replies: whatever bytes come, in whatever pieces, they give whole values or an error. The first byte says
 * where the rest is cut in two. Built with libFuzzer (clang -fsanitize=fuzzer). */
#include "redis/reply.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte of a value, so that a bad pointer shows. */
static unsigned touch(const mc_value *value) {
  unsigned sum = (unsigned)value->kind + (unsigned)value->integer;
  for (size_t i = 0; i < value->text.size; i++)
    sum += (unsigned char)value->text.data[i];
  for (size_t i = 0; i < value->count; i++) {
    if (!value->items[i])
      abort();
    sum += touch(value->items[i]);
  }
  return sum;
}

static int read_all(mc_replies *replies) {
  static volatile unsigned sink;
  const mc_value *value = NULL;
  int rc;
  while ((rc = mc_replies_next(replies, &value, NULL)) == 0 && value)
    sink = sink + touch(value);
  return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  mc_replies *replies = mc_replies_new();
  const char *bytes = (const char *)data + 1;
  size_t cut = data[0] % size;
  if (mc_replies_feed(replies, bytes, cut, NULL) == 0 && read_all(replies) == 0 &&
      mc_replies_feed(replies, bytes + cut, size - 1 - cut, NULL) == 0)
    read_all(replies);
  mc_replies_free(replies);
  return 0;
}
