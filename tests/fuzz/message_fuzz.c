/* Any bytes as a task message: refused with a reason, or read so that writing and reading again gives the same. */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds)
    abort();
}

static void check_same(const mc_message *a, const mc_message *b) {
  must(mc_slice_equal(a->type, b->type) && mc_slice_equal(a->payload, b->payload) && mc_slice_equal(a->id, b->id));
  must(mc_slice_equal(a->queue, b->queue) && mc_slice_equal(a->unique_key, b->unique_key));
  must(mc_slice_equal(a->group_key, b->group_key) && a->header_count == b->header_count);
  must(a->max_retry == b->max_retry && a->retried == b->retried && a->timeout_s == b->timeout_s);
  must(a->deadline_s == b->deadline_s && a->last_failed_at_s == b->last_failed_at_s);
  must(a->retention_s == b->retention_s && a->completed_at_s == b->completed_at_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mc_message_box first, second;
  mc_err err = {{0}};
  int code = mc_message_decode((mc_slice){(const char *)data, size}, &first, &err);
  if (code != 0) {
    must(code == MC_EMALFORMED && err.text[0] != '\0');
    return 0;
  }
  mc_buf bytes = {0};
  mc_message_encode(&first.message, &bytes);
  must(mc_message_decode(mc_buf_slice(&bytes), &second, &err) == 0);
  check_same(&first.message, &second.message);
  mc_message_free(&first);
  mc_message_free(&second);
  mc_buf_deinit(&bytes);
  return 0;
}
