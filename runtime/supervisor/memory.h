/* The memory of workers: their resident sets are read from /proc at each look (ten times a second), since a limit
 * inside of a worker would see neither what native code takes nor, in compiled Lua code, end well.
 *
 *   above memory_limit         the worker retires (retire.h): what it runs goes on, others take its place
 *   above twice memory_limit   it is killed, and one task is blamed as for a crash
 *
 * Who is to blame: of the tasks whose own code has made the worker grow by half of memory_limit or more (the shared
 * page tells, see worker/growth.h), the one that did most. It need not be running when it is noticed, and one that is
 * just then running need not be the one. When there is none such: the one that is running; when none is but a single
 * one has started, that one; else nobody, for it cannot be told who. The same holds when somebody else, such as the
 * kernel, kills (signal 9) a worker that was above memory_limit at the last look.
 *
 * A worker that is above the limit soon after its start is a sign that the limit is too low for its scripts. So that
 * workers do not replace one another without end, from the second such one in a row on a place keeps its worker for a
 * second at least, then two, up to five, and the log says what is wrong.
 */
#ifndef MC_SUPERVISOR_MEMORY_H
#define MC_SUPERVISOR_MEMORY_H

#include "supervisor/pool.h"

void mc_memory_look(mc_worker *worker, uint64_t now_ms); /* at each look; nothing without a memory_limit */
/* The attempt that made the worker grow most, if by half of memory_limit or more; 0: there is none. *out_bytes, which
 * is set in the first case only: by how much. Also after its death. */
uint64_t mc_memory_hog(const mc_worker *worker, uint64_t *out_bytes);
void mc_memory_close(mc_worker *worker);

#endif
