-- Cases of other systems: what they said of them, and what nobody knows here stays null.
alter table read_models.nonconformity
  alter column severity drop not null,
  alter column source drop not null,
  alter column detection_stage drop not null,
  alter column requirement_standard drop not null,
  alter column requirement_edition drop not null,
  alter column requirement_clause drop not null,
  alter column affected_quantity drop not null,
  add column source_system text,
  add column source_id text,
  add column source_status text,
  add column supplier text,
  add column product_code text,
  add column stated_cause text,
  add column stated_cause_code text,
  add column stated_action text,
  add column remarks text,
  add column conflict_count integer not null default 0;
create index nonconformity_by_supplier on read_models.nonconformity (supplier, product_code, opened_at);
create index nonconformity_by_product_code on read_models.nonconformity (product_code, opened_at);
create index nonconformity_by_stated_cause on read_models.nonconformity (stated_cause_code, opened_at);

-- What happened to an imported case happened elsewhere, so it has no tracks here.
create or replace view reporting.nonconformity as
select n.id as nonconformity_id,
  (select x.number from read_models.nonconformity_number x where x.id = n.id) as number,
  n.site, n.status, n.severity, n.title, n.description, n.source, n.detection_stage, n.product, n.process,
  n.subject_station as station, n.subject_characteristic as characteristic, n.subject_defect_code as defect_code,
  n.lots, n.affected_quantity, n.unit, n.requirement_standard, n.requirement_edition, n.requirement_clause,
  n.requirement_text, n.reported_by, case when n.source_system is null then n.containment end as containment,
  (select case
      when n.source_system is not null then null
      when coalesce(sum(l.quantity) filter (where l.finished_at is not null), 0) >= n.affected_quantity
        then case when n.affected_quantity = 0 and count(*) = 0 then 'not-needed' else 'finished' end
      when coalesce(sum(l.quantity), 0) >= n.affected_quantity then 'decided'
      else 'undecided' end
    from read_models.disposition_line l where l.nonconformity_id = n.id) as disposition,
  case when n.source_system is null then n.customer_notice end as customer_notice,
  case when n.source_system is null then n.cause_decision end as cause_decision,
  n.detected_at, n.opened_at, n.accepted_at, n.reviewed_at, n.containment_due_at,
  n.containment_confirmed_at, n.containment_ended_at, n.customer_notice_due_on, n.customer_informed_at,
  n.cause_decided_at,
  (select case when n.source_system is null and n.containment in ('not-needed', 'lifted')
        and coalesce(sum(l.quantity) filter (where l.finished_at is not null), 0) >= n.affected_quantity
      then greatest(n.containment_ended_at, max(l.finished_at)) end
    from read_models.disposition_line l where l.nonconformity_id = n.id) as material_closed_at,
  n.closed_at, n.rejected_at, n.accepted_by, n.closed_by, n.deviation_count, n.deviations_from, n.deviations_to,
  array(select c.capa_id from read_models.nonconformity_capa c where c.nonconformity_id = n.id
    order by c.capa_number, c.capa_id) as capa_ids,
  n.signature_id, n.signature_cycle, n.policy_version, n.count_window_from,
  case when n.status <> 'closed' or n.closed_at is not null then
    round((extract(epoch from coalesce(n.closed_at, n.rejected_at, n.withdrawn_at, n.merged_at,
      now()) - n.opened_at) / 86400)::numeric, 2)::double precision end as age_days,
  n.imported, n.revision, n.position, n.occurred_at, n.recorded_at, n.updated_at,
  n.withdrawn_at, n.merged_at, n.merged_into, n.reopened_at, n.reopen_count, n.corrected_at, n.correction_count,
  n.signature_superseded, n.serials, n.finding_audit, n.finding_evidence, n.finding_grade, n.finding_criteria,
  n.source_system, n.source_id, n.source_status, n.supplier, n.product_code, n.stated_cause, n.stated_cause_code,
  n.stated_action, n.remarks, n.conflict_count
from read_models.nonconformity n;

comment on column reporting.nonconformity.status is
  'reported, under-review, open, closed, rejected, withdrawn, merged, or imported: open in another system.';
comment on column reporting.nonconformity.severity is
  'minor, major or critical; as reported, then as accepted. Null where another system did not say.';
comment on column reporting.nonconformity.affected_quantity is
  'Units affected; 0 where no output is affected, null where another system did not say.';
comment on column reporting.nonconformity.reported_by is
  'Person id, machine or service that reported it; of an imported case the system it came from.';
comment on column reporting.nonconformity.closed_at is
  'When it was closed (UTC); null also where another system closed it and does not say when.';
comment on column reporting.nonconformity.closed_by is
  'Person id of who closed it and signed; by-source where another system did.';
comment on column reporting.nonconformity.age_days is
  'Days from opening to its end by whatever way, or to now; null where nobody knows when it ended.';
comment on column reporting.nonconformity.source_system is
  'The system it was imported from as one fact; null where it was reported here. Such a case has no tracks here.';
comment on column reporting.nonconformity.source_id is 'Its id in that system.';
comment on column reporting.nonconformity.source_status is 'That system''s word for where it stands.';
comment on column reporting.nonconformity.supplier is 'Who made or delivered the product, as that system names them.';
comment on column reporting.nonconformity.product_code is 'The product''s code in that system.';
comment on column reporting.nonconformity.stated_cause is
  'The cause that system determined, in its words; nobody verified it here.';
comment on column reporting.nonconformity.stated_cause_code is 'The same as a cause code.';
comment on column reporting.nonconformity.stated_action is 'What was done about it, in that system''s words.';
comment on column reporting.nonconformity.remarks is 'Whatever else that system said.';
comment on column reporting.nonconformity.conflict_count is 'How often that system told of it otherwise afterwards.';
comment on column reporting.quarantine.replayed_as is 'Id of the deviation, production record or case it became.';
