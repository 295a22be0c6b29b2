/* Redis addresses: what is understood, what is refused, and that no error quotes a password. */
#include "redis/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

typedef struct good_url {
  const char *text, *host;
  int port;
  const char *path, *user, *password;
  int db;
  const char *shown;
} good_url;

static const good_url good[] = {
    {"redis://localhost", "localhost", 6379, NULL, NULL, NULL, 0, "redis://localhost:6379/0"},
    {"redis://10.0.0.1:1/", "10.0.0.1", 1, NULL, NULL, NULL, 0, "redis://10.0.0.1:1/0"},
    {"redis://h_1.x-y:65535/15", "h_1.x-y", 65535, NULL, NULL, NULL, 15, "redis://h_1.x-y:65535/15"},
    {"redis://h?db=3", "h", 6379, NULL, NULL, NULL, 3, "redis://h:6379/3"},
    {"redis://h/?db=3", "h", 6379, NULL, NULL, NULL, 3, "redis://h:6379/3"},
    {"redis://[::1]:7000/2", "::1", 7000, NULL, NULL, NULL, 2, "redis://[::1]:7000/2"},
    {"redis://[fe80::a]", "fe80::a", 6379, NULL, NULL, NULL, 0, "redis://[fe80::a]:6379/0"},
    {"redis://:pw@h", "h", 6379, NULL, NULL, "pw", 0, "redis://h:6379/0"},
    {"redis://bob:pw@h:1/1", "h", 1, NULL, "bob", "pw", 1, "redis://h:1/1"},
    {"redis://bob:@h", "h", 6379, NULL, "bob", "", 0, "redis://h:6379/0"},
    {"redis://b%40b:p%3a%2F%25@h", "h", 6379, NULL, "b@b", "p:/%", 0, "redis://h:6379/0"},
    {"redis://:a@b:c@h", "h", 6379, NULL, NULL, "a@b:c", 0, "redis://h:6379/0"},
    {"redis+unix:///r.sock", NULL, 0, "/r.sock", NULL, NULL, 0, "redis+unix:///r.sock?db=0"},
    {"redis+unix:///a%20b/r?db=7", NULL, 0, "/a b/r", NULL, NULL, 7, "redis+unix:///a%20b/r?db=7"},
    {"redis+unix:///u%C3%BC%3F%23%25~/r", NULL, 0, "/u\xc3\xbc?#%~/r", NULL, NULL, 0,
     "redis+unix:///u%C3%BC%3F%23%25~/r?db=0"},
    {"redis+unix://bob:pw@/r", NULL, 0, "/r", "bob", "pw", 0, "redis+unix:///r?db=0"},
    {"rediss://bob:pw@h/2", "h", 6379, NULL, "bob", "pw", 2, "rediss://h:6379/2"},
    {"rediss://[::1]:7000", "::1", 7000, NULL, NULL, NULL, 0, "rediss://[::1]:7000/0"},
    {"rediss://h?ca=/a&db=4", "h", 6379, NULL, NULL, NULL, 4, "rediss://h:6379/4"},
};

static void assert_text(const char *text, const char *expected) {
  if (expected)
    assert_string_equal(text, expected);
  else
    assert_null(text);
}

static void check_good(const mc_redis_url *url, const good_url *expected) {
  char shown[256];
  assert_text(url->host, expected->host);
  assert_text(url->path, expected->path);
  assert_text(url->user, expected->user);
  assert_text(url->password, expected->password);
  assert_int_equal(url->port, expected->port);
  assert_int_equal(url->db, expected->db);
  assert_int_equal(url->tls, strncmp(expected->text, "rediss:", 7) == 0);
  assert_string_equal(mc_redis_url_show(url, shown, sizeof shown), expected->shown);
}

static void addresses_are_understood(void **state) {
  (void)state;
  for (size_t i = 0; i < MC_COUNT(good); i++) {
    mc_redis_url url, copy;
    mc_err err = {""};
    if (mc_redis_url_parse(good[i].text, &url, &err) != 0)
      fail_msg("%s: %s", good[i].text, err.text);
    check_good(&url, &good[i]);
    mc_redis_url_copy(&url, &copy);
    mc_redis_url_deinit(&url);
    check_good(&copy, &good[i]);
    mc_redis_url_deinit(&copy);
  }
}

static void the_files_of_tls_are_settings_behind_the_address(void **state) {
  (void)state;
  static const struct {
    const char *text, *ca, *cert, *key;
  } cases[] = {
      {"rediss://h", NULL, NULL, NULL},
      {"rediss://h/2?ca=/a%20b.pem", "/a b.pem", NULL, NULL},
      {"rediss://h?key=k&db=4&cert=c&ca=a", "a", "c", "k"},
      {"rediss://h?cert=both%26.pem", NULL, "both&.pem", NULL},
  };
  for (size_t i = 0; i < MC_COUNT(cases); i++) {
    mc_redis_url url, copy;
    assert_int_equal(mc_redis_url_parse(cases[i].text, &url, NULL), 0);
    mc_redis_url_copy(&url, &copy);
    mc_redis_url_deinit(&url);
    assert_text(copy.ca, cases[i].ca);
    assert_text(copy.cert, cases[i].cert);
    assert_text(copy.key, cases[i].key);
    mc_redis_url_deinit(&copy);
  }
}

