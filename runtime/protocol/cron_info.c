/* Cron entries and events as schedulers tell them: see cron_info.h. */
#include "protocol/cron_info.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "protocol/wire.h"

static int check_text(const char *what, mc_slice text, mc_err *err) {
  return mc_utf8_clean(text) ? 0 : mc_fail(err, MC_EMALFORMED, "a text of the %s is not UTF-8, or holds a NUL", what);
}

static int check_entry(const mc_cron_info *info, mc_err *err) {
  const mc_slice texts[] = {info->id, info->spec, info->type};
  int code = 0;
  for (size_t i = 0; i < MC_COUNT(texts) && code == 0; i++)
    code = check_text("scheduler entry", texts[i], err);
  for (size_t i = 0; i < info->option_count && code == 0; i++)
    code = check_text("scheduler entry", info->options[i], err);
  return code;
}

int mc_cron_info_decode(mc_slice bytes, mc_cron_info_box *out, mc_err *err) {
  Mooncrew__SchedulerEntry *wire = mooncrew__scheduler_entry__unpack(NULL, bytes.size, mc_wire_input(bytes));
  if (!wire)
    return mc_fail(err, MC_EMALFORMED, "the scheduler entry is not protobuf (%zu bytes)", bytes.size);
  mc_slice *options = mc_alloc((wire->n_enqueue_options + 1) * sizeof *options);
  for (size_t i = 0; i < wire->n_enqueue_options; i++)
    options[i] = mc_wire_slice(wire->enqueue_options[i]);
  mc_cron_info_box box = {.wire = wire, .options = options};
  box.info = (mc_cron_info){
      .id = mc_wire_slice(wire->id),
      .spec = mc_wire_slice(wire->spec),
      .type = mc_wire_slice(wire->task_type),
      .payload = mc_wire_slice(wire->task_payload),
      .options = options,
      .option_count = wire->n_enqueue_options,
      .next_ns = mc_wire_time_ns(wire->next_enqueue_time),
      .prev_ns = mc_wire_time_ns(wire->prev_enqueue_time),
  };
  int code = check_entry(&box.info, err);
  if (code)
    mc_cron_info_free(&box);
  else
    *out = box;
  return code;
}

void mc_cron_info_free(mc_cron_info_box *box) {
  mooncrew__scheduler_entry__free_unpacked(box->wire, NULL);
  free(box->options);
  *box = (mc_cron_info_box){0};
}

int mc_cron_event_info_decode(mc_slice bytes, mc_cron_event_info_box *out, mc_err *err) {
  Mooncrew__SchedulerEnqueueEvent *wire =
      mooncrew__scheduler_enqueue_event__unpack(NULL, bytes.size, mc_wire_input(bytes));
  if (!wire)
    return mc_fail(err, MC_EMALFORMED, "the enqueue event is not protobuf (%zu bytes)", bytes.size);
  mc_cron_event_info_box box = {.wire = wire};
  box.info = (mc_cron_event_info){mc_wire_slice(wire->task_id), mc_wire_time_ns(wire->enqueue_time)};
  int code = check_text("enqueue event", box.info.task_id, err);
  if (code)
    mc_cron_event_info_free(&box);
  else
    *out = box;
  return code;
}

void mc_cron_event_info_free(mc_cron_event_info_box *box) {
  mooncrew__scheduler_enqueue_event__free_unpacked(box->wire, NULL);
  *box = (mc_cron_event_info_box){0};
}
