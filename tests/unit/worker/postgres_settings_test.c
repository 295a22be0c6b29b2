/* Addresses of PostgreSQL: what is read, what is added, and that no error shows a part of a password. */
#include "worker/postgres_settings.h"

#include "base/mem.h"
#include "worker/libpq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static int load(void **state) {
  (void)state;
  return mc_pq_load(NULL);
}

static void assert_setting(const mc_postgres_settings *settings, const char *name, const char *value) {
  assert_non_null(mc_postgres_settings_get(settings, name));
  assert_string_equal(mc_postgres_settings_get(settings, name), value);
}

static void reads_urls_and_lists(void **state) {
  static const char *const addresses[] = {
      "postgres://ada:s%40cret@db:5433/shop?connect_timeout=3",
      "host=db port=5433 user=ada password='s@cret' dbname=shop connect_timeout=3",
  };
  (void)state;
  for (size_t i = 0; i < MC_COUNT(addresses); i++) {
    mc_postgres_settings settings;
    assert_int_equal(mc_postgres_settings_parse(addresses[i], &settings, NULL), 0);
    assert_setting(&settings, "host", "db");
    assert_setting(&settings, "port", "5433");
    assert_setting(&settings, "user", "ada");
    assert_setting(&settings, "password", "s@cret");
    assert_setting(&settings, "dbname", "shop");
    assert_null(mc_postgres_settings_get(&settings, "hostaddr"));
    assert_null(settings.names[settings.count]); /* as libpq wants it */
    mc_postgres_settings_deinit(&settings);
  }
}

static void adds_what_we_want_unless_it_is_said(void **state) {
  mc_postgres_settings settings;
  (void)state;
  assert_int_equal(mc_postgres_settings_parse("postgres://db?gssencmode=prefer", &settings, NULL), 0);
  assert_setting(&settings, "gssencmode", "prefer");
  assert_setting(&settings, "client_encoding", "UTF8");
  mc_postgres_settings_set(&settings, "client_encoding", "LATIN1");
  assert_setting(&settings, "client_encoding", "LATIN1");
  mc_postgres_settings_deinit(&settings);
}

static void refuses_without_showing_a_password(void **state) {
  static const char *const addresses[] = {
      "postgres://u:secr/et@h/d",
      "postgres://u:secr@et@h/d",
      "postgres://u:secr?et@h/d",
      "postgresql://u:secr#et@h/d",
      "postgres://u:secret@h:x/d",
      "postgres://u/secret@h",
      "host=h password=secret et",
      "password='secret",
      "postgres://u:secret@h/d?nosuch=secret",
      "postgres://h:secret/d",
      "postgres://u:%secret@h/d",
      "secret",
      "host=h password=a secret=b",
      "postgres://h/?password=a@secret",
  };
  (void)state;
  for (size_t i = 0; i < MC_COUNT(addresses); i++) {
    mc_postgres_settings settings;
    mc_err err = {""};
    int rc = mc_postgres_settings_parse(addresses[i], &settings, &err);
    if (rc == 0) { /* an @ in a query is no mistake */
      assert_int_equal(i, MC_COUNT(addresses) - 1);
      mc_postgres_settings_deinit(&settings);
      continue;
    }
    assert_int_equal(rc, MC_EINVALID);
    assert_null(strstr(err.text, "secr"));
    assert_null(strstr(err.text, "et@"));
    assert_non_null(strstr(err.text, "write postgres://"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_urls_and_lists),
      cmocka_unit_test(adds_what_we_want_unless_it_is_said),
      cmocka_unit_test(refuses_without_showing_a_password),
  };
  return cmocka_run_group_tests(tests, load, NULL);
}
