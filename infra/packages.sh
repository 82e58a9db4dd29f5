# shellcheck shell=bash
# Finds PostgreSQL, RabbitMQ and Node.js on the machine and has the system's package tool install what is missing.

LEAST_POSTGRES_VERSION=15
LEAST_NODE_VERSION=18
REPORT_FONT=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf

# The folder of PostgreSQL's programs: of the version that the data have, else the newest that is installed.
postgres_bin() {
  local version
  version=$(cat "$STATE/postgres/data/PG_VERSION" 2>/dev/null || true)
  if [[ -z $version || ! -x /usr/lib/postgresql/$version/bin/initdb ]]; then
    version=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null |
      cut -d/ -f5 | sort -V | tail -n 1) || return 1
  fi
  [[ -x /usr/lib/postgresql/$version/bin/psql ]] || return 1
  ((${version%%.*} >= LEAST_POSTGRES_VERSION)) && printf '/usr/lib/postgresql/%s/bin' "$version"
}

# Not /usr/sbin/rabbitmq-server: that wrapper changes the user and uses the paths of the system's own broker.
rabbitmq_sbin() {
  local newest
  newest=$(find /usr/lib/rabbitmq/lib -mindepth 2 -maxdepth 2 -name sbin 2>/dev/null | sort -V | tail -n 1)
  [[ -x $newest/rabbitmq-server ]] && command -v epmd >/dev/null && printf '%s' "$newest"
}

node_works() { node -e "process.exit(parseInt(process.versions.node) < $LEAST_NODE_VERSION ? 1 : 0)" 2>/dev/null; }

compose_command() {
  if command -v docker-compose >/dev/null; then
    printf 'docker-compose'
  elif docker compose version >/dev/null 2>&1; then
    printf 'docker compose'
  else
    return 1
  fi
}

require_dotnet() {
  export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
  export DOTNET_CLI_HOME=${DOTNET_CLI_HOME:-${HOME:-$STATE}}
  command -v dotnet >/dev/null || die 3 "the .NET 10 SDK is missing; install it from https://dot.net"
  (cd "$ROOT" && dotnet --version >/dev/null 2>&1) ||
    die 3 "the .NET SDK that global.json asks for is missing; installed: $(dotnet --list-sdks | tr '\n' ' ')"
}

# require_packages NAME...: of those that it knows only docker-compose may stay missing.
require_packages() {
  local missing=()
  [[ " $* " != *' postgresql '* ]] || postgres_bin >/dev/null || missing+=(postgresql)
  [[ " $* " != *' rabbitmq-server '* ]] || rabbitmq_sbin >/dev/null || missing+=(rabbitmq-server)
  [[ " $* " != *' nodejs '* ]] || node_works || missing+=(nodejs)
  [[ " $* " != *' npm '* ]] || command -v npm >/dev/null || missing+=(npm)
  [[ " $* " != *' docker-compose '* ]] || compose_command >/dev/null || missing+=(docker-compose)
  [[ " $* " != *' fonts-dejavu-core '* || -e $REPORT_FONT ]] || missing+=(fonts-dejavu-core)
  [[ ${#missing[@]} -gt 0 ]] || return 0
  install_packages "${missing[@]}"
  local package
  for package in "${missing[@]}"; do
    case $package in
      postgresql) postgres_bin >/dev/null || die 3 "PostgreSQL $LEAST_POSTGRES_VERSION or later is missing" ;;
      rabbitmq-server) rabbitmq_sbin >/dev/null || die 3 "RabbitMQ is missing" ;;
      nodejs) node_works || die 3 "Node.js $LEAST_NODE_VERSION or later is missing" ;;
      npm) command -v npm >/dev/null || die 3 "npm is missing" ;;
    esac
  done
}

# become_root: sets AS_ROOT to what runs a command as root, without asking; fails where that takes a person.
declare -a AS_ROOT=()

become_root() {
  AS_ROOT=()
  command -v apt-get >/dev/null || return 1
  [[ $EUID -ne 0 ]] || return 0
  command -v sudo >/dev/null && sudo -n true 2>/dev/null && AS_ROOT=(sudo -n)
}

install_packages() {
  local by_hand="missing: $*; install with: apt-get install --no-install-recommends $*"
  if ! become_root; then
    if ! is_interactive || ! command -v sudo >/dev/null || ! command -v apt-get >/dev/null; then die 3 "$by_hand"; fi
    confirmed "Install $* with sudo?" || die 3 "$by_hand"
    AS_ROOT=(sudo)
  fi
  prepare_state
  note "installing $* from the system's packages (once; takes about a minute)"
  "${AS_ROOT[@]}" bash "$ROOT/infra/install-packages.sh" "$@" >"$STATE/logs/install.log" 2>&1 9>&- ||
    { tail -n 15 "$STATE/logs/install.log" >&2; die 3 "the installation failed; $by_hand"; }
}

# install_node_packages FOLDER: below tests. A copy, so that two runs beside each other, or a developer's own modules,
# are not in each other's way.
install_node_packages() {
  local folder=$STATE/$1 log=$STATE/logs/npm.log
  mkdir -p "$folder"
  tar -C "$ROOT/tests/$1" --exclude=node_modules -cf - . | tar -C "$folder" -xf - || die 1 "no copy was made"
  note "installing the packages of tests/$1"
  # They bring what they need ready for use: no script of a package is run.
  if ! (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier) >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die 1 "npm ci failed in tests/$1"
  fi
}
