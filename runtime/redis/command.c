/* Commands onto the wire, formatted by hiredis: see command.h. */
#include "redis/command.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static void word_add(mc_command *command, mc_slice word);

void mc_command_deinit(mc_command *command) {
  free(command->words);
  free(command->sizes);
  *command = (mc_command){0};
}

void mc_command_write(mc_command *command, const mc_slice *head, size_t head_count, const mc_args *args, mc_buf *out) {
  char *text = NULL;
  command->count = 0;
  for (size_t i = 0; i < head_count; i++)
    word_add(command, head[i]);
  for (size_t i = 0; args && i < args->count; i++)
    word_add(command, mc_args_at(args, i));
  int size = redisFormatCommandArgv(&text, (int)command->count, command->words, command->sizes);
  if (size < 0) {
    fprintf(stderr, "mooncrew: out of memory for a Redis command\n");
    abort();
  }
  mc_buf_add(out, text, (size_t)size);
  redisFreeCommand(text);
}

static void word_add(mc_command *command, mc_slice word) {
  if (command->count == command->room) {
    command->room = command->room ? command->room * 2 : 64;
    command->words = mc_realloc(command->words, command->room * sizeof *command->words);
    command->sizes = mc_realloc(command->sizes, command->room * sizeof *command->sizes);
  }
  command->words[command->count] = word.data ? word.data : "";
  command->sizes[command->count++] = word.size;
}
