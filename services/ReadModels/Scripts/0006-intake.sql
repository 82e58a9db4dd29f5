-- What people did with what machines sent.
alter table read_models.deviation
  add column dismissed_at timestamptz, add column dismissed_by text, add column dismiss_reason text;
alter table read_models.quarantine
  add column replayed_at timestamptz, add column replayed_by text, add column replayed_as uuid,
  add column replay_outcome text;

create or replace view reporting.deviation as
select d.id as deviation_id, d.source, d.source_event_id, d.site, d.product, d.lot, d.serial, d.process, d.station,
  d.supplier, d.characteristic, d.defect_code, d.measured, d.lower_limit, d.upper_limit, d.unit, d.quantity, d.severity,
  d.detected_at, d.description, d.conflict_count,
  (select a.nonconformity_id from read_models.nonconformity_deviation a where a.deviation_id = d.id
    order by a.position limit 1) as nonconformity_id,
  d.imported, d.revision, d.position, d.occurred_at, d.recorded_at, d.updated_at,
  d.dismissed_at, d.dismissed_by, d.dismiss_reason
from read_models.deviation d;

create or replace view reporting.quarantine as
select q.id as quarantine_id, q.reason, q.detail, q.source, q.source_event_id, q.content_type, q.content_length_bytes,
  q.revision, q.position, q.occurred_at, q.recorded_at, q.updated_at,
  q.replayed_at, q.replayed_by, q.replayed_as, q.replay_outcome
from read_models.quarantine q;

comment on column reporting.deviation.dismissed_at is 'When a person found that it is no deviation (UTC).';
comment on column reporting.deviation.dismissed_by is 'Person id of who dismissed it.';
comment on column reporting.deviation.dismiss_reason is 'Why it was dismissed.';
comment on column reporting.quarantine.replayed_at is 'When it was read again and understood (UTC).';
comment on column reporting.quarantine.replayed_by is 'Person id of who replayed it.';
comment on column reporting.quarantine.replayed_as is 'Id of the deviation or production record it became.';
comment on column reporting.quarantine.replay_outcome is 'What became of it: accepted, duplicate or conflict.';
