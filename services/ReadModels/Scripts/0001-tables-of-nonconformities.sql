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
