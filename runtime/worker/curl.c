/* libcurl on demand: see curl.h. */
#include "worker/curl.h"

#include "base/mem.h"
#include "worker/library.h"

#include <stdbool.h>

mc_curl_functions mc_curl;

static const mc_symbol symbols[] = {
#define X(result, name, parameters) {"curl_" #name, &mc_curl.name},
    MC_CURL_FUNCTIONS(X)
#undef X
};

int mc_curl_load(mc_err *err) {
  static bool loaded;
  if (loaded)
    return 0;
  int rc = mc_library_load("libcurl.so.4", "libcurl4", symbols, MC_COUNT(symbols), err);
  if (rc)
    return rc;
  CURLcode code = mc_curl.global_init(CURL_GLOBAL_DEFAULT);
  if (code)
    return mc_fail(err, MC_EUNAVAILABLE, "libcurl does not start: %s", mc_curl.easy_strerror(code));
  loaded = true;
  return 0;
}

static const struct {
  CURLcode code;
  const char *name;
} names[] = {
    {CURLE_OPERATION_TIMEDOUT, "TIMEOUT"},
    {CURLE_COULDNT_RESOLVE_HOST, "RESOLVE"},
    {CURLE_COULDNT_RESOLVE_PROXY, "RESOLVE"},
    {CURLE_URL_MALFORMAT, "INVALID_URL"},
    {CURLE_UNSUPPORTED_PROTOCOL, "INVALID_RESPONSE"}, /* HTTP/0.9: Lua lets no other address through */
    {CURLE_FILESIZE_EXCEEDED, "TOO_LARGE"},
    {CURLE_READ_ERROR, "IO_ERROR"},
    {CURLE_BAD_CONTENT_ENCODING, "INVALID_RESPONSE"},
    {CURLE_WEIRD_SERVER_REPLY, "INVALID_RESPONSE"},
    {CURLE_SSL_CONNECT_ERROR, "TLS"},
    {CURLE_PEER_FAILED_VERIFICATION, "TLS"},
    {CURLE_SSL_CERTPROBLEM, "TLS"},
    {CURLE_SSL_CIPHER, "TLS"},
    {CURLE_SSL_CACERT_BADFILE, "TLS"},
    {CURLE_SSL_INVALIDCERTSTATUS, "TLS"},
    {CURLE_SSL_ISSUER_ERROR, "TLS"},
    {CURLE_SSL_SHUTDOWN_FAILED, "TLS"},
    {CURLE_USE_SSL_FAILED, "TLS"},
    {CURLE_LOGIN_DENIED, "REJECTED"},
};

const char *mc_curl_code_name(CURLcode code) {
  for (size_t i = 0; i < MC_COUNT(names); i++)
    if (names[i].code == code)
      return names[i].name;
  return "CONNECTION";
}
