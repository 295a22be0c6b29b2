/* Any bytes as what servers and schedulers tell of themselves: refused with a reason, or read. */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/cron_info.h"
#include "protocol/server_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds)
    abort();
}

static void check_refusal(int code, const mc_err *err) {
  must(code == MC_EMALFORMED && err->text[0] != '\0');
}

static void check_server(mc_slice bytes) {
  mc_server_info_box box;
  mc_err err = {{0}};
  int code = mc_server_info_decode(bytes, &box, &err);
  if (code) {
    check_refusal(code, &err);
    return;
  }
  must(box.info.started_ns >= 0);
  mc_server_info_free(&box);
}

static void check_worker(mc_slice bytes) {
  mc_worker_info_box box;
  mc_err err = {{0}};
  int code = mc_worker_info_decode(bytes, &box, &err);
  if (code) {
    check_refusal(code, &err);
    return;
  }
  must(box.info.started_ns >= 0 && box.info.deadline_ns >= 0);
  mc_worker_info_free(&box);
}

static void check_entry(mc_slice bytes) {
  mc_cron_info_box box;
  mc_err err = {{0}};
  int code = mc_cron_info_decode(bytes, &box, &err);
  if (code) {
    check_refusal(code, &err);
    return;
  }
  must(box.info.next_ns >= 0 && box.info.prev_ns >= 0);
  mc_cron_info_free(&box);
}

static void check_event(mc_slice bytes) {
  mc_cron_event_info_box box;
  mc_err err = {{0}};
  int code = mc_cron_event_info_decode(bytes, &box, &err);
  if (code) {
    check_refusal(code, &err);
    return;
  }
  must(box.info.at_ns >= 0);
  mc_cron_event_info_free(&box);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const mc_slice bytes = {(const char *)data, size};
  check_server(bytes);
  check_worker(bytes);
  check_entry(bytes);
  check_event(bytes);
  return 0;
}
