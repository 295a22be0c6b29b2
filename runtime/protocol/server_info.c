/* ServerInfo and WorkerInfo: see server_info.h. */
#include "protocol/server_info.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "protocol/wire.h"

void mc_server_info_encode(const mc_server_info *info, mc_buf *out) {
  Mooncrew__ServerInfo wire = MOONCREW__SERVER_INFO__INIT;
  Mooncrew__QueueWeight *weights = mc_alloc((info->queue_count + 1) * sizeof *weights);
  Mooncrew__QueueWeight **pointers = mc_alloc((info->queue_count + 1) * sizeof *pointers);
  Mooncrew__Timestamp started = mc_wire_time(info->started_ns);
  for (size_t i = 0; i < info->queue_count; i++) {
    mooncrew__queue_weight__init(&weights[i]);
    weights[i].name = mc_wire_bytes(info->queues[i].name);
    weights[i].weight = info->queues[i].weight;
    pointers[i] = &weights[i];
  }
  wire.host = mc_wire_bytes(info->host);
  wire.pid = info->pid;
  wire.server_id = mc_wire_bytes(info->server_id);
  wire.concurrency = info->concurrency;
  wire.queues = pointers;
  wire.n_queues = info->queue_count;
  wire.strict_priority = info->strict;
  wire.status = mc_wire_bytes(info->status);
  wire.start_time = &started;
  wire.active_worker_count = info->active_workers;
  size_t size = mooncrew__server_info__get_packed_size(&wire);
  out->size += mooncrew__server_info__pack(&wire, (uint8_t *)mc_buf_reserve(out, size));
  free(weights);
  free(pointers);
}

void mc_worker_info_encode(const mc_worker_info *info, mc_buf *out) {
  Mooncrew__WorkerInfo wire = MOONCREW__WORKER_INFO__INIT;
  Mooncrew__Timestamp started = mc_wire_time(info->started_ns), deadline = mc_wire_time(info->deadline_ns);
  wire.host = mc_wire_bytes(info->host);
  wire.pid = info->pid;
  wire.server_id = mc_wire_bytes(info->server_id);
  wire.task_id = mc_wire_bytes(info->task_id);
  wire.task_type = mc_wire_bytes(info->type);
  wire.task_payload = mc_wire_bytes(info->payload);
  wire.queue = mc_wire_bytes(info->queue);
  wire.start_time = &started;
  wire.deadline = &deadline;
  size_t size = mooncrew__worker_info__get_packed_size(&wire);
  out->size += mooncrew__worker_info__pack(&wire, (uint8_t *)mc_buf_reserve(out, size));
}

/* ---- decoding ---- */

static int check_texts(const char *what, const mc_slice *texts, size_t count, mc_err *err) {
  for (size_t i = 0; i < count; i++)
    if (!mc_utf8_clean(texts[i]))
      return mc_fail(err, MC_EMALFORMED, "a text of the %s is not UTF-8, or holds a NUL", what);
  return 0;
}

static int read_weights(const Mooncrew__ServerInfo *wire, mc_queue_weight *out, mc_err *err) {
  int code = 0;
  for (size_t i = 0; i < wire->n_queues && code == 0; i++) {
    out[i] = (mc_queue_weight){mc_wire_slice(wire->queues[i]->name), wire->queues[i]->weight};
    code = check_texts("server info", &out[i].name, 1, err);
  }
  return code;
}

int mc_server_info_decode(mc_slice bytes, mc_server_info_box *out, mc_err *err) {
  mc_server_info_box box = {0};
  Mooncrew__ServerInfo *wire = mooncrew__server_info__unpack(NULL, bytes.size, mc_wire_input(bytes));
  if (!wire)
    return mc_fail(err, MC_EMALFORMED, "the server info is not protobuf (%zu bytes)", bytes.size);
  box.wire = wire;
  box.queues = mc_alloc((wire->n_queues + 1) * sizeof(mc_queue_weight));
  box.info = (mc_server_info){
      .host = mc_wire_slice(wire->host),
      .server_id = mc_wire_slice(wire->server_id),
      .pid = wire->pid,
      .concurrency = wire->concurrency,
      .active_workers = wire->active_worker_count,
      .queues = box.queues,
      .queue_count = wire->n_queues,
      .strict = wire->strict_priority,
      .status = mc_wire_slice(wire->status),
      .started_ns = mc_wire_time_ns(wire->start_time),
  };
  const mc_slice texts[] = {box.info.host, box.info.server_id, box.info.status};
  int code = check_texts("server info", texts, MC_COUNT(texts), err);
  if (code == 0)
    code = read_weights(wire, box.queues, err);
  if (code)
    mc_server_info_free(&box);
  else
    *out = box;
  return code;
}

void mc_server_info_free(mc_server_info_box *box) {
  mooncrew__server_info__free_unpacked(box->wire, NULL);
  free(box->queues);
  *box = (mc_server_info_box){0};
}

int mc_worker_info_decode(mc_slice bytes, mc_worker_info_box *out, mc_err *err) {
  Mooncrew__WorkerInfo *wire = mooncrew__worker_info__unpack(NULL, bytes.size, mc_wire_input(bytes));
  if (!wire)
    return mc_fail(err, MC_EMALFORMED, "the worker info is not protobuf (%zu bytes)", bytes.size);
  mc_worker_info_box box = {.wire = wire};
  box.info = (mc_worker_info){
      .host = mc_wire_slice(wire->host),
      .server_id = mc_wire_slice(wire->server_id),
      .task_id = mc_wire_slice(wire->task_id),
      .type = mc_wire_slice(wire->task_type),
      .payload = mc_wire_slice(wire->task_payload),
      .queue = mc_wire_slice(wire->queue),
      .pid = wire->pid,
      .started_ns = mc_wire_time_ns(wire->start_time),
      .deadline_ns = mc_wire_time_ns(wire->deadline),
  };
  const mc_slice texts[] = {box.info.host, box.info.server_id, box.info.task_id, box.info.type, box.info.queue};
  int code = check_texts("worker info", texts, MC_COUNT(texts), err);
  if (code)
    mc_worker_info_free(&box);
  else
    *out = box;
  return code;
}

void mc_worker_info_free(mc_worker_info_box *box) {
  mooncrew__worker_info__free_unpacked(box->wire, NULL);
  *box = (mc_worker_info_box){0};
}
