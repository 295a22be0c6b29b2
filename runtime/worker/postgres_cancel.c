/* Queries that are cancelled: see postgres_cancel.h. */
#include "worker/postgres_cancel.h"

#include "base/list.h"
#include "base/mem.h"

#include <stdlib.h>

#define AT_A_TIME 2 /* of the pool's four threads */

typedef struct cancelling {
  mc_list link; /* in waiting, until a thread takes it */
  uv_loop_t *loop;
  uv_work_t work;
  PGcancel *cancel;
  PGconn *pq;
} cancelling;

static mc_list waiting = {&waiting, &waiting};
static int running;
static void (*on_quiet)(void *arg);
static void *on_quiet_arg;

static void start_next(void);

static void in_thread(uv_work_t *work) {
  char error[256];
  mc_pq.cancel(mc_container_of(work, cancelling, work)->cancel, error, sizeof error);
}

static void on_end(uv_work_t *work, int status) {
  cancelling *self = mc_container_of(work, cancelling, work);
  (void)status;
  mc_pq.freeCancel(self->cancel);
  mc_pq.finish(self->pq);
  free(self);
  running--;
  start_next();
  if (running == 0 && on_quiet)
    on_quiet(on_quiet_arg);
}

static void start_next(void) {
  while (running < AT_A_TIME && !mc_list_empty(&waiting)) {
    cancelling *first = mc_container_of(mc_list_pop_front(&waiting), cancelling, link);
    running++;
    uv_queue_work(first->loop, &first->work, in_thread, on_end);
  }
}

void mc_postgres_cancel(uv_loop_t *loop, PGconn *pq) {
  PGcancel *cancel = mc_pq.getCancel(pq);
  if (!cancel) {
    mc_pq.finish(pq);
    return;
  }
  cancelling *self = mc_zalloc(sizeof *self);
  self->loop = loop;
  self->cancel = cancel;
  self->pq = pq;
  mc_list_push_back(&waiting, &self->link);
  start_next();
}

void mc_postgres_cancel_wait(void (*callback)(void *arg), void *arg) {
  if (running == 0) {
    callback(arg);
    return;
  }
  on_quiet = callback;
  on_quiet_arg = arg;
}
