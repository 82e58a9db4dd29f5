-- The ways out of a case beside closing and rejection, and what may happen after its end.
alter table read_models.nonconformity
  add column withdrawn_at timestamptz,
  add column merged_at timestamptz,
  add column merged_into uuid,
  add column reopened_at timestamptz,
  add column reopen_count integer not null default 0,
  add column corrected_at timestamptz,
  add column correction_count integer not null default 0,
  add column signature_superseded boolean not null default false;
create index nonconformity_by_target on read_models.nonconformity (merged_into);
