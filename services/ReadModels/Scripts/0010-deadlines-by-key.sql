-- Looking up the deadlines of a few escalations reads a few rows, however many cases there are. "offset 0" keeps the
-- lookup by key apart from the rest of the query, so that it reaches the indexes below the union.
create index action_by_id on read_models.action (action_id);

create view read_models.capa_severity as
select l.capa_id,
  (array['minor', 'major', 'critical'])[
    max(array_position(array['minor', 'major', 'critical'], n.severity))] as severity
from (select capa_id, nonconformity_id from read_models.capa_nonconformity
  union all select capa_id, nonconformity_id from read_models.nonconformity_capa) l
join read_models.nonconformity n on n.id = l.nonconformity_id
group by l.capa_id;

create or replace view reporting.deadline as
select d.kind, d.subject_id, d.case_id, d.number, d.site, d.severity, d.owner, d.title, d.due_at, d.met_at,
  case when d.is_met then 'met' when d.is_live then 'open' else 'lapsed' end as status,
  array(select e.level from read_models.escalation e
    where e.subject_id = d.subject_id and e.kind = d.kind and e.due_at = d.due_at order by e.level) as raised_levels,
  d.stream, d.case_stream, d.revision, d.position, d.updated_at
from (
  select 'containment-due' as kind, n.id as subject_id, n.id as case_id, x.number, n.site, n.severity,
    n.accepted_by as owner, n.title, n.containment_due_at as due_at,
    case when n.containment in ('in-place', 'lifted') then n.containment_confirmed_at
      when n.containment = 'not-needed' then n.containment_ended_at end as met_at,
    n.containment in ('in-place', 'lifted', 'not-needed') as is_met, n.status in ('under-review', 'open') as is_live,
    'nonconformity-' || n.id as stream, 'nonconformity-' || n.id as case_stream,
    n.imported, n.revision, n.position, n.updated_at
  from read_models.nonconformity n left join read_models.nonconformity_number x on x.id = n.id
  where n.containment_due_at is not null
  union all
  select 'customer-notice-due', n.id, n.id, x.number, n.site, n.severity, n.accepted_by, n.title,
    (n.customer_notice_due_on + 1)::timestamp at time zone 'utc', n.customer_informed_at, n.customer_notice = 'sent',
    n.status in ('under-review', 'open'), 'nonconformity-' || n.id, 'nonconformity-' || n.id,
    n.imported, n.revision, n.position, n.updated_at
  from read_models.nonconformity n left join read_models.nonconformity_number x on x.id = n.id
  where n.customer_notice in ('due', 'sent') and n.customer_notice_due_on is not null
  union all
  select 'action-due', a.action_id, c.id, x.number, c.site,
    (select s.severity from read_models.capa_severity s where s.capa_id = c.id), a.owner, a.title,
    (a.due_on + 1)::timestamp at time zone 'utc', a.completed_at, a.status in ('done', 'verified'),
    a.status <> 'cancelled' and c.stage not in ('closed', 'cancelled'), 'actionplan-' || c.id, 'actionplan-' || c.id,
    c.imported, c.revision, c.position, c.updated_at
  from read_models.action a join read_models.capa c on c.id = a.capa_id
  left join read_models.capa_number x on x.id = c.id
  union all
  select 'action-verification', a.action_id, c.id, x.number, c.site,
    (select s.severity from read_models.capa_severity s where s.capa_id = c.id), c.owner, a.title,
    a.completed_at, a.verified_at, a.status = 'verified', c.stage not in ('closed', 'cancelled'),
    'actionplan-' || c.id, 'actionplan-' || c.id, c.imported, c.revision, c.position, c.updated_at
  from read_models.action a join read_models.capa c on c.id = a.capa_id
  left join read_models.capa_number x on x.id = c.id
  where a.status in ('done', 'verified') and a.completed_at is not null
  union all
  select 'plan-approval', c.id, c.id, x.number, c.site,
    (select s.severity from read_models.capa_severity s where s.capa_id = c.id), c.owner, c.title,
    c.submitted_at, c.approved_at, coalesce(c.approved_at >= c.submitted_at, false),
    c.stage = 'plan-in-approval', 'actionplan-' || c.id, 'actionplan-' || c.id,
    c.imported, c.revision, c.position, c.updated_at
  from read_models.capa c
  left join read_models.capa_number x on x.id = c.id
  where c.submitted_at is not null
  union all
  select 'window-end', e.id, e.capa_id, x.number, e.site,
    (select s.severity from read_models.capa_severity s where s.capa_id = c.id), c.owner, c.title,
    e.window_to, e.evaluated_at, e.status in ('in-approval', 'decided'),
    e.status = 'monitoring' and coalesce(c.stage, '') not in ('closed', 'cancelled'),
    'effectiveness-' || e.id, 'actionplan-' || e.capa_id, e.imported, e.revision, e.position, e.updated_at
  from read_models.effectiveness_review e left join read_models.capa c on c.id = e.capa_id
  left join read_models.capa_number x on x.id = e.capa_id
  where e.window_to is not null
  union all
  select 'concession-end', o.id, coalesce(o.nonconformity_id, o.id), x.number, o.site, n.severity, o.requested_by,
    o.product || ': ' || o.departure, o.valid_until, null, false, o.status = 'granted', 'concession-' || o.id,
    'concession-' || o.id, o.imported, o.revision, o.position, o.updated_at
  from read_models.concession o left join read_models.nonconformity n on n.id = o.nonconformity_id
  left join read_models.nonconformity_number x on x.id = o.nonconformity_id
  where o.valid_until is not null) d
where not d.imported or d.due_at > (select e.recorded_at from read_models.case_event e
  where e.family = split_part(d.stream, '-', 1) and e.stream = d.stream and e.revision = 0);

create or replace view reporting.escalation as
select e.id as escalation_id, e.kind, e.subject_id, e.case_id, d.number, e.site, e.severity, d.title, e.level, e.due_at,
  e.raised_at, e.recipients, e.unresolved, e.urgency, e.policy_version, e.superseded_by,
  coalesce(d.status, 'lapsed') as status, d.met_at, e.stream, e.revision, e.position, e.updated_at
from read_models.escalation e
left join lateral (
  select * from reporting.deadline x where x.subject_id = e.subject_id and x.kind = e.kind and x.due_at = e.due_at
  offset 0) d on true;
