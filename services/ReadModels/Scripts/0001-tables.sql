-- The tables of the read models. Each is written from the events of one stream family only, so that a rebuild can fill
-- families independently; whatever joins families is a view. Every row carries the revision of its stream's last event
-- applied (the guard against repeats), that event's log position and two times, and updated_at, the wall clock, which
-- is outside every comparison of live and rebuilt rows.

create table read_models.follower_position (
  routing_key text primary key,
  position bigint not null check (position >= 0),
  updated_at timestamptz not null default now()
);

create table read_models.published_position (
  service text not null,
  position bigint not null,
  observed_at timestamptz not null,
  primary key (service, position)
);

create table read_models.family_owner (
  family text primary key,
  service text not null
);

create table read_models.parked_stream (
  stream text primary key,
  routing_key text not null,
  revision bigint not null,
  position bigint not null,
  event_type text not null,
  reason text not null,
  parked_at timestamptz not null default now()
);

-- Family deviation --------------------------------------------------------------------------------------------------
create table read_models.deviation (
  id uuid primary key,
  source text not null,
  source_event_id text not null,
  site text not null,
  product text not null,
  lot text,
  serial text,
  process text not null,
  station text,
  supplier text,
  characteristic text,
  defect_code text,
  measured double precision,
  lower_limit double precision,
  upper_limit double precision,
  unit text,
  quantity double precision,
  severity text not null,
  detected_at timestamptz not null,
  description text,
  conflict_count integer not null default 0,
  imported boolean not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
) with (fillfactor = 95);
create index deviation_by_subject on read_models.deviation
  (site, product, process, characteristic, defect_code, detected_at);

-- Family production -------------------------------------------------------------------------------------------------
create table read_models.production (
  id uuid primary key,
  source text not null,
  source_event_id text not null,
  site text not null,
  product text not null,
  process text not null,
  station text,
  period_from timestamptz not null,
  period_to timestamptz not null,
  produced double precision not null,
  inspected double precision not null,
  rejected double precision not null,
  conflict_count integer not null default 0,
  imported boolean not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
) with (fillfactor = 95);
create index production_by_process on read_models.production (site, product, process, period_to);

-- Family quarantine -------------------------------------------------------------------------------------------------
create table read_models.quarantine (
  id uuid primary key,
  reason text not null,
  detail text not null,
  source text,
  source_event_id text,
  content_type text not null,
  content_length_bytes integer not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
);

-- Family nonconformity ----------------------------------------------------------------------------------------------
create table read_models.nonconformity (
  id uuid primary key,
  site text not null,
  title text not null,
  description text not null,
  requirement_standard text not null,
  requirement_edition text not null,
  requirement_clause text not null,
  requirement_text text,
  source text not null,
  detection_stage text not null,
  product text,
  process text,
  lots text[] not null,
  affected_quantity double precision not null,
  unit text,
  severity text not null,
  reported_by text not null,
  subject_station text,
  subject_characteristic text,
  subject_defect_code text,
  signature_id uuid,
  signature_cycle integer,
  policy_version integer,
  count_window_from timestamptz,
  status text not null,
  containment text not null default 'undecided',
  containment_due_at timestamptz,
  containment_confirmed_at timestamptz,
  containment_ended_at timestamptz,
  customer_notice text not null default 'undecided',
  customer_notice_due_on date,
  customer_informed_at timestamptz,
  cause_decision text not null default 'undecided',
  cause_decided_at timestamptz,
  deviation_count bigint not null default 0,
  deviations_from timestamptz,
  deviations_to timestamptz,
  detected_at timestamptz not null,
  opened_at timestamptz not null,
  accepted_at timestamptz,
  reviewed_at timestamptz,
  rejected_at timestamptz,
  closed_at timestamptz,
  accepted_by text,
  closed_by text,
  imported boolean not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now(),
  search tsvector generated always as (to_tsvector('simple', title || ' ' || description)) stored
) with (fillfactor = 85);
create index nonconformity_by_opening on read_models.nonconformity (opened_at, id);
create index nonconformity_by_status on read_models.nonconformity (status, opened_at, id);
create index nonconformity_search on read_models.nonconformity using gin (search);

