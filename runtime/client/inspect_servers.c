/* Servers that are alive, and what they work on: see mooncrew.h.
 *
 * Two round trips: which servers there are; then what each tells of itself, and of its workers. Whose info has run out
 * between the two, or cannot be read, is left out.
 */
#include "client/ask.h"
#include "client/inspect.h"
#include "client/memory.h"

#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/server_info.h"
#include "protocol/server_status.h"

#include <stdlib.h>

struct listing {
  mc_memory *memory;
  mc_slice *names; /* "host:pid:uuid" */
  size_t count;
  mooncrew_server_info *servers; /* one per name; id NULL: left out */
};

/* The text between the braces of "asynq:servers:{host:pid:uuid}". */
static mc_slice name_of(mc_slice key) {
  const char *open = memchr(key.data, '{', key.size);
  if (!open || key.data[key.size - 1] != '}')
    return (mc_slice){0};
  return (mc_slice){open + 1, (size_t)(key.data + key.size - 1 - (open + 1))};
}

static int on_keys(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct listing *listing = arg;
  (void)i;
  if (reply->kind != MC_VALUE_ARRAY)
    return mc_fail(err, MC_EMALFORMED, "Redis did not answer by a list of servers");
  listing->names = mc_memory_take(listing->memory, reply->count, sizeof *listing->names);
  listing->count = 0;
  for (size_t k = 0; k < reply->count; k++) {
    mc_slice name = name_of(reply->items[k]->text);
    if (name.size)
      listing->names[listing->count++] = (mc_slice){mc_memory_text(listing->memory, name), name.size};
  }
  listing->servers = mc_memory_take(listing->memory, listing->count, sizeof *listing->servers);
  return 0;
}

static int read_keys(struct listing *listing, mc_client *client, mc_err *err) {
  mc_call call = {0};
  mc_command_alive(&call.args, MC_KEY_SERVERS);
  int code = mc_client_ask(client, &call, 1, on_keys, listing, err);
  mc_calls_deinit(&call, 1);
  return code;
}

/* ---- what each tells ---- */

static const mooncrew_queue_priority *copy_queues(mc_memory *memory, const mc_server_info *info) {
  mooncrew_queue_priority *queues = mc_memory_take(memory, info->queue_count, sizeof *queues);
  for (size_t i = 0; i < info->queue_count; i++)
    queues[i] = (mooncrew_queue_priority){mc_memory_text(memory, info->queues[i].name), info->queues[i].weight};
  return queues;
}

static void server_fill(mooncrew_server_info *out, mc_memory *memory, const mc_server_info *info) {
  out->host = mc_memory_text(memory, info->host);
  out->status = mc_memory_text(memory, info->status);
  out->pid = info->pid;
  out->concurrency = info->concurrency;
  out->active_workers = info->active_workers;
  out->strict = info->strict;
  out->started_ns = info->started_ns;
  out->queues = copy_queues(memory, info);
  out->queue_count = info->queue_count;
}

static void on_server(struct listing *listing, size_t i, const mc_value *reply) {
  mc_server_info_box box;
  mooncrew_server_info *server = &listing->servers[i];
  *server = (mooncrew_server_info){0};
  if (reply->kind != MC_VALUE_STRING || mc_server_info_decode(reply->text, &box, NULL))
    return;
  server->id = listing->names[i].data;
  server_fill(server, listing->memory, &box.info);
  mc_server_info_free(&box);
}

static void worker_fill(mooncrew_worker_info *out, mc_memory *memory, const mc_worker_info *info) {
  *out = (mooncrew_worker_info){
      .task_id = mc_memory_text(memory, info->task_id),
      .type = mc_memory_text(memory, info->type),
      .queue = mc_memory_text(memory, info->queue),
      .payload = info->payload.size ? mc_memory_text(memory, info->payload) : NULL,
      .payload_size = info->payload.size,
      .started_ns = info->started_ns,
      .deadline_ns = info->deadline_ns,
  };
}

