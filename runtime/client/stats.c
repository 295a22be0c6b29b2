/* What stands in Redis right now: see stats.h.
 *
 * Three round trips: which queues and servers there are; the numbers of every queue, with the oldest pending id and the
 * names of the groups; and what these two lead to.
 */
#include "client/stats.h"

#include "base/clock.h"
#include "base/mem.h"
#include "client/ask.h"
#include "client/query.h"
#include "protocol/keys.h"

#include <stdlib.h>

/* What the second round trip asks about each queue: its numbers, then two lists. */
static const struct source {
  const char *command;
  mc_queue_key key;
  bool today; /* the key of the day instead of the one of all time */
  size_t offset;
} sources[] = {
    {"EXISTS", MC_KEY_PAUSED, false, offsetof(mc_queue_stats, paused)},
    {"LLEN", MC_KEY_PENDING, false, offsetof(mc_queue_stats, pending)},
    {"LLEN", MC_KEY_ACTIVE, false, offsetof(mc_queue_stats, active)},
    {"ZCARD", MC_KEY_SCHEDULED, false, offsetof(mc_queue_stats, scheduled)},
    {"ZCARD", MC_KEY_RETRY, false, offsetof(mc_queue_stats, retry)},
    {"ZCARD", MC_KEY_ARCHIVED, false, offsetof(mc_queue_stats, archived)},
    {"ZCARD", MC_KEY_COMPLETED, false, offsetof(mc_queue_stats, completed)},
    {"GET", MC_KEY_PROCESSED, false, offsetof(mc_queue_stats, processed)},
    {"GET", MC_KEY_FAILED, false, offsetof(mc_queue_stats, failed)},
    {"GET", MC_KEY_PROCESSED, true, offsetof(mc_queue_stats, processed_today)},
    {"GET", MC_KEY_FAILED, true, offsetof(mc_queue_stats, failed_today)},
    {"HLEN", MC_KEY_FOLD_FAILURES, false, offsetof(mc_queue_stats, failing_folds)},
};

enum { NUMBERS = MC_COUNT(sources), OLDEST = NUMBERS, GROUPS, PER_QUEUE };

static int stats_read(mc_stats *stats, mc_client *client, mc_err *err);
static int read_names(mc_stats *stats, mc_client *client, mc_err *err);
static int read_queues(const mc_stats *stats, mc_query *queries, mc_client *client, mc_err *err);
static int read_details(mc_stats *stats, const mc_query *found, mc_client *client, mc_err *err);

int mc_client_stats(mc_client *client, mc_stats *out, mc_err *err) {
  mc_stats stats = {0};
  int code = mc_client_begin(client, err);
  if (code)
    return code;
  code = stats_read(&stats, client, err);
  mc_client_end(client);
  if (code)
    mc_stats_deinit(&stats);
  else
    *out = stats;
  return code;
}

void mc_stats_deinit(mc_stats *stats) {
  for (size_t i = 0; i < stats->queue_count; i++)
    free(stats->queues[i].name);
  for (size_t i = 0; i < stats->server_count; i++)
    free(stats->servers[i]);
  free(stats->queues);
  free(stats->servers);
  *stats = (mc_stats){0};
}

static int stats_read(mc_stats *stats, mc_client *client, mc_err *err) {
  int code = read_names(stats, client, err);
  if (code)
    return code;
  size_t count = stats->queue_count * PER_QUEUE;
  mc_query *queries = mc_zalloc(count * sizeof *queries);
  code = read_queues(stats, queries, client, err);
  if (code == 0)
    code = read_details(stats, queries, client, err);
  mc_queries_deinit(queries, count);
  free(queries);
  return code;
}

/* ---- the first round trip ---- */

