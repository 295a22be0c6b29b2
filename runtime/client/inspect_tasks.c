/* Tasks: pages of them, one of them, and what can be done to one that does not move it. See mooncrew.h. */
#include "client/ask.h"
#include "client/inspect.h"
#include "client/memory.h"
#include "client/task_info.h"

#include "base/clock.h"
#include "base/mem.h"
#include "protocol/keys.h"
#include "protocol/message.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define MD5_DIGITS 32

int mc_check_state(mc_slice name, mc_slice group, mc_task_state *out, mc_err *err) {
  mc_task_state state;
  if (mc_state_find(name, &state))
    return mc_fail(err, MC_EINVALID,
                   "state: \"%.*s\" is none; there are pending, active, scheduled, retry, archived, completed and "
                   "aggregating",
                   MC_SLICE_PRINT(name));
  if ((state == MC_TASK_AGGREGATING) != (group.size > 0))
    return mc_fail(err, MC_EINVALID,
                   group.size ? "group: only aggregating tasks stand in groups"
                              : "group: aggregating tasks stand in groups; say which");
  *out = state;
  return 0;
}

/* ---- pages ---- */

struct page {
  const mc_page_request *request;
  mc_task_state state;
  mc_memory *memory;
  mooncrew_task_list list;
};

/* Where the page after this one begins: in a list "<how many come before>", in a set "<score> <id>" of the last task.
 */
static const char *next_of(const struct page *page, const mc_task_page *read) {
  mc_buf token = {0};
  mc_task_record last;
  int64_t end = read->skipped + (int64_t)read->count;
  if (read->count == 0 || end >= read->total)
    return NULL;
  if (mc_state_is_list(page->state))
    mc_buf_printf(&token, "%lld", (long long)end);
  else if (mc_task_page_at(read, read->count - 1, &last) == 0)
    mc_buf_printf(&token, "%.*s %.*s", MC_SLICE_PRINT(last.score), MC_SLICE_PRINT(last.id));
  const char *next = mc_memory_text(page->memory, mc_buf_slice(&token));
  mc_buf_deinit(&token);
  return next;
}

static int on_page(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct page *page = arg;
  mc_task_page read;
  (void)i;
  int code = mc_task_page_read(reply, &read, err);
  if (code)
    return code;
  mooncrew_task_info *items = mc_memory_take(page->memory, read.count, sizeof *items);
  for (size_t k = 0; k < read.count; k++) {
    mc_task_record record;
    if (mc_task_page_at(&read, k, &record))
      return mc_fail(err, MC_EMALFORMED, "item %zu of Redis' answer is no task", k);
    mc_task_info_fill(&items[k], page->memory, page->request->queue, page->state, &record);
  }
  page->list = (mooncrew_task_list){items, read.count, read.total, next_of(page, &read), page->memory};
  return 0;
}

static int refuse_token(mc_slice token, mc_err *err) {
  return mc_fail(err, MC_EINVALID, "after: \"%.*s\" is not the `next` of a page of this state", MC_SLICE_PRINT(token));
}

/* Reads a token as next_of makes them. */
static int start_after(mc_slice token, mc_task_state state, mc_page_start *out, mc_err *err) {
  const char *space = memchr(token.data, ' ', token.size);
  const mc_value whole = {.kind = MC_VALUE_STRING, .text = token};
  char score[40], *end = NULL;
  if (mc_state_is_list(state))
    return mc_value_integer(&whole, &out->skip) || out->skip < 0 ? refuse_token(token, err) : 0;
  if (!space || space == token.data || (size_t)(space - token.data) >= sizeof score)
    return refuse_token(token, err);
  out->after_score = (mc_slice){token.data, (size_t)(space - token.data)};
  out->after_id = (mc_slice){space + 1, token.size - out->after_score.size - 1};
  snprintf(score, sizeof score, "%.*s", MC_SLICE_PRINT(out->after_score));
  strtod(score, &end);
  return *end ? refuse_token(token, err) : 0;
}

static int page_start(const mc_page_request *request, mc_task_state state, mc_page_start *out, mc_err *err) {
  if (request->size < 1 || request->size > MC_PAGE_MAX)
    return mc_fail(err, MC_EINVALID, "size: give 1 … %d", MC_PAGE_MAX);
  if (request->number < 1 || request->number > INT32_MAX)
    return mc_fail(err, MC_EINVALID, "page: pages count from 1");
  *out = (mc_page_start){.skip = (request->number - 1) * request->size};
  return request->after.size ? start_after(request->after, state, out, err) : 0;
}