create table read_models.disposition_line (
  nonconformity_id uuid not null,
  line_id uuid not null,
  kind text not null,
  quantity double precision not null,
  lot text,
  authority_id text not null,
  reason text not null,
  status text not null,
  decided_at timestamptz not null,
  executed_at timestamptz,
  executed_by text,
  verified_at timestamptz,
  verified_by text,
  finished_at timestamptz,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (nonconformity_id, line_id)
);

create table read_models.nonconformity_capa (
  nonconformity_id uuid not null,
  capa_id uuid not null,
  link text not null,
  capa_number integer not null,
  required_at timestamptz not null,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (nonconformity_id, capa_id)
);
create index nonconformity_capa_by_capa on read_models.nonconformity_capa (capa_id);

create table read_models.nonconformity_deviation (
  deviation_id uuid not null,
  nonconformity_id uuid not null,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (deviation_id, nonconformity_id)
);
create index nonconformity_deviation_by_case on read_models.nonconformity_deviation (nonconformity_id);

-- Families numbering-nc and numbering-capa --------------------------------------------------------------------------
create table read_models.nonconformity_number (
  id uuid primary key,
  number text not null unique,
  stream text not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
);

create table read_models.capa_number (like read_models.nonconformity_number including all);

-- Family signature --------------------------------------------------------------------------------------------------
create table read_models.signature_case (
  signature_id uuid not null,
  cycle integer not null,
  nonconformity_id uuid not null,
  policy_version integer not null,
  count_window_from timestamptz,
  counted_deviations integer not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (signature_id, cycle)
);

-- Family triage-policy ----------------------------------------------------------------------------------------------
create table read_models.triage_policy (
  version integer primary key,
  rules jsonb not null,
  reason text not null,
  set_by text not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
);

-- Family rootcause --------------------------------------------------------------------------------------------------
create table read_models.root_cause_analysis (
  id uuid primary key,
  capa_id uuid not null,
  nonconformity_id uuid,
  site text not null,
  owner text not null,
  problem text not null,
  escaped boolean not null,
  status text not null,
  cycle integer not null,
  unknown_justification text,
  extent_query text,
  extent_hits jsonb,
  extent_checked_by text,
  extent_checked_at timestamptz,
  human_error_reason text,
  started_at timestamptz not null,
  completed_at timestamptz,
  completed_by text,
  approved_at timestamptz,
  approved_by text,
  imported boolean not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
);
create index root_cause_analysis_by_capa on read_models.root_cause_analysis (capa_id);

create table read_models.cause (
  root_cause_id uuid not null,
  cause_id uuid not null,
  cycle integer not null,
  kind text not null,
  code text not null,
  statement text not null,
  why_chain text[] not null,
  status text not null,
  method text,
  evidence text,
  proposed_by text not null,
  proposed_at timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (root_cause_id, cause_id)
);

-- Family actionplan -------------------------------------------------------------------------------------------------
create table read_models.capa (
  id uuid primary key,
  site text not null,
  title text not null,
  owner text not null,
  reason text not null,
  product text,
  process text,
  station text,
  characteristic text,
  defect_code text,
  escaped boolean not null,
  stage text not null,
  stage_since timestamptz not null,
  cycle integer not null default 1,
  root_cause_id uuid,
  extent_is_checked boolean,
  risk_severity integer,
  risk_likelihood integer,
  baseline_from timestamptz,
  baseline_to timestamptz,
  expected_reduction double precision,
  significance double precision,
  window_days integer,
  exposure_unit text,
  baseline_deviations bigint,
  baseline_exposure double precision,
  opened_at timestamptz not null,
  submitted_at timestamptz,
  approved_at timestamptz,
  approved_by text,
  implemented_at timestamptz,
  monitoring_from timestamptz,
  monitoring_to timestamptz,
  verdict text,
  verdict_at timestamptz,
  closed_at timestamptz,
  closed_by text,
  cancelled_at timestamptz,
  closing_answers jsonb,
  imported boolean not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
) with (fillfactor = 85);
create index capa_by_opening on read_models.capa (opened_at, id);
create index capa_by_stage on read_models.capa (stage, stage_since);

