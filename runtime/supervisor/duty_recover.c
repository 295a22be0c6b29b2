/* Recovery of orphans: see duty_recover.h.
 *
 * One look at a queue:  LRANGE active, ZRANGE lease  ─▶ suspects (in either, and unchanged long enough)
 *                       suspects?  names of live workers hashes ─▶ HKEYS of each ─▶ those found there are no orphans
 *                       the rest ─▶ recover script
 * Nothing of this runs for queues without foreign tasks but the first two commands.
 */
#include "supervisor/duty_recover.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "protocol/keys.h"
#include "supervisor/node.h"
#include "supervisor/refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct suspect {
  char *id;
  size_t size;
  double lease_s;
  size_t place; /* 0: the oldest of them */
  bool cleared; /* a live server has it */
};

struct look {
  mc_node *node;
  mc_queue *queue;
  mc_slice *active; /* copies in bytes */
  size_t active_count;
  mc_buf bytes;
  struct suspect *suspects;
  size_t count;
  size_t answers_due; /* workers hashes still to be read */
  bool failed;
};

static void begin_look(mc_node *node, mc_queue *queue);

static void look_free(struct look *look) {
  look->queue->looking = false;
  for (size_t i = 0; i < look->count; i++)
    free(look->suspects[i].id);
  free(look->suspects);
  free(look->active);
  mc_buf_deinit(&look->bytes);
  free(look);
}

static mc_slice suspect_id(const struct suspect *suspect) {
  return (mc_slice){suspect->id, suspect->size};
}

static bool is_expired(double lease_s) {
  return lease_s != MC_NO_LEASE && lease_s + MC_LEASE_VOID_S <= (double)mc_clock_wall_s();
}

static bool is_held(const mc_queue *queue, mc_slice id) {
  MC_LIST_EACH(link, &queue->held) {
    if (mc_slice_equal(mc_container_of(link, mc_held, in_queue)->box.message.id, id))
      return true;
  }
  return false;
}

/* ---- 4. the answer of the recover script ---- */

static void log_recovered(const struct look *look, const struct suspect *suspect, mc_recovered what) {
  static const char *const events[] = {
      [MC_RECOVER_REQUEUED] = "task recovered",
      [MC_RECOVER_DROPPED] = "task without data dropped",
      [MC_RECOVER_RELISTED] = "task that had ended listed again",
      [MC_RECOVER_POSTPONED] = NULL,
  };
  if (!events[what])
    return;
  mc_log_begin(MC_LOG_WARN, events[what]);
  mc_log_slice("task_id", suspect_id(suspect));
  mc_log_slice("queue", look->queue->name);
  if (suspect->lease_s == MC_NO_LEASE)
    mc_log_text("detail", "it stood in `active` without a lease");
  else
    mc_log_text("detail", "its lease was not extended and no live server has it");
  mc_log_end();
}

static void on_recovered(void *arg, int status, const mc_value *reply) {
  struct look *look = arg;
  size_t answered = 0;
  bool progressed = false, postponed = false;
  for (size_t i = 0; status == 0 && i < look->count; i++) {
    mc_recovered what;
    if (look->suspects[i].cleared || mc_recovered_at(reply, answered++, &what))
      continue;
    log_recovered(look, &look->suspects[i], what);
    postponed |= what == MC_RECOVER_POSTPONED;
    progressed |= what != MC_RECOVER_POSTPONED;
  }
  look->queue->ready = true;
  mc_node *node = look->node;
  mc_queue *queue = look->queue;
  bool full = look->count == MC_SETTLE_BATCH;
  look_free(look);
  if (full && progressed && !postponed)
    begin_look(node, queue); /* there may be more than one call takes */
}

static int oldest_first(const void *a, const void *b) {
  const struct suspect *left = a, *right = b;
  return (left->place > right->place) - (left->place < right->place);
}

