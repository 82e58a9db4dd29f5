# shellcheck shell=bash
# The document of the messages is held against the AsyncAPI specification, its schemas against stored events.

run_message_checks() {
  note ""
  note "docs/asyncapi.yaml"
  if ! (require_packages nodejs npm); then
    fail_test "Node.js or npm is missing, so docs/asyncapi.yaml was not checked"
  elif ! (install_node_packages messages/asyncapi); then
    fail_test "docs/asyncapi.yaml was not checked"
  else
    count_tap "the checks of docs/asyncapi.yaml" < <(node "$STATE/messages/asyncapi/check.js" "$ROOT" 2>&1)
  fi
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
