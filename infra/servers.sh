# shellcheck shell=bash
# The private PostgreSQL and RabbitMQ: on loopback, below $STATE, run by the programs of the installed packages.

# --- PostgreSQL -------------------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root. Where root's own folders are closed to the user postgres (a clone below /root or
# in a private temporary folder), it keeps the one capability it needs to pass them; it checks the user id only.
declare -a AS_POSTGRES=()

choose_postgres_user() {
  local folder=$1
  AS_POSTGRES=()
  [[ $EUID -eq 0 ]] || return 0
  chown postgres: "$folder"
  local plain=(setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all --)
  local passing=(setpriv --reuid=postgres --regid=postgres --init-groups
    "--inh-caps=-all,+dac_override" --ambient-caps=+dac_override --)
  # Really writing: access(2), on which test(1) rests, leaves capabilities out of account.
  if "${plain[@]}" touch "$folder/probe" 2>/dev/null; then
    AS_POSTGRES=("${plain[@]}")
  elif "${passing[@]}" touch "$folder/probe" 2>/dev/null; then
    AS_POSTGRES=("${passing[@]}")
  else
    die 1 "the user postgres cannot reach $folder; clone into a folder that others may enter"
  fi
  rm -f "$folder/probe"
}

# start_postgres: an initialised, answering instance on PORTS[postgres]; the superuser's password is a secret.
start_postgres() {
  local bin folder=$STATE/postgres
  bin=$(postgres_bin) || die 3 "PostgreSQL $LEAST_POSTGRES_VERSION or later is missing"
  mkdir -p "$folder"
  chmod 700 "$folder"
  choose_postgres_user "$folder"
  cd "$folder"
  [[ -f $folder/data/PG_VERSION ]] || initialise_postgres "$bin" "$folder"
  if [[ $(<"$folder/data/PG_VERSION") != "$(basename "$(dirname "$bin")")" ]]; then
    die 1 "$folder holds data of PostgreSQL $(<"$folder/data/PG_VERSION"), installed is another version"
  fi
  { cat "$ROOT/infra/postgres/server.conf"; printf 'port = %s\n' "${PORTS[postgres]}"; } >"$folder/server.conf"
  if [[ $EUID -eq 0 ]]; then chown postgres: "$folder/server.conf"; fi
  remove_stale_postmaster_pid "$folder/data/postmaster.pid"
  launch postgres - "${AS_POSTGRES[@]}" "$bin/postgres" -D "$folder/data"
  cd "$ROOT"
  await postgres 60 "$bin/pg_isready" -q -h 127.0.0.1 -p "${PORTS[postgres]}" -d postgres
}

# Made under another name and renamed when it is whole: an interrupted first start leaves no half database behind.
initialise_postgres() {
  local bin=$1 folder=$2
  rm -rf "$folder/data.new"
  secret postgres >"$folder/password"
  if [[ $EUID -eq 0 ]]; then chown postgres: "$folder/password"; fi
  "${AS_POSTGRES[@]}" "$bin/initdb" -D "$folder/data.new" -U postgres --pwfile="$folder/password" \
    -A scram-sha-256 -E UTF8 --no-locale --no-instructions >>"$STATE/logs/postgres.log" 2>&1 ||
    fail_with_log postgres "could not be initialised"
  rm -f "$folder/password"
  printf "\ninclude '../server.conf'\n" >>"$folder/data.new/postgresql.conf"
  mv "$folder/data.new" "$folder/data"
}

# After a crash or a restart of the machine the id in the file may belong to any other program of the same user.
remove_stale_postmaster_pid() {
  local file=$1 pid
  [[ -f $file ]] || return 0
  pid=$(head -n 1 "$file")
  [[ $(readlink "/proc/$pid/cwd" 2>/dev/null || true) == "${file%/*}" ]] || rm -f "$file"
}

# as_superuser DATABASE PSQL-ARGUMENT...
as_superuser() {
  local database=$1 bin
  shift
  bin=$(postgres_bin)
  PGPASSWORD=$(secret postgres) "$bin/psql" -X -q -v ON_ERROR_STOP=1 \
    -h 127.0.0.1 -p "${PORTS[postgres]}" -U postgres -d "$database" "$@"
}

# The database and its roles, the same file that the container image runs; harmless when they exist already.
create_database() {
  CAPA_EVENTLOG_PASSWORD=$(secret capa_eventlog) CAPA_READMODELS_PASSWORD=$(secret capa_readmodels) \
    CAPA_ANALYST_PASSWORD=$(secret capa_analyst) \
    as_superuser postgres -f "$ROOT/infra/postgres/capaengine.sql" >>"$STATE/logs/postgres.log" 2>&1 ||
    fail_with_log postgres "refused infra/postgres/capaengine.sql"
}

