/* Cron entries: copies, names, and what asynq's tools are told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/mem.h"
#include "protocol/cron_entry.h"
#include "protocol/task.pb-c.h"

static const mc_header two_headers[] = {{MC_SLICE_LITERAL("b"), MC_SLICE_LITERAL("2")},
                                        {MC_SLICE_LITERAL("a"), MC_SLICE_LITERAL("1")}};
static const mc_header turned_headers[] = {{MC_SLICE_LITERAL("a"), MC_SLICE_LITERAL("1")},
                                           {MC_SLICE_LITERAL("b"), MC_SLICE_LITERAL("2")}};

static mc_cron_entry sample(void) {
  mc_cron_entry entry = {.spec = MC_SLICE_LITERAL("CRON_TZ=Europe/Paris 0 3 * * *"),
                         .source = MC_SLICE_LITERAL("a.lua:1")};
  mc_enqueue_options_init(&entry.options);
  entry.options.type = MC_SLICE_LITERAL("report");
  entry.options.payload = MC_SLICE_LITERAL("{}");
  entry.options.headers = two_headers;
  entry.options.header_count = 2;
  return entry;
}

static const char *name_of(const mc_cron_entry *entry) {
  static char names[4][MC_CRON_NAME_SIZE];
  static int next;
  mc_cron cron;
  mc_err err;
  char *name = names[next++ % 4];
  if (mc_cron_parse(entry->spec, &cron, &err))
    fail_msg("%s", err.text);
  mc_cron_entry_name(entry, &cron, name);
  mc_cron_deinit(&cron);
  return name;
}

static void what_means_the_same_has_the_same_name(void **state) {
  (void)state;
  mc_cron_entry entry = sample(), other = sample();
  const char *name = name_of(&entry);
  assert_int_equal(strlen(name), MC_CRON_NAME_SIZE - 1);
  other.spec = MC_SLICE_LITERAL("TZ=Europe/Paris 0 3 * * *");
  other.source = MC_SLICE_LITERAL("elsewhere.lua:9");
  other.missed = MC_CRON_LATEST;
  other.options.queue = MC_SLICE_LITERAL("default");
  other.options.headers = turned_headers;
  assert_string_equal(name_of(&other), name);
}

static void what_differs_in_anything_has_another_name(void **state) {
  (void)state;
  mc_cron_entry base = sample(), others[12];
  for (size_t i = 0; i < MC_COUNT(others); i++)
    others[i] = base;
  others[0].spec = MC_SLICE_LITERAL("CRON_TZ=Europe/Rome 0 3 * * *");
  others[1].spec = MC_SLICE_LITERAL("CRON_TZ=Europe/Paris 0 4 * * *");
  others[2].options.type = MC_SLICE_LITERAL("report2");
  others[3].options.queue = MC_SLICE_LITERAL("low");
  others[4].options.payload = MC_SLICE_LITERAL("{ }");
  others[5].options.max_retry = 3;
  others[6].options.timeout_ms = 1000;
  others[7].options.unique_ms = 1000;
  others[8].options.retention_ms = 1000;
  others[9].process_in_ms = 1000;
  others[10].options.header_count = 1;
  others[11].options.group = MC_SLICE_LITERAL("g");
  for (size_t i = 0; i < MC_COUNT(others); i++)
    assert_string_not_equal(name_of(&others[i]), name_of(&base));
}

static void a_copy_stands_on_its_own(void **state) {
  (void)state;
  char spec[] = "@daily", key[] = "k", value[] = "v", payload[] = "{\"n\":1}";
  mc_header header = {mc_slice_of(key), mc_slice_of(value)};
  mc_cron_entry entry = sample(), copy;
  entry.spec = mc_slice_of(spec);
  entry.options.payload = mc_slice_of(payload);
  entry.options.headers = &header;
  entry.options.header_count = 1;
  void *memory = mc_cron_entry_copy(&entry, &copy);
  memset(spec, 'x', sizeof spec);
  memset(key, 'x', sizeof key);
  memset(value, 'x', sizeof value);
  memset(payload, 'x', sizeof payload);
  assert_true(mc_slice_equal(copy.spec, mc_slice_of("@daily")));
  assert_true(mc_slice_equal(copy.options.payload, mc_slice_of("{\"n\":1}")));
  assert_true(mc_slice_equal(copy.options.headers[0].name, mc_slice_of("k")));
  assert_true(mc_slice_equal(copy.options.headers[0].value, mc_slice_of("v")));
  assert_true(mc_slice_equal(copy.options.type, mc_slice_of("report")));
  free(memory);
}

static void options_are_told_as_go_prints_them(void **state) {
  (void)state;
  static const char *const expected[] = {"Queue(\"a\\\"b\\\\\\x01\xc3\xa9\")",
                                         "TaskID(\"i\")",
                                         "Group(\"g\")",
                                         "MaxRetry(0)",
                                         "Timeout(0s)",
                                         "Unique(1h0m0s)",
                                         "Retention(26h3m4.05s)",
                                         "ProcessIn(250ms)",
                                         "Header([\"b\",\"2\"])",
                                         "Header([\"a\",\"1\"])"};
  mc_cron_entry entry = sample();
  mc_buf bytes = {0};
  entry.options.queue = MC_SLICE_LITERAL("a\"b\\\x01\xc3\xa9");
  entry.options.id = MC_SLICE_LITERAL("i");
  entry.options.group = MC_SLICE_LITERAL("g");
  entry.options.max_retry = 0;
  entry.options.timeout_ms = 0;
  entry.options.unique_ms = 3600000;
  entry.options.retention_ms = ((26 * 60 + 3) * 60 + 4) * 1000 + 50;
  entry.process_in_ms = 250;
  mc_cron_entry_encode(&entry, mc_slice_of("id"), 1700000000, 0, &bytes);
  Mooncrew__SchedulerEntry *wire = mooncrew__scheduler_entry__unpack(NULL, bytes.size, (const uint8_t *)bytes.data);
  assert_non_null(wire);
  assert_int_equal(wire->n_enqueue_options, MC_COUNT(expected));
  for (size_t i = 0; i < MC_COUNT(expected); i++) {
    ProtobufCBinaryData *option = &wire->enqueue_options[i];
    if (!mc_slice_equal((mc_slice){(char *)option->data, option->len}, mc_slice_of(expected[i])))
      fail_msg("%.*s where %s was expected", (int)option->len, (char *)option->data, expected[i]);
  }
  assert_int_equal(wire->next_enqueue_time->seconds, 1700000000);
  assert_true(wire->prev_enqueue_time->seconds == INT64_C(-62135596800)); /* Go's zero time */
  mooncrew__scheduler_entry__free_unpacked(wire, NULL);
  mc_buf_deinit(&bytes);
}

static void options_that_were_not_given_are_not_told(void **state) {
  (void)state;
  mc_cron_entry entry = sample();
  mc_buf bytes = {0};
  entry.options.header_count = 0;
  mc_cron_entry_encode(&entry, mc_slice_of("id"), 0, 0, &bytes);
  Mooncrew__SchedulerEntry *wire = mooncrew__scheduler_entry__unpack(NULL, bytes.size, (const uint8_t *)bytes.data);
  assert_non_null(wire);
  assert_int_equal(wire->n_enqueue_options, 0);
  mooncrew__scheduler_entry__free_unpacked(wire, NULL);
  mc_buf_deinit(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_means_the_same_has_the_same_name),
      cmocka_unit_test(what_differs_in_anything_has_another_name),
      cmocka_unit_test(a_copy_stands_on_its_own),
      cmocka_unit_test(options_are_told_as_go_prints_them),
      cmocka_unit_test(options_that_were_not_given_are_not_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
