/* Where the body of an answer goes. */
#include "worker/sink.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static char folder[] = "/tmp/mooncrew-sink-XXXXXX";
static char path[64];

static int make_folder(void **state) {
  (void)state;
  if (!mkdtemp(folder))
    return -1;
  snprintf(path, sizeof path, "%s/file", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder); /* fails where a temporary file was left */
}

static int count_files(void) {
  DIR *dir = opendir(folder);
  int count = 0;
  for (struct dirent *entry; (entry = readdir(dir));)
    count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  closedir(dir);
  return count;
}

static void test_memory_up_to_the_limit(void **state) {
  (void)state;
  mc_sink sink;
  assert_int_equal(mc_sink_init(&sink, NULL, 0, 6, NULL), 0);
  assert_true(mc_sink_write(&sink, "abc", 3, true));
  assert_true(mc_sink_write(&sink, "def", 3, true));
  assert_false(mc_sink_write(&sink, "g", 1, true));
  assert_string_equal(sink.code, "TOO_LARGE");
  assert_non_null(strstr(sink.failure.text, "6 bytes"));
  assert_int_equal(sink.memory.size, 6);
  mc_sink_deinit(&sink);
}

static void test_a_file_has_its_name_once_it_is_kept(void **state) {
  (void)state;
  mc_sink sink;
  assert_int_equal(mc_sink_init(&sink, path, 100, 100, NULL), 0);
  assert_true(mc_sink_write(&sink, "whole", 5, true));
  assert_int_not_equal(access(path, F_OK), 0);
  assert_true(mc_sink_keep(&sink));
  mc_sink_deinit(&sink);
  char text[8] = "";
  FILE *file = fopen(path, "rb");
  assert_int_equal(fread(text, 1, sizeof text, file), 5);
  fclose(file);
  assert_string_equal(text, "whole");
  assert_int_equal(count_files(), 1);
  unlink(path);
}

static void test_a_file_that_is_not_kept_leaves_nothing(void **state) {
  (void)state;
  mc_sink sink;
  assert_int_equal(mc_sink_init(&sink, path, 3, 100, NULL), 0);
  assert_true(mc_sink_write(&sink, "abc", 3, true));
  assert_true(mc_sink_write(&sink, "an error page", 13, false));
  assert_int_equal(sink.memory.size, 13);
  assert_false(mc_sink_write(&sink, "d", 1, true));
  assert_string_equal(sink.code, "TOO_LARGE");
  mc_sink_deinit(&sink);
  assert_int_equal(count_files(), 0);
}

static void test_a_folder_that_is_not_there(void **state) {
  (void)state;
  mc_sink sink;
  mc_err err;
  assert_int_equal(mc_sink_init(&sink, "/nowhere/file", 1, 1, &err), MC_EIO);
  assert_non_null(strstr(err.text, "/nowhere/file"));
}

static void test_what_is_no_regular_file_is_not_replaced(void **state) {
  (void)state;
  mc_sink sink;
  mc_err err;
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(mc_sink_init(&sink, path, 1, 1, &err), MC_EIO);
  assert_non_null(strstr(err.text, "no regular file"));
  assert_int_equal(mc_sink_init(&sink, folder, 1, 1, &err), MC_EIO);
  assert_int_equal(count_files(), 1);
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_memory_up_to_the_limit),
      cmocka_unit_test(test_a_file_has_its_name_once_it_is_kept),
      cmocka_unit_test(test_a_file_that_is_not_kept_leaves_nothing),
      cmocka_unit_test(test_a_folder_that_is_not_there),
      cmocka_unit_test(test_what_is_no_regular_file_is_not_replaced),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
