/* Whose turn it is: shares, strict order, readiness. */
#include "supervisor/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define SLOTS 100

static mc_config_queue three[] = {
    {.name = "low", .weight = 1}, {.name = "critical", .weight = 6}, {.name = "default", .weight = 3}};

static mc_queues make_queues(bool strict) {
  mc_config config = {.queues = three, .queue_count = 3, .strict = strict};
  mc_queues queues;
  mc_queues_init(&queues, &config);
  return queues;
}

static mc_queue *named(mc_queues *queues, const char *name) {
  return mc_queues_find(queues, mc_slice_of(name));
}

static void test_highest_weight_stands_first(void **state) {
  (void)state;
  mc_queues queues = make_queues(false);
  assert_true(mc_slice_equal(queues.items[0].name, mc_slice_of("critical")));
  assert_true(mc_slice_equal(queues.items[2].name, mc_slice_of("low")));
  assert_null(mc_queues_find(&queues, mc_slice_of("other")));
  mc_queues_deinit(&queues);
}

/* Takes `total` tasks in batches of at most `batch` from queues that never run empty. */
static void drain(mc_queues *queues, size_t total, size_t batch, size_t taken[3]) {
  while (total) {
    mc_queue *queue = mc_queues_next(queues, SLOTS, 0);
    assert_non_null(queue);
    size_t free = batch < total ? batch : total;
    size_t count = mc_queue_allowance(queues, queue, free);
    assert_in_range(count, 1, free);
    mc_queue_asked(queue, count);
    mc_queue_answered(queue, count, count);
    taken[queue - queues->items] += count;
    total -= count;
  }
}

static void test_weighted_shares_are_exact_whatever_the_batch(void **state) {
  (void)state;
  for (size_t batch = 1; batch <= 64; batch = batch * 3 + 1) {
    mc_queues queues = make_queues(false);
    size_t taken[3] = {0};
    drain(&queues, 100000, batch, taken);
    assert_in_range(taken[0], 59900, 60100);
    assert_in_range(taken[1], 29900, 30100);
    assert_in_range(taken[2], 9900, 10100);
    mc_queues_deinit(&queues);
  }
}

static void test_an_empty_queue_leaves_its_share_to_the_others(void **state) {
  (void)state;
  mc_queues queues = make_queues(false);
  mc_queue *critical = named(&queues, "critical");
  assert_ptr_equal(mc_queues_next(&queues, SLOTS, 0), critical);
  mc_queue_asked(critical, 10);
  mc_queue_answered(critical, 10, 4);
  assert_false(critical->ready);
  size_t taken[3] = {0};
  drain(&queues, 4000, 7, taken);
  assert_int_equal(taken[0], 0);
  assert_in_range(taken[1], 2900, 3100);
  mc_queues_deinit(&queues);
}

static void test_one_dequeue_per_queue_at_a_time(void **state) {
  (void)state;
  mc_queues queues = make_queues(false);
  for (int i = 0; i < 3; i++) {
    mc_queue *queue = mc_queues_next(&queues, SLOTS, 0);
    assert_non_null(queue);
    assert_false(queue->asking);
    mc_queue_asked(queue, queue->deficit);
  }
  assert_null(mc_queues_next(&queues, SLOTS, 0));
  mc_queues_deinit(&queues);
}

static void test_a_new_round_waits_for_what_is_left_of_the_old(void **state) {
  (void)state;
  mc_queues queues = make_queues(false);
  mc_queue *critical = named(&queues, "critical");
  assert_ptr_equal(mc_queues_next(&queues, SLOTS, 0), critical);
  mc_queue_asked(critical, 1); /* 59 of its round are left, and its answer is awaited */
  size_t others = 0;
  for (mc_queue *queue; (queue = mc_queues_next(&queues, SLOTS, 0)); others++) {
    mc_queue_asked(queue, queue->deficit);
    mc_queue_answered(queue, 0, 0);
  }
  assert_int_equal(others, 2);
  mc_queue_answered(critical, 1, 1);
  assert_ptr_equal(mc_queues_next(&queues, SLOTS, 0), critical);
  mc_queues_deinit(&queues);
}

static void test_strict_asks_nothing_below_a_queue_that_may_hold_tasks(void **state) {
  (void)state;
  mc_queues queues = make_queues(true);
  mc_queue *critical = named(&queues, "critical");
  assert_ptr_equal(mc_queues_next(&queues, SLOTS, 0), critical);
  assert_int_equal(mc_queue_allowance(&queues, critical, 42), 42);
  mc_queue_asked(critical, 10);
  assert_null(mc_queues_next(&queues, SLOTS, 0));
  mc_queue_answered(critical, 10, 10);
  assert_ptr_equal(mc_queues_next(&queues, SLOTS, 0), critical);
  mc_queue_asked(critical, 10);
  mc_queue_answered(critical, 10, 9);
  assert_ptr_equal(mc_queues_next(&queues, SLOTS, 0), named(&queues, "default"));
  mc_queues_deinit(&queues);
}

static void test_a_held_off_queue_is_not_asked_before_its_time(void **state) {
  (void)state;
  mc_queues queues = make_queues(true);
  named(&queues, "critical")->hold_until_ms = 50;
  assert_ptr_equal(mc_queues_next(&queues, SLOTS, 49), named(&queues, "default"));
  assert_ptr_equal(mc_queues_next(&queues, SLOTS, 50), named(&queues, "critical"));
  mc_queues_deinit(&queues);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_highest_weight_stands_first),
      cmocka_unit_test(test_weighted_shares_are_exact_whatever_the_batch),
      cmocka_unit_test(test_an_empty_queue_leaves_its_share_to_the_others),
      cmocka_unit_test(test_one_dequeue_per_queue_at_a_time),
      cmocka_unit_test(test_a_new_round_waits_for_what_is_left_of_the_old),
      cmocka_unit_test(test_strict_asks_nothing_below_a_queue_that_may_hold_tasks),
      cmocka_unit_test(test_a_held_off_queue_is_not_asked_before_its_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
