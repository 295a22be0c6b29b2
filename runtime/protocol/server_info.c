/* ServerInfo and WorkerInfo: see server_info.h. */
#include "protocol/server_info.h"

#include <stdlib.h>

#include "base/mem.h"
#include "protocol/task.pb-c.h"

#define NS_PER_S INT64_C(1000000000)
#define GO_ZERO_TIME_S INT64_C(-62135596800) /* 1 January of the year 1: what Go knows as "no time" */

static ProtobufCBinaryData to_bytes(mc_slice slice) {
  return (ProtobufCBinaryData){.len = slice.size, .data = (uint8_t *)slice.data};
}

static Mooncrew__Timestamp to_timestamp(int64_t ns) {
  Mooncrew__Timestamp stamp = MOONCREW__TIMESTAMP__INIT;
  stamp.seconds = ns / NS_PER_S;
  stamp.nanos = (int32_t)(ns % NS_PER_S);
  return stamp;
}

void mc_server_info_encode(const mc_server_info *info, mc_buf *out) {
  Mooncrew__ServerInfo wire = MOONCREW__SERVER_INFO__INIT;
  Mooncrew__QueueWeight *weights = mc_alloc((info->queue_count + 1) * sizeof *weights);
  Mooncrew__QueueWeight **pointers = mc_alloc((info->queue_count + 1) * sizeof *pointers);
  Mooncrew__Timestamp started = to_timestamp(info->started_ns);
  for (size_t i = 0; i < info->queue_count; i++) {
    mooncrew__queue_weight__init(&weights[i]);
    weights[i].name = to_bytes(info->queues[i].name);
    weights[i].weight = info->queues[i].weight;
    pointers[i] = &weights[i];
  }
  wire.host = to_bytes(info->host);
  wire.pid = info->pid;
  wire.server_id = to_bytes(info->server_id);
  wire.concurrency = info->concurrency;
  wire.queues = pointers;
  wire.n_queues = info->queue_count;
  wire.strict_priority = info->strict;
  wire.status = to_bytes(info->status);
  wire.start_time = &started;
  wire.active_worker_count = info->active_workers;
  size_t size = mooncrew__server_info__get_packed_size(&wire);
  out->size += mooncrew__server_info__pack(&wire, (uint8_t *)mc_buf_reserve(out, size));
  free(weights);
  free(pointers);
}

void mc_worker_info_encode(const mc_worker_info *info, mc_buf *out) {
  Mooncrew__WorkerInfo wire = MOONCREW__WORKER_INFO__INIT;
  Mooncrew__Timestamp started = to_timestamp(info->started_ns), deadline = to_timestamp(info->deadline_ns);
  if (!info->deadline_ns)
    deadline.seconds = GO_ZERO_TIME_S;
  wire.host = to_bytes(info->host);
  wire.pid = info->pid;
  wire.server_id = to_bytes(info->server_id);
  wire.task_id = to_bytes(info->task_id);
  wire.task_type = to_bytes(info->type);
  wire.task_payload = to_bytes(info->payload);
  wire.queue = to_bytes(info->queue);
  wire.start_time = &started;
  wire.deadline = &deadline;
  size_t size = mooncrew__worker_info__get_packed_size(&wire);
  out->size += mooncrew__worker_info__pack(&wire, (uint8_t *)mc_buf_reserve(out, size));
}
