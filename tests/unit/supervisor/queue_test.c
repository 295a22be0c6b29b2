/* Whose turn it is: shares, strict order, readiness. */
#include "base/mem.h"
#include "supervisor/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define SLOTS 100

static mc_config_queue three[] = {{.name = "low", .weight = 1},
                                  {.name = "critical", .weight = 6, .archive_max_size = 7},
                                  {.name = "default", .weight = 3}};

static mc_queues make_queues_of(mc_config_queue *list, size_t count, bool strict) {
  mc_config config = {
      .queues = list, .queue_count = count, .strict = strict, .archive_max_age_s = 90, .archive_max_size = 10000};
  mc_queues queues;
  mc_queues_init(&queues, &config);
  return queues;
}

static mc_queues make_queues(bool strict) {
  return make_queues_of(three, 3, strict);
}

static mc_queue *next(mc_queues *queues, uint64_t now_ms) {
  mc_seat *seat = mc_turns_next(queues->turns, SLOTS, now_ms);
  return seat ? seat->queue : NULL;
}

static mc_seat *seat_of(const mc_queue *queue) {
  return mc_container_of(queue->seats.next, mc_seat, in_queue);
}

static void ask(mc_queue *queue, size_t count) {
  mc_seat_asked(seat_of(queue), count);
}

static size_t place_of(const mc_queues *queues, const mc_queue *queue) {
  size_t i = 0;
  while (queues->items[i] != queue)
    i++;
  return i;
}

static mc_queue *named(mc_queues *queues, const char *name) {
  return mc_queues_find(queues, mc_slice_of(name));
}

static void test_highest_weight_stands_first(void **state) {
  (void)state;
  mc_queues queues = make_queues(false);
  assert_true(mc_slice_equal(queues.items[0]->name, mc_slice_of("critical")));
  assert_true(mc_slice_equal(queues.items[2]->name, mc_slice_of("low")));
  assert_null(mc_queues_find(&queues, mc_slice_of("other")));
  mc_queues_deinit(&queues);
}

/* Takes `total` tasks in batches of at most `batch` from queues that never run empty. */
static void drain(mc_queues *queues, size_t total, size_t batch, size_t taken[]) {
  while (total) {
    mc_queue *queue = next(queues, 0);
    assert_non_null(queue);
    size_t free = batch < total ? batch : total;
    size_t count = mc_seat_allowance(queues->turns, seat_of(queue), free);
    assert_in_range(count, 1, free);
    ask(queue, count);
    mc_queue_answered(queue, count, count);
    taken[place_of(queues, queue)] += count;
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
  assert_ptr_equal(next(&queues, 0), critical);
  ask(critical, 10);
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
    mc_queue *queue = next(&queues, 0);
    assert_non_null(queue);
    assert_false(queue->asking);
    ask(queue, seat_of(queue)->deficit);
  }
  assert_null(next(&queues, 0));
  mc_queues_deinit(&queues);
}

static void test_a_new_round_waits_for_what_is_left_of_the_old(void **state) {
  (void)state;
  mc_queues queues = make_queues(false);
  mc_queue *critical = named(&queues, "critical");
  assert_ptr_equal(next(&queues, 0), critical);
  ask(critical, 1); /* 59 of its round are left, and its answer is awaited */
  size_t others = 0;
  for (mc_queue *queue; (queue = next(&queues, 0)); others++) {
    ask(queue, seat_of(queue)->deficit);
    mc_queue_answered(queue, 0, 0);
  }
  assert_int_equal(others, 2);
  mc_queue_answered(critical, 1, 1);
  assert_ptr_equal(next(&queues, 0), critical);
  mc_queues_deinit(&queues);
}

static void test_strict_asks_nothing_below_a_queue_that_may_hold_tasks(void **state) {
  (void)state;
  mc_queues queues = make_queues(true);
  mc_queue *critical = named(&queues, "critical");
  assert_ptr_equal(next(&queues, 0), critical);
  assert_int_equal(mc_seat_allowance(queues.turns, seat_of(critical), 42), 42);
  ask(critical, 10);
  assert_null(next(&queues, 0));
  mc_queue_answered(critical, 10, 10);
  assert_ptr_equal(next(&queues, 0), critical);
  ask(critical, 10);
  mc_queue_answered(critical, 10, 9);
  assert_ptr_equal(next(&queues, 0), named(&queues, "default"));
  mc_queues_deinit(&queues);
}

static void test_a_held_off_queue_is_not_asked_before_its_time(void **state) {
  (void)state;
  mc_queues queues = make_queues(true);
  named(&queues, "critical")->hold_until_ms = 50;
  assert_ptr_equal(next(&queues, 49), named(&queues, "default"));
  assert_ptr_equal(next(&queues, 50), named(&queues, "critical"));
  mc_queues_deinit(&queues);
}

