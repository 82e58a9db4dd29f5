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

create or replace view reporting.nonconformity as
select n.id as nonconformity_id,
  (select x.number from read_models.nonconformity_number x where x.id = n.id) as number,
  n.site, n.status, n.severity, n.title, n.description, n.source, n.detection_stage, n.product, n.process,
  n.subject_station as station, n.subject_characteristic as characteristic, n.subject_defect_code as defect_code,
  n.lots, n.affected_quantity, n.unit, n.requirement_standard, n.requirement_edition, n.requirement_clause,
  n.requirement_text, n.reported_by, n.containment,
  (select case
      when coalesce(sum(l.quantity) filter (where l.finished_at is not null), 0) >= n.affected_quantity
        then case when n.affected_quantity = 0 and count(*) = 0 then 'not-needed' else 'finished' end
      when coalesce(sum(l.quantity), 0) >= n.affected_quantity then 'decided'
      else 'undecided' end
    from read_models.disposition_line l where l.nonconformity_id = n.id) as disposition,
  n.customer_notice, n.cause_decision, n.detected_at, n.opened_at, n.accepted_at, n.reviewed_at, n.containment_due_at,
  n.containment_confirmed_at, n.containment_ended_at, n.customer_notice_due_on, n.customer_informed_at,
  n.cause_decided_at,
  (select case when n.containment in ('not-needed', 'lifted')
        and coalesce(sum(l.quantity) filter (where l.finished_at is not null), 0) >= n.affected_quantity
      then greatest(n.containment_ended_at, max(l.finished_at)) end
    from read_models.disposition_line l where l.nonconformity_id = n.id) as material_closed_at,
  n.closed_at, n.rejected_at, n.accepted_by, n.closed_by, n.deviation_count, n.deviations_from, n.deviations_to,
  array(select c.capa_id from read_models.nonconformity_capa c where c.nonconformity_id = n.id
    order by c.capa_number, c.capa_id) as capa_ids,
  n.signature_id, n.signature_cycle, n.policy_version, n.count_window_from,
  round((extract(epoch from coalesce(n.closed_at, n.rejected_at, n.withdrawn_at, n.merged_at,
    now()) - n.opened_at) / 86400)::numeric, 2)
    ::double precision as age_days,
  n.imported, n.revision, n.position, n.occurred_at, n.recorded_at, n.updated_at,
  n.withdrawn_at, n.merged_at, n.merged_into, n.reopened_at, n.reopen_count, n.corrected_at, n.correction_count,
  n.signature_superseded
from read_models.nonconformity n;

comment on column reporting.nonconformity.status is
  'reported, under-review, open, closed, rejected, withdrawn or merged.';
comment on column reporting.nonconformity.withdrawn_at is 'When its reporter withdrew it (UTC).';
comment on column reporting.nonconformity.merged_at is 'When it was merged into another case as a duplicate (UTC).';
comment on column reporting.nonconformity.merged_into is
  'Id of the case it was merged into; its deviations, lots and hold are counted there as well.';
comment on column reporting.nonconformity.reopened_at is 'When it was last opened again after closing (UTC).';
comment on column reporting.nonconformity.reopen_count is 'How often it was opened again after closing.';
comment on column reporting.nonconformity.corrected_at is 'When what was written was last corrected (UTC).';
comment on column reporting.nonconformity.correction_count is 'How often what was written was corrected.';
comment on column reporting.nonconformity.signature_superseded is
  'True where it was corrected after it was signed, so that the signature covers an older text.';
comment on column reporting.nonconformity.age_days is 'Days from opening to its end by whatever way, or to now.';
