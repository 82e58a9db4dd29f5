#!/usr/bin/env bash
# The tests of ./capa, run by `./capa test` on its servers. Each function it_... is one test in a shell and a state
# folder of its own; the result is one line of TAP each.
set -euo pipefail
shopt -s inherit_errexit

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TEST_STATE=${1:?the state folder of the running test servers}
for library in lib packages servers services system verify; do
  # shellcheck disable=SC1090
  source "$ROOT/infra/$library.sh"
done

SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT

# --- What a test says -------------------------------------------------------------------------------------------

equal() { [[ $1 == "$2" ]] || { echo "expected '$1', got '$2'"; return 1; }; }
contains() { [[ $2 == *"$1"* ]] || { echo "expected '$1' in: $2"; return 1; }; }

# refused CODE PART-OF-THE-REASON COMMAND...: exits with the code and one line that tells why.
refused() {
  local code=$1 reason=$2 output status=0
  shift 2
  output=$("$@" 2>&1 >/dev/null </dev/null) || status=$?
  equal "$code" "$status" || { echo "$output"; return 1; }
  contains "$reason" "$output"
  equal 1 "$(wc -l <<<"$output")"
}

# --- Usage ------------------------------------------------------------------------------------------------------

it_refuses_an_unknown_verb_by_name() { refused 2 "'frobnicate'" "$ROOT/capa" frobnicate; }

it_refuses_an_unknown_option_of_every_verb_by_name() {
  local verb
  for verb in up down status logs token verify replay rebuild demo test bench; do refused 2 "'--frobnicate'" "$ROOT/capa" "$verb" --frobnicate; done
}

it_asks_for_a_role_and_refuses_what_would_break_the_request() {
  refused 2 "--role" "$ROOT/capa" token
  refused 2 "--role needs a value" "$ROOT/capa" token --role
  refused 2 "--role needs a value" "$ROOT/capa" token --role 'x","y'
}

it_asks_for_a_service_and_an_event_that_can_be_there() {
  refused 2 "--service needs" "$ROOT/capa" replay --service
  refused 2 "--service needs" "$ROOT/capa" replay --service gateway
  refused 2 "--event needs" "$ROOT/capa" replay --list --event 42
}

it_says_that_nothing_runs_that_could_replay() {
  mkdir -p "$STATE/app/verify"
  touch "$STATE/app/verify/$(assembly verify)"
  refused 1 "gateway is not running" verb_replay --list
  rm -r "$STATE/app"
  refused 3 "not installed" verb_replay
}

it_lists_the_verbs_it_has_and_works_from_any_folder() {
  local help verb
  cd /
  help=$("$ROOT/capa" help)
  for verb in up down status logs token sql verify replay rebuild demo test bench; do contains $'\n  '"$verb " "$help"; done
}

# --- Ports ------------------------------------------------------------------------------------------------------

it_takes_the_next_free_port_when_the_preferred_one_is_taken_and_remembers_it() {
  local taken
  load_test_ports
  taken=${PORTS[postgres]}
  PORTS=()
  assign_port first "$taken" first
  ((PORTS[first] > taken))
  assign_port second "$taken" second
  [[ ${PORTS[second]} != "${PORTS[first]}" ]]
  save_ports
  local remembered=${PORTS[first]}
  load_ports
  assign_port first 1024 first
  equal "$remembered" "${PORTS[first]}"
}

it_keeps_a_port_that_is_taken_by_its_own_part() {
  load_test_ports
  local held=${PORTS[postgres]}
  cp "$TEST_STATE/pids/postgres" "$STATE/pids/postgres"
  assign_port postgres 5432 postgres
  equal "$held" "${PORTS[postgres]}"
  rm "$STATE/pids/postgres"
  assign_port postgres "$held" postgres
  [[ ${PORTS[postgres]} != "$held" ]]
}

# --- Processes --------------------------------------------------------------------------------------------------

it_never_stops_a_process_that_got_the_recorded_id_later() {
  sleep 60 &
  local stranger=$!
  printf '%s %s -\n' "$stranger" "1@$(</proc/sys/kernel/random/boot_id)" >"$STATE/pids/part"
  if is_alive part; then echo "the stranger passes for the part"; return 1; fi
  stop part 1 TERM
  kill -s 0 "$stranger"
  kill "$stranger"
}

it_stops_what_it_started_and_kills_what_does_not_listen() {
  launch polite - sleep 60
  launch deaf - bash -c 'trap "" TERM; while :; do sleep 0.1; done'
  local polite deaf
  polite=$(recorded polite pid)
  deaf=$(recorded deaf pid)
  stop polite 5 TERM
  stop deaf 1 TERM
  if process_identity "$polite" || process_identity "$deaf"; then echo "still running"; return 1; fi
  [[ ! -e $STATE/pids/polite && ! -e $STATE/pids/deaf ]]
}

it_reports_a_part_that_dies_while_starting_with_its_last_words() {
  launch part - bash -c 'echo "no such database"; exit 3'
  local output status=0
  output=$( (await part 30 false) 2>&1) || status=$?
  equal 1 "$status"
  contains "no such database" "$output"
  contains "part stopped while starting" "$output"
}

it_leaves_no_lock_with_the_processes_it_starts() {
  exec 9>"$STATE/lock"
  flock -n 9
  launch part - sleep 60
  exec 9>&-
  flock -n "$STATE/lock" true
  stop part 5 TERM
}

# --- Configuration ----------------------------------------------------------------------------------------------

