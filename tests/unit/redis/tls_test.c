/* A session before any byte of it: which name it asks for, and holds the certificate to. */
#include "redis/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/x509_vfy.h>

/* servername: NULL: none, for an address. */
static void expect_name(const char *address, const char *servername) {
  mc_redis_url url;
  SSL *session = NULL;
  mc_err err;
  assert_int_equal(mc_redis_url_parse(address, &url, &err), 0);
  assert_int_equal(mc_tls_session_new(&url, &session, &err), 0);
  const char *asked = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
  const char *held_to = X509_VERIFY_PARAM_get0_host(SSL_get0_param(session), 0);
  if (servername) {
    assert_string_equal(asked, servername);
    assert_string_equal(held_to, servername);
  } else {
    assert_null(asked);
    assert_null(held_to);
    char *held_to_ip = X509_VERIFY_PARAM_get1_ip_asc(SSL_get0_param(session));
    assert_non_null(held_to_ip);
    OPENSSL_free(held_to_ip);
  }
  SSL_free(session);
  mc_redis_url_deinit(&url);
}

static void a_name_is_asked_for_without_the_dot_that_ends_it(void **state) {
  (void)state;
  expect_name("rediss://cache.example", "cache.example");
  expect_name("rediss://cache.example.:6380", "cache.example");
  expect_name("rediss://cache.example..", "cache.example."); /* no name: it is refused, not mended */
}

static void a_dot_alone_is_held_to_what_no_certificate_has(void **state) {
  (void)state;
  expect_name("rediss://.", ".");
}

static void an_address_is_no_name(void **state) {
  (void)state;
  expect_name("rediss://127.0.0.1", NULL);
  expect_name("rediss://[::1]", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_is_asked_for_without_the_dot_that_ends_it),
      cmocka_unit_test(a_dot_alone_is_held_to_what_no_certificate_has),
      cmocka_unit_test(an_address_is_no_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
