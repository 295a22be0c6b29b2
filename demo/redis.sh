# What the demo reads from Redis, with redis-cli alone: mooncrew is not asked how it did. Sourced by demo/run.
# shellcheck shell=bash

redis() {
  redis-cli -s "$socket" "$@"
}

# QUEUE ID FIELD: a field of the task's hash: state, result …
task_field() {
  redis hget "asynq:{$1}:t:$2" "$3"
}

# QUEUE ID FIELD: a field of the task's message, decoded by protoc-c; nothing when it has its zero value.
message_field() {
  # redis-cli ends what it prints with a line end that is no part of the message.
  task_field "$1" "$2" msg | head -c -1 |
    protoc-c --decode=mooncrew.TaskMessage --proto_path=runtime/protocol task.proto |
    sed -n "s/^$3: //p" | sed 's/^"\(.*\)"$/\1/'
}

# QUEUE PATTERN: the id of the task that fits.
task_id_like() {
  redis keys "asynq:{$1}:t:$2" | sed "s/^asynq:{$1}:t://"
}

# Those in which nothing happens that the demo does not make happen: in low, cron goes on enqueuing.
counted='critical default images'

# SUFFIX: the sum of a counter over these queues.
counter_total() {
  local queue value sum=0
  for queue in $counted; do
    value=$(redis get "asynq:{$queue}:$1")
    sum=$((sum + ${value:-0}))
  done
  echo $sum
}

# What Redis holds in the end, in words.
totals() {
  printf '%d processed, %d failed, %d archived, %d completed\n' "$(counter_total processed)" "$(counter_total failed)" \
    "$(length_total zcard archived)" "$(length_total zcard completed)"
}

# COMMAND SUFFIX: the sum of a list's (llen) or a sorted set's (zcard) length over these queues.
length_total() {
  local queue sum=0
  for queue in $counted; do
    sum=$((sum + $(redis "$1" "asynq:{$queue}:$2")))
  done
  echo $sum
}
