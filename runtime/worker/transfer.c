/* One transfer: see transfer.h. */
#include "worker/transfer.h"

#include "base/mem.h"
#include "worker/behalf.h"

#include <stdlib.h>
#include <sys/socket.h>

/* A thousand transfers at a time are usual, so buffers are no larger than what keeps a single one fast. */
#define RECEIVE_BUFFER 16384L
#define SEND_BUFFER 16384L /* the least that curl takes */
#define MAX_HEAD (256u * 1024)

static bool is_success(const mc_transfer *transfer) {
  long status = mc_transfer_status(transfer);
  return status >= 200 && status < 300;
}

static size_t on_body(char *bytes, size_t unit, size_t count, void *arg) {
  mc_transfer *transfer = arg;
  size_t size = unit * count;
  uint64_t outer = mc_behalf_begin(transfer->attempt);
  bool taken = mc_sink_write(&transfer->body, bytes, size, is_success(transfer));
  mc_behalf_end(outer);
  return taken ? size : CURL_WRITEFUNC_ERROR;
}

/* Answers that are only on the way to the last one (100, a proxy's) have a head of their own: the last one stays. */
static size_t on_head(char *bytes, size_t unit, size_t count, void *arg) {
  mc_transfer *transfer = arg;
  size_t size = unit * count;
  if (transfer->quitting)
    return size;
  if (size >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
    mc_buf_clear(&transfer->head);
  transfer->head_size += size;
  if (transfer->head_size > MAX_HEAD) {
    transfer->body.code = "TOO_LARGE";
    mc_fail(&transfer->body.failure, MC_EINVALID, "the headers of the answer are larger than %u bytes", MAX_HEAD);
    return 0;
  }
  mc_buf_add(&transfer->head, bytes, size);
  return size;
}

static void set_defaults(mc_transfer *transfer) {
  const struct {
    CURLoption option;
    long value;
  } numbers[] = {
      {CURLOPT_NOSIGNAL, 1},
      {CURLOPT_QUICK_EXIT, 1}, /* or removing it during name resolution waits for the resolver's thread */
      {CURLOPT_BUFFERSIZE, RECEIVE_BUFFER},
      {CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER},
      {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
      {CURLOPT_TCP_KEEPALIVE, 1},
      {CURLOPT_FOLLOWLOCATION, 0}, /* mooncrew.http.redirect does: curl keeps the method of a custom request */
  };
  for (size_t i = 0; i < MC_COUNT(numbers); i++)
    mc_curl.easy_setopt(transfer->easy, numbers[i].option, numbers[i].value);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, transfer->error);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, on_body);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_HEADERFUNCTION, on_head);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_HEADERDATA, transfer);
}

static mc_transfer *transfer_of(CURL *easy) {
  char *private = NULL;
  mc_curl.easy_getinfo(easy, CURLINFO_PRIVATE, &private);
  return (mc_transfer *)(void *)private;
}

static void on_transfer_socket(CURL *easy, curl_socket_t socket, bool watched) {
  mc_transfer *transfer = transfer_of(easy);
  if (transfer && watched)
    transfer->socket = socket;
  else if (transfer && transfer->socket == socket)
    transfer->socket = CURL_SOCKET_BAD;
}

/* What is over a limit of curl's own (CURL_MAX_HTTP_HEADER, DYN_HTTP_REQUEST) it calls out of memory. */
static void name_failure(mc_transfer *transfer, CURLcode result) {
  if (result != CURLE_OUT_OF_MEMORY || transfer->body.code)
    return;
  transfer->body.code = "TOO_LARGE";
  mc_fail(&transfer->body.failure, MC_EINVALID, "%s",
          transfer->head_size > 0 ? "a header of the answer is larger than 100 KB"
                                  : "address and headers of the request are larger than 1 MB, more than libcurl sends");
}

static void on_transfer_done(CURL *easy, CURLcode result) {
  mc_transfer *transfer = transfer_of(easy);
  name_failure(transfer, result);
  if (result || !transfer->connect_only) {
    mc_multi_remove(transfer->multi, easy);
    transfer->running = false;
  }
  uint64_t outer = mc_behalf_begin(transfer->attempt); /* the answer becomes a string of Lua */
  transfer->on_done(transfer, result);
  mc_behalf_end(outer);
}

int mc_transfers_open(uv_loop_t *loop, mc_multi **out, mc_err *err) {
  return mc_multi_open(loop, on_transfer_done, on_transfer_socket, out, err);
}

int mc_transfer_new(mc_multi *multi, const mc_transfer_limits *limits, mc_transfer **out, mc_err *err) {
  CURL *easy = mc_curl.easy_init();
  if (!easy)
    return mc_fail(err, MC_ENO_MEMORY, "libcurl has no memory");
  mc_transfer *transfer = mc_zalloc(sizeof *transfer);
  transfer->easy = easy;
  transfer->multi = multi;
  transfer->socket = CURL_SOCKET_BAD;
  int rc = mc_sink_init(&transfer->body, limits->to_file, limits->file_size, limits->memory_size, err);
  if (rc) {
    mc_curl.easy_cleanup(easy);
    free(transfer);
    return rc;
  }
  set_defaults(transfer);
  *out = transfer;
  return 0;
}

void mc_transfer_free(mc_transfer *transfer) {
  if (!transfer)
    return;
  if (transfer->running)
    mc_multi_remove(transfer->multi, transfer->easy);
  mc_curl.easy_cleanup(transfer->easy);
  mc_curl.mime_free(transfer->mime);
  for (size_t i = 0; i < transfer->list_count; i++)
    mc_curl.slist_free_all(transfer->lists[i]);
  mc_sink_deinit(&transfer->body);
  mc_buf_deinit(&transfer->head);
  free(transfer);
}

int mc_transfer_start(mc_transfer *transfer, mc_err *err) {
  transfer->attempt = mc_behalf_now();
  int rc = mc_multi_add(transfer->multi, transfer->easy, err);
  transfer->running = rc == 0;
  return rc;
}

bool mc_transfer_own_list(mc_transfer *transfer, struct curl_slist *list) {
  if (transfer->list_count == MC_COUNT(transfer->lists))
    return false;
  transfer->lists[transfer->list_count++] = list;
  return true;
}

long mc_transfer_status(const mc_transfer *transfer) {
  long status = 0;
  mc_curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/* ---- connections alone ---- */

/* After a login that SMTP's server refuses curl says QUIT and blocks until that is answered, for up to two minutes.
 * There is nothing to be learnt from the answer: a socket that is shut for reading ends the wait at once. */
static int on_debug(CURL *easy, curl_infotype type, char *text, size_t size, void *arg) {
  mc_transfer *transfer = arg;
  (void)easy;
  if (type == CURLINFO_HEADER_OUT && size >= 4 && memcmp(text, "QUIT", 4) == 0) {
    transfer->quitting = true;
    if (transfer->socket != CURL_SOCKET_BAD)
      shutdown(transfer->socket, SHUT_RD);
  }
  return 0;
}

void mc_transfer_connect_only(mc_transfer *transfer) {
  transfer->connect_only = true;
  mc_curl.easy_setopt(transfer->easy, CURLOPT_CONNECT_ONLY, 1L);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_VERBOSE, 1L);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_DEBUGFUNCTION, on_debug);
  mc_curl.easy_setopt(transfer->easy, CURLOPT_DEBUGDATA, transfer);
}
