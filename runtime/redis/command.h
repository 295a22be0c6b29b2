/* Commands onto the wire. A zeroed mc_command is ready; it keeps its tables from one command to the next. */
#ifndef MC_REDIS_COMMAND_H
#define MC_REDIS_COMMAND_H

#include "base/args.h"

typedef struct mc_command {
  const char **words;
  size_t *sizes;
  size_t count, room;
} mc_command;

void mc_command_deinit(mc_command *command);

/* Appends to out, as Redis reads it, the command made of the words of head and then those of args (may be NULL). */
void mc_command_write(mc_command *command, const mc_slice *head, size_t head_count, const mc_args *args, mc_buf *out);

#endif
