# shellcheck shell=bash
# The verb `test`: private servers, every test project, the script's own tests, the official clients on the event log,
# the document of the messages, the compose file; one closing line.

PASSED=0 FAILED=0 SKIPPED=0 TEST_PROCESS=''

verb_test() {
  local filters=() selective=0 only_conformance=0
  parse_test_arguments "$@"
  require_dotnet
  STATE=$ROOT/.run/test-$$
  prepare_state
  # Most processes of a test live for seconds, in which compiling their own code well costs them more than it gains.
  export DOTNET_TieredPGO=0 DOTNET_TC_QuickJit=1
  trap leave_tests EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if ((only_conformance)); then
    require_packages postgresql
    build "$ROOT/infra/EventLog/EventLog.csproj" "the event log"
    start_test_servers postgres
    run_conformance_checks
  else
    require_packages postgresql rabbitmq-server fonts-dejavu-core nodejs npm
    build "$ROOT/CapaEngine.sln" "the solution and its tests"
    start_test_servers postgres rabbitmq
    run_all_tests
  fi
  note ""
  ((PASSED + FAILED > 0)) || note "no test ran"
  printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
  ((FAILED == 0 && PASSED > 0))
}

run_all_tests() {
  local project
  # The quick ones first.
  for project in $(test_projects); do run_test_project "$project"; done
  ((!selective)) || return 0
  run_script_tests
  run_conformance_checks
  run_message_checks
  check_compose_file
}

parse_test_arguments() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      --full) export CAPA_TEST_FULL=1 ;;
      --conformance) only_conformance=1 ;;
      --faults)
        export CAPA_TEST_FAULTS=all
        filters+=(--filter-class '*.FaultMatrix')
        selective=1
        ;;
      --filter-*)
        [[ -n ${2:-} ]] || die 2 "test $1 needs a pattern"
        filters+=("$1" "$2")
        selective=1
        shift
        ;;
      *) no_more_arguments test "$1" ;;
    esac
    shift
  done
}

leave_tests() {
  local status=$?
  trap - EXIT
  end_test_process
  cd "$ROOT"
  # Their data are thrown away, so they need not end in good order.
  stop "$OPEN_LOG" 5 KILL
  stop "$SECURED_LOG" 5 KILL
  stop_servers KILL QUIT
  rm -rf "$STATE"
  exit "$status"
}

# The test run and what it started are one process group, named after its leader.
end_test_process() {
  [[ -n $TEST_PROCESS ]] || return 0
  local deadline=$((SECONDS + 10))
  kill -s TERM -- "-$TEST_PROCESS" 2>/dev/null || true
  while kill -s 0 -- "-$TEST_PROCESS" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.1; done
  kill -s KILL -- "-$TEST_PROCESS" 2>/dev/null || true
  TEST_PROCESS=''
}

# start_test_servers NAME...: postgres, or postgres and rabbitmq.
start_test_servers() {
  note "starting $* for the tests"
  # Away from the ports of `up`, and from those of a second run beside this one.
  local first=$((20000 + $$ % 1000 * 10)) name
  for name in postgres rabbitmq rabbitmq-management rabbitmq-metrics rabbitmq-distribution epmd \
    "$OPEN_LOG" "$OPEN_LOG-health" "$SECURED_LOG" "$SECURED_LOG-health"; do
    assign_port "$name" "$((first++))" "$name"
  done
  save_ports
  start_postgres
  [[ " $* " != *' rabbitmq '* ]] || start_rabbitmq guest guest /
  CAPA_TEST_POSTGRES=$(superuser_connection postgres)
  export CAPA_TEST_POSTGRES
  export CAPA_TEST_RABBITMQ="amqp://guest:guest@127.0.0.1:${PORTS[rabbitmq]}"
  export CAPA_TEST_RABBITMQ_MANAGEMENT="http://guest:guest@127.0.0.1:${PORTS[rabbitmq-management]}"
}

