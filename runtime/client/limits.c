/* The limits of a queue: see limits.h. */
#include "client/limits.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "client/query.h"

#include <string.h>

#define CHANGES_MAX 2
#define FIELDS 3

/* The changes first: the answers to the questions behind them are what holds then. Returns where the questions begin.
 */
static size_t fill(mc_query *queries, mc_slice queue, const mc_limits_change *change) {
  size_t count = 0;
  if (change && change->concurrency)
    mc_limits_set_concurrency(&queries[count++].args, queue, change->to.concurrency);
  if (change && change->rate)
    mc_limits_set_rate(&queries[count++].args, queue, change->to.rate, change->to.interval_ms);
  for (size_t i = 0; i < FIELDS; i++)
    mc_limits_ask_one(&queries[count + i].args, queue, i);
  return count;
}

static int check(mc_slice queue, const mc_limits_change *change, mc_err *err) {
  if (queue.size == 0 || !mc_utf8_clean(queue))
    return mc_fail(err, MC_EINVALID, "the name of the queue is blank, or no text");
  return change ? mc_limits_check(&change->to, err) : 0;
}

/* Servers take nothing from a queue whose limits make no sense to them, so that is told and not taken for no limit. */
static int read_limits(const mc_query *found, mc_slice queue, mc_limits *out, mc_err *err) {
  static const char hint[] = "; servers take no task of this queue until it is set anew or taken away";
  for (size_t i = 0; i < FIELDS; i++)
    if (found[i].number < 0 || (found[i].text_count && found[i].number == 0 && strcmp(found[i].texts[0], "0") != 0))
      return mc_fail(err, MC_EMALFORMED, "a limit of queue \"%.*s\" is no whole number in Redis, but '%s'%s",
                     MC_SLICE_PRINT(queue), found[i].texts[0], hint);
  mc_limits limits = {found[0].number, found[1].number, found[2].number};
  if (limits.rate && !limits.interval_ms)
    return mc_fail(err, MC_EMALFORMED, "the rate of queue \"%.*s\" has no interval_ms in Redis%s",
                   MC_SLICE_PRINT(queue), hint);
  *out = limits;
  return 0;
}

int mc_client_limit(mc_client *client, mc_slice queue, const mc_limits_change *change, mc_limits *out, mc_err *err) {
  mc_query queries[CHANGES_MAX + FIELDS] = {0};
  int code = check(queue, change, err);
  if (code == 0)
    code = mc_client_begin(client, err);
  if (code)
    return code;
  const mc_query *found = queries + fill(queries, queue, change);
  code = mc_client_query(client, queries, (size_t)(found - queries) + FIELDS, err);
  if (code == 0)
    code = read_limits(found, queue, out, err);
  mc_queries_deinit(queries, MC_COUNT(queries));
  mc_client_end(client);
  return code;
}
