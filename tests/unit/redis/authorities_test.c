/* The system's authorities are read once, and again when they have changed. */
#include "redis/authorities.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/certificates.h"

static certificates files;

static int make_files(void **state) {
  (void)state;
  certificates_make(&files);
  setenv("SSL_CERT_DIR", files.folder, 1);
  return 0;
}

static int remove_files(void **state) {
  (void)state;
  certificates_remove(&files);
  return 0;
}

static void copy(const char *from, const char *to, const char *mode) {
  char path[128], bytes[8192];
  snprintf(path, sizeof path, "%s/%s", files.folder, from);
  FILE *in = fopen(path, "r");
  size_t size = fread(bytes, 1, sizeof bytes, in);
  fclose(in);
  snprintf(path, sizeof path, "%s/%s", files.folder, to);
  FILE *out = fopen(path, mode);
  assert_int_equal(fwrite(bytes, 1, size, out), size);
  fclose(out);
  setenv("SSL_CERT_FILE", path, 1);
}

/* How many are trusted; and whether they were read anew. */
static size_t count(X509_STORE **last, bool *anew) {
  X509_STORE *store = mc_authorities_take();
  assert_non_null(store);
  *anew = store != *last;
  X509_STORE_free(*last); /* held so long, lest another one gets its address */
  *last = store;
  return (size_t)sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

static void they_are_read_once_and_again_when_they_have_changed(void **state) {
  (void)state;
  X509_STORE *last = NULL;
  bool anew;
  copy("ca.pem", "trusted", "w");
  assert_int_equal(count(&last, &anew), 1);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(count(&last, &anew), 1);
    assert_false(anew);
  }
  copy("stranger.pem", "trusted", "a");
  assert_int_equal(count(&last, &anew), 2);
  assert_true(anew);
  copy("ca.pem", "others", "w"); /* a file of another name, and the folder has changed */
  assert_int_equal(count(&last, &anew), 1);
  setenv("SSL_CERT_FILE", "/nowhere", 1);
  assert_int_equal(count(&last, &anew), 0);
  assert_int_equal(count(&last, &anew), 0);
  assert_true(anew); /* there may be some next time */
  X509_STORE_free(last);
}

/* The owner of a file of certificates may read it whatever its mode, as root may: a folder is what nobody can read as
 * one. */
static void what_could_not_be_read_is_read_once_it_can(void **state) {
  (void)state;
  X509_STORE *last = NULL;
  bool anew;
  char path[128];
  snprintf(path, sizeof path, "%s/later", files.folder);
  assert_int_equal(mkdir(path, 0700), 0);
  setenv("SSL_CERT_FILE", path, 1);
  assert_int_equal(count(&last, &anew), 0);
  assert_int_equal(rmdir(path), 0);
  copy("ca.pem", "later", "w");
  assert_int_equal(count(&last, &anew), 1);
  X509_STORE_free(last);
}

static void each_folder_of_a_list_is_watched(void **state) {
  (void)state;
  X509_STORE *last = NULL;
  bool anew;
  char first[128], list[300];
  snprintf(first, sizeof first, "%s/first", files.folder);
  snprintf(list, sizeof list, "%s:%s", first, files.folder);
  assert_int_equal(mkdir(first, 0700), 0);
  copy("ca.pem", "trusted", "w");
  setenv("SSL_CERT_DIR", list, 1);
  assert_int_equal(count(&last, &anew), 1);
  assert_int_equal(count(&last, &anew), 1);
  assert_false(anew);
  assert_int_equal(rmdir(first), 0);
  assert_int_equal(count(&last, &anew), 1);
  assert_true(anew);
  setenv("SSL_CERT_DIR", files.folder, 1);
  X509_STORE_free(last);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(they_are_read_once_and_again_when_they_have_changed),
      cmocka_unit_test(what_could_not_be_read_is_read_once_it_can),
      cmocka_unit_test(each_folder_of_a_list_is_watched),
  };
  return cmocka_run_group_tests(tests, make_files, remove_files);
}
