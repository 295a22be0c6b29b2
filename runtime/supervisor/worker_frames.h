/* What workers say: one function per frame type. */
#ifndef MC_SUPERVISOR_WORKER_FRAMES_H
#define MC_SUPERVISOR_WORKER_FRAMES_H

#include "protocol/frames.h"

/* arg is the mc_worker that sent it. A frame that cannot be decoded gets the worker killed. */
void mc_worker_on_frame(void *arg, const mc_frame *frame);

#endif
