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
