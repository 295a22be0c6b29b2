# What must be true when the demo's tasks have ended. Sourced by demo/run.
# shellcheck shell=bash

failures=0

# WHAT ACTUAL EXPECTED
check() {
  if [ "$2" = "$3" ]; then
    printf '  ok    %s\n' "$1"
  else
    printf '  FAIL  %s: %s, expected %s\n' "$1" "${2:-nothing}" "$3"
    failures=$((failures + 1))
  fi
}

# WHAT CONDITION… (a command)
check_that() {
  local what=$1
  shift
  check "$what" "$("$@" && echo yes || echo no)" yes
}

contains() { # TEXT PART
  [[ $1 == *"$2"* ]]
}

check_tasks() {
  local name
  for name in "${order[@]}"; do
    check "$name: ${expected_state[$name]}, retried ${expected_retried[$name]}" \
      "${state[$name]}, retried ${retried[$name]}" "${expected_state[$name]}, retried ${expected_retried[$name]}"
  done
}

# When the handler of a task began, in unix milliseconds: the time of the log line of its end, less its duration, of
# which a started millisecond counts as whole.
started_ms() {
  local line ended duration
  line=$(grep '"event":"processed task"' "$work/dev.log" | grep -F "\"task_id\":\"${id[$1]}\"" | tail -n 1)
  ended=$(date -d "$(sed 's/.*"time":"\([^"]*\)".*/\1/' <<<"$line")" +%s%3N)
  duration=$(sed 's/.*"duration_ms":\([0-9]*\).*/\1/' <<<"$line")
  echo $((ended - duration - 1))
}

check_delayed() {
  local waited=$(($(started_ms delayed) - delayed_enqueued_ms))
  check_that "delayed: started no sooner than 5 s after it was enqueued ($waited ms)" [ $waited -ge 5000 ]
  check "delayed: on critical, with ten retries" "$(message_field critical "${id[delayed]}" max_retry)" 10
}

check_errors() {
  check_that "invalid: archived with path and reason" contains "${outcome[invalid]}" "payload.username: expected string"
  check_that "stranger: archived with the reason" contains "${outcome[stranger]}" "no user has the name nobody"
  check_that "flaky: its last error was kept" \
    contains "$(message_field default "${id[flaky]}" error_msg)" "failure 2 of 2, on purpose"
}

check_report() {
  local queue=${queue[report]}
  task_field "$queue" "${id[report]}" result | luajit demo/flatten.lua >"$work/report.said"
  demo/count "$work/access.log" 5 >"$work/report.counted"
  check_that "report: all $(wc -l <"$work/report.counted") numbers as sed, awk and sort count them" \
    diff "$work/report.counted" "$work/report.said"
}

# NAME USER: the message is where the result says, goes to the user, and its link stands for the user.
check_mail() {
  local path=$data/Maildir/${mail_path[$1]} user
  user=$(grep -q "<$2@example.org>" "$path" && luajit demo/verify.lua "$data" "$path")
  check "$1: delivered to $2, whom its link stands for" "$user" "$2"
}

check_mails() {
  check_mail cli_email ada
  check_mail delayed grace
  check_mail lua_email sofia
  check_mail c_email linus
  check_mail c_email_2 margaret
  check_digest ada 3
  check_digest grace 1
  check "seven messages in new/, none left in tmp/" \
    "$(find "$data/Maildir/new" -type f | wc -l) $(find "$data/Maildir/tmp" -type f | wc -l)" "7 0"
}

# USER EVENTS: one mail to the user, with all events.
check_digest() {
  local path=$data/Maildir/${mail_path[digest_$1]}
  check "digest_$1: delivered to $1" "$(grep -c "^To: .*<$1@example.org>" "$path")" 1
  check "digest_$1: number of events in it is $2" "$(grep -c '^- ' "$path")" "$2"
}

# The receiver got the event twice, under one key, a second apart at least, and both signatures are right, as OpenSSL
# computes them.
check_webhooks() {
  local status key timestamp signature body wanted statuses='' keys=() times=()
  while IFS=$'\t' read -r status key timestamp signature body; do
    statuses+="$status " keys+=("$key") times+=("$timestamp")
    wanted=$(printf '%s.%s' "$timestamp" "$body" | openssl dgst -sha256 -hmac "$APP_WEBHOOK_SECRET" | sed 's/.* //')
    check "webhook: the signature of the request that got $status" "$signature" "v1=$wanted"
  done < <(luajit demo/requests.lua "$work/requests" /busy)
  check "webhook: refused once with Retry-After, then taken" "$statuses" "503 200 "
  check "webhook: both times with the task's id as key" "${keys[*]}" "${id[webhook]} ${id[webhook]}"
  check_that "webhook: waited for as long as it was told to" [ $((times[1] - times[0])) -ge 1 ]
  check_that "gone: archived with the reason" contains "${outcome[gone]}" "answered 410"
}

check_thumbnail() {
  check "thumbnail: a picture of 160 by 120" "$(head -n 2 "$data/thumbnails/moon-160.ppm" | tr '\n' ' ')" "P6 160 120 "
}

check_totals() {
  # Eleven tasks. One ran three times, one twice; three of these runs failed, and the three that are archived.
  check "Redis' totals" "$(totals)" "14 processed, 6 failed, 3 archived, 8 completed"
  check "nothing is left in any other place" "$(($(length_total llen pending) + $(length_total llen active) +
    $(length_total zcard lease) + $(length_total zcard scheduled) + $(length_total zcard retry)))" 0
}

check_stopped() {
  check "mooncrew dev stopped when asked" "$(cat "$work/dev.exit")" "exit code 0"
  check_that "and took its Redis with it" [ ! -S "$socket" ]
}