static int text_compare(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

/* "asynq:servers:{host:pid:uuid}" → "host:pid:uuid", in place; other names stay. */
static void strip_braces(char *server) {
  char *open = strchr(server, '{'), *close = strrchr(server, '}');
  if (!open || !close || close < open)
    return;
  *close = '\0';
  memmove(server, open + 1, (size_t)(close - open));
}

static void stats_add_queues(mc_stats *stats, char *const *names, size_t count) {
  stats->queues = mc_zalloc(count * sizeof *stats->queues);
  stats->queue_count = count;
  for (size_t i = 0; i < count; i++)
    stats->queues[i].name = mc_strdup(names[i]);
}

static void stats_add_servers(mc_stats *stats, char *const *keys, size_t count) {
  stats->servers = mc_zalloc(count * sizeof *stats->servers);
  stats->server_count = count;
  for (size_t i = 0; i < count; i++) {
    stats->servers[i] = mc_strdup(keys[i]);
    strip_braces(stats->servers[i]);
  }
}

static int read_names(mc_stats *stats, mc_client *client, mc_err *err) {
  mc_query queries[2] = {0};
  mc_query *queues = &queries[0], *servers = &queries[1];
  mc_args_add_text(&queues->args, "SMEMBERS");
  mc_args_add_text(&queues->args, MC_KEY_QUEUES);
  mc_command_alive(&servers->args, MC_KEY_SERVERS);
  int code = mc_client_query(client, queries, MC_COUNT(queries), err);
  if (code == 0) {
    qsort(queues->texts, queues->text_count, sizeof *queues->texts, text_compare);
    qsort(servers->texts, servers->text_count, sizeof *servers->texts, text_compare);
    stats_add_queues(stats, queues->texts, queues->text_count);
    stats_add_servers(stats, servers->texts, servers->text_count);
  }
  mc_queries_deinit(queries, MC_COUNT(queries));
  return code;
}

/* ---- the second round trip ---- */

static void ask_number(mc_query *query, const struct source *source, mc_slice queue, int64_t now_s) {
  mc_args_add_text(&query->args, source->command);
  if (source->today)
    mc_key_daily(&query->args.bytes, queue, source->key, now_s);
  else
    mc_key_queue(&query->args.bytes, queue, source->key);
  mc_args_end(&query->args);
}

static void ask_list(mc_query *query, const char *command, mc_slice queue, mc_queue_key key) {
  mc_args_add_text(&query->args, command);
  mc_key_queue(&query->args.bytes, queue, key);
  mc_args_end(&query->args);
}

static int read_queues(const mc_stats *stats, mc_query *queries, mc_client *client, mc_err *err) {
  int64_t now_s = mc_clock_wall_s();
  for (size_t i = 0; i < stats->queue_count; i++) {
    mc_query *query = queries + i * PER_QUEUE;
    mc_slice queue = mc_slice_of(stats->queues[i].name);
    for (size_t k = 0; k < NUMBERS; k++)
      ask_number(&query[k], &sources[k], queue, now_s);
    ask_list(&query[OLDEST], "LINDEX", queue, MC_KEY_PENDING);
    mc_args_add_int(&query[OLDEST].args, -1);
    ask_list(&query[GROUPS], "SMEMBERS", queue, MC_KEY_GROUPS);
  }
  return mc_client_query(client, queries, stats->queue_count * PER_QUEUE, err);
}

/* ---- the third round trip: since when the oldest waits, and how many stand in each group ---- */

static void ask_pending_since(mc_query *query, mc_slice queue, const char *id) {
  mc_args_add_text(&query->args, "HGET");
  mc_key_task(&query->args.bytes, queue, mc_slice_of(id));
  mc_args_end(&query->args);
  mc_args_add_text(&query->args, "pending_since");
}

static void ask_group_size(mc_query *query, mc_slice queue, const char *group) {
  mc_args_add_text(&query->args, "ZCARD");
  mc_key_group_prefix(&query->args.bytes, queue);
  mc_buf_add_text(&query->args.bytes, group);
  mc_args_end(&query->args);
}

/* How many questions the answers of the second round trip lead to. */
static size_t details_count(const mc_stats *stats, const mc_query *found) {
  size_t count = 0;
  for (size_t i = 0; i < stats->queue_count; i++)
    count += found[i * PER_QUEUE + OLDEST].text_count + found[i * PER_QUEUE + GROUPS].text_count;
  return count;
}

static size_t ask_details(mc_query *queries, mc_slice queue, const mc_query *found) {
  size_t count = 0;
  for (size_t k = 0; k < found[OLDEST].text_count; k++)
    ask_pending_since(&queries[count++], queue, found[OLDEST].texts[k]);
  for (size_t k = 0; k < found[GROUPS].text_count; k++)
    ask_group_size(&queries[count++], queue, found[GROUPS].texts[k]);
  return count;
}

/* Fills one queue from its answers; returns how many of the details were its own. */
static size_t queue_fill(mc_queue_stats *queue, const mc_query *found, const mc_query *details) {
  int64_t now_ms = mc_clock_wall_ms();
  size_t count = 0;
  for (size_t k = 0; k < NUMBERS; k++)
    *(int64_t *)((char *)queue + sources[k].offset) = found[k].number;
  for (size_t k = 0; k < found[OLDEST].text_count; k++) {
    int64_t since_ms = details[count++].number / 1000000; /* 0: taken by a server since the second round trip */
    queue->latency_ms = since_ms > 0 && since_ms < now_ms ? now_ms - since_ms : 0;
  }
  for (size_t k = 0; k < found[GROUPS].text_count; k++)
    queue->aggregating += details[count++].number;
  return count;
}

static int read_details(mc_stats *stats, const mc_query *found, mc_client *client, mc_err *err) {
  size_t count = details_count(stats, found), at = 0;
  mc_query *details = mc_zalloc(count * sizeof *details);
  for (size_t i = 0; i < stats->queue_count; i++)
    at += ask_details(details + at, mc_slice_of(stats->queues[i].name), found + i * PER_QUEUE);
  int code = mc_client_query(client, details, count, err);
  at = 0;
  for (size_t i = 0; i < stats->queue_count && code == 0; i++)
    at += queue_fill(&stats->queues[i], found + i * PER_QUEUE, details + at);
  mc_queries_deinit(details, count);
  free(details);
  return code;
}