# superuser_connection DATABASE: as .NET wants it, as postgres_connection ROLE.
superuser_connection() {
  printf 'Host=127.0.0.1;Port=%s;Database=%s;Username=postgres;Password=%s' \
    "${PORTS[postgres]}" "$1" "$(secret postgres)"
}

postgres_connection() {
  printf 'Host=127.0.0.1;Port=%s;Database=capaengine;Username=%s;Password=%s' \
    "${PORTS[postgres]}" "$1" "$(secret "$1")"
}

# --- RabbitMQ ---------------------------------------------------------------------------------------------------

# The broker is given every path and port, so that nothing of /etc/rabbitmq or /var/lib/rabbitmq is read or written.
rabbitmq_environment() {
  local folder=$STATE/rabbitmq
  export HOME=$folder LANG=C.UTF-8
  export RABBITMQ_NODENAME=capaengine@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
  export RABBITMQ_NODE_PORT=${PORTS[rabbitmq]} RABBITMQ_DIST_PORT=${PORTS[rabbitmq-distribution]}
  export ERL_EPMD_PORT=${PORTS[epmd]} ERL_EPMD_ADDRESS=127.0.0.1
  export RABBITMQ_CONF_ENV_FILE=$folder/env.conf RABBITMQ_CONFIG_FILE=$folder/rabbitmq.conf
  export RABBITMQ_ADVANCED_CONFIG_FILE=$folder/none.config RABBITMQ_ENABLED_PLUGINS_FILE=$folder/enabled_plugins
  export RABBITMQ_MNESIA_BASE=$folder/mnesia RABBITMQ_LOG_BASE=$folder/log RABBITMQ_LOGS=-
  export RABBITMQ_PID_FILE=$folder/pid RABBITMQ_FEATURE_FLAGS_FILE=$folder/feature_flags
  export RABBITMQ_GENERATED_CONFIG_DIR=$folder/generated RABBITMQ_SCHEMA_DIR=$folder/schema
  # No busy waiting: an idle broker shall cost nothing on a laptop.
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}
    +sbwt none +sbwtdcpu none +sbwtdio none'
}

# configure_rabbitmq USER PASSWORD VIRTUAL-HOST: these are created on the first start.
configure_rabbitmq() {
  local folder=$STATE/rabbitmq
  mkdir -p "$folder"/{mnesia,log,generated,schema}
  chmod 700 "$folder"
  : >"$folder/env.conf"
  [[ -s $folder/.erlang.cookie ]] ||
    (umask 077 && head -c 200 /dev/urandom | base64 -w0 | tr -dc '[:upper:]' | head -c 24 >"$folder/.erlang.cookie")
  chmod 400 "$folder/.erlang.cookie"
  cp "$ROOT/infra/rabbitmq/enabled_plugins" "$folder/enabled_plugins"
  (
    umask 077
    cat "$ROOT/infra/rabbitmq/rabbitmq.conf" - >"$folder/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:${PORTS[rabbitmq]}
management.tcp.ip = 127.0.0.1
management.tcp.port = ${PORTS[rabbitmq-management]}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = ${PORTS[rabbitmq-metrics]}
default_user = $1
default_pass = $2
default_vhost = $3
CONF
  )
}

# The broker's process is a child of its start script; the port mapper gets a process of its own, to be stopped by id.
start_rabbitmq() {
  local sbin
  sbin=$(rabbitmq_sbin) || die 3 "RabbitMQ is missing"
  configure_rabbitmq "$@"
  rm -f "$STATE/rabbitmq/pid"
  is_alive epmd || launch epmd - epmd -address 127.0.0.1 -port "${PORTS[epmd]}"
  (rabbitmq_environment; launch rabbitmq - "$sbin/rabbitmq-server")
  await rabbitmq 90 rabbitmq_answers
  record rabbitmq "$(<"$STATE/rabbitmq/pid")"
}

# The broker opens with the first frame of the handshake (type 1); the management listener starts beside it.
rabbitmq_answers() {
  local first
  [[ -s $STATE/rabbitmq/pid ]] || return 1
  first=$( (
    exec 3<>"/dev/tcp/127.0.0.1/${PORTS[rabbitmq]}"
    printf 'AMQP\0\0\011\001' >&3
    timeout 5 head -c 1 <&3 | od -An -tu1
  ) 2>/dev/null) || return 1
  [[ $first == *1 ]] && [[ $(http_status "${PORTS[rabbitmq-management]}" /api/overview || true) == 401 ]]
}

# stop_servers [BROKER-SIGNAL [POSTGRES-SIGNAL]]: SIGINT is PostgreSQL's fast shutdown, which ends with a checkpoint.
stop_servers() {
  stop rabbitmq 40 "${1:-TERM}"
  stop epmd 5 TERM
  stop postgres 40 "${2:-INT}"
}
