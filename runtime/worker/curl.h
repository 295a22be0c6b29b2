/* libcurl, loaded when a script first needs it: <curl/curl.h> gives the types, mc_curl the functions. */
#ifndef MC_WORKER_CURL_H
#define MC_WORKER_CURL_H

#include "base/err.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/* X(result, name without "curl_", parameters) */
#define MC_CURL_FUNCTIONS(X)                                                                                           \
  X(CURLcode, global_init, (long flags))                                                                               \
  X(CURL *, easy_init, (void))                                                                                         \
  X(void, easy_cleanup, (CURL * easy))                                                                                 \
  X(CURLcode, easy_setopt, (CURL * easy, CURLoption option, ...))                                                      \
  X(CURLcode, easy_getinfo, (CURL * easy, CURLINFO info, ...))                                                         \
  X(CURLcode, easy_send, (CURL * easy, const void *bytes, size_t size, size_t *sent))                                  \
  X(CURLcode, easy_recv, (CURL * easy, void *bytes, size_t size, size_t *received))                                    \
  X(const char *, easy_strerror, (CURLcode code))                                                                      \
  X(struct curl_slist *, slist_append, (struct curl_slist * list, const char *text))                                   \
  X(void, slist_free_all, (struct curl_slist * list))                                                                  \
  X(curl_mime *, mime_init, (CURL * easy))                                                                             \
  X(void, mime_free, (curl_mime * mime))                                                                               \
  X(curl_mimepart *, mime_addpart, (curl_mime * mime))                                                                 \
  X(CURLcode, mime_name, (curl_mimepart * part, const char *name))                                                     \
  X(CURLcode, mime_data, (curl_mimepart * part, const char *data, size_t size))                                        \
  X(CURLcode, mime_filedata, (curl_mimepart * part, const char *path))                                                 \
  X(CURLcode, mime_filename, (curl_mimepart * part, const char *name))                                                 \
  X(CURLcode, mime_type, (curl_mimepart * part, const char *type))                                                     \
  X(CURLM *, multi_init, (void))                                                                                       \
  X(CURLMcode, multi_cleanup, (CURLM * multi))                                                                         \
  X(CURLMcode, multi_setopt, (CURLM * multi, CURLMoption option, ...))                                                 \
  X(CURLMcode, multi_add_handle, (CURLM * multi, CURL * easy))                                                         \
  X(CURLMcode, multi_remove_handle, (CURLM * multi, CURL * easy))                                                      \
  X(CURLMcode, multi_socket_action, (CURLM * multi, curl_socket_t socket, int events, int *running))                   \
  X(CURLMsg *, multi_info_read, (CURLM * multi, int *left))                                                            \
  X(CURLMcode, multi_assign, (CURLM * multi, curl_socket_t socket, void *arg))                                         \
  X(const char *, multi_strerror, (CURLMcode code))

typedef struct mc_curl_functions {
#define X(result, name, parameters) result(*name) parameters;
  MC_CURL_FUNCTIONS(X)
#undef X
} mc_curl_functions;

extern mc_curl_functions mc_curl; /* usable once mc_curl_load has succeeded */

/* Loads and initialises libcurl, once per process. MC_EUNAVAILABLE with the package that is missing. */
int mc_curl_load(mc_err *err);

/* What a script sees of a failure: "TIMEOUT", "CONNECTION", "TLS", "RESOLVE" … */
const char *mc_curl_code_name(CURLcode code);

#endif
