# shellcheck shell=bash
# The verb `bench`: private servers and one run of the benchmarks, which compare each path with the limits of its parts.

verb_bench() {
  local what=store
  check_bench_arguments "$@"
  require_dotnet
  STATE=$ROOT/.run/bench-$$
  prepare_state
  trap leave_bench EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  if [[ $what == pipeline ]]; then
    require_packages postgresql rabbitmq-server fonts-dejavu-core
  else
    require_packages postgresql
  fi
  build "$ROOT/tests/CapaEngine.Benchmarks/CapaEngine.Benchmarks.csproj" "the benchmarks"
  start_bench_servers
  # In the background, so that a signal is let through at once; its own session, so that what it starts ends with it.
  setsid dotnet "$ROOT/tests/CapaEngine.Benchmarks/bin/Release/net10.0/CapaEngine.Benchmarks.dll" "$@" </dev/null &
  TEST_PROCESS=$!
  wait "$TEST_PROCESS"
}

# Before anything is built or started; the values are checked by the program.
check_bench_arguments() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      store | pipeline) what=$1 ;;
      --json | --direct) ;;
      --rounds | --slice-ms | --row | --seconds | --rate)
        [[ -n ${2:-} ]] || die 2 "bench $1 needs a value"
        shift
        ;;
      *) no_more_arguments bench "$1" ;;
    esac
    shift
  done
}

leave_bench() {
  local status=$?
  trap - EXIT
  end_test_process
  cd "$ROOT"
  stop_servers KILL QUIT
  rm -rf "$STATE"
  exit "$status"
}

start_bench_servers() {
  local first=$((20000 + $$ % 1000 * 10)) name
  note "starting the servers for the benchmarks"
  for name in postgres rabbitmq rabbitmq-management rabbitmq-metrics rabbitmq-distribution epmd; do
    assign_port "$name" "$((first++))" "$name"
  done
  save_ports
  start_postgres
  CAPA_TEST_POSTGRES=$(superuser_connection postgres)
  CAPA_BENCH_POSTGRES_PROCESS=$(recorded postgres pid)
  export CAPA_TEST_POSTGRES CAPA_BENCH_POSTGRES_PROCESS
  [[ $what == pipeline ]] || return 0
  start_rabbitmq guest guest /
  CAPA_BENCH_RABBITMQ_PROCESS=$(recorded rabbitmq pid)
  export CAPA_BENCH_RABBITMQ_PROCESS
  export CAPA_TEST_RABBITMQ="amqp://guest:guest@127.0.0.1:${PORTS[rabbitmq]}"
  export CAPA_TEST_RABBITMQ_MANAGEMENT="http://guest:guest@127.0.0.1:${PORTS[rabbitmq-management]}"
}
