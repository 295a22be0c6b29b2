/* Cron entries of all live schedulers, and what they enqueued: see mooncrew.h. */
#include "client/ask.h"
#include "client/inspect.h"
#include "client/memory.h"

#include "base/mem.h"
#include "protocol/cron_info.h"
#include "protocol/keys.h"

#include <stdlib.h>

/* ---- entries ---- */

struct listing {
  mc_memory *memory;
  mc_slice *schedulers; /* their keys */
  size_t scheduler_count;
  struct held *helds; /* what each of them holds */
};

struct held {
  mooncrew_cron_info *entries;
  size_t count;
};

static int on_schedulers(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct listing *listing = arg;
  (void)i;
  if (reply->kind != MC_VALUE_ARRAY)
    return mc_fail(err, MC_EMALFORMED, "Redis did not answer by a list of schedulers");
  listing->schedulers = mc_memory_take(listing->memory, reply->count, sizeof *listing->schedulers);
  listing->scheduler_count = reply->count;
  for (size_t k = 0; k < reply->count; k++)
    listing->schedulers[k] =
        (mc_slice){mc_memory_text(listing->memory, reply->items[k]->text), reply->items[k]->text.size};
  return 0;
}

static int read_schedulers(struct listing *listing, mc_client *client, mc_err *err) {
  mc_call call = {0};
  mc_command_alive(&call.args, MC_KEY_SCHEDULERS);
  int code = mc_client_ask(client, &call, 1, on_schedulers, listing, err);
  mc_calls_deinit(&call, 1);
  return code;
}

static void entry_fill(mooncrew_cron_info *out, mc_memory *memory, const mc_cron_info *info) {
  const char **options = mc_memory_take(memory, info->option_count, sizeof *options);
  for (size_t i = 0; i < info->option_count; i++)
    options[i] = mc_memory_text(memory, info->options[i]);
  *out = (mooncrew_cron_info){
      .id = mc_memory_text(memory, info->id),
      .spec = mc_memory_text(memory, info->spec),
      .type = mc_memory_text(memory, info->type),
      .payload = info->payload.size ? mc_memory_text(memory, info->payload) : NULL,
      .payload_size = info->payload.size,
      .options = options,
      .option_count = info->option_count,
      .next_ns = info->next_ns,
      .prev_ns = info->prev_ns,
      .schedulers = 1,
  };
}

/* What one scheduler holds. An entry that cannot be read is left out. */
static int on_entries(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct listing *listing = arg;
  struct held *held = &listing->helds[i];
  (void)err;
  *held = (struct held){mc_memory_take(listing->memory, reply->count, sizeof *held->entries), 0};
  for (size_t k = 0; k < reply->count; k++) {
    mc_cron_info_box box;
    if (mc_cron_info_decode(reply->items[k]->text, &box, NULL))
      continue;
    entry_fill(&held->entries[held->count++], listing->memory, &box.info);
    mc_cron_info_free(&box);
  }
  return 0;
}

static int read_entries(struct listing *listing, mc_client *client, mc_err *err) {
  mc_call *calls = mc_zalloc((listing->scheduler_count + 1) * sizeof *calls);
  listing->helds = mc_memory_take(listing->memory, listing->scheduler_count, sizeof *listing->helds);
  for (size_t i = 0; i < listing->scheduler_count; i++) {
    mc_args_add_text(&calls[i].args, "LRANGE");
    mc_args_add(&calls[i].args, listing->schedulers[i]);
    mc_args_add_int(&calls[i].args, 0);
    mc_args_add_int(&calls[i].args, -1);
  }
  int code = mc_client_ask(client, calls, listing->scheduler_count, on_entries, listing, err);
  mc_calls_deinit(calls, listing->scheduler_count);
  free(calls);
  return code;
}

static int entry_compare(const void *left, const void *right) {
  return strcmp(((const mooncrew_cron_info *)left)->id, ((const mooncrew_cron_info *)right)->id);
}

