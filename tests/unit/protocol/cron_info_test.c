/* protocol/cron_info.c: the wire as asynq writes it, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "protocol/cron_info.h"

#define assert_slice(slice, text) assert_true(mc_slice_equal((slice), MC_SLICE_LITERAL(text)))

static void an_entry_is_read_as_asynq_writes_it(void **state) {
  (void)state;
  static const char bytes[] = "\x0a\x02id\x12\x06@daily\x1a\x06report\x22\x03p\0q"
                              "\x2a\x0bMaxRetry(3)\x2a\x0cQueue(\"low\")"
                              "\x32\x08\x08\x80\xe2\xcf\xaa\x06\x10\x05"
                              "\x3a\x0b\x08\x80\x92\xb8\xc3\x98\xfe\xff\xff\xff\x01"; /* Go's zero time */
  mc_cron_info_box box;
  mc_err err;
  assert_int_equal(mc_cron_info_decode(MC_SLICE_LITERAL(bytes), &box, &err), 0);
  assert_slice(box.info.id, "id");
  assert_slice(box.info.spec, "@daily");
  assert_slice(box.info.type, "report");
  assert_slice(box.info.payload, "p\0q");
  assert_int_equal(box.info.option_count, 2);
  assert_slice(box.info.options[0], "MaxRetry(3)");
  assert_slice(box.info.options[1], "Queue(\"low\")");
  assert_true(box.info.next_ns == 1700000000000000005);
  assert_true(box.info.prev_ns == 0);
  mc_cron_info_free(&box);
}

static void an_event_is_read_as_asynq_writes_it(void **state) {
  (void)state;
  mc_cron_event_info_box box;
  mc_err err;
  assert_int_equal(mc_cron_event_info_decode(MC_SLICE_LITERAL("\x0a\x02t1\x12\x02\x08\x07"), &box, &err), 0);
  assert_slice(box.info.task_id, "t1");
  assert_true(box.info.at_ns == 7000000000);
  mc_cron_event_info_free(&box);
}

static void an_empty_message_is_an_entry_of_nothing(void **state) {
  (void)state;
  mc_cron_info_box box;
  mc_err err;
  assert_int_equal(mc_cron_info_decode((mc_slice){0}, &box, &err), 0);
  assert_int_equal(box.info.id.size, 0);
  assert_true(box.info.next_ns == 0);
  mc_cron_info_free(&box);
}

static void what_is_no_entry_or_event_is_refused(void **state) {
  (void)state;
  static const mc_slice entries[] = {MC_SLICE_LITERAL("\xff"), MC_SLICE_LITERAL("\x0a\x01\xff"),
                                     MC_SLICE_LITERAL("\x12\x01\0"), MC_SLICE_LITERAL("\x2a\x01\xff")};
  static const mc_slice events[] = {MC_SLICE_LITERAL("\xff"), MC_SLICE_LITERAL("\x0a\x01\xff")};
  for (size_t i = 0; i < MC_COUNT(entries); i++) {
    mc_cron_info_box box;
    mc_err err = {""};
    assert_int_equal(mc_cron_info_decode(entries[i], &box, &err), MC_EMALFORMED);
    assert_true(err.text[0] != '\0');
  }
  for (size_t i = 0; i < MC_COUNT(events); i++) {
    mc_cron_event_info_box box;
    assert_int_equal(mc_cron_event_info_decode(events[i], &box, NULL), MC_EMALFORMED);
  }
}

static void times_that_no_clock_shows_are_cut(void **state) {
  (void)state;
  mc_cron_event_info_box box;
  assert_int_equal(
      mc_cron_event_info_decode(MC_SLICE_LITERAL("\x12\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), &box, NULL), 0);
  assert_true(box.info.at_ns > 0);
  mc_cron_event_info_free(&box);
  assert_int_equal(mc_cron_event_info_decode(MC_SLICE_LITERAL("\x12\x08\x08\x01\x10\x80\x94\xeb\xdc\x03"), &box, NULL),
                   0);
  assert_true(box.info.at_ns == 0); /* 1e9 nanoseconds are no fraction of a second */
  mc_cron_event_info_free(&box);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_entry_is_read_as_asynq_writes_it),     cmocka_unit_test(an_event_is_read_as_asynq_writes_it),
      cmocka_unit_test(an_empty_message_is_an_entry_of_nothing), cmocka_unit_test(what_is_no_entry_or_event_is_refused),
      cmocka_unit_test(times_that_no_clock_shows_are_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
