# shellcheck shell=bash
# The verb `bench`: private servers and one run of the benchmarks, which compare each path with the limits of its parts.

verb_bench() {
  check_bench_arguments "$@"
  require_dotnet
  STATE=$ROOT/.run/bench-$$
  prepare_state
  trap leave_bench EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  require_packages postgresql
  build "$ROOT/tests/CapaEngine.Benchmarks/CapaEngine.Benchmarks.csproj" "the benchmarks"
  start_bench_servers
  dotnet "$ROOT/tests/CapaEngine.Benchmarks/bin/Release/net10.0/CapaEngine.Benchmarks.dll" "$@"
}

# Before anything is built or started; the values are checked by the program.
check_bench_arguments() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      store | --json) ;;
      --rounds | --slice-ms | --row)
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
  cd "$ROOT"
  stop_servers KILL QUIT
  rm -rf "$STATE"
  exit "$status"
}

start_bench_servers() {
  note "starting PostgreSQL for the benchmarks"
  assign_port postgres $((20000 + $$ % 1000 * 10)) postgres
  save_ports
  start_postgres
  CAPA_TEST_POSTGRES="Host=127.0.0.1;Port=${PORTS[postgres]};Database=postgres;Username=postgres"
  CAPA_TEST_POSTGRES+=";Password=$(secret postgres)"
  export CAPA_TEST_POSTGRES
}
