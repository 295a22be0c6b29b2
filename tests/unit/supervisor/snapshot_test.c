/* A copy of all scripts: what is in it, and what it does with links, rings, and folders that cannot be read. */
#include "supervisor/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "protocol/sources.h"

static char folder[64];

static void path_of(const char *name, char *out, size_t size) {
  snprintf(out, size, "%s/%s", folder, name);
}

static void write_file(const char *name, const char *text) {
  char path[256];
  path_of(name, path, sizeof path);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *name) {
  char path[256];
  path_of(name, path, sizeof path);
  assert_int_equal(mkdir(path, 0700), 0);
}

static void make_link(const char *target, const char *name) {
  char path[256];
  path_of(name, path, sizeof path);
  assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state) {
  (void)state;
  strcpy(folder, "/tmp/mooncrew-snapshot-XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state) {
  char command[256];
  (void)state;
  snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", folder, folder);
  return system(command);
}

/* "a.lua=text sub/b.lua=text", paths without the folder. */
static void assert_holds(const mc_snapshot *snapshot, const char *wanted) {
  struct stat info;
  mc_buf found = {0};
  mc_source source;
  assert_int_equal(fstat(snapshot->fd, &info), 0);
  char *bytes = mc_alloc((size_t)info.st_size + 1);
  assert_int_equal(pread(snapshot->fd, bytes, (size_t)info.st_size, 0), info.st_size);
  for (mc_slice rest = {bytes, (size_t)info.st_size}; mc_source_next(&rest, &source);)
    mc_buf_printf(&found, "%s%.*s=%.*s", found.size ? " " : "", (int)(source.path.size - strlen(folder) - 1),
                  source.path.data + strlen(folder) + 1, MC_SLICE_PRINT(source.text));
  mc_buf_add_char(&found, '\0');
  assert_string_equal(found.data, wanted);
  mc_buf_deinit(&found);
  free(bytes);
}

static mc_snapshot take(void) {
  mc_snapshot snapshot = {.fd = -1};
  mc_err err;
  char path[80];
  snprintf(path, sizeof path, "%s//", folder);
  if (mc_snapshot_take(path, &snapshot, &err))
    fail_msg("%s", err.text);
  return snapshot;
}

static void test_it_holds_every_script_and_nothing_else(void **state) {
  (void)state;
  make_folder("sub");
  make_folder("sub.lua");
  make_folder(".git");
  write_file("b.lua", "2");
  write_file("a.lua", "1");
  write_file("sub/c.lua", "3");
  write_file(".hidden.lua", "x");
  write_file(".git/d.lua", "x");
  write_file("words.txt", "x");
  write_file(".lua", "x");
  make_link("a.lua", "link.lua");
  make_link("nowhere", "broken.lua");
  make_link("..", "sub/ring");
  mc_snapshot snapshot = take();
  assert_holds(&snapshot, "a.lua=1 b.lua=2 link.lua=1 sub/c.lua=3");
  mc_snapshot_close(&snapshot);
}

static void test_it_stays_as_it_was_and_the_digest_tells_a_change(void **state) {
  (void)state;
  write_file("a.lua", "1");
  mc_snapshot first = take();
  mc_snapshot same = take();
  assert_true(first.digest == same.digest);
  write_file("a.lua", "2");
  mc_snapshot other = take();
  assert_true(first.digest != other.digest);
  assert_holds(&first, "a.lua=1");
  assert_holds(&other, "a.lua=2");
  assert_int_equal(write(first.fd, "x", 1), -1); /* sealed */
  assert_int_equal(ftruncate(first.fd, 0), -1);
  mc_snapshot_close(&first);
  mc_snapshot_close(&same);
  mc_snapshot_close(&other);
}

static void test_a_folder_that_is_not_there_is_named(void **state) {
  (void)state;
  mc_snapshot snapshot = {.fd = -1};
  mc_err err;
  char path[80];
  path_of("gone", path, sizeof path);
  assert_int_equal(mc_snapshot_take(path, &snapshot, &err), MC_EIO);
  assert_non_null(strstr(err.text, path));
  assert_int_equal(snapshot.fd, -1);
}

static void count(void *arg, const char *path) {
  (void)path;
  ++*(int *)arg;
}

/* Its entries can be listed, and nothing else: were they taken for gone, a reload would take all their types away. */
static void test_what_cannot_be_looked_at_is_named(void **state) {
  (void)state;
  char path[256];
  mc_snapshot snapshot = {.fd = -1};
  mc_err err;
  make_folder("sub");
  write_file("sub/a.lua", "return 1");
  path_of("sub", path, sizeof path);
  assert_int_equal(chmod(folder, 0755), 0);
  assert_int_equal(chmod(path, 0744), 0);
  uid_t user = geteuid();
  if (user == 0)
    assert_int_equal(seteuid(65534), 0); /* root may look at everything */
  int rc = mc_snapshot_take(folder, &snapshot, &err);
  assert_int_equal(seteuid(user), 0);
  assert_int_equal(chmod(path, 0700), 0);
  assert_int_equal(rc, MC_EIO);
  assert_non_null(strstr(err.text, "/sub/a.lua': Permission denied"));
}

static void test_many_small_files_take_little_memory(void **state) {
  (void)state;
  struct rusage before, after;
  for (int i = 0; i < 3000; i++) {
    char name[32];
    snprintf(name, sizeof name, "f%d.lua", i);
    write_file(name, "return 1");
  }
  assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
  mc_snapshot snapshot = take();
  assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
  mc_snapshot_close(&snapshot);
  assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 8192); /* KB, of 24 that the texts take */
}

static void test_folders_are_visited_once_each(void **state) {
  (void)state;
  int visits = 0;
  make_folder("one");
  make_folder("one/two");
  make_folder(".hidden");
  make_link("../..", "one/two/ring");
  mc_snapshot_folders(folder, count, &visits);
  assert_int_equal(visits, 3);
}

static void test_files_are_known_by_their_number(void **state) {
  (void)state;
  mc_snapshot snapshot;
  char path[256], expected[256];
  make_folder("a");
  write_file("a/deep.lua", "1");
  write_file("a.lua", "2");
  write_file("b.lua", "3");
  assert_int_equal(mc_snapshot_take(folder, &snapshot, NULL), 0);
  static const char *const names[] = {"a.lua", "a/deep.lua", "b.lua"};
  for (size_t i = 0; i < 3; i++) {
    path_of(names[i], expected, sizeof expected);
    assert_true(mc_snapshot_path(&snapshot, i + 1, path, sizeof path));
    assert_string_equal(path, expected);
  }
  assert_false(mc_snapshot_path(&snapshot, 0, path, sizeof path));
  assert_false(mc_snapshot_path(&snapshot, 4, path, sizeof path));
  assert_true(mc_snapshot_path(&snapshot, 1, path, 10)); /* cut */
  assert_int_equal(strlen(path), 9);
  mc_snapshot_close(&snapshot);
  assert_false(mc_snapshot_path(&snapshot, 1, path, sizeof path));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_it_holds_every_script_and_nothing_else, setup, teardown),
      cmocka_unit_test_setup_teardown(test_it_stays_as_it_was_and_the_digest_tells_a_change, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_folder_that_is_not_there_is_named, setup, teardown),
      cmocka_unit_test_setup_teardown(test_what_cannot_be_looked_at_is_named, setup, teardown),
      cmocka_unit_test_setup_teardown(test_many_small_files_take_little_memory, setup, teardown),
      cmocka_unit_test_setup_teardown(test_files_are_known_by_their_number, setup, teardown),
      cmocka_unit_test_setup_teardown(test_folders_are_visited_once_each, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
