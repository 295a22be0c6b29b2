/* Between our types and protobuf-c's. */
#ifndef MC_PROTOCOL_WIRE_H
#define MC_PROTOCOL_WIRE_H

#include "base/clock.h"
#include "base/slice.h"
#include "protocol/task.pb-c.h"

#define MC_WIRE_NS_PER_S INT64_C(1000000000)
#define MC_WIRE_NO_TIME_S INT64_C(-62135596800) /* 1 January of the year 1: what Go knows as "no time" */

static inline ProtobufCBinaryData mc_wire_bytes(mc_slice slice) {
  return (ProtobufCBinaryData){.len = slice.size, .data = (uint8_t *)slice.data};
}

static inline mc_slice mc_wire_slice(ProtobufCBinaryData bytes) {
  return (mc_slice){(const char *)bytes.data, bytes.len};
}

/* What an unpack function takes: never NULL. */
static inline const uint8_t *mc_wire_input(mc_slice bytes) {
  return (const uint8_t *)(bytes.size ? bytes.data : "");
}

/* Unix time in nanoseconds; 0: no time. */
static inline Mooncrew__Timestamp mc_wire_time(int64_t ns) {
  Mooncrew__Timestamp stamp = MOONCREW__TIMESTAMP__INIT;
  stamp.seconds = ns ? ns / MC_WIRE_NS_PER_S : MC_WIRE_NO_TIME_S;
  stamp.nanos = (int32_t)(ns % MC_WIRE_NS_PER_S);
  return stamp;
}

/* 0 for none, and for one that makes no sense. */
static inline int64_t mc_wire_time_ns(const Mooncrew__Timestamp *stamp) {
  if (!stamp || stamp->seconds <= 0 || stamp->nanos < 0 || stamp->nanos >= MC_WIRE_NS_PER_S)
    return 0;
  return mc_clock_clamp_s(stamp->seconds) * MC_WIRE_NS_PER_S + stamp->nanos;
}

#endif
