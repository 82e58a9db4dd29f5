# shellcheck shell=bash
# The verbs that run and look into the system; `test` is in test.sh.

assign_ports() {
  load_ports
  assign_port postgres 5432 postgres
  assign_port rabbitmq 5672 rabbitmq
  assign_port rabbitmq-management 15672 rabbitmq
  assign_port rabbitmq-metrics 15692 rabbitmq
  assign_port rabbitmq-distribution 25672 rabbitmq
  assign_port epmd 4370 epmd
  assign_port event-log 2113 event-log
  assign_port event-log-health 2114 event-log
  assign_port gateway 8080 gateway
  assign_port nonconformities 5101 nonconformities
  assign_port root-causes 5102 root-causes
  assign_port action-plans 5103 action-plans
  assign_port read-models 5104 read-models
  save_ports
}

# Everything that belongs to the running system, in the order in which it starts.
parts() {
  printf '%s\n' postgres rabbitmq
  if uses_local_event_log; then printf '%s\n' event-log; fi
  printf '%s\n' "${SERVICES[@]}"
}

all_parts_are() {
  local part
  while IFS= read -r part; do "$1" "$part" || return 1; done < <(parts)
}

# --- up ---------------------------------------------------------------------------------------------------------

verb_up() {
  no_more_arguments up "$@"
  require_dotnet
  prepare_state
  hold_lock system 9
  choose_event_store
  load_ports
  if all_parts_are is_ready; then
    note "already running"
  else
    require_packages postgresql rabbitmq-server fonts-dejavu-core
    bring_up
  fi
  exec 9>&-
  greet
}

bring_up() {
  local programs=("${SERVICES[@]}") program
  if uses_local_event_log; then programs=("$LOCAL_EVENT_LOG" "${programs[@]}"); fi
  prepare_programs "${programs[@]}"
  assign_ports
  if ! is_alive postgres; then
    note "starting PostgreSQL on port ${PORTS[postgres]}"
    start_postgres
    create_database
  fi
  if ! is_alive rabbitmq; then
    note "starting RabbitMQ on port ${PORTS[rabbitmq]}"
    start_rabbitmq capaengine "$(secret rabbitmq)" capaengine
  fi
  note "starting the services"
  if uses_local_event_log; then
    start_program "$LOCAL_EVENT_LOG"
    await_program "$LOCAL_EVENT_LOG"
  fi
  for program in "${SERVICES[@]}"; do start_program "$program"; done
  for program in "${SERVICES[@]}"; do await_program "$program"; done
}

# Nothing is built while a part runs: what is restarted after a crash is what ran before. Nor when nothing has changed,
# for even a build that finds nothing to do takes many seconds.
prepare_programs() {
  local program running=0 missing=0 sources
  for program in "$@"; do
    if is_alive "$program"; then running=1; fi
    [[ -f $STATE/app/$program/$(assembly "$program") ]] || missing=1
  done
  sources=$(source_state)
  if ((!missing)) && { ((running)) || [[ $(cat "$STATE/app/sources" 2>/dev/null) == "$sources" ]]; }; then return 0; fi
  # Analysis halves the speed of a build and is the business of CI, which builds afresh.
  build "$ROOT/infra/Runtime.slnf" "the services" -p:RunAnalyzers=false
  for program in "$@" demo verify; do
    is_alive "$program" || install_program "$program"
  done
  printf '%s' "$sources" >"$STATE/app/sources"
}

greet() {
  local token
  token=$(request_token p-1 '*' '' quality-engineer)
  cat <<TEXT
CapaEngine is running.
  API and console   $(origin gateway)   (OpenAPI: $(origin gateway)/openapi/v1.json)
  read models       ./capa sql          (PostgreSQL on port ${PORTS[postgres]}, schema reporting)
  RabbitMQ          $(origin rabbitmq-management)   (user capaengine, password in .run/secrets/rabbitmq)
  event store       $(event_store | sed 's#//[^/@]*@#//***@#')
  token (quality-engineer, all sites):
$token
Next: ./capa demo    then: ./capa status, ./capa logs, ./capa down
TEXT
}

# --- down -------------------------------------------------------------------------------------------------------

verb_down() {
  local with_data=0 part
  while [[ $# -gt 0 ]]; do
    case $1 in
      --data) with_data=1 ;;
      *) no_more_arguments down "$1" ;;
    esac
    shift
  done
  [[ -d $STATE ]] || { say "nothing is running"; return 0; }
  prepare_state
  hold_lock system 9
  stop_all
  if ((with_data)); then
    if ! confirmed "Remove all data under $STATE?"; then die 1 "stopped; the data were kept"; fi
    rm -rf "$STATE"/{postgres,rabbitmq,secrets,app,logs,pids,ports.env}
    say "stopped; the data are removed"
  else
    say "stopped; the data are kept under .run"
  fi
}

# Those who write end before those they write to; the services end side by side.
stop_all() {
  local part
  for part in "${SERVICES[@]}"; do
    if is_alive "$part"; then kill -s TERM "$(recorded "$part" pid)" 2>/dev/null || true; fi
  done
  for part in "${SERVICES[@]}"; do stop "$part" 30 TERM; done
  stop event-log 30 TERM
  stop_servers
}

# --- status -----------------------------------------------------------------------------------------------------

verb_status() {
  local json=0 ready=true part
  local -A state=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      --json) json=1 ;;
      *) no_more_arguments status "$1" ;;
    esac
    shift
  done
  load_ports
  while IFS= read -r part; do
    state[$part]=$(state_of "$part")
    [[ ${state[$part]} == ready ]] || ready=false
  done < <(parts)
  if ((json)); then status_as_json; else status_as_table; fi
  [[ $ready == true ]]
}

