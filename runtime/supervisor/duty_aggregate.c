/* Groups: see duty_aggregate.h.
 *
 *   look:  SSCAN groups ─▶ those with a rule ─▶ (waits for a slot) ─▶ aggregate script ─▶ folds
 *            ▲   └ none                                                    │
 *            └──────── next page ◀─────── no more groups in this page ◀────┘ next batch
 */
#include "supervisor/duty_aggregate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "protocol/keys.h"
#include "supervisor/node.h"
#include "supervisor/refusal.h"

#include <stdlib.h>

#define PAGE "1000" /* names of groups, about */
#define RECLAIM_EVERY 5

/* A look at very many groups is work for Redis, whether they are due or not: the next one waits for a multiple of the
 * time that the last one took of it, but not for so long that groups would be folded much too late. */
#define REST_FACTOR 10
#define REST_MAX_MS 10000

struct look {
  mc_list link; /* in node->folds.passes */
  mc_node *node;
  mc_buf queue;
  mc_buf cursor;                             /* "0": the last page, or a look at one group */
  bool whole;                                /* of the queue, not of one group */
  mc_args groups;                            /* of the page: those with a rule */
  size_t at;                                 /* how many of them were asked for */
  bool waiting;                              /* for a slot */
  uint64_t sent_ms;                          /* when the call in flight began */
  uint64_t took_ms;                          /* all calls so far */
  mc_section *section;                       /* whose workers fold the batch in flight … */
  size_t asked;                              /* … and how many of its slots that has spoken for */
  size_t batch;                              /* groups in it … */
  mc_group_check checks[MC_AGGREGATE_BATCH]; /* … and what is asked of each; names point into `groups` */
  char set_ids[MC_AGGREGATE_BATCH][MC_UUID_SIZE];
  size_t behind[MC_AGGREGATE_BATCH]; /* where to go on in `groups` after it */
};

static struct look *look_new(mc_node *node, mc_slice queue, bool whole) {
  struct look *look = mc_zalloc(sizeof *look);
  look->node = node;
  look->whole = whole;
  mc_buf_add_slice(&look->queue, queue);
  mc_buf_add_char(&look->cursor, '0');
  mc_list_push_back(&node->folds.passes, &look->link);
  return look;
}

static void look_free(struct look *look) {
  mc_list_remove(&look->link);
  mc_buf_deinit(&look->queue);
  mc_buf_deinit(&look->cursor);
  mc_args_deinit(&look->groups);
  free(look);
}

/* It has come to its end. */
static void look_end(struct look *look) {
  mc_queue *queue = mc_queues_find(&look->node->queues, mc_buf_slice(&look->queue));
  uint64_t rest_ms = look->took_ms * REST_FACTOR;
  if (queue && look->whole)
    queue->look_after_ms = mc_clock_mono_ms() + (rest_ms < REST_MAX_MS ? rest_ms : REST_MAX_MS);
  look_free(look);
}

static bool is_looked_at(const mc_node *node, mc_slice queue) {
  MC_LIST_EACH(link, &node->folds.passes) {
    const struct look *look = mc_container_of(link, struct look, link);
    if (look->whole && mc_slice_equal(mc_buf_slice(&look->queue), queue))
      return true;
  }
  return false;
}

static unsigned *refusals_of(const struct look *look) {
  mc_queue *queue = mc_queues_find(&look->node->queues, mc_buf_slice(&look->queue));
  return queue ? &queue->refused : &look->node->duties.refused;
}

/* ---- a page of names ---- */

static void scan(struct look *look);

static void keep_those_with_a_rule(struct look *look, const mc_value *names) {
  mc_args_clear(&look->groups);
  look->at = 0;
  for (size_t i = 0; i < names->count; i++)
    if (mc_group_rules_find(&look->node->folds.rules, mc_buf_slice(&look->queue), names->items[i]->text))
      mc_args_add(&look->groups, names->items[i]->text);
}

static void go_on(struct look *look) {
  if (look->at < look->groups.count)
    look->waiting = true; /* the end of the turn sees whether there is a slot */
  else if (mc_slice_equal(mc_buf_slice(&look->cursor), MC_SLICE_LITERAL("0")))
    look_end(look);
  else
    scan(look);
}

static void on_scanned(void *arg, int status, const mc_value *reply) {
  struct look *look = arg;
  look->took_ms += mc_clock_mono_ms() - look->sent_ms;
  const mc_value *cursor = mc_value_item(reply, 0), *names = mc_value_item(reply, 1);
  bool granted = status == 0 && mc_granted(MC_REFUSED_AGGREGATE, refusals_of(look), mc_buf_slice(&look->queue), reply);
  if (!granted || !cursor || !names || names->kind != MC_VALUE_ARRAY) {
    look_free(look);
    return;
  }
  mc_buf_clear(&look->cursor);
  mc_buf_add_slice(&look->cursor, cursor->text);
  keep_those_with_a_rule(look, names);
  go_on(look);
}

static void scan(struct look *look) {
  mc_args args = {0};
  mc_args_add_text(&args, "SSCAN");
  mc_key_queue(&args.bytes, mc_buf_slice(&look->queue), MC_KEY_GROUPS);
  mc_args_end(&args);
  mc_args_add(&args, mc_buf_slice(&look->cursor));
  mc_args_add_text(&args, "COUNT");
  mc_args_add_text(&args, PAGE);
  look->sent_ms = mc_clock_mono_ms();
  if (mc_conn_send(look->node->link.commands, &args, on_scanned, look))
    look_free(look);
  mc_args_deinit(&args);
}

/* ---- a batch of groups ---- */

