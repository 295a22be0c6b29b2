/* Retiring a worker: it leaves its place to a successor without losing anything.
 *
 *   serving ── retire ──▶ draining: no new tasks; hands back what it has not started, finishes what it runs
 *                             │ nothing left
 *                             ▼
 *                         dismissed: its socket is closed, at which it exits; killed if it has not within kill_grace
 *
 * While it drains, what it runs takes slots of its successor: together they never run more than `concurrency`. Whatever
 * concerns every worker (leases, time-outs, cancellation, shutdown) goes on to reach it. If it crashes meanwhile, its
 * tasks are settled as after any crash (death.h); its end starts no other worker, and is no quick death of its place.
 */
#ifndef MC_SUPERVISOR_RETIRE_H
#define MC_SUPERVISOR_RETIRE_H

#include "supervisor/pool.h"

/* Retires a worker, once; nothing when that was done before or when the supervisor stops (then a successor is still the
 * caller's). The successor takes over the place if the worker had it: one that mc_worker_start() made for the same
 * place, or NULL: a new one is started at once. `why` stands in the log. */
void mc_worker_retire(mc_worker *worker, mc_worker *successor, const char *why);

/* Of a retired worker: dismisses it when it has nothing left. Once per loop turn. */
void mc_worker_dismiss_when_done(mc_worker *worker);

/* Of a dismissed worker: kills it when it should have gone. Every now and then. */
void mc_worker_chase(mc_worker *worker, uint64_t now_ms);

#endif
