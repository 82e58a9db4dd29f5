-- The stable views that analysts and the queries of the API read. Their names and columns are a promise: columns are
-- only added, at the end. What joins families is computed here, in scalar subqueries that cost nothing when a query
-- does not ask for the column.

create view reporting.deviation as
select d.id as deviation_id, d.source, d.source_event_id, d.site, d.product, d.lot, d.serial, d.process, d.station,
  d.supplier, d.characteristic, d.defect_code, d.measured, d.lower_limit, d.upper_limit, d.unit, d.quantity, d.severity,
  d.detected_at, d.description, d.conflict_count,
  (select a.nonconformity_id from read_models.nonconformity_deviation a where a.deviation_id = d.id
    order by a.position limit 1) as nonconformity_id,
  d.imported, d.revision, d.position, d.occurred_at, d.recorded_at, d.updated_at
from read_models.deviation d;

create view reporting.production as
select p.id as production_id, p.source, p.source_event_id, p.site, p.product, p.process, p.station,
  p.period_from, p.period_to, p.produced, p.inspected, p.rejected, p.conflict_count, p.imported,
  p.revision, p.position, p.occurred_at, p.recorded_at, p.updated_at
from read_models.production p;

create view reporting.quarantine as
select q.id as quarantine_id, q.reason, q.detail, q.source, q.source_event_id, q.content_type, q.content_length_bytes,
  q.revision, q.position, q.occurred_at, q.recorded_at, q.updated_at
from read_models.quarantine q;

create view reporting.nonconformity as
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
  round((extract(epoch from coalesce(n.closed_at, n.rejected_at, now()) - n.opened_at) / 86400)::numeric, 2)
    ::double precision as age_days,
  n.imported, n.revision, n.position, n.occurred_at, n.recorded_at, n.updated_at
from read_models.nonconformity n;

create view reporting.disposition as
select l.nonconformity_id, l.line_id, l.kind, l.quantity, l.lot, l.authority_id, l.reason, l.status, l.decided_at,
  l.executed_at, l.executed_by, l.verified_at, l.verified_by, l.finished_at, l.revision, l.position, l.updated_at
from read_models.disposition_line l;

create view reporting.capa as
select c.id as capa_id,
  (select x.number from read_models.capa_number x where x.id = c.id) as number,
  c.site, c.title, c.owner, c.reason, c.stage,
  case
    when c.stage in ('awaiting-cause', 'planning', 'plan-in-approval') then 'plan'
    when c.stage = 'implementing' then 'do'
    when c.stage = 'in-effectiveness-review' and c.verdict = 'effective' then 'act'
    when c.stage in ('monitoring', 'in-effectiveness-review') then 'check'
    when c.stage = 'closed' then 'act' end as pdca,
  c.stage_since, c.cycle, c.product, c.process, c.station, c.characteristic, c.defect_code, c.escaped,
  array(
    select l.nonconformity_id from read_models.capa_nonconformity l where l.capa_id = c.id
    union select l.nonconformity_id from read_models.nonconformity_capa l where l.capa_id = c.id
    order by 1) as nonconformity_ids,
  c.root_cause_id, c.extent_is_checked, c.risk_severity, c.risk_likelihood, c.baseline_from, c.baseline_to,
  c.expected_reduction, c.significance, c.window_days, c.exposure_unit, c.baseline_deviations, c.baseline_exposure,
  (select count(*) from read_models.action a where a.capa_id = c.id and a.status <> 'cancelled') as action_count,
  (select count(*) from read_models.action a where a.capa_id = c.id
    and a.status in ('planned', 'in-progress', 'done')) as open_action_count,
  (select min(a.due_on) from read_models.action a where a.capa_id = c.id
    and a.status in ('planned', 'in-progress', 'done')) as next_due_on,
  c.opened_at, c.submitted_at, c.approved_at, c.approved_by, c.implemented_at, c.monitoring_from, c.monitoring_to,
  c.verdict, c.verdict_at, c.closed_at, c.closed_by, c.cancelled_at, c.closing_answers,
  round((extract(epoch from coalesce(c.closed_at, c.cancelled_at, now()) - c.opened_at) / 86400)::numeric, 2)
    ::double precision as age_days,
  case when c.stage in ('closed', 'cancelled') then false
    else coalesce((c.stage = 'monitoring' and c.monitoring_to < now())
      or exists (select from read_models.action a where a.capa_id = c.id
        and a.status in ('planned', 'in-progress', 'done') and a.due_on < (now() at time zone 'utc')::date), false)
    end as overdue,
  c.imported, c.revision, c.position, c.occurred_at, c.recorded_at, c.updated_at