# Every project that references the test framework, Specs before those that need servers.
test_projects() {
  grep -lE 'Include="xunit\.v3"' "$ROOT"/tests/*/*.csproj | sed 's#.*/tests/##; s#/.*##' |
    awk '{ print ($0 ~ /Specs/ ? 0 : 1), $0 }' | sort | cut -d' ' -f2
}

run_test_project() {
  local project=$1 results=$STATE/results-$1 status=0 limit=20m
  local options=(--progress off --results-directory "$results" --report-trx --report-trx-filename results.trx)
  # A test that never ends shall be a failure with a name, not a run that is cut off from outside.
  if [[ ${CAPA_TEST_FULL:-} == 1 || -n ${CAPA_TEST_FAULTS:-} ]]; then limit=120m; fi
  # A project none of whose tests is selected is no failure, as long as another has some.
  if ((selective)); then options+=(--ignore-exit-code 8); fi
  note ""
  note "$project"
  cd "$ROOT"
  # A session of its own, so that whatever the tests start can be ended with them.
  setsid dotnet "tests/$project/bin/Release/net10.0/$project.dll" --timeout "$limit" \
    "${options[@]}" "${filters[@]}" </dev/null &
  TEST_PROCESS=$!
  # Waiting for a child of the background lets a signal through at once.
  wait "$TEST_PROCESS" || status=$?
  end_test_process
  count_results "$project" "$results/results.trx" "$status"
}

# A run that ended without a report, ran nothing, or failed for another reason than a test counts as one failure.
count_results() {
  local project=$1 report=$2 status=$3 total=0 passed=0 failed=0
  if [[ -f $report ]]; then
    total=$(counter total "$report")
    passed=$(counter passed "$report")
    failed=$(counter failed "$report")
  fi
  PASSED=$((PASSED + passed))
  FAILED=$((FAILED + failed))
  SKIPPED=$((SKIPPED + total - passed - failed))
  if [[ ! -f $report ]]; then
    fail_test "$project ended with exit code $status and without a report"
  elif ((total == 0 && !selective)); then
    fail_test "$project ran no test"
  elif ((status != 0 && failed == 0)); then
    fail_test "$project ended with exit code $status although no test failed"
  fi
}

counter() { grep -oE "<Counters [^>]*" "$2" | grep -oE "\b$1=\"[0-9]+\"" | head -n 1 | tr -dc '0-9'; }

fail_test() {
  note "failed: $1"
  FAILED=$((FAILED + 1))
}

run_script_tests() {
  note ""
  note "capa"
  count_tap "the tests of the script" < <(bash "$ROOT/infra/script-tests.sh" "$STATE" 2>&1)
}

# count_tap WHAT: reads TAP, "ok - NAME" or "not ok - NAME", and last "1..N". Who does not come that far has failed.
count_tap() {
  local line ran=0 planned=''
  while IFS= read -r line; do
    case $line in
      'ok - '*) PASSED=$((PASSED + 1)) ran=$((ran + 1)) ;;
      'not ok - '*)
        fail_test "${line#not ok - }"
        ran=$((ran + 1))
        ;;
      '1..'*) planned=${line#1..} ;;
      *) note "  $line" ;;
    esac
  done
  [[ $planned == "$ran" && $ran != 0 ]] ||
    fail_test "$1 did not run to their end: $ran of ${planned:-an unknown number}"
}

# Containers are not started here; that the file means what it should is what can be told without an engine.
check_compose_file() {
  local command output
  note ""
  note "docker-compose.yml"
  if ! compose_command >/dev/null && { [[ ${CI:-} == true ]] || become_root; }; then
    (require_packages docker-compose) || true
  fi
  # shellcheck disable=SC2086 # the command may be two words
  if ! command=$(compose_command); then
    if [[ ${CI:-} == true ]]; then
      fail_test "docker-compose is missing, so its configuration was not checked"
    else
      note "skipped: docker-compose is missing, so its configuration was not checked"
      SKIPPED=$((SKIPPED + 1))
    fi
  elif output=$($command -f "$ROOT/docker-compose.yml" config 2>&1 >/dev/null); then
    PASSED=$((PASSED + 1))
  else
    fail_test "docker-compose.yml: $output"
  fi
}
