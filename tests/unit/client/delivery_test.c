/* What a delivery tells about its task, whatever became of it. */
#include "client/delivery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define WHERE "redis://h:6379/0"

static mc_delivery prepared(void (*change)(mc_enqueue_options *options)) {
  mc_enqueue_options options;
  mc_delivery delivery;
  mc_enqueue_options_init(&options);
  options.type = MC_SLICE_LITERAL("email:send");
  options.id = MC_SLICE_LITERAL("one");
  options.has_id = true;
  if (change)
    change(&options);
  mc_delivery_prepare(&delivery, &options);
  return delivery;
}

static void for_later(mc_enqueue_options *options) {
  options->process_at_ms = INT64_C(4000000000000);
}

static void for_a_group(mc_enqueue_options *options) {
  options->group = MC_SLICE_LITERAL("digest");
  options->has_group = true;
}

static void with_a_bad_queue(mc_enqueue_options *options) {
  options->queue = MC_SLICE_LITERAL("\xff");
  options->has_queue = true;
}

static void the_state_is_told_of_what_was_accepted(void **state) {
  static const struct {
    void (*change)(mc_enqueue_options *options);
    const char *state;
  } cases[] = {{NULL, "pending"}, {for_later, "scheduled"}, {for_a_group, "aggregating"}};
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    mc_delivery delivery = prepared(cases[i].change);
    assert_false(delivery.settled);
    assert_null(mc_delivery_state(&delivery));
    mc_delivery_settle(&delivery, 0, "", WHERE);
    assert_true(delivery.settled);
    assert_string_equal(mc_delivery_state(&delivery), cases[i].state);
    mc_delivery_deinit(&delivery);
  }
}

static void a_wrong_option_settles_it_at_once(void **state) {
  mc_delivery delivery = prepared(with_a_bad_queue);
  (void)state;
  assert_true(delivery.settled);
  assert_int_equal(delivery.code, MC_EINVALID);
  assert_non_null(strstr(delivery.err.text, "queue"));
  assert_int_equal(delivery.task.id.size, 0);
  mc_delivery_deinit(&delivery);
}

static void every_refusal_says_what_and_where(void **state) {
  static const struct {
    int code;
    const char *text;
  } cases[] = {
      {MC_ECONFLICT, "a task with the id \"one\" exists in queue \"default\""},
      {MC_EDUPLICATE, "a unique task \"email:send\" with this payload is waiting or running in queue \"default\""},
      {MC_EUNKNOWN, "no answer from Redis at " WHERE ": look whether task \"one\" is in queue \"default\""},
      {MC_ESERVER, "Redis at " WHERE " refused the task: why"},
      {MC_EMALFORMED, "the answer from " WHERE " makes no sense: is that a Redis server?"},
      {MC_EUNAVAILABLE, "why"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    mc_delivery delivery = prepared(NULL);
    mc_delivery_settle(&delivery, cases[i].code, "why", WHERE);
    assert_int_equal(delivery.code, cases[i].code);
    assert_string_equal(delivery.err.text, cases[i].text);
    assert_null(mc_delivery_state(&delivery));
    mc_delivery_deinit(&delivery);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_state_is_told_of_what_was_accepted),
      cmocka_unit_test(a_wrong_option_settles_it_at_once),
      cmocka_unit_test(every_refusal_says_what_and_where),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
