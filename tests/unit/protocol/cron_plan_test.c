/* Planning ticks, and two simulated nodes that plan the same ones over 100,000 seconds of trouble. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/mem.h"
#include "protocol/cron_tick.h"

static mc_cron cron_of(const char *spec) {
  mc_cron cron;
  mc_err err;
  if (mc_cron_parse(mc_slice_of(spec), &cron, &err))
    fail_msg("%s", err.text);
  return cron;
}

/* ---- one node ---- */

#define DAY INT64_C(1767225600) /* 2026-01-01 00:00 UTC */

static void assert_due(mc_cron_plan *plan, int64_t now_s, int64_t tick_s, bool missed) {
  mc_cron_tick tick = {0};
  assert_true(mc_cron_plan_due(plan, now_s, &tick));
  assert_int_equal(tick.at_s - DAY, tick_s - DAY);
  assert_int_equal(tick.missed, missed);
  mc_cron_plan_done(plan, tick.at_s);
}

static void assert_not_due(mc_cron_plan *plan, int64_t now_s) {
  mc_cron_tick tick;
  assert_false(mc_cron_plan_due(plan, now_s, &tick));
}

static void a_tick_is_due_from_its_second_on_and_once(void **state) {
  (void)state;
  mc_cron cron = cron_of("* * * * *");
  mc_cron_plan plan;
  mc_cron_plan_init(&plan, &cron, MC_CRON_SKIP, DAY);
  assert_not_due(&plan, DAY);
  assert_not_due(&plan, DAY + 59);
  assert_due(&plan, DAY + 60, DAY + 60, false);
  assert_not_due(&plan, DAY + 60);
  assert_due(&plan, DAY + 150, DAY + 120, false); /* half a minute late */
  assert_int_equal(plan.skipped_s, 0);
  mc_cron_deinit(&cron);
}

static void a_tick_that_is_not_done_stays_due(void **state) {
  (void)state;
  mc_cron cron = cron_of("@every 10s");
  mc_cron_plan plan;
  mc_cron_tick tick;
  mc_cron_plan_init(&plan, &cron, MC_CRON_SKIP, DAY);
  for (int late = 0; late <= MC_CRON_LATE_S; late++) {
    assert_true(mc_cron_plan_due(&plan, DAY + 10 + late, &tick));
    assert_int_equal(tick.at_s, DAY + 10);
  }
  assert_true(mc_cron_plan_due(&plan, DAY + 10 + MC_CRON_LATE_S + 1, &tick));
  assert_int_equal(tick.at_s, DAY + 20);
  assert_int_equal(plan.skipped_s, DAY + 10);
  mc_cron_deinit(&cron);
}

static void skip_passes_over_what_is_older_than_half_a_minute(void **state) {
  (void)state;
  mc_cron cron = cron_of("@every 10s"), hourly = cron_of("@hourly");
  mc_cron_plan plan;
  mc_cron_plan_init(&plan, &cron, MC_CRON_SKIP, DAY);
  for (int64_t tick_s = DAY + 970; tick_s <= DAY + 1000; tick_s += 10)
    assert_due(&plan, DAY + 1000, tick_s, false);
  assert_not_due(&plan, DAY + 1000);
  assert_int_equal(plan.skipped_s, DAY + 960);
  mc_cron_plan_init(&plan, &hourly, MC_CRON_SKIP, DAY);
  assert_not_due(&plan, DAY + 2 * 3600 + 31);
  assert_int_equal(plan.skipped_s, DAY + 2 * 3600);
  mc_cron_deinit(&cron);
  mc_cron_deinit(&hourly);
}

static void latest_tries_the_last_missed_tick_unless_one_is_due_in_time(void **state) {
  (void)state;
  mc_cron cron = cron_of("@hourly");
  mc_cron_plan plan;
  mc_cron_plan_init(&plan, &cron, MC_CRON_LATEST, DAY);
  assert_due(&plan, DAY + 5 * 3600 + 31, DAY + 5 * 3600, true);
  assert_not_due(&plan, DAY + 5 * 3600 + 32);
  assert_due(&plan, DAY + 9 * 3600 + 30, DAY + 9 * 3600, false);
  assert_not_due(&plan, DAY + 9 * 3600 + 31);
  mc_cron_deinit(&cron);
}

