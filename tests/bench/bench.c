/* make bench: how fast no-op tasks are drained, what they cost, and how soon an idle queue is picked up.
 *
 * Each round fills a private Redis twice with the same tasks, drains them once by the bare client of ceiling.c and once
 * by a real `mooncrew run`, and compares. Figures are medians over the rounds; the ratios compare within one round.
 * Ends with 1 when a bound is missed.
 */
#include "ceiling.h"
#include "crew.h"

#include "base/clock.h"
#include "client/mooncrew.h"
#include "../unit/support/redis_server.h"
#include "../unit/support/redis_sync.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TASKS 100000
#define CHUNK 10000
#define BATCH 200
#define ROUNDS 3
#define PICKUPS 200
#define WORKERS 2
#define DRAIN_WITHIN_S 120

/* The bounds that `make bench` holds mooncrew to. */
#define REDIS_CPU_RATIO_MAX 1.5
#define RATE_RATIO_MIN 0.4
#define PICKUP_MEDIAN_MAX_MS 3.0

struct drain {
  double tasks_per_s, redis_us, own_us, rss_mb;
};

static void die(const char *what) {
  fprintf(stderr, "bench: %s\n", what);
  exit(1);
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static double median(double *values, size_t count) {
  qsort(values, count, sizeof *values, ascending);
  return values[count / 2];
}

/* ---- Redis ---- */

static double info_number(redis_sync *redis, const char *section, const char *field) {
  const mc_value *reply = redis_sync_ask(redis, "INFO %s", section);
  const char *at = memmem(reply->text.data, reply->text.size, field, strlen(field));
  return at ? strtod(at + strlen(field) + 1, NULL) : 0;
}

static double redis_cpu_s(redis_sync *redis) {
  return info_number(redis, "cpu", "used_cpu_sys") + info_number(redis, "cpu", "used_cpu_user");
}

static long processed(redis_sync *redis) {
  int64_t count = 0;
  mc_value_integer(redis_sync_ask(redis, "GET asynq:{default}:processed"), &count);
  return (long)count;
}

/* ---- producing ---- */

static void fill(const char *url) {
  static char payloads[CHUNK][32];
  static mooncrew_task tasks[CHUNK];
  static mooncrew_result results[CHUNK];
  mooncrew_client *client;
  mooncrew_error error;
  if (mooncrew_open(url, &client, &error))
    die(error.message);
  mooncrew_set_timeout(client, 60000);
  for (int done = 0; done < TASKS; done += CHUNK) {
    for (int i = 0; i < CHUNK; i++) {
      int size = snprintf(payloads[i], sizeof payloads[i], "{\"data\": %d}", done + i);
      tasks[i] = (mooncrew_task){"bench:noop", payloads[i], (size_t)size, MOONCREW_OPTIONS_INIT};
    }
    if (mooncrew_enqueue_many(client, tasks, CHUNK, results, &error))
      die(error.message);
    for (int i = 0; i < CHUNK; i++)
      mooncrew_result_release(&results[i]);
  }
  mooncrew_close(client);
}

/* ---- draining ---- */

static struct drain drain_bare(redis_server *server, redis_sync *redis) {
  redis_sync_ask(redis, "FLUSHALL");
  fill(redis_server_url(server));
  double cpu_s = redis_cpu_s(redis);
  double seconds = ceiling_drain(redis_server_url(server), TASKS, BATCH);
  return (struct drain){.tasks_per_s = TASKS / seconds, .redis_us = (redis_cpu_s(redis) - cpu_s) * 1e6 / TASKS};
}

static void wait_drained(redis_sync *redis) {
  uint64_t deadline_ms = mc_clock_mono_ms() + DRAIN_WITHIN_S * 1000;
  while (processed(redis) < TASKS) {
    if (mc_clock_mono_ms() > deadline_ms)
      die("the tasks were not drained in time");
    usleep(10000);
  }
}

/* The queue is paused until the workers are ready, so that no start-up time is measured. */
static struct drain drain_crew(redis_server *server, redis_sync *redis) {
  struct drain drain;
  redis_sync_ask(redis, "FLUSHALL");
  fill(redis_server_url(server));
  redis_sync_ask(redis, "SET asynq:{default}:paused 1");
  struct crew *crew = crew_start(redis_server_url(server), WORKERS);
  double cpu_s = redis_cpu_s(redis), own_s = crew_cpu_s(crew);
  uint64_t started_us = mc_clock_mono_us();
  redis_sync_ask(redis, "DEL asynq:{default}:paused");
  wait_drained(redis);
  drain.tasks_per_s = TASKS / ((double)(mc_clock_mono_us() - started_us) / 1e6);
  drain.redis_us = (redis_cpu_s(redis) - cpu_s) * 1e6 / TASKS;
  drain.own_us = (crew_cpu_s(crew) - own_s) * 1e6 / TASKS;
  drain.rss_mb = crew_peak_rss_mb(crew);
  crew_stop(crew);
  return drain;
}

/* ---- idle pickup ---- */

static double pick_up_one(mooncrew_client *client, redis_sync *redis) {
  char payload[32];
  mooncrew_result result;
  mooncrew_error error;
  double us = -1;
  int size = snprintf(payload, sizeof payload, "%llu", (unsigned long long)mc_clock_mono_us());
  mooncrew_task task = {"bench:pickup", payload, (size_t)size, MOONCREW_OPTIONS_INIT};
  task.options.retention_ms = 60000;
  if (mooncrew_enqueue(client, &task, &result, &error))
    die(error.message);
  uint64_t deadline_ms = mc_clock_mono_ms() + 10000;
  while (us < 0) {
    const mc_value *reply = redis_sync_ask(redis, "HGET asynq:{default}:t:%s result", result.id);
    if (reply->kind == MC_VALUE_STRING)
      us = strtod(reply->text.data, NULL);
    else if (mc_clock_mono_ms() > deadline_ms)
      die("a task was not picked up");
    else
      usleep(2000);
  }
  mooncrew_result_release(&result);
  return us / 1000;
}

static void pick_up(redis_server *server, redis_sync *redis, double ms[PICKUPS]) {
  mooncrew_client *client;
  mooncrew_error error;
  redis_sync_ask(redis, "FLUSHALL");
  struct crew *crew = crew_start(redis_server_url(server), WORKERS);
  if (mooncrew_open(redis_server_url(server), &client, &error))
    die(error.message);
  pick_up_one(client, redis); /* the first one pays for connecting */
  for (int i = 0; i < PICKUPS; i++)
    ms[i] = pick_up_one(client, redis);
  mooncrew_close(client);
  crew_stop(crew);
}

/* ---- the report ---- */

static bool verdict(const char *what, double value, double bound, bool below) {
  bool good = below ? value <= bound : value >= bound;
  printf("  %-44s %8.2f  (%s %.2f) %s\n", what, value, below ? "at most" : "at least", bound, good ? "ok" : "MISSED");
  return good;
}

static void print_drain(const char *who, const struct drain *drain) {
  printf("  %-10s %8.0f tasks/s   Redis %5.2f us/task", who, drain->tasks_per_s, drain->redis_us);
  if (drain->rss_mb > 0)
    printf("   mooncrew %5.2f us/task   peak RSS %.1f MB", drain->own_us, drain->rss_mb);
  printf("\n");
}

static bool bench_drain(redis_server *server, redis_sync *redis) {
  double cost[ROUNDS], rate[ROUNDS];
  printf("drain: %d no-op tasks, payload {\"data\": n}, %d workers; ceiling: a bare client, batches of %d\n", TASKS,
         WORKERS, BATCH);
  for (int i = 0; i < ROUNDS; i++) {
    struct drain bare = drain_bare(server, redis);
    struct drain ours = drain_crew(server, redis);
    print_drain("ceiling", &bare);
    print_drain("mooncrew", &ours);
    fflush(stdout);
    cost[i] = ours.redis_us / bare.redis_us;
    rate[i] = ours.tasks_per_s / bare.tasks_per_s;
  }
  bool cheap = verdict("Redis CPU per task, times the ceiling's", median(cost, ROUNDS), REDIS_CPU_RATIO_MAX, true);
  bool fast = verdict("drain rate, times the ceiling's", median(rate, ROUNDS), RATE_RATIO_MIN, false);
  return cheap && fast;
}

static bool bench_pickup(redis_server *server, redis_sync *redis) {
  double ms[PICKUPS];
  printf("idle pickup: from enqueue to handler start, %d tasks one at a time\n", PICKUPS);
  pick_up(server, redis, ms);
  double middle = median(ms, PICKUPS);
  printf("  median %.2f ms   p99 %.2f ms   slowest %.2f ms\n", middle, ms[PICKUPS * 99 / 100], ms[PICKUPS - 1]);
  return verdict("median, ms", middle, PICKUP_MEDIAN_MAX_MS, true);
}

int main(void) {
  redis_server *server = redis_server_start(NULL);
  redis_sync *redis = redis_sync_open(redis_server_socket(server));
  bool drained = bench_drain(server, redis);
  bool picked = bench_pickup(server, redis);
  redis_sync_close(redis);
  redis_server_stop(server);
  return drained && picked ? 0 : 1;
}
