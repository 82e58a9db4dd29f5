# shellcheck shell=bash
# What every verb uses: messages, HTTP without curl, ports, secrets, and processes recorded so that no other is stopped.
# Everything lies below $STATE, so that the tests run the same code on a folder of their own.

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }

# die CODE REASON: 1 does not hold, 2 wrong usage, 3 a part is missing.
die() {
  printf 'capa: %s\n' "$2" >&2
  exit "$1"
}

no_more_arguments() {
  local verb=$1
  shift
  [[ $# -eq 0 ]] || die 2 "$verb does not know '$1'; ./capa help lists what it takes"
}

is_interactive() { [[ -t 0 && -t 2 && ${CAPA_NONINTERACTIVE:-} != 1 && ${CI:-} != true ]]; }

# confirmed QUESTION: yes without asking where nobody can answer, for the caller was asked for exactly this.
confirmed() {
  is_interactive || return 0
  local answer
  read -r -p "$1 [y/N] " answer
  [[ $answer == [yY]* ]]
}

prepare_state() {
  if ! mkdir -p "$STATE"/{pids,logs,secrets} 2>/dev/null || [[ ! -w $STATE/pids ]]; then
    die 1 "$STATE cannot be written; it may belong to another user"
  fi
  chmod 700 "$STATE/secrets"
}

# holding NAME FILE-DESCRIPTOR: one capa at a time; the lock goes with the process that holds the descriptor.
hold_lock() {
  local name=$1 descriptor=$2
  eval "exec $descriptor>\"\$ROOT/.run/$name.lock\""
  if ! flock -n "$descriptor"; then
    note "waiting for another capa to finish ($name)"
    flock "$descriptor"
  fi
}

# --- HTTP on loopback -------------------------------------------------------------------------------------------

# http METHOD PORT PATH [JSON]: the whole answer. HTTP/1.0 keeps it free of chunks; a bare machine has no curl.
http() {
  local method=$1 port=$2 path=$3 body=${4:-}
  (
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '%s %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' \
      "$method" "$path" "$port" "$(printf '%s' "$body" | wc -c)" "$body" >&3
    timeout 10 cat <&3
  ) 2>/dev/null | tr -d '\r'
}

http_status() {
  local answer
  answer=$(http GET "$1" "$2") || return 1
  answer=${answer#* }
  printf '%s' "${answer%%[!0-9]*}"
}

answers_ok() { [[ $(http_status "$1" "$2" || true) == 200 ]]; }

# --- Ports ------------------------------------------------------------------------------------------------------

declare -A PORTS=()

load_ports() {
  local name port
  PORTS=()
  [[ -f $STATE/ports.env ]] || return 0
  while IFS='=' read -r name port; do PORTS[$name]=$port; done <"$STATE/ports.env"
}

save_ports() {
  local name
  for name in "${!PORTS[@]}"; do printf '%s=%s\n' "$name" "${PORTS[$name]}"; done | sort >"$STATE/ports.env.new"
  mv "$STATE/ports.env.new" "$STATE/ports.env"
}

# Listening sockets of every address, from the kernel: connecting would miss those bound to another interface.
port_is_taken() {
  local hexadecimal
  printf -v hexadecimal '%04X' "$1"
  { cat /proc/net/tcp /proc/net/tcp6 2>/dev/null || true; } |
    awk -v port="$hexadecimal" '
      $4 == "0A" { n = split($2, address, ":"); if (address[n] == port) taken = 1 }
      END { exit !taken }'
}

port_is_assigned_to_another() {
  local other
  for other in "${!PORTS[@]}"; do
    [[ $other != "$1" && ${PORTS[$other]} == "$2" ]] && return 0
  done
  return 1
}

# assign_port NAME PREFERRED PART: the remembered port while PART holds it or nobody does, else the next free one.
assign_port() {
  local name=$1 preferred=$2 part=$3
  local port=${PORTS[$name]:-}
  if [[ -n $port ]] && is_alive "$part"; then return 0; fi
  if [[ -z $port ]] || port_is_taken "$port"; then port=$preferred; fi
  while port_is_taken "$port" || port_is_assigned_to_another "$name" "$port"; do port=$((port + 1)); done
  PORTS[$name]=$port
}

# --- Secrets ----------------------------------------------------------------------------------------------------

# secret NAME: made once, letters and digits only so that it fits a URI and a connection string as it is.
secret() {
  local file=$STATE/secrets/$1
  if [[ ! -s $file ]]; then
    (umask 077 && head -c 96 /dev/urandom | base64 -w0 | tr -dc 'A-Za-z0-9' | head -c 32 >"$file")
  fi
  cat "$file"
}

# --- Processes --------------------------------------------------------------------------------------------------

# A process is known by its id, its start time and the boot it belongs to: an id alone is given to others later.
process_identity() {
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -r -a fields <<<"${stat##*) }"
  [[ ${fields[0]} != [ZX] ]] || return 1
  printf '%s@%s' "${fields[19]}" "$(</proc/sys/kernel/random/boot_id)"
}

# record NAME PID [SETTINGS]: SETTINGS is what the process was started with, to see later whether it still fits.
record() { printf '%s %s %s\n' "$2" "$(process_identity "$2" || echo gone)" "${3:--}" >"$STATE/pids/$1"; }

recorded() {
  local pid identity settings
  [[ -f $STATE/pids/$1 ]] || return 1
  read -r pid identity settings <"$STATE/pids/$1" || return 1
  case $2 in
    pid) printf '%s' "$pid" ;;
    identity) printf '%s' "$identity" ;;
    settings) printf '%s' "$settings" ;;
  esac
}

is_alive() {
  local pid
  pid=$(recorded "$1" pid) || return 1
  [[ $(process_identity "$pid" || true) == "$(recorded "$1" identity)" ]]
}

# launch NAME SETTINGS COMMAND...: detached from terminal and locks, its output appended to its log.
launch() {
  local name=$1 settings=$2 log=$STATE/logs/$1.log
  shift 2
  if [[ -f $log && $(stat -c %s "$log") -gt 20000000 ]]; then mv "$log" "$log.1"; fi
  setsid "$@" >>"$log" 2>&1 </dev/null 8>&- 9>&- &
  record "$name" $! "$settings"
}

# stop NAME SECONDS SIGNAL: asks, waits, and only then kills; a part that is gone already is no error.
stop() {
  local name=$1 seconds=$2 signal=$3 pid deadline
  if is_alive "$name"; then
    pid=$(recorded "$name" pid)
    deadline=$((SECONDS + seconds))
    kill -s "$signal" "$pid" 2>/dev/null || true
    while is_alive "$name" && ((SECONDS < deadline)); do sleep 0.1; done
    if is_alive "$name"; then
      note "$name did not stop within $seconds s and is killed"
      kill -s KILL "$pid" 2>/dev/null || true
      while is_alive "$name"; do sleep 0.1; done
    fi
  fi
  rm -f "$STATE/pids/$name"
}

# await NAME SECONDS CHECK...: until CHECK holds; a part that dies meanwhile is reported at once.
await() {
  local name=$1 seconds=$2 deadline=$((SECONDS + $2))
  shift 2
  until "$@"; do
    is_alive "$name" || fail_with_log "$name" "stopped while starting"
    ((SECONDS < deadline)) || fail_with_log "$name" "is not ready after $seconds s"
    sleep 0.2
  done
}

fail_with_log() {
  local log=$STATE/logs/$1.log
  note "--- the last lines of ${log#"$ROOT/"}"
  tail -n 25 "$log" >&2 || true
  note "---"
  die 1 "$1 $2"
}
