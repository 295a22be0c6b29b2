/* On whose behalf the loop works: see behalf.h. */
#include "worker/behalf.h"

#include "worker/page.h"

#include <stddef.h>

static mc_growth *worker; /* NULL: this is no worker */

void mc_behalf_use(mc_growth *growth) {
  worker = growth;
}

uint64_t mc_behalf_now(void) {
  return worker ? mc_page_current(worker->page) : 0;
}

/* What has come until now is that of who was current. */
static void become(uint64_t attempt) {
  mc_growth_measure(worker);
  mc_page_set_current(worker->page, attempt);
}

uint64_t mc_behalf_begin(uint64_t attempt) {
  uint64_t outer = mc_behalf_now();
  if (attempt && attempt != outer && worker)
    become(attempt);
  return outer;
}

void mc_behalf_end(uint64_t outer) {
  if (mc_behalf_now() != outer)
    become(outer);
}