static void on_workers(struct listing *listing, size_t i, const mc_value *reply) {
  mooncrew_server_info *server = &listing->servers[i];
  if (reply->kind != MC_VALUE_ARRAY)
    return; /* not asked for */
  mooncrew_worker_info *workers = mc_memory_take(listing->memory, reply->count, sizeof *workers);
  server->workers = workers;
  server->worker_count = 0;
  for (size_t k = 0; k < reply->count; k++) {
    mc_worker_info_box box;
    if (mc_worker_info_decode(reply->items[k]->text, &box, NULL))
      continue;
    worker_fill(&workers[server->worker_count++], listing->memory, &box.info);
    mc_worker_info_free(&box);
  }
}

static const mooncrew_pool_info *copy_pools(mc_memory *memory, const mc_server_status *status) {
  mooncrew_pool_info *pools = mc_memory_take(memory, status->pool_count, sizeof *pools);
  for (size_t i = 0; i < status->pool_count; i++) {
    const mc_pool_status *from = &status->pools[i];
    pools[i] = (mooncrew_pool_info){mc_memory_text(memory, from->name), (int)from->workers, (int)from->serving,
                                    (int)from->concurrency, (int)from->busy};
  }
  return pools;
}

static void status_fill(mooncrew_server_info *out, mc_memory *memory, const mc_server_status *status) {
  out->generation = status->generation;
  out->loaded_ns = status->loaded_at_ms * 1000000;
  out->draining = (int)status->draining;
  out->reloads_asked = status->asked;
  out->reloads_answered = status->answered;
  out->reload_error = status->error.size ? mc_memory_text(memory, status->error) : NULL;
  out->refused_ns = status->refused_at_ms * 1000000;
  out->pools = copy_pools(memory, status);
  out->pool_count = status->pool_count;
  out->patterns = status->patterns.size ? mc_memory_text(memory, status->patterns) : NULL;
}

static void on_status(struct listing *listing, size_t i, const mc_value *reply) {
  mc_server_status status;
  if (!mc_server_status_read(reply, &status))
    return;
  status_fill(&listing->servers[i], listing->memory, &status);
  free(status.pools);
}

static void (*const answers[])(struct listing *listing, size_t i, const mc_value *reply) = {on_server, on_workers,
                                                                                            on_status};

static int on_told(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  (void)err;
  answers[i % MC_COUNT(answers)](arg, i / MC_COUNT(answers), reply);
  return 0;
}

static void call_key(mc_call *call, const char *command, void (*key)(mc_buf *, mc_slice), mc_slice server) {
  mc_args_add_text(&call->args, command);
  key(&call->args.bytes, server);
  mc_args_end(&call->args);
}

/* Where tasks are not wanted only their number is asked for, so that each server has as many answers. */
static int read_servers(struct listing *listing, bool with_tasks, mc_client *client, mc_err *err) {
  size_t count = MC_COUNT(answers) * listing->count;
  mc_call *calls = mc_zalloc((count + 1) * sizeof *calls);
  for (size_t i = 0; i < listing->count; i++) {
    mc_call *call = &calls[MC_COUNT(answers) * i];
    call_key(&call[0], "GET", mc_key_server, listing->names[i]);
    call_key(&call[1], with_tasks ? "HVALS" : "HLEN", mc_key_server_workers, listing->names[i]);
    call_key(&call[2], "HGETALL", mc_key_server_status, listing->names[i]);
  }
  int code = mc_client_ask(client, calls, count, on_told, listing, err);
  mc_calls_deinit(calls, count);
  free(calls);
  return code;
}

static int server_compare(const void *left, const void *right) {
  return strcmp(((const mooncrew_server_info *)left)->id, ((const mooncrew_server_info *)right)->id);
}

static void finish(struct listing *listing, mooncrew_server_list *out) {
  size_t count = 0;
  for (size_t i = 0; i < listing->count; i++)
    if (listing->servers[i].id)
      listing->servers[count++] = listing->servers[i];
  qsort(listing->servers, count, sizeof *listing->servers, server_compare);
  *out = (mooncrew_server_list){listing->servers, count, listing->memory};
}

int mc_inspect_servers(mc_client *client, bool with_tasks, mooncrew_server_list *out, mc_err *err) {
  struct listing listing = {0};
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  listing.memory = mc_memory_new();
  code = read_keys(&listing, client, err);
  if (code == 0)
    code = read_servers(&listing, with_tasks, client, err);
  mc_client_end(client);
  if (code)
    mc_memory_free(listing.memory);
  else
    finish(&listing, out);
  return code;
}
