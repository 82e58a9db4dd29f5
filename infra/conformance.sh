# shellcheck shell=bash
# The official clients of EventStoreDB and KurrentDB are tried on two local event logs: one that is open to everybody,
# and one with TLS and users. What they must find is in tests/conformance.

OPEN_LOG=event-log SECURED_LOG=event-log-secured

run_conformance_checks() {
  note ""
  note "conformance of the event log"
  if ! (require_packages nodejs npm); then
    fail_test "Node.js or npm is missing, so the event log was not tried with the official clients"
  elif ! (install_node_packages conformance) || ! (start_event_logs); then
    fail_test "the event log was not tried with the official clients"
  else
    count_tap "the official clients" < <(try_clients 2>&1)
  fi
  stop "$OPEN_LOG" 5 KILL
  stop "$SECURED_LOG" 5 KILL
}

start_event_logs() {
  issue_certificate || die 1 "no certificate could be made"
  write_users || die 1 "the users could not be written"
  start_event_log "$OPEN_LOG" conformance EventLog__Url="$(origin "$OPEN_LOG")"
  start_event_log "$SECURED_LOG" conformance_secured EventLog__Url="https://127.0.0.1:${PORTS[$SECURED_LOG]}" \
    EventLog__CertificateFile="$STATE/secrets/conformance.crt" EventLog__KeyFile="$STATE/secrets/conformance.key" \
    EventLog__UsersFile="$STATE/secrets/conformance-users.json"
  await "$OPEN_LOG" 60 answers_ok "${PORTS[$OPEN_LOG-health]}" /health/ready
  await "$SECURED_LOG" 60 answers_ok "${PORTS[$SECURED_LOG-health]}" /health/ready
}

# start_event_log NAME DATABASE NAME=VALUE...
start_event_log() {
  local name=$1 database=$2 setting
  shift 2
  as_superuser postgres -c "CREATE DATABASE $database" || die 1 "the database $database could not be created"
  (
    for setting in "$@" DOTNET_ENVIRONMENT=Development EventLog__HealthUrl="$(origin "$name-health")" \
      ConnectionStrings__Postgres="$(superuser_connection "$database")"; do
      export "${setting?}"
    done
    launch "$name" - dotnet "$ROOT/${PROJECT[event-log]}/bin/Release/net10.0/$(assembly event-log)"
  )
}

issue_certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$STATE/secrets/conformance.key" -out "$STATE/secrets/conformance.crt" 2>>"$STATE/logs/openssl.log"
}

# All have the same password; what they may do is the business of the checks.
write_users() {
  local hash
  hash=$(secret conformance |
    dotnet "$ROOT/${PROJECT[event-log]}/bin/Release/net10.0/$(assembly event-log)" hash-password) || return 1
  cat >"$STATE/secrets/conformance-users.json" <<JSON
{
  "admin": { "passwordHash": "$hash", "groups": ["\$admins"] },
  "ada": { "passwordHash": "$hash", "groups": ["engineers"] },
  "bob": { "passwordHash": "$hash" }
}
JSON
}

try_clients() {
  local open secured
  open="esdb://127.0.0.1:${PORTS[$OPEN_LOG]}?tls=false"
  secured="esdb://admin:$(secret conformance)@127.0.0.1:${PORTS[$SECURED_LOG]}"
  CAPA_TEST_EVENTSTORE=$open CAPA_TEST_EVENTLOG_PROCESS=$(recorded "$OPEN_LOG" pid) \
    CAPA_TEST_EVENTSTORE_SECURED="$secured?tlsCaFile=$STATE/secrets/conformance.crt" \
    exec node "$STATE/conformance/run.js"
}