static const struct bad_url {
  const char *text, *says;
} bad[] = {
    {"", "must begin with"},
    {"hunter2", "must begin with"},
    {"bob:hunter2@h", "must begin with"},
    {"http://:hunter2@h", "must begin with"},
    {"rediss+unix:///hunter2", "must begin with redis://, rediss://"},
    {"rediss://:hunter2@h?verify=hunter2", "ca=, cert= and key=<path>"},
    {"rediss://:hunter2@h?cart=/x", "did you mean cert=?"},
    {"rediss://:hunter2@h?ca", "did you mean ca=?"},
    {"rediss://:hunter2@h?ca=", "ca= needs the path of a PEM file"},
    {"rediss://:hunter2@h?ca=/a&ca=/b", "ca= is given twice"},
    {"rediss://:hunter2@h?ca=/a&", "behind ? only"},
    {"rediss://:hunter2@h?ca=%0", "the ca is badly percent-encoded"},
    {"rediss://:hunter2@h?key=/a", "name that by cert="},
    {"redis://:hunter2@h?ca=/a", "ca= is for TLS: write rediss://"},
    {"redis+unix:///hunter2?cert=/a", "cert= is for TLS"},
    {"redis://", "host is missing"},
    {"redis:///0", "host is missing"},
    {"redis://:hunter2@/0", "host is missing"},
    {"redis://hunter2@h", "user needs a password"},
    {"redis://:hunter2@h:", "port from 1 to 65535"},
    {"redis://:hunter2@h:0", "port from 1 to 65535"},
    {"redis://:hunter2@h:65536", "port from 1 to 65535"},
    {"redis://:hunter2@h:+1", "port from 1 to 65535"},
    {"redis://h:99999999999999999999", "port from 1 to 65535"},
    {"redis://:hunter2/x@h", "an @ stands behind the host: in a user or password, write / as %2F"},
    {"redis://bob:hunter2/x@h", "write / as %2F"},
    {"redis://:hunter2?x@h", "? as %3F"},
    {"redis://:hunter2%zz@h", "password is badly percent-encoded"},
    {"redis://:hunter2%4@h", "password is badly percent-encoded"},
    {"redis://:hunter2%@h", "password is badly percent-encoded"},
    {"redis://:hunter2%00@h", "password is badly percent-encoded"},
    {"redis://b%:hunter2@h", "user is badly percent-encoded"},
    {"redis://:hunter2@h o", "no host name has"},
    {"redis://:hunter2@[::1", "] after the IPv6 address is missing"},
    {"redis://:hunter2@[::g]", "no IPv6 address"},
    {"redis://:hunter2@[]", "no IPv6 address"},
    {"redis://:hunter2@[::1]x", "port from 1 to 65535"},
    {"redis://:hunter2@h/x", "database must be a number"},
    {"redis://:hunter2@h/1/2", "database must be a number"},
    {"redis://:hunter2@h/-1", "database must be a number"},
    {"redis://:hunter2@h/2147483648", "database must be a number"},
    {"redis://:hunter2@h?db=", "database must be a number"},
    {"redis://:hunter2@h?x=hunter2", "only db=<number> is known"},
    {"redis://:hunter2@h?", "only db=<number> is known"},
    {"redis://:hunter2@h/1?db=1", "given twice"},
    {"redis://:hunter2@h#x", "must not hold #"},
    {"redis://:hunter2#x@h", "# as %23"},
    {"redis+unix://hunter2/r.sock", "begins with /"},
    {"redis+unix://:hunter2/x@/r.sock", "write / as %2F"},
    {"redis+unix://", "path of the unix socket is missing"},
    {"redis+unix:///", "path of the unix socket is missing"},
    {"redis+unix:///a%0", "path is badly percent-encoded"},
    {"redis+unix:///hunter2?db=one", "database must be a number"},
};

static void anything_else_is_refused_by_part_and_never_by_quoting_the_password(void **state) {
  (void)state;
  for (size_t i = 0; i < MC_COUNT(bad); i++) {
    mc_redis_url url = {.port = -7};
    mc_err err = {""};
    int rc = mc_redis_url_parse(bad[i].text, &url, &err);
    if (rc != MC_EINVALID || !strstr(err.text, bad[i].says))
      fail_msg("%s: expected \"%s\", got %d \"%s\"", bad[i].text, bad[i].says, rc, err.text);
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(url.port, -7);
  }
}

static void a_socket_path_may_be_as_long_as_the_kernel_allows(void **state) {
  (void)state;
  char text[256];
  mc_redis_url url;
  mc_err err = {""};
  snprintf(text, sizeof text, "redis+unix:///%0106d", 0);
  assert_int_equal(mc_redis_url_parse(text, &url, &err), 0);
  mc_redis_url_deinit(&url);
  snprintf(text, sizeof text, "redis+unix:///%0107d", 0);
  assert_int_equal(mc_redis_url_parse(text, &url, &err), MC_EINVALID);
  assert_non_null(strstr(err.text, "at most 107 bytes"));
}

static void an_address_is_shown_cut_when_there_is_no_room(void **state) {
  (void)state;
  mc_redis_url url;
  char shown[9];
  assert_int_equal(mc_redis_url_parse("redis://:pw@host", &url, NULL), 0);
  assert_string_equal(mc_redis_url_show(&url, shown, sizeof shown), "redis://");
  mc_redis_url_deinit(&url);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(addresses_are_understood),
      cmocka_unit_test(the_files_of_tls_are_settings_behind_the_address),
      cmocka_unit_test(anything_else_is_refused_by_part_and_never_by_quoting_the_password),
      cmocka_unit_test(a_socket_path_may_be_as_long_as_the_kernel_allows),
      cmocka_unit_test(an_address_is_shown_cut_when_there_is_no_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