static void test_archive_settings_of_a_queue_replace_the_common_ones(void **state) {
  (void)state;
  mc_queues queues = make_queues(false);
  assert_int_equal(named(&queues, "critical")->archive_max_size, 7);
  assert_int_equal(named(&queues, "critical")->archive_max_age_s, 90);
  assert_int_equal(named(&queues, "low")->archive_max_size, 10000);
  mc_queues_deinit(&queues);
}

/* ---- queues of patterns ---- */

static mc_config_queue patterns[] = {{.name = "*", .weight = 1},
                                     {.name = "tenant:*", .weight = 4},
                                     {.name = "tenant:big:*", .weight = 3},
                                     {.name = "tenant:vip", .weight = 2}};

static mc_queue *add(mc_queues *queues, const char *name) {
  return mc_queues_add(queues, mc_slice_of(name));
}

static void test_an_exact_name_beats_a_pattern_and_the_longest_pattern_wins(void **state) {
  (void)state;
  mc_queues queues = make_queues_of(patterns, 4, false);
  assert_int_equal(queues.count, 1);
  assert_null(add(&queues, "tenant:vip"));
  assert_int_equal(named(&queues, "tenant:vip")->weight, 2);
  assert_int_equal(add(&queues, "tenant:a")->weight, 4);
  assert_int_equal(add(&queues, "tenant:big:a")->weight, 3);
  assert_int_equal(add(&queues, "tenant:")->weight, 4);
  assert_int_equal(add(&queues, "tenant")->weight, 1);
  assert_null(add(&queues, "tenant"));
  assert_int_equal(queues.count, 5);
  mc_queues_deinit(&queues);
}

static void test_a_queue_stays_where_it_is_while_others_come_and_go(void **state) {
  (void)state;
  mc_queues queues = make_queues_of(patterns, 4, false);
  mc_queue *first = add(&queues, "tenant:a"), *fixed = named(&queues, "tenant:vip");
  char name[16];
  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "tenant:%d", i);
    add(&queues, name);
  }
  for (int i = 0; i < 200; i += 2) {
    snprintf(name, sizeof name, "tenant:%d", i);
    assert_true(mc_queues_remove(&queues, named(&queues, name)));
    assert_null(named(&queues, name));
  }
  assert_int_equal(queues.count, 102);
  assert_ptr_equal(named(&queues, "tenant:a"), first);
  assert_ptr_equal(named(&queues, "tenant:vip"), fixed);
  assert_true(mc_slice_equal(first->name, mc_slice_of("tenant:a")));
  mc_queues_deinit(&queues);
}

static void test_a_queue_that_something_refers_to_is_not_removed(void **state) {
  (void)state;
  mc_queues queues = make_queues_of(patterns, 4, false);
  assert_false(mc_queues_remove(&queues, named(&queues, "tenant:vip")));
  mc_queue *queue = add(&queues, "tenant:a");
  mc_list held;
  mc_list_push_back(&queue->held, &held);
  assert_false(mc_queues_remove(&queues, queue));
  mc_list_remove(&held);
  queue->calls = 1;
  assert_false(mc_queues_remove(&queues, queue));
  queue->calls = 0;
  queue->settling[MC_SETTLE_RETRY].calls = 1;
  assert_false(mc_queues_remove(&queues, queue));
  queue->settling[MC_SETTLE_RETRY].calls = 0;
  ask(queue, 1);
  assert_false(mc_queues_remove(&queues, queue));
  mc_queue_answered(queue, 1, 1);
  assert_true(mc_queues_remove(&queues, queue));
  mc_queues_deinit(&queues);
}

static mc_config_queue shared[] = {{.name = "critical", .weight = 3}, {.name = "tenant:*", .weight = 1}};

static void test_a_pattern_shares_its_weight_among_its_queues_exactly(void **state) {
  (void)state;
  for (size_t tenants = 1; tenants <= 243; tenants *= 3) {
    for (size_t batch = 1; batch <= 64; batch = batch * 3 + 1) {
      mc_queues queues = make_queues_of(shared, 2, false);
      size_t taken[244] = {0};
      char name[16];
      for (size_t i = 0; i < tenants; i++) {
        snprintf(name, sizeof name, "tenant:%zu", i);
        add(&queues, name);
      }
      drain(&queues, 97200, batch, taken);
      assert_in_range(taken[0], 72800, 73000);
      for (size_t i = 1; i <= tenants; i++)
        assert_in_range(taken[i], 24300 / tenants - 26, 24300 / tenants + 26);
      mc_queues_deinit(&queues);
    }
  }
}

