/* Key names: see keys.h. */
#include "protocol/keys.h"

#include <openssl/evp.h>
#include <time.h>

#include "base/err.h"

static const char *const suffixes[] = {
#define X(name, suffix) suffix,
    MC_QUEUE_KEYS(X)
#undef X
};

static void add_queue_prefix(mc_buf *out, mc_slice queue) {
  mc_buf_add_text(out, "asynq:{");
  mc_buf_add_slice(out, queue);
  mc_buf_add_text(out, "}:");
}

static int add_md5(mc_buf *out, mc_slice bytes) {
  static const char digits[] = "0123456789abcdef";
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!EVP_Digest(bytes.data, bytes.size, hash, &size, EVP_md5(), NULL))
    return MC_EINTERNAL;
  for (unsigned i = 0; i < size; i++) {
    mc_buf_add_char(out, digits[hash[i] >> 4]);
    mc_buf_add_char(out, digits[hash[i] & 15]);
  }
  return 0;
}

void mc_key_queue(mc_buf *out, mc_slice queue, mc_queue_key key) {
  add_queue_prefix(out, queue);
  mc_buf_add_text(out, suffixes[key]);
}

void mc_key_task_prefix(mc_buf *out, mc_slice queue) {
  add_queue_prefix(out, queue);
  mc_buf_add_text(out, "t:");
}

void mc_key_task(mc_buf *out, mc_slice queue, mc_slice id) {
  mc_key_task_prefix(out, queue);
  mc_buf_add_slice(out, id);
}

void mc_key_group_prefix(mc_buf *out, mc_slice queue) {
  add_queue_prefix(out, queue);
  mc_buf_add_text(out, "g:");
}

void mc_key_group(mc_buf *out, mc_slice queue, mc_slice group) {
  mc_key_group_prefix(out, queue);
  mc_buf_add_slice(out, group);
}

void mc_key_queue_prefix(mc_buf *out, mc_slice queue) {
  add_queue_prefix(out, queue);
}

void mc_key_aggregation_set(mc_buf *out, mc_slice queue, mc_slice group, mc_slice id) {
  mc_key_group(out, queue, group);
  mc_buf_add_char(out, ':');
  mc_buf_add_slice(out, id);
}

void mc_key_queue_arg(mc_args *args, mc_slice queue, mc_queue_key key) {
  mc_key_queue(&args->bytes, queue, key);
  mc_args_end(args);
}

void mc_key_task_prefix_arg(mc_args *args, mc_slice queue) {
  mc_key_task_prefix(&args->bytes, queue);
  mc_args_end(args);
}

void mc_key_group_prefix_arg(mc_args *args, mc_slice queue) {
  mc_key_group_prefix(&args->bytes, queue);
  mc_args_end(args);
}

void mc_key_queue_prefix_arg(mc_args *args, mc_slice queue) {
  mc_key_queue_prefix(&args->bytes, queue);
  mc_args_end(args);
}

int mc_key_unique(mc_buf *out, mc_slice queue, mc_slice type, mc_slice payload) {
  add_queue_prefix(out, queue);
  mc_buf_add_text(out, "unique:");
  mc_buf_add_slice(out, type);
  mc_buf_add_char(out, ':');
  return payload.data ? add_md5(out, payload) : 0;
}

void mc_key_daily(mc_buf *out, mc_slice queue, mc_queue_key key, int64_t at_s) {
  char day[32];
  struct tm parts;
  time_t at = (time_t)at_s;
  strftime(day, sizeof day, ":%Y-%m-%d", gmtime_r(&at, &parts));
  mc_key_queue(out, queue, key);
  mc_buf_add_text(out, day);
}

void mc_key_server(mc_buf *out, mc_slice server) {
  mc_buf_printf(out, "asynq:servers:{%.*s}", MC_SLICE_PRINT(server));
}

void mc_key_server_workers(mc_buf *out, mc_slice server) {
  mc_buf_printf(out, "asynq:workers:{%.*s}", MC_SLICE_PRINT(server));
}

void mc_key_server_status(mc_buf *out, mc_slice server) {
  mc_buf_printf(out, "asynq:mc_servers:{%.*s}", MC_SLICE_PRINT(server));
}

void mc_key_scheduler_history(mc_buf *out, mc_slice entry_id) {
  mc_buf_add_text(out, "asynq:scheduler_history:");
  mc_buf_add_slice(out, entry_id);
}

void mc_key_scheduler_entries(mc_buf *out, mc_slice server) {
  mc_buf_printf(out, "asynq:schedulers:{%.*s}", MC_SLICE_PRINT(server));
}

void mc_key_cron(mc_buf *out, mc_slice queue, mc_slice entry) {
  add_queue_prefix(out, queue);
  mc_buf_add_text(out, "mc_cron:");
  mc_buf_add_slice(out, entry);
}

void mc_key_cron_claim(mc_buf *out, mc_slice queue, mc_slice entry, int64_t tick_s) {
  mc_key_cron(out, queue, entry);
  mc_buf_printf(out, ":%lld", (long long)tick_s);
}

bool mc_key_split(mc_slice key, mc_slice *queue, mc_slice *suffix) {
  static const char prefix[] = "asynq:{";
  const size_t start = sizeof prefix - 1;
  if (key.size < start + 2 || memcmp(key.data, prefix, start) != 0)
    return false;
  /* From the right: a queue's name may hold "}:", the suffixes that we ask for do not. */
  for (size_t i = key.size - 1; i > start + 1; i--) {
    if (key.data[i] != ':' || key.data[i - 1] != '}')
      continue;
    *queue = (mc_slice){key.data + start, i - 1 - start};
    *suffix = (mc_slice){key.data + i + 1, key.size - i - 1};
    return true;
  }
  return false;
}

bool mc_key_suffix_is(mc_slice suffix, mc_queue_key key) {
  return mc_slice_equal(suffix, mc_slice_of(suffixes[key]));
}
