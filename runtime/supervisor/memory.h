/* The memory of workers: their resident sets are read from /proc at each look (ten times a second), since a limit
 * inside of a worker would see neither what native code takes nor, in compiled Lua code, end well.
 *
 *   above memory_limit         the worker retires (retire.h): what it runs goes on, others take its place
 *   above twice memory_limit   it is killed. Whom the shared page names is blamed, as for a crash; when it names nobody
 *                              but a single handler had started, that one; else nobody, for it cannot be told who.
 *
 * A worker that is above the limit soon after its start is a sign that the limit is too low for its scripts. So that
 * workers do not replace one another without end, from the second such one in a row on a place keeps its worker for a
 * second at least, then two, up to five, and the log says what is wrong.
 */
#ifndef MC_SUPERVISOR_MEMORY_H
#define MC_SUPERVISOR_MEMORY_H

#include "supervisor/pool.h"

void mc_memory_look(mc_worker *worker, uint64_t now_ms); /* at each look; nothing without a memory_limit */
void mc_memory_close(mc_worker *worker);

#endif
