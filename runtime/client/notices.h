/* Notices of changed keys: a second connection, for the time of one call, on which Redis says when a key that was armed
 * on the client's own connection has changed.
 *
 *   open ─▶ (subscribed: *wake) ─▶ arm, read the key, look at `armed` ─▶ sleep until *wake ─▶ arm, read … ─▶ close
 *
 * Where Redis does not grant it (before 6.0, ACL, proxies), `armed` stays false, and the caller looks from time to
 * time.
 */
#ifndef MC_CLIENT_NOTICES_H
#define MC_CLIENT_NOTICES_H

#include "client/client.h"

typedef struct mc_notices {
  mc_client *client;
  mc_conn *conn;
  int64_t id;      /* of the connection; 0: not subscribed */
  int64_t next_id; /* the same, before it is subscribed */
  bool armed;      /* the next change of the key read will wake */
  bool wake;       /* set when there is something to look at; the caller clears it */
} mc_notices;

/* Within a begun call; its memory must stay until closed, before the call ends. */
void mc_notices_open(mc_notices *out, mc_client *client);
void mc_notices_close(mc_notices *notices);

/* Sends what makes the next command on the client's connection, which reads the key, an armed one. */
void mc_notices_arm(mc_notices *notices);

#endif
