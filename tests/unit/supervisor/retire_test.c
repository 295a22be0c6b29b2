/* Retiring a worker: what it may still run counts against its successor, and it goes when it has nothing left. */
#include "lone_node.h"

#include <stdlib.h>

#include "base/clock.h"
#include "supervisor/retire.h"

#define PLACE(lone) ((lone)->node.pool.places[0])

/* A successor without a process, ready for tasks. */
static mc_worker *add_successor(lone_node *lone) {
  mc_worker *fresh = mc_zalloc(sizeof *fresh);
  fresh->node = &lone->node;
  fresh->config = lone->worker.config;
  fresh->state = MC_WORKER_SERVING;
  fresh->mean_us = 1e6; /* no prefetch */
  mc_list_init(&fresh->held);
  mc_list_init(&fresh->folds);
  mc_list_push_back(&lone->node.pool.workers, &fresh->in_pool);
  return fresh;
}

static void remove_successor(mc_worker *fresh) {
  mc_list_remove(&fresh->in_pool);
  free(fresh);
}

static size_t free_slots(const lone_node *lone) {
  return mc_section_free_slots(lone->node.pool.sections);
}

static void old_and_new_share_the_slots_of_the_place(void **state) {
  lone_node *lone = *state;
  lone->worker.mean_us = 1e6;
  mc_held *first = lone_hold_plain(lone, "a");
  mc_held *second = lone_hold_plain(lone, "b");
  size_t all = (size_t)lone->config.concurrency;
  assert_int_equal(free_slots(lone), all - 2);

  mc_worker *fresh = add_successor(lone);
  mc_worker_retire(&lone->worker, fresh, "it is old");
  assert_ptr_equal(PLACE(lone).worker, fresh);
  assert_int_equal(free_slots(lone), all - 2);
  assert_ptr_equal(mc_section_pick(lone->node.pool.sections), fresh);

  mc_held_assign(first, NULL);
  assert_int_equal(free_slots(lone), all - 1);
  mc_held_assign(second, fresh);
  assert_int_equal(free_slots(lone), all - 1);
  mc_held_assign(second, NULL);
  assert_int_equal(free_slots(lone), all);
  remove_successor(fresh);
}

static void it_is_told_to_hand_back_what_it_has_not_started(void **state) {
  lone_node *lone = *state;
  mc_worker *fresh = add_successor(lone);
  mc_worker_retire(&lone->worker, fresh, "it is old");
  mc_frame_reader reader = {0};
  mc_frame frame;
  mc_buf *out = mc_channel_out(&lone->worker.channel);
  mc_frame_reader_feed(&reader, out->data, out->size);
  assert_int_equal(mc_frame_reader_next(&reader, &frame, NULL), 1);
  assert_int_equal(frame.type, MC_FRAME_DRAIN);
  assert_int_equal(mc_frame_reader_next(&reader, &frame, NULL), 0);
  mc_frame_reader_deinit(&reader);
  assert_true(lone_logged(lone, "\"worker retires\"", "it is old", NULL));
  remove_successor(fresh);
}

static void it_is_dismissed_once_it_has_nothing_left(void **state) {
  lone_node *lone = *state;
  mc_held *held = lone_hold_plain(lone, "a");
  mc_worker *fresh = add_successor(lone);
  mc_worker_retire(&lone->worker, fresh, "it is old");
  mc_worker_dismiss_when_done(&lone->worker);
  assert_int_equal(lone->worker.dismissed_ms, 0);
  mc_held_assign(held, NULL);
  mc_worker_dismiss_when_done(fresh);
  assert_int_equal(fresh->dismissed_ms, 0);
  mc_worker_dismiss_when_done(&lone->worker);
  assert_int_not_equal(lone->worker.dismissed_ms, 0);
  remove_successor(fresh);
}

static void a_worker_retires_once(void **state) {
  lone_node *lone = *state;
  mc_worker *fresh = add_successor(lone), *third = add_successor(lone);
  mc_worker_retire(&lone->worker, fresh, "it is old");
  mc_worker_retire(&lone->worker, third, "it is old");
  assert_ptr_equal(PLACE(lone).worker, fresh);
  assert_int_equal(PLACE(lone).retired, 1);
  remove_successor(fresh);
  remove_successor(third);
}

static void nobody_retires_while_all_stops(void **state) {
  lone_node *lone = *state;
  mc_worker *fresh = add_successor(lone);
  lone->node.shutdown.phase = MC_DRAINING;
  mc_worker_retire(&lone->worker, fresh, "it is old");
  assert_ptr_equal(PLACE(lone).worker, &lone->worker);
  assert_false(lone->worker.retired);
  remove_successor(fresh);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      lone_test(old_and_new_share_the_slots_of_the_place), lone_test(it_is_told_to_hand_back_what_it_has_not_started),
      lone_test(it_is_dismissed_once_it_has_nothing_left), lone_test(a_worker_retires_once),
      lone_test(nobody_retires_while_all_stops),
  };
  return cmocka_run_group_tests(tests, lone_group_start, lone_group_stop);
}