static void on_aggregated(void *arg, int status, const mc_value *reply) {
  struct look *look = arg;
  mc_node *node = look->node;
  size_t made = 0;
  look->took_ms += mc_clock_mono_ms() - look->sent_ms;
  look->section->asked -= look->asked;
  if (status || !mc_granted(MC_REFUSED_AGGREGATE, refusals_of(look), mc_buf_slice(&look->queue), reply) ||
      mc_aggregated_read(reply, &made, NULL)) {
    look_free(look); /* sets that a lost reply told of go back at their deadline */
    return;
  }
  for (size_t i = 0; i < made; i++) {
    mc_aggregated set;
    if (mc_aggregated_at(reply, i, look->batch, &set))
      continue;
    mc_folds_take(node, look->section, mc_buf_slice(&look->queue), &look->checks[set.place], &set);
  }
  size_t seen = mc_aggregated_seen(reply, look->asked, look->batch);
  if (seen < look->batch)
    look->at = look->behind[seen - 1]; /* the script went no further */
  go_on(look);
}

/* Takes the next groups of the page. Those of which a set is in hand have their turn when that is done. */
static void fill_batch(struct look *look) {
  mc_slice queue = mc_buf_slice(&look->queue);
  look->batch = 0;
  while (look->at < look->groups.count && look->batch < MC_AGGREGATE_BATCH) {
    mc_slice group = mc_args_at(&look->groups, look->at++);
    const mc_frame_group_rule *rule = mc_group_rules_find(&look->node->folds.rules, queue, group);
    if (!rule || mc_folds_has(&look->node->folds, queue, group))
      continue;
    char *set_id = look->set_ids[look->batch];
    mc_random_uuid(set_id);
    look->behind[look->batch] = look->at;
    look->checks[look->batch++] = (mc_group_check){group, set_id, rule->max_size, rule->max_delay_s, rule->grace_s};
  }
}

static void ask(struct look *look, mc_section *section) {
  mc_node *node = look->node;
  mc_call call = {0};
  size_t slots = mc_section_free_slots(section);
  look->section = section;
  look->waiting = false;
  fill_batch(look);
  if (look->batch == 0) {
    go_on(look);
    return;
  }
  look->asked = slots < MC_AGGREGATE_SETS ? slots : MC_AGGREGATE_SETS;
  mc_call_aggregate(&call, mc_buf_slice(&look->queue), mc_clock_wall_s(), look->asked, look->checks, look->batch);
  look->sent_ms = mc_clock_mono_ms();
  if (mc_conn_call(node->link.commands, &call, on_aggregated, look))
    look_free(look);
  else
    look->section->asked += look->asked;
}

void mc_aggregate_flush(mc_node *node) {
  MC_LIST_EACH(link, &node->folds.passes) {
    struct look *look = mc_container_of(link, struct look, link);
    if (!look->waiting)
      continue;
    mc_section *section = mc_pool_section(&node->pool, mc_buf_slice(&look->queue));
    if (!mc_shutdown_fetching(node))
      look_free(look);
    else if (section)
      ask(look, section);
  }
}

void mc_aggregate_look_at(mc_node *node, mc_slice queue, mc_slice group) {
  struct look *look = look_new(node, queue, false);
  mc_args_add(&look->groups, group);
  look->waiting = true;
}

void mc_aggregate_deinit(mc_node *node) {
  while (!mc_list_empty(&node->folds.passes))
    look_free(mc_container_of(node->folds.passes.next, struct look, link));
}

/* ---- sets past their deadline ---- */

struct request {
  mc_node *node;
  mc_buf queue;
};

static void log_reclaimed(mc_slice queue, mc_slice group, int64_t tasks) {
  mc_log_begin(MC_LOG_WARN, "group set reclaimed");
  mc_log_slice("queue", queue);
  mc_log_slice("group", group);
  mc_log_int("tasks", tasks);
  mc_log_text("detail", "whoever folded it did not come to an end in time; its tasks are in their group again");
  mc_log_end();
}

static void on_reclaimed(void *arg, int status, const mc_value *reply) {
  struct request *request = arg;
  mc_slice queue = mc_buf_slice(&request->queue), group;
  mc_queue *served = mc_queues_find(&request->node->queues, queue);
  unsigned *refused = served ? &served->refused : &request->node->duties.refused;
  size_t count = 0;
  int64_t tasks;
  if (status == 0 && mc_granted(MC_REFUSED_RECLAIM, refused, queue, reply))
    mc_reclaimed_read(reply, &count, NULL);
  for (size_t i = 0; i < count; i++)
    if (mc_reclaimed_at(reply, i, &group, &tasks) == 0)
      log_reclaimed(queue, group, tasks);
  mc_buf_deinit(&request->queue);
  free(request);
}

static void reclaim(mc_node *node, mc_slice queue) {
  struct request *request = mc_zalloc(sizeof *request);
  mc_call call = {0};
  request->node = node;
  mc_buf_add_slice(&request->queue, queue);
  mc_call_reclaim(&call, queue);
  if (mc_conn_call(node->link.commands, &call, on_reclaimed, request)) {
    mc_buf_deinit(&request->queue);
    free(request);
  }
}

/* ---- the duty ---- */

static bool wants_a_look(const mc_node *node, const mc_queue *queue) {
  return mc_group_rules_any(&node->folds.rules, queue->name) && queue->look_after_ms <= mc_clock_mono_ms() &&
         !is_looked_at(node, queue->name);
}

void mc_duty_aggregate(mc_node *node) {
  bool reclaiming = node->folds.ticks++ % RECLAIM_EVERY == 0;
  mc_folds_extend(node);
  for (size_t i = 0; i < node->queues.count; i++) {
    const mc_queue *queue = node->queues.items[i];
    if (reclaiming)
      reclaim(node, queue->name);
    if (mc_shutdown_fetching(node) && wants_a_look(node, queue))
      scan(look_new(node, queue->name, true));
  }
}
