/* Numbers of a JSON text: grammar and exactness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "lualib/json_number.h"

typedef struct number_case {
  const char *text;
  mc_json_number_kind kind;
  size_t size; /* how much of the text is the number */
} number_case;

static void check_all(const number_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const char *end = NULL;
    mc_json_number_kind kind = mc_json_number_read(cases[i].text, &end);
    if (kind != cases[i].kind || (end ? (size_t)(end - cases[i].text) : 0) != cases[i].size)
      fail_msg("%s: kind %d", cases[i].text, (int)kind);
  }
}

static void reads_the_grammar_and_no_more(void **state) {
  static const number_case cases[] = {
      {"0", MC_JSON_NUMBER_EXACT, 1},        {"-0,", MC_JSON_NUMBER_EXACT, 2},   {"12]", MC_JSON_NUMBER_EXACT, 2},
      {"1.50e-7x", MC_JSON_NUMBER_EXACT, 7}, {"1E+5", MC_JSON_NUMBER_EXACT, 4},  {"", MC_JSON_NUMBER_INVALID, 0},
      {"-", MC_JSON_NUMBER_INVALID, 0},      {"01", MC_JSON_NUMBER_INVALID, 0},  {"-01", MC_JSON_NUMBER_INVALID, 0},
      {"1.", MC_JSON_NUMBER_INVALID, 0},     {".5", MC_JSON_NUMBER_INVALID, 0},  {"1.e5", MC_JSON_NUMBER_INVALID, 0},
      {"1e", MC_JSON_NUMBER_INVALID, 0},     {"1e+", MC_JSON_NUMBER_INVALID, 0}, {"+1", MC_JSON_NUMBER_INVALID, 0},
      {"NaN", MC_JSON_NUMBER_INVALID, 0},
  };
  (void)state;
  check_all(cases, MC_COUNT(cases));
}

static void finds_integers_beyond_a_double(void **state) {
  static const number_case cases[] = {
      {"9007199254740991", MC_JSON_NUMBER_EXACT, 16},   {"-9007199254740991", MC_JSON_NUMBER_EXACT, 17},
      {"9007199254740992", MC_JSON_NUMBER_WIDE, 16},    {"-9007199254740992", MC_JSON_NUMBER_WIDE, 17},
      {"10000000000000000", MC_JSON_NUMBER_WIDE, 17},   {"1700000000123456", MC_JSON_NUMBER_EXACT, 16},
      {"9007199254740993.0", MC_JSON_NUMBER_EXACT, 18},
  };
  (void)state;
  check_all(cases, MC_COUNT(cases));
}

static void suspects_large_exponents_and_many_digits(void **state) {
  static const number_case cases[] = {
      {"1e99", MC_JSON_NUMBER_EXACT, 4},
      {"1e100", MC_JSON_NUMBER_EXTREME, 5},
      {"1e-400", MC_JSON_NUMBER_EXTREME, 6},
  };
  char many[400];
  const char *end = NULL;
  (void)state;
  check_all(cases, MC_COUNT(cases));
  memset(many, '9', sizeof many);
  memcpy(many + sizeof many - 3, ".0", 3);
  assert_int_equal(mc_json_number_read(many, &end), MC_JSON_NUMBER_EXTREME);
  assert_ptr_equal(end, many + sizeof many - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_the_grammar_and_no_more),
      cmocka_unit_test(finds_integers_beyond_a_double),
      cmocka_unit_test(suspects_large_exponents_and_many_digits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
