/* The worker's side of the page it shares with the supervisor (mc_page). */
#ifndef MC_WORKER_PAGE_H
#define MC_WORKER_PAGE_H

#include "base/err.h"
#include "base/slice.h"
#include "protocol/shared_page.h"

#include <stdbool.h>

/* Maps the memfd, which must hold that many slots, and closes it; the mapping stays until the process ends. */
int mc_page_map(int fd, uint32_t slot_count, mc_page **out, mc_err *err);

/* Whose Lua code runs from now on; 0: nobody's. Else it is a step, and counted. */
void mc_page_set_current(mc_page *page, uint64_t attempt);

/* What was set last. */
uint64_t mc_page_current(const mc_page *page);

/* The worker has grown to so many bytes; what that is more than ever before is put down to the attempt that is current,
 * if one is and it has a slot. */
void mc_page_set_peak(mc_page *page, uint32_t slot_count, uint64_t bytes);

/* Times are CLOCK_MONOTONIC milliseconds; deadline_ms 0: none. False: the supervisor has taken the attempt back, which
 * is not to be started; the slot is empty. */
bool mc_page_fill(mc_page *page, uint32_t slot, uint64_t attempt, uint64_t started_ms, uint64_t deadline_ms);
void mc_page_empty(mc_page *page, uint32_t slot);

/* The attempt in this slot has failed by this, of which the first MC_PAGE_FAILURE_MAX bytes are kept. */
void mc_page_set_failure(mc_page *page, uint32_t slot_count, uint32_t slot, mc_slice text);

/* Which script is being loaded, by its place among the sources (from 1), and the line it has come to; 0, 0: none is. */
void mc_page_set_loading(mc_page *page, uint32_t file, uint32_t line);

/* Whether the supervisor wants the attempt in this slot to stop. */
bool mc_page_cancelled(const mc_page *page, uint32_t slot);

#endif
