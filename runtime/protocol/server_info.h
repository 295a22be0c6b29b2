/* What a server tells about itself at each heartbeat: ServerInfo and WorkerInfo, as asynq's inspector reads them. */
#ifndef MC_PROTOCOL_SERVER_INFO_H
#define MC_PROTOCOL_SERVER_INFO_H

#include "base/buf.h"
#include "base/err.h"
#include "base/script.h"

#include <stdint.h>

typedef struct mc_queue_weight {
  mc_slice name;
  int32_t weight;
} mc_queue_weight;

typedef struct mc_server_info {
  mc_slice host, server_id; /* server_id: the uuid alone */
  int32_t pid, concurrency, active_workers;
  const mc_queue_weight *queues;
  size_t queue_count;
  bool strict;
  mc_slice status; /* "active", "stopped", "closed" */
  int64_t started_ns;
} mc_server_info;

typedef struct mc_worker_info {
  mc_slice host, server_id, task_id, type, payload, queue;
  int32_t pid;
  int64_t started_ns;
  int64_t deadline_ns; /* 0: none */
} mc_worker_info;

void mc_server_info_encode(const mc_server_info *info, mc_buf *out);
void mc_worker_info_encode(const mc_worker_info *info, mc_buf *out);

/* Decoded ones own what their slices point into: the caller frees the box. */
typedef struct mc_server_info_box {
  mc_server_info info;
  void *wire, *queues;
} mc_server_info_box;

typedef struct mc_worker_info_box {
  mc_worker_info info;
  void *wire;
} mc_worker_info_box;

/* 0, or MC_EMALFORMED with the reason: not protobuf, or text that is not UTF-8 or holds NUL. A time before 1970 or
 * none is 0. */
int mc_server_info_decode(mc_slice bytes, mc_server_info_box *out, mc_err *err);
void mc_server_info_free(mc_server_info_box *box);
int mc_worker_info_decode(mc_slice bytes, mc_worker_info_box *out, mc_err *err);
void mc_worker_info_free(mc_worker_info_box *box);

#endif