create table read_models.capa_nonconformity (
  capa_id uuid not null,
  nonconformity_id uuid not null,
  joined_at timestamptz not null,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (capa_id, nonconformity_id)
);
create index capa_nonconformity_by_case on read_models.capa_nonconformity (nonconformity_id);

create table read_models.action (
  capa_id uuid not null,
  action_id uuid not null,
  cycle integer not null,
  kind text not null,
  title text not null,
  description text not null,
  owner text not null,
  due_on date not null,
  causes uuid[] not null,
  status text not null,
  planned_at timestamptz not null,
  started_at timestamptz,
  completed_at timestamptz,
  completed_by text,
  evidence text,
  verified_at timestamptz,
  verified_by text,
  finding text,
  cancelled_at timestamptz,
  cancel_reason text,
  return_count integer not null default 0,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (capa_id, action_id)
) with (fillfactor = 85);
create index action_open_by_due_date on read_models.action (due_on) where status in ('planned', 'in-progress', 'done');

-- Family effectiveness ----------------------------------------------------------------------------------------------
create table read_models.effectiveness_review (
  id uuid primary key,
  capa_id uuid not null,
  cycle integer not null,
  site text not null,
  product text not null,
  process text not null,
  station text,
  characteristic text,
  defect_code text,
  baseline_from timestamptz not null,
  baseline_to timestamptz not null,
  baseline_reason text,
  expected_reduction double precision not null,
  significance double precision not null,
  window_days integer not null,
  exposure_unit text not null,
  action_owners text[] not null,
  plan_approved_by text not null,
  status text not null,
  locked_at timestamptz not null,
  window_from timestamptz,
  window_to timestamptz,
  recurrences uuid[] not null default '{}',
  evaluated_at timestamptz,
  evaluated_by text,
  early_on_recurrence boolean,
  baseline_deviations bigint,
  baseline_exposure double precision,
  baseline_ids_hash text,
  window_deviations bigint,
  window_exposure double precision,
  window_ids_hash text,
  counted_from timestamptz,
  counted_to timestamptz,
  counted_through_position bigint,
  definition_version integer,
  baseline_rate double precision,
  window_rate double precision,
  rate_ratio double precision,
  rate_ratio_lower double precision,
  rate_ratio_upper double precision,
  p_value double precision,
  proposed_verdict text,
  verdict text,
  reason_against_numbers text,
  approved_at timestamptz,
  approved_by text,
  imported boolean not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
);
create index effectiveness_review_by_capa on read_models.effectiveness_review (capa_id, cycle);

-- Every event of the case families, one partition for each family --------------------------------------------------
create table read_models.case_event (
  family text not null,
  stream text not null,
  revision bigint not null,
  concerns uuid not null,
  position bigint not null,
  event_id uuid not null,
  event_type text not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  actor text not null,
  actor_roles text[] not null,
  on_behalf_of text,
  imported boolean not null,
  reason text,
  signature jsonb,
  data jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (family, stream, revision)
) partition by list (family);
create index case_event_by_case on read_models.case_event (concerns, position);

create table read_models.case_event_nonconformity
  partition of read_models.case_event for values in ('nonconformity');
create table read_models.case_event_signature
  partition of read_models.case_event for values in ('signature');
create table read_models.case_event_numbering_nc
  partition of read_models.case_event for values in ('numbering-nc');
create table read_models.case_event_rootcause
  partition of read_models.case_event for values in ('rootcause');
create table read_models.case_event_actionplan
  partition of read_models.case_event for values in ('actionplan');
create table read_models.case_event_effectiveness
  partition of read_models.case_event for values in ('effectiveness');
create table read_models.case_event_numbering_capa
  partition of read_models.case_event for values in ('numbering-capa');
