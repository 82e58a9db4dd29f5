-- Where a case comes from, and what is on hold because of it.
alter table read_models.nonconformity
  add column serials text[] not null default '{}',
  add column finding_audit text,
  add column finding_evidence text,
  add column finding_grade text,
  add column finding_criteria jsonb;
create index nonconformity_by_lot on read_models.nonconformity using gin (lots);
alter table read_models.disposition_line add column destruction text;

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
  n.signature_superseded, n.serials, n.finding_audit, n.finding_evidence, n.finding_grade, n.finding_criteria
from read_models.nonconformity n;

create or replace view reporting.disposition as
select l.nonconformity_id, l.line_id, l.kind, l.quantity, l.lot, l.authority_id, l.reason, l.status, l.decided_at,
  l.executed_at, l.executed_by, l.verified_at, l.verified_by, l.finished_at, l.revision, l.position, l.updated_at,
  l.concession_id, l.destruction
from read_models.disposition_line l;

-- A lot is held from the report on, because what is suspect must not be used before somebody decided (ISO 9001 8.7.1).
create view reporting.hold as
select md5(n.id::text || ' ' || l.lot)::uuid as hold_id, l.lot, n.id as nonconformity_id,
  (select x.number from read_models.nonconformity_number x where x.id = n.id) as nonconformity_number,
  n.site, n.product, n.severity,
  case
    when n.status in ('rejected', 'withdrawn') then 'released'
    when n.status = 'merged' then 'moved'
    when n.containment in ('not-needed', 'lifted') then 'released'
    when n.containment = 'undecided' then 'suspected'
    else n.containment end as status,
  n.status not in ('rejected', 'withdrawn', 'merged') and n.containment not in ('not-needed', 'lifted') as active,
  n.opened_at as held_since,
  case when n.status = 'rejected' then n.rejected_at when n.status = 'withdrawn' then n.withdrawn_at
    when n.status = 'merged' then n.merged_at else n.containment_ended_at end as released_at,
  n.merged_into as moved_to,
  (select coalesce(sum(d.quantity) filter (where d.finished_at is not null), 0) from read_models.disposition_line d
    where d.nonconformity_id = n.id and d.lot = l.lot) as disposed_quantity,
  n.unit, n.revision, n.position, n.updated_at
from read_models.nonconformity n
cross join lateral (select distinct lot from unnest(n.lots) as lot) l;

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
comment on column reporting.nonconformity.serials is 'The serial numbers affected, where units have their own.';
comment on column reporting.nonconformity.finding_audit is 'The audit that made the finding; null for other sources.';
comment on column reporting.nonconformity.finding_evidence is 'The evidence the finding rests on.';
comment on column reporting.nonconformity.finding_grade is 'The grade of the finding in the audit client''s scheme.';
comment on column reporting.nonconformity.finding_criteria is 'Further criteria of the finding (JSON).';
comment on column reporting.disposition.destruction is 'How scrap was destroyed or marked for good.';
comment on view reporting.hold is 'Lots that must not be used or delivered, one row for each lot of each nonconformity.';
comment on column reporting.hold.hold_id is 'Id of the hold, made of nonconformity and lot.';
comment on column reporting.hold.lot is 'The lot held.';
comment on column reporting.hold.nonconformity_id is 'Id of the nonconformity; joins reporting.nonconformity.';
comment on column reporting.hold.nonconformity_number is
  'The number of the nonconformity that people read; null until assigned.';
comment on column reporting.hold.site is 'The site.';
comment on column reporting.hold.product is 'The product.';
comment on column reporting.hold.severity is 'minor, major or critical.';
comment on column reporting.hold.status is
  'suspected, planned, in-place, released or moved (to the case it was merged into).';
comment on column reporting.hold.active is 'True while the lot must not be used or delivered.';
comment on column reporting.hold.held_since is 'When the nonconformity was reported (UTC).';
comment on column reporting.hold.released_at is 'When the hold ended (UTC).';
comment on column reporting.hold.moved_to is 'The nonconformity that took the hold over.';
comment on column reporting.hold.disposed_quantity is 'What was disposed of for this lot, in unit.';
comment on column reporting.hold.unit is 'The unit of the quantity, as given.';
comment on column reporting.hold.revision is
  'Number of the last event of the nonconformity that this row reflects, from 0.';
comment on column reporting.hold.position is 'Commit position of that event in the log of all events.';
comment on column reporting.hold.updated_at is
  'When this row was written, by the database''s clock; not part of any comparison.';
