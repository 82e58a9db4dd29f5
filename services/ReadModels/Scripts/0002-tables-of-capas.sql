-- The tables of root cause analyses, CAPAs and effectiveness reviews, and the journal of all cases. The rules of the
-- other tables hold here, too.

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
