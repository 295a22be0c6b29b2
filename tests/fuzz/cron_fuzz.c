/* Fuzzes schedules. What is accepted must give ticks that grow and that mc_cron_last finds again; what is refused must
 * say why. Built with libFuzzer (clang -fsanitize=fuzzer). */
#include "protocol/cron.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define TICKS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth) {
  if (!truth)
    abort();
}

static void check_ticks(const mc_cron *cron, int64_t after_s) {
  for (int i = 0; i < TICKS; i++) {
    int64_t tick_s, last_s;
    if (!mc_cron_next(cron, after_s, &tick_s))
      return;
    require(tick_s > after_s);
    require(mc_cron_last(cron, after_s, tick_s, &last_s) && last_s == tick_s);
    require(!mc_cron_last(cron, after_s, tick_s - 1, &last_s));
    after_s = tick_s;
  }
}

/* Four bytes of a time, 1970 … 2106, then the spec. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint32_t after_s = 0;
  mc_cron cron;
  mc_err err = {""};
  if (size < sizeof after_s)
    return 0;
  memcpy(&after_s, data, sizeof after_s);
  size -= sizeof after_s;
  char *spec = mc_alloc(size + 1); /* of just that size, so that reading beyond it is seen */
  spec = mc_realloc(memcpy(spec, data + sizeof after_s, size), size + (size == 0));
  int rc = mc_cron_parse((mc_slice){spec, size}, &cron, &err);
  if (rc == 0) {
    check_ticks(&cron, after_s);
    mc_cron_deinit(&cron);
  } else {
    require((rc == MC_EINVALID || rc == MC_EIO) && err.text[0]);
  }
  free(spec);
  return 0;
}
