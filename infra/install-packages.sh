#!/usr/bin/env bash
# Run as root: install-packages.sh PACKAGE... installs from the system's packages so that nothing is started, enabled
# or created by it: no service comes up, no default PostgreSQL cluster is made. What is changed for that is put back.
set -Eeuo pipefail

POLICY=/usr/sbin/policy-rc.d
CLUSTERS=/etc/postgresql-common/createcluster.conf
MARK='# written by capa for the time of an installation'

export DEBIAN_FRONTEND=noninteractive
# Another installation may hold dpkg: wait for it instead of failing.
APT=(apt-get -q -y -o DPkg::Lock::Timeout=900)

NEW_UNITS=()

put_back() {
  if [[ -e $POLICY.before-capa ]]; then
    mv -f "$POLICY.before-capa" "$POLICY"
  elif grep -qs "$MARK" "$POLICY"; then
    rm -f "$POLICY"
  fi
  if [[ -e $CLUSTERS.before-capa ]]; then mv -f "$CLUSTERS.before-capa" "$CLUSTERS"; fi
}

forbid_service_starts() {
  if [[ -e $POLICY ]]; then mv "$POLICY" "$POLICY.before-capa"; fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$MARK" >"$POLICY"
  chmod 755 "$POLICY"
}

forbid_default_cluster() {
  # The file comes with this package, which creates no cluster; only the server packages read it.
  "${APT[@]}" install --no-install-recommends postgresql-common
  cp -p "$CLUSTERS" "$CLUSTERS.before-capa"
  printf '\ncreate_main_cluster = false\n' >>"$CLUSTERS"
}

# The lists have a lock of their own, on which apt-get does not wait.
update_lists() {
  local attempt
  for attempt in 1 2 3 4 5; do
    apt-get -q update && return 0
    echo "attempt $attempt to read the package lists failed"
    sleep 5
  done
  echo "the package lists were not read anew; trying with those at hand"
}

# A service nobody asked for must not come up at the next boot either; without systemd there is nothing to come up.
disable_new_units() {
  command -v systemctl >/dev/null || return 0
  local unit
  for unit in "${NEW_UNITS[@]}"; do
    if [[ -e /lib/systemd/system/$unit ]]; then systemctl disable "$unit" || true; fi
  done
}

was_installed() { [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]; }

main() {
  local package
  exec 7>/var/lock/capa-install.lock
  flock 7
  put_back
  trap 'disable_new_units; put_back' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  was_installed postgresql-common || NEW_UNITS+=(postgresql.service)
  was_installed erlang-base || NEW_UNITS+=(epmd.service epmd.socket)
  was_installed rabbitmq-server || NEW_UNITS+=(rabbitmq-server.service)
  forbid_service_starts
  update_lists
  for package in "$@"; do
    if [[ $package == postgresql ]]; then forbid_default_cluster; fi
  done
  "${APT[@]}" install --no-install-recommends "$@"
}

main "$@"