from read_models.capa c;

create view reporting.action as
select a.capa_id,
  (select x.number from read_models.capa_number x where x.id = a.capa_id) as capa_number,
  a.action_id, a.cycle, a.kind, a.title, a.description, a.owner, a.due_on, a.causes, a.status,
  a.status in ('planned', 'in-progress', 'done') and a.due_on < (now() at time zone 'utc')::date as overdue,
  a.planned_at, a.started_at, a.completed_at, a.completed_by, a.evidence, a.verified_at, a.verified_by, a.finding,
  a.cancelled_at, a.cancel_reason, a.return_count, a.revision, a.position, a.updated_at
from read_models.action a;

create view reporting.root_cause_analysis as
select r.id as root_cause_id, r.capa_id, r.nonconformity_id, r.site, r.owner, r.problem, r.escaped, r.status, r.cycle,
  r.unknown_justification, r.extent_query, r.extent_hits, r.extent_checked_by, r.extent_checked_at,
  r.human_error_reason, r.started_at, r.completed_at, r.completed_by, r.approved_at, r.approved_by, r.imported,
  r.revision, r.position, r.occurred_at, r.recorded_at, r.updated_at
from read_models.root_cause_analysis r;

create view reporting.cause as
select c.root_cause_id,
  (select r.capa_id from read_models.root_cause_analysis r where r.id = c.root_cause_id) as capa_id,
  c.cause_id, c.cycle, c.kind, c.code, c.statement, c.why_chain, c.status, c.method, c.evidence, c.proposed_by,
  c.proposed_at, c.decided_by, c.decided_at, c.revision, c.position, c.updated_at
from read_models.cause c;

create view reporting.effectiveness_cycle as
select e.id as review_id, e.capa_id,
  (select x.number from read_models.capa_number x where x.id = e.capa_id) as capa_number,
  e.cycle, e.site, e.product, e.process, e.station, e.characteristic, e.defect_code, e.status, e.baseline_from,
  e.baseline_to, e.baseline_reason, e.expected_reduction, e.significance, e.window_days, e.exposure_unit,
  e.action_owners, e.plan_approved_by, e.locked_at, e.window_from, e.window_to, e.recurrences, e.evaluated_at,
  e.evaluated_by, e.early_on_recurrence, e.baseline_deviations, e.baseline_exposure, e.baseline_ids_hash,
  e.window_deviations, e.window_exposure, e.window_ids_hash, e.counted_from, e.counted_to,
  e.counted_through_position, e.definition_version, e.baseline_rate, e.window_rate, e.rate_ratio,
  e.rate_ratio_lower, e.rate_ratio_upper, e.p_value, e.proposed_verdict, e.verdict, e.reason_against_numbers,
  e.approved_at, e.approved_by, e.imported, e.revision, e.position, e.occurred_at, e.recorded_at, e.updated_at
from read_models.effectiveness_review e;

create view reporting.signature_case as
select s.signature_id, s.cycle, s.nonconformity_id, s.policy_version, s.count_window_from, s.counted_deviations,
  s.revision, s.position, s.occurred_at, s.recorded_at, s.updated_at
from read_models.signature_case s;

create view reporting.case_event as
select e.family, e.stream, e.revision, e.concerns, e.position, e.event_id, e.event_type, e.occurred_at,
  e.recorded_at, e.actor, e.actor_roles, e.on_behalf_of, e.imported, e.reason, e.signature, e.data, e.updated_at
from read_models.case_event e;

-- The lag of a key is the time since the log was first seen ahead of it, and none where it is level.
create view reporting.freshness as
select f.routing_key, split_part(f.routing_key, '.', 1) as family, f.position,
  greatest(f.position, (select max(p.position) from read_models.published_position p
    where p.service = o.service)) as head,
  coalesce(extract(epoch from now() - (select min(p.observed_at) from read_models.published_position p
    where p.service = o.service and p.position > f.position)), 0)::double precision as lag_seconds,
  f.updated_at
from read_models.follower_position f
left join read_models.family_owner o on o.family = split_part(f.routing_key, '.', 1);
