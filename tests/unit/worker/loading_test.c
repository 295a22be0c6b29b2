/* What a worker says of its scripts when it has loaded them, or cannot. */
#include "crew.h"

#include <stdio.h>
#include <unistd.h>

static void ready_lists_types_and_queues(void **state) {
  crew *self = *state;
  crew_write_script(self, "b.lua",
                    "local crew = require 'mooncrew'\ncrew.task('b:*', { queue = 'low', perform = print })\n");
  crew_write_script(self, "a.lua", "require 'b'\nreturn require('mooncrew').task('a', { perform = print })\n");
  crew_write_script(self, "helper.lua", "return { answer = 42 }\n");
  crew_spawn(self, 1);
  mc_frame_ready ready;
  assert_int_equal(mc_frame_ready_decode(crew_expect(self, MC_FRAME_READY).body, &ready), 0);
  assert_int_equal(ready.count, 2);
  assert_text(ready.entries[0].type, "b:*");
  assert_text(ready.entries[0].queue, "low");
  assert_text(ready.entries[1].type, "a");
  assert_text(ready.entries[1].queue, "");
  mc_frame_ready_free(&ready);
}

static void ready_lists_cron_entries(void **state) {
  crew *self = *state;
  crew_write_script(self, "a.lua",
                    "local crew = require 'mooncrew'\n"
                    "crew.cron('@every 1s', 'tick', { n = 1 }, { queue = 'low', missed = 'latest', process_in = '5s',\n"
                    "  timeout = '30s', headers = { trace = 'abc' } })\n"
                    "for i = 1, 3000 do crew.cron('@daily', 't' .. i, nil, { headers = { n = tostring(i) } }) end\n");
  crew_spawn(self, 1);
  mc_frame_ready ready;
  assert_int_equal(mc_frame_ready_decode(crew_expect(self, MC_FRAME_READY).body, &ready), 0);
  assert_int_equal(ready.cron_count, 3001);
  const mc_cron_entry *entry = &ready.cron[0];
  assert_text(entry->spec, "@every 1s");
  assert_text(entry->id, "");
  assert_holds(entry->source, "a.lua:2");
  assert_int_equal(entry->missed, MC_CRON_LATEST);
  assert_int_equal(entry->process_in_ms, 5000);
  assert_text(entry->options.type, "tick");
  assert_text(entry->options.payload, "{\"n\":1}");
  assert_text(entry->options.queue, "low");
  assert_int_equal(entry->options.timeout_ms, 30000);
  assert_int_equal(entry->options.max_retry, MC_DEFAULT_MAX_RETRY);
  assert_int_equal(entry->options.header_count, 1);
  assert_text(entry->options.headers[0].name, "trace");
  assert_text(ready.cron[3000].options.headers[0].value, "3000");
  mc_frame_ready_free(&ready);
}

static void expect_load_failure(crew *self, const char *wanted) {
  mc_frame_load_failed failed;
  crew_spawn(self, 1);
  assert_int_equal(mc_frame_load_failed_decode(crew_expect(self, MC_FRAME_LOAD_FAILED).body, &failed), 0);
  assert_holds(failed.message, wanted);
  assert_int_equal(crew_expect_exit(self), MC_WORKER_EXIT_LOAD_FAILED);
}

static void a_syntax_error_names_file_and_line(void **state) {
  crew_write_script(*state, "broken.lua", "local x = 1\nlocal y = = 2\n");
  expect_load_failure(*state, "scripts/broken.lua:2:");
}

static void an_error_while_loading_names_file_and_line(void **state) {
  crew_write_script(*state, "broken.lua", "local x = nil\n\nreturn x.y\n");
  expect_load_failure(*state, "scripts/broken.lua:3:");
}

static void waiting_while_loading_is_an_error(void **state) {
  crew_write_script(*state, "broken.lua", "\nrequire('mooncrew').sleep(1)\n");
  expect_load_failure(*state, "scripts/broken.lua:2: waiting works only while a task runs");
}

static void two_registrations_name_both_files(void **state) {
  crew_write_script(*state, "one.lua", "require('mooncrew').task('same', { perform = print })\n");
  crew_write_script(*state, "two.lua", "require('mooncrew').task('same', { perform = print })\n");
  expect_load_failure(*state, "scripts/one.lua:1 and at ");
}

static void a_cron_entry_that_cannot_be_enqueued_names_file_and_line(void **state) {
  crew_write_script(*state, "broken.lua", "\nrequire('mooncrew').cron('@daily', 'a\\255b')\n");
  expect_load_failure(*state, "scripts/broken.lua:2: cron: type is not UTF-8 text");
}

static void a_missing_folder_is_a_load_failure(void **state) {
  crew *self = *state;
  char path[128];
  snprintf(path, sizeof path, "%s/scripts", self->folder);
  assert_int_equal(rmdir(path), 0);
  expect_load_failure(self, "no scripts folder");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      crew_test(ready_lists_types_and_queues),
      crew_test(ready_lists_cron_entries),
      crew_test(a_syntax_error_names_file_and_line),
      crew_test(an_error_while_loading_names_file_and_line),
      crew_test(waiting_while_loading_is_an_error),
      crew_test(two_registrations_name_both_files),
      crew_test(a_cron_entry_that_cannot_be_enqueued_names_file_and_line),
      crew_test(a_missing_folder_is_a_load_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