static void an_entry_that_was_replaced_ends_with_that_moment(void **state) {
  (void)state;
  mc_cron cron = cron_of("@every 10s");
  mc_cron_plan old, fresh;
  mc_cron_plan_init(&old, &cron, MC_CRON_SKIP, DAY);
  mc_cron_plan_init(&fresh, &cron, MC_CRON_SKIP, DAY + 20);
  old.until_s = DAY + 20;
  assert_due(&old, DAY + 31, DAY + 10, false);
  assert_due(&old, DAY + 31, DAY + 20, false);
  assert_not_due(&old, DAY + 31);
  assert_due(&fresh, DAY + 31, DAY + 30, false);
  assert_not_due(&fresh, DAY + 31);
  mc_cron_deinit(&cron);
}

static void a_clock_set_back_by_far_begins_anew_and_one_by_little_waits(void **state) {
  (void)state;
  mc_cron cron = cron_of("@every 10s");
  mc_cron_plan plan;
  mc_cron_plan_init(&plan, &cron, MC_CRON_SKIP, DAY + 1000);
  assert_not_due(&plan, DAY + 985);
  assert_due(&plan, DAY + 1010, DAY + 1010, false);
  assert_not_due(&plan, DAY + 500);
  assert_due(&plan, DAY + 510, DAY + 510, false);
  mc_cron_deinit(&cron);
}

/* ---- two nodes and a store ---- */

#define TICKS 100000
#define STEPS_PER_S 4
#define FIRST (DAY + 10)
#define NEVER INT64_MAX

/* What cron_tick.lua does, on the true time. */
typedef struct fake_store {
  int64_t newest_s;
  int64_t claimed_until_s[TICKS + 1000];
  int enqueued[TICKS + 1000];
} fake_store;

static mc_cron_answer store_tick(fake_store *self, const mc_cron_tick *tick, int64_t now_s) {
  int64_t place = tick->at_s - FIRST;
  assert_in_range(place, 0, TICKS + 999);
  if (self->newest_s && tick->at_s <= self->newest_s && (tick->missed || tick->at_s <= now_s - MC_CRON_CLAIM_S))
    return MC_CRON_TOO_LATE;
  if (self->claimed_until_s[place] > now_s)
    return MC_CRON_TAKEN;
  self->claimed_until_s[place] = (tick->at_s > now_s ? tick->at_s : now_s) + MC_CRON_CLAIM_S;
  self->enqueued[place]++;
  if (tick->at_s > self->newest_s)
    self->newest_s = tick->at_s;
  return MC_CRON_ENQUEUED;
}

typedef struct sent_command {
  mc_cron_tick tick;
  int64_t arrives_at_ms; /* NEVER: it has arrived, or there is none */
} sent_command;

typedef struct simulated_node {
  mc_cron_plan plan;
  int64_t skew_ms;          /* its clock is so far from the true time */
  int64_t stalled_until_ms; /* it does nothing before */
  sent_command asked;
  int64_t answered_at_ms; /* when the reply, or the loss of the connection, is known; NEVER: nothing is asked */
  bool answered;          /* the reply came */
  sent_command held_up;   /* an earlier one, still on its way; the connection it went by is long given up */
} simulated_node;

static int64_t chance(int64_t limit) {
  return rand() % limit;
}

static int64_t node_now_s(const simulated_node *node, int64_t now_ms) {
  return (now_ms + node->skew_ms) / 1000;
}

static void node_start(simulated_node *node, const fake_store *store, int64_t now_ms) {
  int64_t now_s = node_now_s(node, now_ms);
  mc_cron_plan_init(&node->plan, node->plan.cron, MC_CRON_SKIP,
                    store->newest_s && store->newest_s < now_s ? store->newest_s : now_s);
  node->answered_at_ms = NEVER; /* a command on its way arrives all the same */
}