/* Of those with one id the last enqueueing is the latest that any scheduler knows of, and the next is the earliest. */
static void merge(mooncrew_cron_info *into, const mooncrew_cron_info *other) {
  into->schedulers++;
  if (other->prev_ns > into->prev_ns)
    into->prev_ns = other->prev_ns;
  if (other->next_ns > 0 && (into->next_ns == 0 || other->next_ns < into->next_ns))
    into->next_ns = other->next_ns;
}

static void finish(const struct listing *listing, mooncrew_cron_list *out) {
  size_t total = 0, count = 0;
  for (size_t i = 0; i < listing->scheduler_count; i++)
    total += listing->helds[i].count;
  mooncrew_cron_info *all = mc_memory_take(listing->memory, total, sizeof *all);
  for (size_t i = 0, at = 0; i < listing->scheduler_count; i++)
    for (size_t k = 0; k < listing->helds[i].count; k++)
      all[at++] = listing->helds[i].entries[k];
  qsort(all, total, sizeof *all, entry_compare);
  for (size_t i = 0; i < total; i++) {
    if (count > 0 && entry_compare(&all[count - 1], &all[i]) == 0)
      merge(&all[count - 1], &all[i]);
    else
      all[count++] = all[i];
  }
  *out = (mooncrew_cron_list){all, count, listing->memory};
}

int mc_inspect_cron(mc_client *client, mooncrew_cron_list *out, mc_err *err) {
  struct listing listing = {0};
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  listing.memory = mc_memory_new();
  code = read_schedulers(&listing, client, err);
  if (code == 0)
    code = read_entries(&listing, client, err);
  mc_client_end(client);
  if (code)
    mc_memory_free(listing.memory);
  else
    finish(&listing, out);
  return code;
}

/* ---- history ---- */

static int on_events(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  mooncrew_cron_event_list *list = arg;
  (void)i;
  if (reply->kind != MC_VALUE_ARRAY)
    return mc_fail(err, MC_EMALFORMED, "Redis did not answer by a list of events");
  mooncrew_cron_event *events = mc_memory_take(list->memory, reply->count, sizeof *events);
  list->items = events;
  list->count = 0;
  for (size_t k = 0; k < reply->count; k++) {
    mc_cron_event_info_box box;
    if (mc_cron_event_info_decode(reply->items[k]->text, &box, NULL))
      continue;
    events[list->count++] = (mooncrew_cron_event){mc_memory_text(list->memory, box.info.task_id), box.info.at_ns};
    mc_cron_event_info_free(&box);
  }
  return 0;
}

static int read_events(mc_client *client, mc_slice entry_id, int64_t first, int64_t last,
                       mooncrew_cron_event_list *list, mc_err *err) {
  mc_call call = {0};
  mc_args_add_text(&call.args, "ZREVRANGE");
  mc_key_scheduler_history(&call.args.bytes, entry_id);
  mc_args_end(&call.args);
  mc_args_add_int(&call.args, first);
  mc_args_add_int(&call.args, last);
  int code = mc_client_ask(client, &call, 1, on_events, list, err);
  mc_calls_deinit(&call, 1);
  return code;
}

int mc_inspect_cron_history(mc_client *client, mc_slice entry_id, int page, int size, mooncrew_cron_event_list *out,
                            mc_err *err) {
  mooncrew_cron_event_list list = {0};
  if (page < 1 || size < 1 || size > MC_PAGE_MAX)
    return mc_fail(err, MC_EINVALID, "pages count from 1, and their size is 1 … %d", MC_PAGE_MAX);
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  list.memory = mc_memory_new();
  int64_t first = ((int64_t)page - 1) * size;
  code = read_events(client, entry_id, first, first + size - 1, &list, err);
  mc_client_end(client);
  if (code)
    mc_memory_free(list.memory);
  else
    *out = list;
  return code;
}
