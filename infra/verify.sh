# shellcheck shell=bash
# The verbs that prove what the pipeline did, `verify`, that carry out what it had to set aside, `replay`, and that make
# read models again, `rebuild`.

verb_verify() {
  local what='' options=() only_pipeline=''
  while [[ $# -gt 0 ]]; do
    case $1 in
      --pipeline | --read-models)
        [[ -z $what ]] || die 2 "verify takes --pipeline or --read-models, one at a time"
        what=$1
        ;;
      --json) options+=("$1") ;;
      --at-rest | --allow-parked)
        options+=("$1")
        only_pipeline=$1
        ;;
      --settle-seconds | --deadline-seconds)
        [[ ${2:-} =~ ^[0-9]+$ ]] || die 2 "verify $1 needs a number of seconds"
        options+=("$1" "$2")
        only_pipeline=$1
        shift
        ;;
      *) no_more_arguments verify "$1" ;;
    esac
    shift
  done
  [[ -n $what ]] || die 2 "verify needs what to verify: ./capa verify --pipeline, or --read-models"
  [[ $what == --pipeline || -z $only_pipeline ]] || die 2 "verify --read-models does not take $only_pipeline"
  load_ports
  if [[ $what == --read-models ]]; then with_read_models verify "${options[@]}"; fi
  require_alive postgres
  if uses_local_event_log; then require_alive event-log; fi
  require_auditor
  ConnectionStrings__EventStore=$(event_store)
  ConnectionStrings__Postgres=$(postgres_connection capa_readmodels)
  export ConnectionStrings__EventStore ConnectionStrings__Postgres
  exec dotnet "$STATE/app/verify/$(assembly verify)" "${options[@]}"
}

verb_replay() {
  local options=()
  while [[ $# -gt 0 ]]; do
    case $1 in
      --list | --json) options+=("$1") ;;
      --service)
        [[ ${2:-} =~ ^(nonconformities|root-causes|action-plans|read-models)$ ]] ||
          die 2 "replay --service needs nonconformities, root-causes, action-plans or read-models"
        options+=("$1" "$2")
        shift
        ;;
      --event)
        [[ ${2:-} =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] ||
          die 2 "replay --event needs the id of an event; ./capa replay --list shows them"
        options+=("$1" "$2")
        shift
        ;;
      *) no_more_arguments replay "$1" ;;
    esac
    shift
  done
  load_ports
  require_auditor
  CAPA_TOKEN=$(request_token p-1 '*' '' administrator) || exit
  export CAPA_TOKEN
  exec dotnet "$STATE/app/verify/$(assembly verify)" replay --api "$(origin gateway)" "${options[@]}"
}

verb_rebuild() {
  [[ $# -le 1 ]] || no_more_arguments rebuild "$2"
  [[ ${1:-} != -* ]] || no_more_arguments rebuild "$1"
  load_ports
  with_read_models rebuild "$@"
}

# with_read_models COMMAND [ARGUMENT...]: the program that serves the read models makes them again, too. It works beside
# the running one, of which it needs nothing.
with_read_models() {
  local setting
  require_alive postgres
  if uses_local_event_log; then require_alive event-log; fi
  [[ -f $STATE/app/read-models/$(assembly read-models) ]] ||
    die 3 "the read models are not installed; ./capa up installs them"
  while IFS= read -r setting; do export "${setting?}"; done < <(settings_of read-models)
  exec dotnet "$STATE/app/read-models/$(assembly read-models)" "$@"
}

# The same program audits and replays.
require_auditor() {
  [[ -f $STATE/app/verify/$(assembly verify) ]] ||
    die 3 "the auditor is not installed; ./capa down, then ./capa up installs it"
}
