/* libcurl's transfers on a libuv loop: one uv_poll_t per socket that curl watches, one uv_timer_t for all its timers.
 *
 *   curl wants a socket watched ──▶ uv_poll ──▶ multi_socket_action ──▶ what has ended ──▶ on_done
 *   curl wants to be called in n ms ──▶ uv_timer ──▶ multi_socket_action
 *
 * Nothing of a transfer's owner runs inside of a callback of curl, which would forbid it to add and remove transfers.
 * Connections that stand idle are kept for the next transfers; they have no handle on the loop.
 */
#ifndef MC_WORKER_MULTI_H
#define MC_WORKER_MULTI_H

#include "base/err.h"
#include "worker/curl.h"

#include <stdbool.h>
#include <uv.h>

typedef struct mc_multi mc_multi;

/* A transfer has ended, and is to be removed, now or later. */
typedef void (*mc_multi_done)(CURL *easy, CURLcode result);

/* Curl begins to watch a socket for a transfer, or stops to. It may be a handle of curl's own, with no private pointer.
 */
typedef void (*mc_multi_socket)(CURL *easy, curl_socket_t socket, bool watched);

/* Loads libcurl. The loop is borrowed until the close callbacks have run. */
int mc_multi_open(uv_loop_t *loop, mc_multi_done on_done, mc_multi_socket on_socket, mc_multi **out, mc_err *err);

/* Every transfer must have been removed. Frees the multi when its handles have closed, in later turns of the loop. */
void mc_multi_close(mc_multi *multi);

/* Starts a transfer; its on_done runs in a later turn. */
int mc_multi_add(mc_multi *multi, CURL *easy, mc_err *err);

/* Ends a transfer at once; its on_done will not run. */
void mc_multi_remove(mc_multi *multi, CURL *easy);

size_t mc_multi_sockets(const mc_multi *multi); /* that are being watched */

#endif
