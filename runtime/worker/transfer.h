/* One transfer of libcurl: what it sends, what came back, and its end.
 *
 *   new ──▶ (options are set on easy) ──▶ start ──▶ on_done: head, body and error tell ──▶ free
 *                                           └────── free: ends it at once, on_done does not run
 */
#ifndef MC_WORKER_TRANSFER_H
#define MC_WORKER_TRANSFER_H

#include "base/slice.h"
#include "worker/multi.h"
#include "worker/sink.h"

typedef struct mc_transfer mc_transfer;

typedef struct mc_transfer_limits {
  const char *to_file; /* NULL: into memory. Copied */
  uint64_t file_size, memory_size;
} mc_transfer_limits;

struct mc_transfer {
  CURL *easy;
  mc_multi *multi;
  bool running;
  uint64_t attempt; /* whose it is (behalf.h) */
  mc_sink body;
  mc_buf head;      /* status line and headers of the last answer; of SMTP, all that the server said */
  size_t head_size; /* of this head and of those before it */
  bool connect_only;
  curl_socket_t socket;        /* that curl watches for it, or CURL_SOCKET_BAD */
  bool quitting;               /* SMTP's QUIT was sent */
  struct curl_slist *lists[4]; /* owned: curl copies none */
  size_t list_count;
  curl_mime *mime; /* owned; NULL: none */
  char error[CURL_ERROR_SIZE];
  void (*on_done)(mc_transfer *transfer, CURLcode result); /* set by the caller before start; may free it */
  void *arg;
};

/* Like mc_multi_open, whose transfers these are. */
int mc_transfers_open(uv_loop_t *loop, mc_multi **out, mc_err *err);

/* The defaults that all transfers share are set. MC_EIO: the file cannot be written. */
int mc_transfer_new(mc_multi *multi, const mc_transfer_limits *limits, mc_transfer **out, mc_err *err);
void mc_transfer_free(mc_transfer *transfer);

int mc_transfer_start(mc_transfer *transfer, mc_err *err);

/* Before start: it connects, encrypts and logs in, and then on_done runs. The connection stays until it is freed, for
 * mc_dialogue alone. */
void mc_transfer_connect_only(mc_transfer *transfer);

/* Keeps a list that was given to curl; false when there are too many. */
bool mc_transfer_own_list(mc_transfer *transfer, struct curl_slist *list);

long mc_transfer_status(const mc_transfer *transfer); /* of HTTP or SMTP; 0: none came */

#endif