it_makes_a_secret_once_and_for_its_owner_only() {
  local first
  first=$(secret something)
  [[ $first =~ ^[A-Za-z0-9]{32}$ ]]
  equal "$first" "$(secret something)"
  equal 600 "$(stat -c %a "$STATE/secrets/something")"
  equal 700 "$(stat -c %a "$STATE/secrets")"
}

it_stays_with_the_event_store_it_began_with() {
  load_test_ports
  export ConnectionStrings__EventStore=esdb://one.example:2113
  choose_event_store
  equal esdb://one.example:2113 "$(event_store)"
  mkdir "$STATE/postgres"
  choose_event_store
  ConnectionStrings__EventStore=esdb://other.example:2113
  refused 1 "another event store" choose_event_store
  ConnectionStrings__EventStore=http://other.example
  refused 2 "esdb://" choose_event_store
}

it_sees_that_a_source_has_changed_or_gone() {
  ROOT=$STATE/clone
  mkdir -p "$ROOT"/{services,shared/obj,infra/EventLog,infra/Demo,infra/Verify}
  touch "$ROOT"/{global.json,Directory.Build.props,services/Program.cs}
  local before
  before=$(source_state)
  touch "$ROOT/shared/obj/built"
  equal "$before" "$(source_state)"
  touch -d '1 hour ago' "$ROOT/services/Program.cs"
  [[ $(source_state) != "$before" ]]
  before=$(source_state)
  rm "$ROOT/services/Program.cs"
  [[ $(source_state) != "$before" ]]
}

it_gives_only_the_projector_and_the_event_log_a_way_to_the_database() {
  load_test_ports
  PORTS[gateway]=1 PORTS[nonconformities]=2 PORTS[root-causes]=3 PORTS[action-plans]=4 PORTS[read-models]=5
  PORTS[event-log]=6 PORTS[event-log-health]=7
  local part with=''
  for part in "$LOCAL_EVENT_LOG" "${SERVICES[@]}"; do
    if [[ $(settings_of "$part") == *ConnectionStrings__Postgres* ]]; then with+="$part "; fi
  done
  equal "event-log read-models " "$with"
  [[ $(fingerprint gateway) != $(PORTS[rabbitmq]=9; fingerprint gateway) ]]
}

# --- Counting tests ---------------------------------------------------------------------------------------------

it_counts_a_test_that_failed_and_a_run_that_ended_early() {
  # shellcheck source=infra/test.sh
  source "$ROOT/infra/test.sh"
  count_tap whole < <(printf '%s\n' 'ok - one' 'not ok - two' '    because' 'ok - three' 1..3) 2>/dev/null
  equal "2 1" "$PASSED $FAILED"
  count_tap half < <(printf '%s\n' 'ok - one' 1..2) 2>/dev/null
  equal "3 2" "$PASSED $FAILED"
  count_tap silent < <(true) 2>/dev/null
  equal "3 3" "$PASSED $FAILED"
}

# --- PostgreSQL roles -------------------------------------------------------------------------------------------

it_creates_the_database_twice_and_lets_the_analyst_only_read() {
  use_test_servers
  create_database
  create_database
  as_role capa_readmodels -c 'CREATE SCHEMA reporting' -c 'CREATE TABLE reporting.probe AS SELECT 41 + 1 AS answer' \
    -c 'GRANT USAGE ON SCHEMA reporting TO capa_analyst' -c 'GRANT SELECT ON reporting.probe TO capa_analyst'
  equal 42 "$(as_role capa_analyst -At -c 'SELECT answer FROM probe')"
  equal 1min "$(as_role capa_analyst -At -c 'SHOW statement_timeout')"
  contains "read-only transaction" "$(as_role capa_analyst -c 'DELETE FROM probe' 2>&1 || true)"
  contains "permission denied" \
    "$(as_role capa_analyst -c 'SET default_transaction_read_only = off' -c 'DELETE FROM probe' 2>&1 || true)"
  as_role capa_readmodels -c 'DROP SCHEMA reporting CASCADE'
}

it_keeps_the_log_from_the_read_models_and_the_analyst() {
  use_test_servers
  create_database
  as_role capa_eventlog -c 'CREATE TABLE eventlog.probe ()'
  local role
  for role in capa_readmodels capa_analyst; do
    contains "permission denied" "$(as_role "$role" -c 'SELECT FROM eventlog.probe' 2>&1 || true)"
  done
  as_role capa_eventlog -c 'DROP TABLE eventlog.probe'
}

as_role() {
  local role=$1
  shift
  PGPASSWORD=$(secret "$role") "$(postgres_bin)/psql" -X -q -v ON_ERROR_STOP=1 \
    -h 127.0.0.1 -p "${PORTS[postgres]}" -U "$role" -d capaengine "$@"
}

load_test_ports() {
  local own=$STATE
  STATE=$TEST_STATE
  load_ports
  STATE=$own
}

use_test_servers() {
  STATE=$TEST_STATE
  load_ports
}

# --- Running them -----------------------------------------------------------------------------------------------

run() {
  local name=$1 output=$SCRATCH/output
  STATE=$SCRATCH/$name
  prepare_state
  # A process of its own: within a condition the shell would not stop at the first failing command.
  (set -e; "$name") >"$output" 2>&1 &
  if wait $!; then
    echo "ok - ${name//_/ }"
  else
    echo "not ok - ${name//_/ }"
    sed 's/^/    /' "$output"
  fi
}

tests=$(compgen -A function it_)
for name in $tests; do run "$name"; done
echo "1..$(wc -w <<<"$tests")"