state_of() {
  if is_alive "$1"; then
    if is_ready "$1"; then printf ready; else printf 'not-ready'; fi
  elif [[ -f $STATE/pids/$1 ]]; then
    printf died
  else
    printf stopped
  fi
}

status_as_table() {
  local part
  printf '%-16s %-10s %-8s %s\n' PART STATE PID ADDRESS
  while IFS= read -r part; do
    printf '%-16s %-10s %-8s %s\n' "$part" "${state[$part]}" "$(recorded "$part" pid || printf -- -)" \
      "$([[ -z ${PORTS[$part]:-} ]] || printf '127.0.0.1:%s' "${PORTS[$part]}")"
  done < <(parts)
}

# A system that was never set up has no addresses yet: null, not a guess.
status_as_json() {
  local part separator=''
  if [[ -z ${PORTS[gateway]:-} ]]; then
    printf '{"api":null,"console":null,"eventStore":null,"postgres":null,"rabbitMq":null,"ready":false,"services":{'
  else
    printf '{"api":"%s","console":"%s","eventStore":"%s","postgres":"%s","rabbitMq":"%s","rabbitMqManagement":"%s",' \
      "$(origin gateway)" "$(origin gateway)" "$(event_store)" "$(postgres_connection capa_analyst)" \
      "$(rabbitmq_uri)" "$(origin rabbitmq-management)"
    printf '"ready":%s,"services":{' "$ready"
  fi
  while IFS= read -r part; do
    printf '%s"%s":{"state":"%s","pid":%s,"port":%s}' "$separator" "$part" "${state[$part]}" \
      "$(recorded "$part" pid || printf null)" "${PORTS[$part]:-null}"
    separator=,
  done < <(parts)
  printf '}}\n'
}

# --- logs -------------------------------------------------------------------------------------------------------

verb_logs() {
  local name='' follow=() files=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      -f | --follow) follow=(-F) ;;
      -*) no_more_arguments logs "$1" ;;
      *) [[ -z $name ]] || no_more_arguments logs "$1"; name=$1 ;;
    esac
    shift
  done
  mapfile -t files < <(find "$STATE/logs" -name '*.log' 2>/dev/null | sort)
  [[ ${#files[@]} -gt 0 ]] || die 1 "there are no logs yet; start the system with ./capa up"
  if [[ -z $name ]]; then exec tail -n 20 "${follow[@]}" -- "${files[@]}"; fi
  [[ -f $STATE/logs/$name.log ]] ||
    die 2 "there is no log '$name'; there are: $(printf '%s\n' "${files[@]}" | sed 's#.*/##; s#\.log$##' | tr '\n' ' ')"
  exec tail -n 200 "${follow[@]}" -- "$STATE/logs/$name.log"
}

# --- token, sql, demo -------------------------------------------------------------------------------------------

verb_token() {
  local person=p-1 site='*' source='' roles=()
  while [[ $# -gt 0 ]]; do
    [[ $1 =~ ^--(role|person|site|source)$ ]] || no_more_arguments token "$1"
    [[ ${2:-} =~ ^[A-Za-z0-9._:/@*-]+$ ]] || die 2 "token $1 needs a value of letters, digits and . _ : / @ * -"
    case $1 in
      --role) roles+=("$2") ;;
      --person) person=$2 ;;
      --site) site=$2 ;;
      --source) source=$2 ;;
    esac
    shift 2
  done
  [[ ${#roles[@]} -gt 0 ]] || die 2 "token needs --role, for example: ./capa token --role quality-engineer"
  load_ports
  request_token "$person" "$site" "$source" "${roles[@]}"
}

# request_token PERSON SITE SOURCE ROLE...: from the gateway's development issuer. The values need no escaping.
request_token() {
  local person=$1 site=$2 source=$3 roles answer
  shift 3
  printf -v roles '"%s",' "$@"
  require_alive gateway
  answer=$(http POST "${PORTS[gateway]}" /dev/token \
    "{\"person\":\"$person\",\"roles\":[${roles%,}],\"site\":\"$site\"${source:+,\"source\":\"$source\"}}") ||
    die 1 "the gateway does not answer"
  case $answer in
    HTTP/1.?' 200'*) say "${answer#*$'\n\n'}" ;;
    HTTP/1.?' 4'*) die 2 "the gateway gives no such token: ${answer##*$'\n\n'}" ;;
    *) die 1 "the gateway gave no token: ${answer%%$'\n'*}" ;;
  esac
}

require_alive() {
  is_alive "$1" || die 1 "$1 is not running; start the system with ./capa up"
}

verb_sql() {
  load_ports
  require_alive postgres
  PGPASSWORD=$(secret capa_analyst) exec "$(postgres_bin)/psql" \
    -h 127.0.0.1 -p "${PORTS[postgres]}" -U capa_analyst -d capaengine "$@"
}

verb_demo() {
  local options=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      --data)
        [[ -f ${2:-} ]] || die 2 "demo --data needs a file that exists"
        options+=(--data "$(readlink -f -- "$2")")
        shift
        ;;
      --into-existing) options+=("$1") ;;
      *) no_more_arguments demo "$1" ;;
    esac
    shift
  done
  load_ports
  if ! all_parts_are is_ready; then verb_up >&2; fi
  exec dotnet "$STATE/app/demo/$(assembly demo)" --api "$(origin gateway)" \
    --postgres "$(postgres_connection capa_analyst)" "${options[@]}"
}
