/* libpq on demand: see libpq.h. */
#include "worker/libpq.h"

#include "base/mem.h"
#include "worker/library.h"

#include <stdbool.h>

mc_pq_functions mc_pq;

static const mc_symbol symbols[] = {
#define X(result, name, parameters) {"PQ" #name, &mc_pq.name},
    MC_PQ_FUNCTIONS(X)
#undef X
};

int mc_pq_load(mc_err *err) {
  static bool loaded;
  int rc = loaded ? 0 : mc_library_load("libpq.so.5", "libpq5", symbols, MC_COUNT(symbols), err);
  loaded = rc == 0;
  return rc;
}
