/* The frames between supervisor and worker, over one socketpair.
 *
 * A frame is an 8-byte head (body size u32, version u8, type u8, two zero bytes) and a body; all numbers little-endian,
 * texts and bytes as u32 size + bytes. Both ends are the same binary, so a version that differs is an error, not a
 * negotiation: raise MC_FRAME_VERSION with every change of a body's layout.
 *
 *   supervisor → worker   SETTINGS (first)  TASK  CANCEL  DRAIN  ENQUEUED  PING  FOLD
 *   worker → supervisor   READY or LOAD_FAILED (first)  RESULT  ENQUEUE  PONG  FOLDED  PROGRESS
 *
 * Encoders append a whole frame to a buffer; decoders read a body and lend slices into it.
 */
#ifndef MC_PROTOCOL_FRAMES_H
#define MC_PROTOCOL_FRAMES_H

#include "protocol/frame.h"
#include "protocol/frames_to_supervisor.h"
#include "protocol/frames_to_worker.h"

#endif