static void recover(struct look *look) {
  qsort(look->suspects, look->count, sizeof *look->suspects, oldest_first);
  mc_orphan *orphans = mc_alloc((look->count + 1) * sizeof *orphans);
  size_t count = 0;
  for (size_t i = 0; i < look->count; i++)
    if (!look->suspects[i].cleared)
      orphans[count++] = (mc_orphan){suspect_id(&look->suspects[i]), look->suspects[i].lease_s};
  mc_call call = {0};
  int rc = MC_EUNAVAILABLE;
  if (count > 0 && !look->failed) {
    mc_call_recover(&call, look->queue->name, mc_clock_wall_ns(), orphans, count);
    rc = mc_conn_call(look->node->link.commands, &call, on_recovered, look);
  }
  free(orphans);
  if (rc)
    look_free(look);
}

/* ---- 3. what live servers work on ---- */

static int by_id(const void *a, const void *b) {
  const struct suspect *left = a, *right = b;
  size_t size = left->size < right->size ? left->size : right->size;
  int order = memcmp(left->id, right->id, size);
  return order ? order : (left->size > right->size) - (left->size < right->size);
}

static void clear_suspect(struct look *look, mc_slice id) {
  struct suspect key = {.id = (char *)id.data, .size = id.size};
  struct suspect *found = bsearch(&key, look->suspects, look->count, sizeof key, by_id);
  if (found && !is_expired(found->lease_s))
    found->cleared = true;
}

static void on_hash_keys(void *arg, int status, const mc_value *reply) {
  struct look *look = arg;
  look->failed |= status != 0 || reply->kind != MC_VALUE_ARRAY;
  for (size_t i = 0; !look->failed && i < reply->count; i++)
    clear_suspect(look, reply->items[i]->text);
  if (--look->answers_due == 0)
    recover(look);
}

static void on_worker_names(void *arg, int status, const mc_value *reply) {
  struct look *look = arg;
  look->failed |= status != 0 || reply->kind != MC_VALUE_ARRAY;
  look->answers_due = 1; /* this one, until all are asked */
  for (size_t i = 0; !look->failed && i < reply->count; i++) {
    mc_args args = {0};
    mc_args_add_text(&args, "HKEYS");
    mc_args_add(&args, reply->items[i]->text);
    if (mc_conn_send(look->node->link.commands, &args, on_hash_keys, look) == 0)
      look->answers_due++;
    else
      look->failed = true;
    mc_args_deinit(&args);
  }
  if (--look->answers_due == 0)
    recover(look);
}

static void ask_live_servers(struct look *look) {
  char now[32];
  snprintf(now, sizeof now, "%" PRId64, mc_clock_wall_s());
  qsort(look->suspects, look->count, sizeof *look->suspects, by_id);
  if (mc_conn_send_words(look->node->link.commands, on_worker_names, look, "ZRANGEBYSCORE", MC_KEY_WORKERS, now, "+inf",
                         NULL))
    look_free(look);
}

/* ---- 2. who looks like an orphan ---- */

static void suspect_add(struct look *look, mc_slice id, double lease_s) {
  look->suspects = mc_realloc(look->suspects, (look->count + 1) * sizeof *look->suspects);
  look->suspects[look->count] = (struct suspect){mc_strndup(id.data, id.size), id.size, lease_s, look->count, false};
  look->count++;
}

static void examine(struct look *look, mc_slice id, double lease_s, uint64_t now_ms) {
  mc_sighting *seen = mc_sightings_see(&look->queue->sightings, id, lease_s, now_ms);
  bool unchanged = now_ms - seen->since_ms >= MC_RECOVER_AFTER_MS;
  if (unchanged && look->count < MC_SETTLE_BATCH && !is_held(look->queue, id))
    suspect_add(look, id, lease_s);
}

struct lease_entry {
  mc_slice id;
  double lease_s;
  bool examined; /* it stands in `active` too */
  UT_hash_handle hh;
};

