/* Queues: what stands in them, and what they did. See mooncrew.h. */
#include "client/ask.h"
#include "client/inspect.h"
#include "client/memory.h"
#include "client/walk_groups.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/message.h"

#include <stdlib.h>
#include <time.h>

#define DAY_S 86400
#define DAYS_MAX 3650

/* A list being read: names first, then what belongs to each. */
struct listing {
  mc_memory *memory;
  const char **names; /* sorted */
  size_t count;
  void *items;
};

int mc_check_queue(mc_client *client, mc_slice queue, mc_err *err) {
  mc_call call = {0};
  int64_t known = 0;
  if (mc_text_is_blank(queue))
    return mc_fail(err, MC_EINVALID, "queue: a queue has a name");
  mc_call_words(&call, "SISMEMBER", MC_KEY_QUEUES, queue);
  int code = mc_client_ask(client, &call, 1, mc_answer_number, &known, err);
  mc_calls_deinit(&call, 1);
  if (code == 0 && !known)
    return mc_fail(err, MC_ENOT_FOUND, "there is no queue \"%.*s\"", MC_SLICE_PRINT(queue));
  return code;
}

/* ---- lists of names ---- */

static int name_compare(const void *left, const void *right) {
  return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int on_names(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct listing *listing = arg;
  (void)i;
  if (reply->kind != MC_VALUE_ARRAY)
    return mc_fail(err, MC_EMALFORMED, "Redis did not answer by a list of names");
  listing->names = mc_memory_take(listing->memory, reply->count, sizeof *listing->names);
  listing->count = reply->count;
  for (size_t k = 0; k < reply->count; k++)
    listing->names[k] = mc_memory_text(listing->memory, reply->items[k]->text);
  qsort(listing->names, listing->count, sizeof *listing->names, name_compare);
  return 0;
}

/* The members of a set. */
static int read_names(struct listing *listing, mc_client *client, const char *key, mc_err *err) {
  mc_call call = {0};
  mc_call_words(&call, "SMEMBERS", key, (mc_slice){0});
  int code = mc_client_ask(client, &call, 1, on_names, listing, err);
  mc_calls_deinit(&call, 1);
  return code;
}

/* ---- lists that belong to one queue ---- */

typedef int (*read_fn)(struct listing *listing, mc_client *client, mc_slice queue, mc_err *err);

/* As a call of its own. The memory stays only where all was read. */
static int read_of_queue(struct listing *listing, mc_client *client, mc_slice queue, read_fn read, mc_err *err) {
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  listing->memory = mc_memory_new();
  code = mc_check_queue(client, queue, err);
  if (code == 0)
    code = read(listing, client, queue, err);
  mc_client_end(client);
  if (code)
    mc_memory_free(listing->memory);
  return code;
}

/* ---- queue info ---- */

/* aggregating -1, of a queue with very many groups: their tasks are still to be counted. */
static void info_fill(mooncrew_queue_info *out, const char *name, const mc_queue_info *info) {
  int64_t now_ms = mc_clock_wall_ms(), since_ms = info->pending_since_ns / 1000000;
  *out = (mooncrew_queue_info){
      .name = name,
      .paused = info->paused != 0,
      .pending = info->sizes[MC_TASK_PENDING],
      .active = info->sizes[MC_TASK_ACTIVE],
      .scheduled = info->sizes[MC_TASK_SCHEDULED],
      .retry = info->sizes[MC_TASK_RETRY],
      .archived = info->sizes[MC_TASK_ARCHIVED],
      .completed = info->sizes[MC_TASK_COMPLETED],
      .aggregating = info->sizes[MC_TASK_AGGREGATING],
      .groups = info->groups,
      .latency_ms = since_ms > 0 && since_ms < now_ms ? now_ms - since_ms : 0,
      .memory_bytes = info->memory_bytes,
      .processed_today = info->processed_today,
      .failed_today = info->failed_today,
      .processed = info->processed,
      .failed = info->failed,
  };
  for (size_t i = 0; i < MC_TASK_STATES; i++)
    out->size += info->sizes[i];
}

static int count_grouped(struct listing *listing, mc_client *client, mc_err *err) {
  mooncrew_queue_info *infos = listing->items;
  int code = 0;
  for (size_t i = 0; i < listing->count && code == 0; i++) {
    if (infos[i].aggregating >= 0)
      continue;
    code = mc_client_walk_groups(client, mc_slice_of(infos[i].name), false, &infos[i].aggregating, err);
    infos[i].size += infos[i].aggregating + 1; /* the -1 was counted in */
  }
  return code;
}

static int on_info(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct listing *listing = arg;
  mc_queue_info info;
  int code = mc_queue_info_read(reply, &info, err);
  if (code == 0)
    info_fill((mooncrew_queue_info *)listing->items + i, listing->names[i], &info);
  return code;
}

static int read_infos(struct listing *listing, mc_client *client, mc_err *err) {
  mc_call *calls = mc_zalloc((listing->count + 1) * sizeof *calls);
  listing->items = mc_memory_take(listing->memory, listing->count, sizeof(mooncrew_queue_info));
  for (size_t i = 0; i < listing->count; i++)
    mc_call_queue_info(&calls[i], mc_slice_of(listing->names[i]), mc_clock_wall_s());
  int code = mc_client_ask(client, calls, listing->count, on_info, listing, err);
  mc_calls_deinit(calls, listing->count);
  free(calls);
  return code ? code : count_grouped(listing, client, err);
}

/* Ends a call that reads queue infos, whose listing has its names, or failed. */
static int finish_infos(struct listing *listing, mc_client *client, int code, mooncrew_queue_list *out, mc_err *err) {
  if (code == 0)
    code = read_infos(listing, client, err);
  mc_client_end(client);
  if (code)
    mc_memory_free(listing->memory);
  else
    *out = (mooncrew_queue_list){listing->items, listing->count, listing->memory};
  return code;
}

int mc_inspect_queues(mc_client *client, mooncrew_queue_list *out, mc_err *err) {
  struct listing listing = {0};
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  listing.memory = mc_memory_new();
  return finish_infos(&listing, client, read_names(&listing, client, MC_KEY_QUEUES, err), out, err);
}

int mc_inspect_queue(mc_client *client, mc_slice queue, mooncrew_queue_list *out, mc_err *err) {
  struct listing listing = {.count = 1};
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  listing.memory = mc_memory_new();
  listing.names = mc_memory_take(listing.memory, 1, sizeof *listing.names);
  listing.names[0] = mc_memory_text(listing.memory, queue);
  return finish_infos(&listing, client, mc_check_queue(client, queue, err), out, err);
}

/* ---- history ---- */

static void write_date(char *out, size_t size, int64_t at_s) {
  struct tm parts;
  time_t at = (time_t)at_s;
  strftime(out, size, "%Y-%m-%d", gmtime_r(&at, &parts));
}

static int on_days(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct listing *listing = arg;
  mooncrew_day *days = listing->items;
  (void)i;
  if (reply->kind != MC_VALUE_ARRAY || reply->count != 2 * listing->count)
    return mc_fail(err, MC_EMALFORMED, "Redis did not answer by a number for each day");
  for (size_t k = 0; k < listing->count; k++) {
    days[k].processed = days[k].failed = 0; /* nothing was done that day: no key */
    mc_value_integer(reply->items[2 * k], &days[k].processed);
    mc_value_integer(reply->items[2 * k + 1], &days[k].failed);
  }
  return 0;
}

static int read_days(struct listing *listing, mc_client *client, mc_slice queue, mc_err *err) {
  mc_call call = {0};
  int64_t now_s = mc_clock_wall_s();
  mooncrew_day *days = mc_memory_take(listing->memory, listing->count, sizeof *days);
  listing->items = days;
  mc_args_add_text(&call.args, "MGET");
  for (size_t i = 0; i < listing->count; i++) {
    char date[16];
    int64_t at_s = now_s - (int64_t)i * DAY_S;
    write_date(date, sizeof date, at_s);
    days[i].date = mc_memory_text(listing->memory, mc_slice_of(date));
    mc_key_daily(&call.args.bytes, queue, MC_KEY_PROCESSED, at_s);
    mc_args_end(&call.args);
    mc_key_daily(&call.args.bytes, queue, MC_KEY_FAILED, at_s);
    mc_args_end(&call.args);
  }
  int code = mc_client_ask(client, &call, 1, on_days, listing, err);
  mc_calls_deinit(&call, 1);
  return code;
}

int mc_inspect_history(mc_client *client, mc_slice queue, int days, mooncrew_day_list *out, mc_err *err) {
  struct listing listing = {.count = (size_t)days};
  if (days < 1 || days > DAYS_MAX)
    return mc_fail(err, MC_EINVALID, "days: give 1 … %d, not %d", DAYS_MAX, days);
  int code = read_of_queue(&listing, client, queue, read_days, err);
  if (code == 0)
    *out = (mooncrew_day_list){listing.items, listing.count, listing.memory};
  return code;
}

/* ---- groups ---- */

static int on_group_size(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct listing *listing = arg;
  mooncrew_group_info *group = (mooncrew_group_info *)listing->items + i;
  group->name = listing->names[i];
  return mc_answer_number(&group->size, i, reply, err);
}

static int read_groups(struct listing *listing, mc_client *client, mc_slice queue, mc_err *err) {
  mc_buf key = {0};
  mc_key_queue(&key, queue, MC_KEY_GROUPS);
  mc_buf_add_char(&key, '\0');
  int code = read_names(listing, client, key.data, err);
  mc_buf_deinit(&key);
  if (code)
    return code;
  mc_call *calls = mc_zalloc((listing->count + 1) * sizeof *calls);
  listing->items = mc_memory_take(listing->memory, listing->count, sizeof(mooncrew_group_info));
  for (size_t i = 0; i < listing->count; i++) {
    mc_args_add_text(&calls[i].args, "ZCARD");
    mc_key_group(&calls[i].args.bytes, queue, mc_slice_of(listing->names[i]));
    mc_args_end(&calls[i].args);
  }
  code = mc_client_ask(client, calls, listing->count, on_group_size, listing, err);
  mc_calls_deinit(calls, listing->count);
  free(calls);
  return code;
}

int mc_inspect_groups(mc_client *client, mc_slice queue, mooncrew_group_list *out, mc_err *err) {
  struct listing listing = {0};
  int code = read_of_queue(&listing, client, queue, read_groups, err);
  if (code == 0)
    *out = (mooncrew_group_list){listing.items, listing.count, listing.memory};
  return code;
}
