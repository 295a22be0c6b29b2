/* Fuzzes the files of time zones. Whatever is accepted must answer for any instant, with spans that hold it. Built with
 * libFuzzer (clang -fsanitize=fuzzer). */
#include "base/zone.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth) {
  if (!truth)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int64_t instants[] = {INT64_C(-4000000000), -1, 0, 1700000000, INT64_C(4000000000),
                                     INT64_C(400000000000)};
  mc_slice name = MC_SLICE_LITERAL("fuzz");
  mc_zone *zone;
  mc_zone_rule rule;
  mc_err err = {""};
  if (mc_zone_rule_parse((mc_slice){(const char *)data, size}, &rule))
    mc_zone_rule_at(&rule, 1700000000);
  if (mc_zone_parse(name, (mc_slice){(const char *)data, size}, &zone, &err)) {
    require(err.text[0] != 0);
    return 0;
  }
  for (size_t i = 0; i < MC_COUNT(instants); i++) {
    mc_zone_span span = mc_zone_at(zone, instants[i]);
    require(span.end_s >= instants[i] && abs(span.offset_s) <= 7 * 86400);
    mc_zone_instant(zone, instants[i]);
  }
  mc_zone_free(zone);
  return 0;
}
