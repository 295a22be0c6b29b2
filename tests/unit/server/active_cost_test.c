/* What it costs Redis to complete one task of many that are active: the mean time of the script call, from INFO
 * commandstats. LREM searches `active` from the end at which the supervisor believes the id to be, so the oldest and
 * the newest must not cost more among 5,000 than among 10; the middle is where the search is longest, and is reported.
 */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>

#define FEW 10
#define MANY 5000
#define FILL_BATCH 500
#define ROUNDS 11 /* of which the medians are compared */
#define CALLS 60  /* per round, size and place */
#define LIMIT 1.5

typedef enum place { OLDEST, NEWEST, MIDDLE, PLACES } place;

static const char *const place_names[PLACES] = {"oldest", "newest", "middle"};
static const char *const place_indexes[PLACES][2] = {{"-1", "-1"}, {"0", "0"}, {"5", "2500"}};
static uint64_t next_attempt;

/* Ids as long as a UUID; the number in them is the attempt that takes the task. */
static void activate(size_t count) {
  char ids[FILL_BATCH * 40] = "";
  size_t used = 0;
  for (size_t i = 0; i < count; i++)
    used += (size_t)sprintf(ids + used, "%036llu ", (unsigned long long)next_attempt + i);
  queue_give(ids);
  queue_take(count, next_attempt);
  next_attempt += count;
}

static void fill(size_t size) {
  queue_ask("FLUSHALL");
  for (size_t left = size; left > 0;) {
    size_t count = left < FILL_BATCH ? left : FILL_BATCH;
    activate(count);
    left -= count;
  }
}

static void complete(const char *index, bool near_head) {
  char id[64];
  mc_call call = {0};
  snprintf(id, sizeof id, "%s", queue_ask("LINDEX asynq:{q}:active %s", index));
  const mc_settle_context context = {.queue = mc_slice_of("q"), .server = mc_slice_of("s"), .now_ns = NOW_NS};
  const mc_settle_item item = {.id = mc_slice_of(id), .attempt = strtoull(id, NULL, 10), .near_head = near_head};
  const mc_settle_item *const items[] = {&item};
  mc_call_settle(&call, MC_SETTLE_COMPLETE, &context, items, 1);
  assert_string_equal(queue_call_cached(&call), "");
}

/* Microseconds per call of the script, since CONFIG RESETSTAT. All other scripts are called by their text here. */
static double usec_per_call(void) {
  static const char name[] = "cmdstat_evalsha:";
  const char *line = strstr(queue_ask("INFO commandstats"), name);
  assert_non_null(line);
  assert_int_equal(atoi(strstr(line, "calls=") + strlen("calls=")), CALLS);
  return atof(strstr(line, "usec_per_call=") + strlen("usec_per_call="));
}

/* Of one task at a time, with as many active at each call. */
static double cost_of(place where, bool many) {
  queue_ask("CONFIG RESETSTAT");
  for (int i = 0; i < CALLS; i++) {
    complete(place_indexes[where][many], where == NEWEST);
    activate(1);
  }
  return usec_per_call();
}

static int compare(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static double median(double *values) {
  qsort(values, ROUNDS, sizeof *values, compare);
  return values[ROUNDS / 2];
}

static void teach_scripts(void) {
  const mc_settle_item item = {.id = mc_slice_of("a"), .attempt = 1};
  queue_give("a");
  queue_take(1, 1);
  queue_settle(MC_SETTLE_COMPLETE, &item, 1);
}

static void completing_the_oldest_or_the_newest_costs_no_more_among_many(void **state) {
  (void)state;
  static double cost[PLACES][2][ROUNDS];
  teach_scripts();
  next_attempt = 1;
  for (int round = 0; round < ROUNDS; round++)
    for (int many = 0; many < 2; many++) {
      fill(many ? MANY : FEW);
      for (int where = 0; where < PLACES; where++)
        cost[where][many][round] = cost_of((place)where, many);
    }
  for (int where = 0; where < PLACES; where++) {
    double few = median(cost[where][0]), many = median(cost[where][1]);
    print_message("measured: completing the %s: %.1f us per call with %d active, %.1f us with %d: %.2f times as much\n",
                  place_names[where], few, FEW, many, MANY, many / few);
    if (where != MIDDLE && many > LIMIT * few)
      fail_msg("the %s of %d costs more than %.1f times what it costs among %d", place_names[where], MANY, LIMIT, FEW);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {queue_test(completing_the_oldest_or_the_newest_costs_no_more_among_many)};
  return cmocka_run_group_tests(tests, queue_start, queue_stop);
}
