/* Cron entries as asynq's tools read them: see cron_entry.h. Options are written as Go prints asynq's, so that its
 * inspector can read them back.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "protocol/cron_entry.h"
#include "protocol/wire.h"

#define OPTIONS_MAX 8 /* without headers */

/* The option texts, gathered in one buffer. */
typedef struct option_list {
  mc_buf bytes;
  size_t *ends; /* where each ends in bytes */
  size_t count;
} option_list;

/* In double quotes; control characters as `control` prints them. */
static void add_escaped(mc_buf *out, mc_slice text, const char *control) {
  mc_buf_add_char(out, '"');
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c == '"' || c == '\\')
      mc_buf_printf(out, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
      mc_buf_printf(out, control, c);
    else
      mc_buf_add_char(out, (char)c);
  }
  mc_buf_add_char(out, '"');
}

/* Go's %q, as far as text that is clean UTF-8 needs it. */
static void add_quoted(mc_buf *out, mc_slice text) {
  add_escaped(out, text, "\\x%02x");
}

/* A JSON string; what Go's encoder does to <, > and & besides, its decoder does not need. */
static void add_json(mc_buf *out, mc_slice text) {
  add_escaped(out, text, "\\u%04x");
}

/* A duration as Go prints it: 1h0m0s, 1.5s, 250ms, 0s. */
static void add_duration(mc_buf *out, int64_t ms) {
  long long seconds = ms / 1000, rest = ms % 1000;
  if (seconds == 0 && rest > 0) {
    mc_buf_printf(out, "%lldms", rest);
    return;
  }
  if (seconds >= 3600)
    mc_buf_printf(out, "%lldh", seconds / 3600);
  if (seconds >= 60)
    mc_buf_printf(out, "%lldm", seconds / 60 % 60);
  mc_buf_printf(out, "%lld", seconds % 60);
  if (rest > 0) {
    mc_buf_printf(out, ".%03lld", rest);
    while (out->data[out->size - 1] == '0')
      out->size--;
  }
  mc_buf_add_char(out, 's');
}

static void end_option(option_list *list) {
  mc_buf_add_char(&list->bytes, ')');
  list->ends[list->count++] = list->bytes.size;
}

static void add_text_option(option_list *list, const char *name, mc_slice text) {
  if (text.size == 0)
    return;
  mc_buf_printf(&list->bytes, "%s(", name);
  add_quoted(&list->bytes, text);
  end_option(list);
}

static void add_duration_option(option_list *list, const char *name, bool given, int64_t ms) {
  if (!given)
    return;
  mc_buf_printf(&list->bytes, "%s(", name);
  add_duration(&list->bytes, ms);
  end_option(list);
}

static void add_header_option(option_list *list, const mc_header *header) {
  mc_buf_add_text(&list->bytes, "Header([");
  add_json(&list->bytes, header->name);
  mc_buf_add_char(&list->bytes, ',');
  add_json(&list->bytes, header->value);
  mc_buf_add_char(&list->bytes, ']');
  end_option(list);
}

static void list_options(option_list *list, const mc_cron_entry *entry) {
  const mc_enqueue_options *options = &entry->options;
  *list = (option_list){.ends = mc_alloc((OPTIONS_MAX + options->header_count) * sizeof *list->ends)};
  add_text_option(list, "Queue", options->queue);
  add_text_option(list, "TaskID", options->id);
  add_text_option(list, "Group", options->group);
  if (options->max_retry != MC_DEFAULT_MAX_RETRY) {
    mc_buf_printf(&list->bytes, "MaxRetry(%d", options->max_retry);
    end_option(list);
  }
  add_duration_option(list, "Timeout", options->timeout_ms >= 0, options->timeout_ms);
  add_duration_option(list, "Unique", options->unique_ms >= 0, options->unique_ms);
  add_duration_option(list, "Retention", options->retention_ms > 0, options->retention_ms);
  add_duration_option(list, "ProcessIn", entry->process_in_ms > 0, entry->process_in_ms);
  for (size_t i = 0; i < options->header_count; i++)
    add_header_option(list, &options->headers[i]);
}

void mc_cron_entry_encode(const mc_cron_entry *entry, mc_slice id, int64_t next_s, int64_t prev_s, mc_buf *out) {
  Mooncrew__SchedulerEntry wire = MOONCREW__SCHEDULER_ENTRY__INIT;
  Mooncrew__Timestamp next = mc_wire_time(next_s * MC_WIRE_NS_PER_S), prev = mc_wire_time(prev_s * MC_WIRE_NS_PER_S);
  option_list list;
  list_options(&list, entry);
  ProtobufCBinaryData *options = mc_alloc((list.count + 1) * sizeof *options);
  for (size_t i = 0, start = 0; i < list.count; start = list.ends[i++])
    options[i] = mc_wire_bytes((mc_slice){list.bytes.data + start, list.ends[i] - start});
  wire.id = mc_wire_bytes(id);
  wire.spec = mc_wire_bytes(entry->spec);
  wire.task_type = mc_wire_bytes(entry->options.type);
  wire.task_payload = mc_wire_bytes(entry->options.payload);
  wire.enqueue_options = options;
  wire.n_enqueue_options = list.count;
  wire.next_enqueue_time = &next;
  wire.prev_enqueue_time = &prev;
  size_t size = mooncrew__scheduler_entry__get_packed_size(&wire);
  out->size += mooncrew__scheduler_entry__pack(&wire, (uint8_t *)mc_buf_reserve(out, size));
  free(options);
  free(list.ends);
  mc_buf_deinit(&list.bytes);
}

void mc_cron_event_encode(mc_slice task_id, int64_t at_ns, mc_buf *out) {
  Mooncrew__SchedulerEnqueueEvent wire = MOONCREW__SCHEDULER_ENQUEUE_EVENT__INIT;
  Mooncrew__Timestamp at = mc_wire_time(at_ns);
  wire.task_id = mc_wire_bytes(task_id);
  wire.enqueue_time = &at;
  size_t size = mooncrew__scheduler_enqueue_event__get_packed_size(&wire);
  out->size += mooncrew__scheduler_enqueue_event__pack(&wire, (uint8_t *)mc_buf_reserve(out, size));
}