static int read_page(mc_client *client, struct page *page, const mc_page_start *start, mc_err *err) {
  const mc_page_request *request = page->request;
  mc_call call = {0};
  int code = mc_check_queue(client, request->queue, err);
  if (code)
    return code;
  mc_call_list_tasks(&call, request->queue, page->state, request->group, start, (size_t)request->size);
  code = mc_client_ask(client, &call, 1, on_page, page, err);
  mc_calls_deinit(&call, 1);
  return code;
}

int mc_inspect_tasks(mc_client *client, const mc_page_request *request, mooncrew_task_list *out, mc_err *err) {
  struct page page = {.request = request};
  mc_page_start start;
  int code = mc_check_state(request->state, request->group, &page.state, err);
  if (code == 0)
    code = page_start(request, page.state, &start, err);
  if (code == 0)
    code = mc_client_begin(client, err);
  if (code)
    return code;
  page.memory = mc_memory_new();
  code = read_page(client, &page, &start, err);
  mc_client_end(client);
  if (code)
    mc_memory_free(page.memory);
  else
    *out = page.list;
  return code;
}

/* ---- one task ---- */

struct reading {
  mc_slice queue, id;
  mc_memory *memory;
  mooncrew_task_list list;
};

static int refuse_missing(mc_slice queue, mc_slice id, mc_err *err) {
  return mc_fail(err, MC_ENOT_FOUND, "there is no task \"%.*s\" in queue \"%.*s\"", MC_SLICE_PRINT(id),
                 MC_SLICE_PRINT(queue));
}

static int on_task(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct reading *reading = arg;
  mc_task_record record;
  (void)i;
  int code = mc_task_record_read(reply, &record, err);
  if (code)
    return code == MC_ENOT_FOUND ? refuse_missing(reading->queue, reading->id, err) : code;
  mooncrew_task_info *item = mc_memory_take(reading->memory, 1, sizeof *item);
  mc_task_state state = mc_task_record_state(&record);
  record.id = reading->id;
  mc_task_info_fill(item, reading->memory, reading->queue, state, &record);
  reading->list = (mooncrew_task_list){.items = item, .count = 1, .total = 1, .memory = reading->memory};
  return 0;
}

int mc_read_task(mc_client *client, mc_slice queue, mc_slice id, mooncrew_task_list *out, mc_err *err) {
  struct reading reading = {.queue = queue, .id = id, .memory = mc_memory_new()};
  mc_call call = {0};
  mc_call_read_task(&call, queue, id);
  int code = mc_client_ask(client, &call, 1, on_task, &reading, err);
  mc_calls_deinit(&call, 1);
  if (code)
    mc_memory_free(reading.memory);
  else
    *out = reading.list;
  return code;
}

int mc_inspect_task(mc_client *client, mc_slice queue, mc_slice id, mooncrew_task_list *out, mc_err *err) {
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  code = mc_check_queue(client, queue, err);
  if (code == 0)
    code = mc_read_task(client, queue, id, out, err);
  mc_client_end(client);
  return code;
}

/* ---- a new payload ---- */

struct update {
  mc_slice queue, id, payload;
  mc_buf old_message, new_message, old_lock, new_lock;
  int64_t verdict;
};

static int on_message(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct update *update = arg;
  (void)i;
  mc_buf_clear(&update->old_message);
  if (reply->kind != MC_VALUE_STRING)
    return refuse_missing(update->queue, update->id, err);
  mc_buf_add_slice(&update->old_message, reply->text);
  return 0;
}

/* Whether the lock is named after a payload of this type, of whatever bytes: a Go inspector changes payloads and leaves
 * the lock, so it may be that of an earlier one. One that somebody chose in another way says nothing about it. */
static bool is_lock_of_payload(mc_slice lock, mc_slice bare) {
  if (lock.size < bare.size || memcmp(lock.data, bare.data, bare.size) != 0)
    return false;
  size_t digits = 0;
  while (bare.size + digits < lock.size && isxdigit((unsigned char)lock.data[bare.size + digits]))
    digits++;
  return bare.size + digits == lock.size && (digits == 0 || digits == MD5_DIGITS);
}

/* The lock that the new payload asks for. */
static int make_lock(struct update *update, const mc_message *message) {
  mc_buf bare = {0};
  int code = mc_key_unique(&bare, message->queue, message->type, (mc_slice){0});
  if (code == 0 && is_lock_of_payload(message->unique_key, mc_buf_slice(&bare)))
    code = mc_key_unique(&update->new_lock, message->queue, message->type, update->payload);
  mc_buf_deinit(&bare);
  return code;
}

