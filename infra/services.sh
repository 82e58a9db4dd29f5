# shellcheck shell=bash
# The programs of the product: how they are built, configured and started.

SERVICES=(nonconformities root-causes action-plans read-models gateway)
LOCAL_EVENT_LOG=event-log

declare -A PROJECT=(
  [event-log]=infra/EventLog
  [nonconformities]=services/Nonconformities
  [root-causes]=services/RootCauses
  [action-plans]=services/ActionPlans
  [read-models]=services/ReadModels
  [gateway]=services/Gateway
  [demo]=infra/Demo
  [verify]=infra/Verify
)

# --- Building ---------------------------------------------------------------------------------------------------

# build TARGET WHAT [OPTION...]: names each project as it is done, and shows the errors when it fails. One compiler for
# all projects halves the time; it is this build's own and ends with it, so that no process stays behind.
build() {
  local target=$1 what=$2 log=$STATE/logs/build.log compiler=capa-$$ status
  shift 2
  hold_lock build 8
  note "building $what (the first time takes about a minute)"
  (
    cd "$ROOT"
    dotnet build "$target" -c Release --nologo -v minimal -nodeReuse:false -p:UseRazorBuildServer=false \
      -p:UseSharedCompilation=true -p:SharedCompilationId="$compiler" "$@" 2>&1
  ) 8>&- 9>&- | tee "$log" | sed -nuE 's#^ *([A-Za-z.]+) -> .*/bin/.*#  built \1#p' >&2 && status=0 || status=$?
  end_compiler "$compiler"
  exec 8>&-
  [[ $status -eq 0 ]] && return 0
  grep -E '(error|warning) ' "$log" | sort -u | head -n 20 >&2 || true
  die 1 "the build failed (${log#"$ROOT/"})"
}

# Without this it would wait ten minutes for another build.
end_compiler() {
  local sdk
  sdk=$(dotnet --list-sdks | awk -v used="$(cd "$ROOT" && dotnet --version)" \
    '$1 == used { gsub(/[][]/, "", $2); print $2 "/" used }')
  "$sdk/Roslyn/bincore/VBCSCompiler" -shutdown "-pipename:$1" >/dev/null 2>&1 || true
}

# The running system is a copy: building or testing beside it must not change files that its processes have open.
install_program() {
  local name=$1 output=$ROOT/${PROJECT[$1]}/bin/Release/net10.0
  [[ -f $output/$(assembly "$name") ]] || die 1 "the build made no $(assembly "$name")"
  rm -rf "$STATE/app/$name"
  mkdir -p "$STATE/app"
  cp -r "$output" "$STATE/app/$name"
}

# Stands for every file that a program is built from, by name, size and time.
source_state() {
  cd "$ROOT"
  find services shared infra/EventLog infra/Demo infra/Verify ./*.props global.json \( -name bin -o -name obj \) -prune \
    -o -type f -printf '%p %s %T@\n' | sort | cksum
}

assembly() { printf 'CapaEngine.%s.dll' "${PROJECT[$1]##*/}"; }

# --- Configuration ----------------------------------------------------------------------------------------------

origin() { printf 'http://127.0.0.1:%s' "${PORTS[$1]}"; }

rabbitmq_uri() { printf 'amqp://capaengine:%s@127.0.0.1:%s/capaengine' "$(secret rabbitmq)" "${PORTS[rabbitmq]}"; }

# The event store is a choice of the installation, made by the first `up` and kept until its data are removed.
event_store() {
  if [[ -s $STATE/secrets/event-store ]]; then
    cat "$STATE/secrets/event-store"
  else
    printf 'esdb://127.0.0.1:%s?tls=false' "${PORTS[event-log]}"
  fi
}

uses_local_event_log() { [[ ! -s $STATE/secrets/event-store ]]; }

choose_event_store() {
  local given=${ConnectionStrings__EventStore:-}
  [[ -n $given ]] || return 0
  [[ $given =~ ^esdb(\+discover)?://[^[:space:]\"\\]+$ ]] ||
    die 2 "ConnectionStrings__EventStore is no address of the form esdb://... or esdb+discover://..."
  [[ $(cat "$STATE/secrets/event-store" 2>/dev/null) != "$given" ]] || return 0
  # Read models and positions of one log mean nothing for another.
  [[ ! -e $STATE/postgres ]] ||
    die 1 "the data under .run belong to another event store; remove them first: ./capa down --data"
  (umask 077 && printf '%s' "$given" >"$STATE/secrets/event-store")
}

# Every address once, as NAME=VALUE lines: what a part is started with, and what tells whether it must be restarted.
settings_of() {
  local part=$1
  printf 'DOTNET_ENVIRONMENT=Development\n'
  case $part in
    event-log)
      printf 'ConnectionStrings__Postgres=%s\n' "$(postgres_connection capa_eventlog)"
      printf 'EventLog__Url=%s\nEventLog__HealthUrl=%s\n' "$(origin event-log)" "$(origin event-log-health)"
      return
      ;;
    read-models) printf 'ConnectionStrings__Postgres=%s\n' "$(postgres_connection capa_readmodels)" ;;
    gateway) printf 'Auth__DevIssuerKeyFile=%s\n' "$STATE/secrets/dev-issuer-key" ;;
  esac
  printf 'ASPNETCORE_URLS=%s\n' "$(origin "$part")"
  printf 'ConnectionStrings__EventStore=%s\n' "$(event_store)"
  printf 'ConnectionStrings__RabbitMq=%s\n' "$(rabbitmq_uri)"
  printf 'Auth__Authority=%s\nAuth__Audience=capaengine\n' "$(origin gateway)"
  printf 'Services__Nonconformities=%s\nServices__RootCauses=%s\nServices__ActionPlans=%s\nServices__ReadModels=%s\n' \
    "$(origin nonconformities)" "$(origin root-causes)" "$(origin action-plans)" "$(origin read-models)"
}

fingerprint() { settings_of "$1" | cksum | tr ' ' '-'; }

# --- Running ----------------------------------------------------------------------------------------------------

start_program() {
  local name=$1 setting print
  print=$(fingerprint "$name")
  if is_alive "$name"; then
    [[ $(recorded "$name" settings) != "$print" ]] || return 0
    note "restarting $name, whose settings have changed"
    stop "$name" 20 TERM
  fi
  (
    # Exported rather than passed to env(1): an argument list is readable by every user of the machine.
    while IFS= read -r setting; do export "${setting?}"; done < <(settings_of "$name")
    cd "$ROOT/${PROJECT[$name]}"
    launch "$name" "$print" dotnet "$STATE/app/$name/$(assembly "$name")"
  )
}

health_port() {
  if [[ $1 == event-log ]]; then printf '%s' "${PORTS[event-log-health]}"; else printf '%s' "${PORTS[$1]}"; fi
}

await_program() {
  is_ready "$1" && return 0
  note "waiting for $1"
  await "$1" 90 is_ready "$1"
}

is_ready() {
  is_alive "$1" || return 1
  case $1 in
    postgres) "$(postgres_bin)/pg_isready" -q -h 127.0.0.1 -p "${PORTS[postgres]}" ;;
    rabbitmq) rabbitmq_answers ;;
    *) answers_ok "$(health_port "$1")" /health/ready ;;
  esac
}
