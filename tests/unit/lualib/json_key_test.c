/* Member names of a JSON text: escapes and duplicates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lualib/json_key.h"

static void check_unescaped(const char *raw, const char *expected) {
  char out[64];
  char *end = mc_json_key_unescape(mc_slice_of(raw), out);
  assert_true((size_t)(end - out) <= strlen(raw));
  assert_int_equal(end - out, strlen(expected));
  assert_memory_equal(out, expected, strlen(expected));
}

static void resolves_every_escape(void **state) {
  (void)state;
  check_unescaped("", "");
  check_unescaped("plain é", "plain é");
  check_unescaped("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t");
  check_unescaped("\\u0041\\u00e9\\u20AC", "Aé€");
  check_unescaped("x\\ud83d\\ude00y", "x😀y");
}

static void stays_inside_broken_escapes(void **state) {
  static const char *const broken[] = {"\\", "\\u", "\\u12", "\\ud83d", "\\ud83d\\u", "\\uzzzz", "\\ud83d\\uzzzz"};
  (void)state;
  for (size_t i = 0; i < MC_COUNT(broken); i++) {
    size_t size = strlen(broken[i]);
    char *raw = mc_strndup(broken[i], size),
         *out = mc_alloc(size); /* exact sizes: a sanitizer sees one byte too many */
    assert_true((size_t)(mc_json_key_unescape((mc_slice){raw, size}, out) - out) <= size);
    free(raw);
    free(out);
  }
}

static void finds_the_same_key_among_few_and_many(void **state) {
  enum { MOST = 300 };
  static const size_t counts[] = {2, 24, 25, MOST};
  char names[MOST][16];
  mc_slice keys[MOST];
  (void)state;
  for (size_t c = 0; c < MC_COUNT(counts); c++) {
    size_t count = counts[c];
    for (size_t i = 0; i < count; i++) {
      snprintf(names[i], sizeof names[i], "key %zu", i * 7919 % 1000);
      keys[i] = mc_slice_of(names[i]);
    }
    assert_null(mc_json_key_duplicate(keys, count));
    keys[0] = keys[count - 1];
    const mc_slice *found = mc_json_key_duplicate(keys, count);
    assert_non_null(found);
  }
  assert_null(mc_json_key_duplicate(NULL, 0));
}

static void compares_all_bytes(void **state) {
  mc_slice keys[] = {{"a\0b", 3}, {"a\0c", 3}, {"a", 1}, {"", 0}};
  (void)state;
  assert_null(mc_json_key_duplicate(keys, MC_COUNT(keys)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(resolves_every_escape),
      cmocka_unit_test(stays_inside_broken_escapes),
      cmocka_unit_test(finds_the_same_key_among_few_and_many),
      cmocka_unit_test(compares_all_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