/* Sends the tick that is due. Some replies are lost, and some commands held up for much longer than claims last. */
static void node_ask(simulated_node *node, int64_t now_ms) {
  if (!mc_cron_plan_due(&node->plan, node_now_s(node, now_ms), &node->asked.tick))
    return;
  node->asked.arrives_at_ms = now_ms + chance(200);
  node->answered_at_ms = now_ms + 200 + chance(200);
  node->answered = chance(20) > 0;
  if (chance(1000) > 0 || node->held_up.arrives_at_ms != NEVER)
    return;
  node->held_up = (sent_command){node->asked.tick, now_ms + chance(900000)};
  node->asked.arrives_at_ms = NEVER;
  node->answered_at_ms = now_ms + 2000;
  node->answered = false;
}

static void arrive(sent_command *command, fake_store *store, int64_t now_ms) {
  if (now_ms < command->arrives_at_ms)
    return;
  store_tick(store, &command->tick, now_ms / 1000);
  command->arrives_at_ms = NEVER;
}

static void node_step(simulated_node *node, fake_store *store, int64_t now_ms) {
  arrive(&node->asked, store, now_ms);
  arrive(&node->held_up, store, now_ms);
  if (now_ms < node->stalled_until_ms)
    return;
  if (now_ms >= node->answered_at_ms) {
    if (node->answered)
      mc_cron_plan_done(&node->plan, node->asked.tick.at_s);
    node->answered_at_ms = NEVER;
  }
  if (node->answered_at_ms == NEVER)
    node_ask(node, now_ms);
}

/* Both stall for some seconds now and then, and their clocks are set anew; one after the other is also stopped for
 * minutes, or started anew, while its neighbour is well. */
static void make_trouble(simulated_node *nodes, const fake_store *store, int64_t now_ms) {
  for (int i = 0; i < 2; i++) {
    simulated_node *node = &nodes[i], *other = &nodes[1 - i];
    bool other_is_well = now_ms >= other->stalled_until_ms;
    if (chance(400) == 0)
      node->stalled_until_ms = now_ms + chance(10000);
    if (chance(4000) == 0)
      node->skew_ms = chance(4001) - 2000;
    if (chance(8000) == 0 && other_is_well)
      node->stalled_until_ms = now_ms + chance(900000);
    if (chance(8000) == 0 && other_is_well && now_ms >= node->stalled_until_ms)
      node_start(node, store, now_ms);
  }
}

static void every_tick_is_enqueued_once_whatever_happens_to_two_nodes(void **state) {
  (void)state;
  mc_cron cron = cron_of("@every 1s");
  fake_store *fake = mc_zalloc(sizeof *fake);
  simulated_node nodes[2];
  memset(nodes, 0, sizeof nodes);
  int wrong = 0;
  srand(20260101);
  for (int i = 0; i < 2; i++) {
    nodes[i].plan.cron = &cron;
    nodes[i].asked.arrives_at_ms = nodes[i].held_up.arrives_at_ms = NEVER;
    node_start(&nodes[i], fake, (FIRST - 1) * 1000);
  }
  for (int64_t step = 0; step < (TICKS + 100) * STEPS_PER_S; step++) {
    int64_t now_ms = (FIRST - 1) * 1000 + step * 1000 / STEPS_PER_S;
    if (step < (TICKS - 1000) * STEPS_PER_S)
      make_trouble(nodes, fake, now_ms);
    for (int i = 0; i < 2; i++)
      node_step(&nodes[i], fake, now_ms);
  }
  for (int i = 0; i < TICKS; i++)
    if (fake->enqueued[i] != 1 && wrong++ < 5)
      print_error("tick %d was enqueued %d times\n", i, fake->enqueued[i]);
  assert_int_equal(wrong, 0);
  free(fake);
  mc_cron_deinit(&cron);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_tick_is_due_from_its_second_on_and_once),
      cmocka_unit_test(a_tick_that_is_not_done_stays_due),
      cmocka_unit_test(skip_passes_over_what_is_older_than_half_a_minute),
      cmocka_unit_test(latest_tries_the_last_missed_tick_unless_one_is_due_in_time),
      cmocka_unit_test(an_entry_that_was_replaced_ends_with_that_moment),
      cmocka_unit_test(a_clock_set_back_by_far_begins_anew_and_one_by_little_waits),
      cmocka_unit_test(every_tick_is_enqueued_once_whatever_happens_to_two_nodes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