static void test_queues_of_a_pattern_take_turns_in_strict_order(void **state) {
  (void)state;
  mc_queues queues = make_queues_of(shared, 2, true);
  size_t taken[4] = {0};
  add(&queues, "tenant:a");
  add(&queues, "tenant:b");
  add(&queues, "tenant:c");
  mc_queue_set_waiting(named(&queues, "critical"));
  drain(&queues, 300, 10, taken);
  for (size_t i = 1; i <= 3; i++)
    assert_int_equal(taken[i], 100);
  named(&queues, "critical")->ready = true;
  ask(named(&queues, "critical"), 1);
  assert_null(next(&queues, 0));
  mc_queues_deinit(&queues);
}

/* ---- several pools ---- */

static mc_config_queue images[] = {{.name = "image", .weight = 1}, {.name = "default", .weight = 9}};

static mc_queues make_pools(mc_config_queue *first, size_t count) {
  mc_config_pool pools[] = {{.name = "io"}, {.name = "cpu", .queues = images, .queue_count = 2}};
  mc_config config = {.queues = first, .queue_count = count, .pools = pools, .pool_count = 2};
  mc_queues queues;
  mc_queues_init(&queues, &config);
  return queues;
}

static void test_each_pool_has_its_queues_and_a_queue_of_two_is_there_once(void **state) {
  (void)state;
  mc_queues queues = make_pools(three, 3);
  assert_int_equal(queues.count, 4);
  assert_int_equal(queues.turns_count, 2);
  assert_int_equal(named(&queues, "default")->weight, 9);
  assert_true(mc_turns_serve(&queues.turns[1], mc_slice_of("image")));
  assert_false(mc_turns_serve(&queues.turns[0], mc_slice_of("image")));
  for (int i = 0; i < 40; i++) {
    mc_seat *seat = mc_turns_next(&queues.turns[1], 10, 0);
    assert_true(seat->queue == named(&queues, "image") || seat->queue == named(&queues, "default"));
    mc_seat_asked(seat, 1);
    mc_queue_answered(seat->queue, 1, 1);
  }
  mc_queues_deinit(&queues);
}

static void test_a_queue_is_asked_for_one_pool_at_a_time(void **state) {
  (void)state;
  mc_queues queues = make_pools(images + 1, 1);
  mc_seat *first = mc_turns_next(&queues.turns[0], 10, 0);
  assert_ptr_equal(first->queue, named(&queues, "default"));
  mc_seat_asked(first, 1);
  assert_ptr_equal(mc_turns_next(&queues.turns[1], 10, 0)->queue, named(&queues, "image"));
  mc_queue_answered(first->queue, 1, 0); /* empty: it forfeits its round in both */
  assert_null(mc_turns_next(&queues.turns[0], 10, 0));
  mc_queues_deinit(&queues);
}

static void test_a_pattern_of_one_pool_takes_the_queue_that_another_names(void **state) {
  (void)state;
  mc_queues queues = make_pools(patterns, 4);
  assert_true(queues.patterns);
  mc_queue *image = named(&queues, "image"); /* "*" fits it too */
  assert_ptr_equal(mc_turns_next(&queues.turns[0], 10, 0)->queue->name.data, named(&queues, "tenant:vip")->name.data);
  assert_false(mc_list_empty(&image->seats));
  assert_ptr_not_equal(image->seats.next, image->seats.prev);
  assert_false(mc_queues_remove(&queues, image));
  mc_queue *found = add(&queues, "tenant:a");
  assert_ptr_equal(found->seats.next, found->seats.prev);
  assert_true(mc_queues_remove(&queues, found));
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
      cmocka_unit_test(test_archive_settings_of_a_queue_replace_the_common_ones),
      cmocka_unit_test(test_an_exact_name_beats_a_pattern_and_the_longest_pattern_wins),
      cmocka_unit_test(test_a_queue_stays_where_it_is_while_others_come_and_go),
      cmocka_unit_test(test_a_queue_that_something_refers_to_is_not_removed),
      cmocka_unit_test(test_a_pattern_shares_its_weight_among_its_queues_exactly),
      cmocka_unit_test(test_queues_of_a_pattern_take_turns_in_strict_order),
      cmocka_unit_test(test_each_pool_has_its_queues_and_a_queue_of_two_is_there_once),
      cmocka_unit_test(test_a_queue_is_asked_for_one_pool_at_a_time),
      cmocka_unit_test(test_a_pattern_of_one_pool_takes_the_queue_that_another_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
