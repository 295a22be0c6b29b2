/* Handlers that do not stop: ten times a second the workers are looked at. One with a handler that is past its time, or
 * was cancelled, by more than kill_grace is killed; so is one that has not loaded its scripts within load_timeout; one
 * that does not answer gets no new tasks until it does (pulse.h), one whose handlers all take long gives back what it
 * has in advance, and one that takes too much memory is replaced or killed (memory.h).
 *
 * A supervisor that stood still (stopped, frozen with its machine) has not read what workers said meanwhile, and they
 * may have stood still as well. So the time that anything may take counts from its going on, at the earliest.
 */
#ifndef MC_SUPERVISOR_DUTY_OVERDUE_H
#define MC_SUPERVISOR_DUTY_OVERDUE_H

#include <stdbool.h>
#include <stdint.h>

struct mc_node;

void mc_duty_overdue(struct mc_node *node);

/* Whether what began, or should have ended, at since_ms has taken more than allowed_ms; all are of CLOCK_MONOTONIC. */
bool mc_is_overdue(const struct mc_node *node, uint64_t since_ms, uint64_t allowed_ms, uint64_t now_ms);

#endif