static int make_message(struct update *update, mc_err *err) {
  mc_message_box box;
  int code = mc_message_decode(mc_buf_slice(&update->old_message), &box, err);
  if (code)
    return code;
  mc_buf_clear(&update->old_lock);
  mc_buf_add_slice(&update->old_lock, box.message.unique_key);
  if (box.message.unique_key.size && (code = make_lock(update, &box.message)))
    mc_fail(err, code, "OpenSSL has no MD5 here, which the task's uniqueness lock needs");
  box.message.payload = update->payload;
  if (update->new_lock.size)
    box.message.unique_key = mc_buf_slice(&update->new_lock);
  if (code == 0)
    mc_message_encode(&box.message, &update->new_message);
  mc_message_free(&box);
  return code;
}

static int on_updated(void *arg, size_t i, const mc_value *reply, mc_err *err) {
  struct update *update = arg;
  (void)i;
  return mc_verdict_read(reply, MC_UPDATE_FOLDING, MC_UPDATED, &update->verdict, err);
}

static int read_message(mc_client *client, struct update *update, mc_err *err) {
  mc_call call = {0};
  mc_args_add_text(&call.args, "HGET");
  mc_key_task(&call.args.bytes, update->queue, update->id);
  mc_args_end(&call.args);
  mc_args_add_text(&call.args, "msg");
  int code = mc_client_ask(client, &call, 1, on_message, update, err);
  mc_calls_deinit(&call, 1);
  return code;
}

static int write_message(mc_client *client, struct update *update, mc_err *err) {
  mc_call call = {0};
  mc_call_update_task(&call, update->queue, update->id, mc_buf_slice(&update->old_message),
                      mc_buf_slice(&update->new_message), mc_buf_slice(&update->old_lock),
                      mc_buf_slice(&update->new_lock));
  int code = mc_client_tell(client, &call, on_updated, update, err);
  mc_calls_deinit(&call, 1);
  return code;
}

static int explain_update(const struct update *update, mc_err *err) {
  switch ((mc_updated)update->verdict) {
  case MC_UPDATED:
    return 0;
  case MC_UPDATE_MISSING:
    return refuse_missing(update->queue, update->id, err);
  case MC_UPDATE_DUPLICATE:
    return mc_fail(err, MC_EDUPLICATE, "a unique task with the new payload is waiting or running in queue \"%.*s\"",
                   MC_SLICE_PRINT(update->queue));
  case MC_UPDATE_CHANGED:
    return mc_fail(err, MC_ESTATE, "task \"%.*s\" was changed in this moment: look at it again",
                   MC_SLICE_PRINT(update->id));
  case MC_UPDATE_FOLDING:
    return mc_fail(err, MC_ESTATE, "task \"%.*s\" is just being folded with its group: its payload was read already",
                   MC_SLICE_PRINT(update->id));
  default:
    return mc_fail(err, MC_ESTATE, "task \"%.*s\" is %s: its payload cannot change any more",
                   MC_SLICE_PRINT(update->id), update->verdict == MC_UPDATE_ACTIVE ? "active" : "completed");
  }
}

static int update_run(mc_client *client, struct update *update, mc_err *err) {
  int code = mc_check_queue(client, update->queue, err);
  if (code == 0)
    code = read_message(client, update, err);
  if (code == 0)
    code = make_message(update, err);
  if (code == 0)
    code = write_message(client, update, err);
  return code ? code : explain_update(update, err);
}

int mc_update_payload(mc_client *client, mc_slice queue, mc_slice id, mc_slice payload, mc_err *err) {
  struct update update = {.queue = queue, .id = id, .payload = payload};
  if (!payload.size)
    update.payload.data = NULL; /* no payload, as Go's nil: a unique key depends on it */
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  code = update_run(client, &update, err);
  mc_client_end(client);
  mc_buf_deinit(&update.old_message);
  mc_buf_deinit(&update.new_message);
  mc_buf_deinit(&update.old_lock);
  mc_buf_deinit(&update.new_lock);
  return code;
}

/* ---- cancel ---- */

int mc_cancel_task(mc_client *client, mc_slice id, int64_t *listeners, mc_err *err) {
  mc_call call = {0};
  int64_t heard = 0;
  if (mc_text_is_blank(id))
    return mc_fail(err, MC_EINVALID, "id: a task has one");
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  mc_call_words(&call, "PUBLISH", MC_CHANNEL_CANCEL, id);
  code = mc_client_tell(client, &call, mc_answer_number, &heard, err);
  mc_calls_deinit(&call, 1);
  mc_client_end(client);
  if (code == 0 && listeners)
    *listeners = heard;
  return code;
}