/* ZRANGE … WITHSCORES: id, score, id, score … as a hash from id to score. */
static struct lease_entry *index_leases(const mc_value *reply, struct lease_entry *room) {
  struct lease_entry *leases = NULL;
  for (size_t i = 0; i + 1 < reply->count; i += 2) {
    struct lease_entry *entry = &room[i / 2];
    entry->id = reply->items[i]->text;
    if (mc_value_score(reply->items[i + 1], &entry->lease_s) == 0)
      HASH_ADD_KEYPTR(hh, leases, entry->id.data, entry->id.size, entry);
  }
  return leases;
}

/* Oldest first, since a call takes a limited number; then leases whose ids stand in `active` no more. */
static void examine_all(struct look *look, const mc_value *reply) {
  struct lease_entry *room = mc_zalloc((reply->count / 2 + 1) * sizeof *room), *entry, *next;
  struct lease_entry *leases = index_leases(reply, room);
  uint64_t now_ms = mc_clock_mono_ms();
  mc_sightings_begin(&look->queue->sightings);
  for (size_t i = look->active_count; i-- > 0;) {
    HASH_FIND(hh, leases, look->active[i].data, look->active[i].size, entry);
    examine(look, look->active[i], entry ? entry->lease_s : MC_NO_LEASE, now_ms);
    if (entry)
      entry->examined = true;
  }
  HASH_ITER(hh, leases, entry, next) {
    if (!entry->examined)
      examine(look, entry->id, entry->lease_s, now_ms);
  }
  mc_sightings_end(&look->queue->sightings);
  HASH_CLEAR(hh, leases);
  free(room);
}

static void on_leases(void *arg, int status, const mc_value *reply) {
  struct look *look = arg;
  if (status || !mc_granted(MC_REFUSED_RECOVER, &look->queue->refused, look->queue->name, reply) ||
      reply->kind != MC_VALUE_ARRAY || !look->active) {
    look_free(look);
    return;
  }
  examine_all(look, reply);
  if (look->count)
    ask_live_servers(look);
  else
    look_free(look);
}

/* ---- 1. what stands in `active` ---- */

static void on_active(void *arg, int status, const mc_value *reply) {
  struct look *look = arg;
  if (status || reply->kind != MC_VALUE_ARRAY)
    return; /* on_leases frees the look */
  look->active_count = reply->count;
  look->active = mc_alloc((reply->count + 1) * sizeof *look->active);
  for (size_t i = 0; i < reply->count; i++)
    mc_buf_add_slice(&look->bytes, reply->items[i]->text);
  const char *at = look->bytes.data; /* only now: the buffer moved while it grew */
  for (size_t i = 0; i < reply->count; i++) {
    look->active[i] = (mc_slice){at, reply->items[i]->text.size};
    at += look->active[i].size;
  }
}

static void add_range(mc_args *args, const char *command, const mc_queue *queue, mc_queue_key key) {
  mc_args_add_text(args, command);
  mc_key_queue(&args->bytes, queue->name, key);
  mc_args_end(args);
  mc_args_add_text(args, "0");
  mc_args_add_text(args, "-1");
}

static void begin_look(mc_node *node, mc_queue *queue) {
  if (queue->looking)
    return;
  struct look *fresh = mc_zalloc(sizeof *fresh);
  fresh->node = node;
  fresh->queue = queue;
  queue->looking = true;
  mc_args active = {0}, leases = {0};
  add_range(&active, "LRANGE", queue, MC_KEY_ACTIVE);
  add_range(&leases, "ZRANGE", queue, MC_KEY_LEASE);
  mc_args_add_text(&leases, "WITHSCORES");
  if (mc_conn_send(node->link.commands, &active, on_active, fresh) ||
      mc_conn_send(node->link.commands, &leases, on_leases, fresh))
    look_free(fresh); /* not ready: neither was sent */
  mc_args_deinit(&active);
  mc_args_deinit(&leases);
}

void mc_duty_recover(mc_node *node) {
  for (size_t i = 0; i < node->queues.count; i++)
    begin_look(node, node->queues.items[i]);
}

void mc_recover_forget(mc_node *node) {
  for (size_t i = 0; i < node->queues.count; i++)
    mc_sightings_clear(&node->queues.items[i]->sightings);
}
