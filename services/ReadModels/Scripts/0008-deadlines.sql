-- What is due, who was told of it, and what became of the telling.

-- Families escalation, escalation-policy and notification -----------------------------------------------------------
create table read_models.escalation (
  id uuid primary key,
  kind text not null,
  subject_id uuid not null,
  stream text not null,
  case_id uuid not null,
  site text not null,
  severity text,
  level integer not null,
  due_at timestamptz not null,
  recipients text[] not null,
  unresolved text[] not null,
  urgency text not null,
  policy_version integer not null,
  superseded_by integer,
  raised_at timestamptz not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
);
create index escalation_by_deadline on read_models.escalation (subject_id, kind, due_at);
create index escalation_by_raising on read_models.escalation (raised_at, id);

create table read_models.escalation_policy (
  version integer primary key,
  rules jsonb not null,
  responsibilities jsonb not null,
  reason text not null,
  set_by text not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
);

create table read_models.notification (
  id uuid primary key,
  channel text not null,
  recipient text not null,
  escalations uuid[] not null,
  day date,
  status text not null,
  attempt_count integer not null default 0,
  last_reason text,
  composed_at timestamptz not null,
  ended_at timestamptz,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
);
create index notification_by_composing on read_models.notification (composed_at, id);
create index notification_of_escalation on read_models.notification using gin (escalations);
create index notification_unfinished on read_models.notification (status) where status in ('composed', 'failing');

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

-- Deadlines are a view: they move and end with the rows they are read from, so there is nothing to keep in step. What
-- an import brought counts only where it fell due after the import; what was due before is the other system's history.
create view reporting.deadline as
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

create view reporting.escalation as
select e.id as escalation_id, e.kind, e.subject_id, e.case_id, d.number, e.site, e.severity, d.title, e.level, e.due_at,
  e.raised_at, e.recipients, e.unresolved, e.urgency, e.policy_version, e.superseded_by,
  coalesce(d.status, 'lapsed') as status, d.met_at, e.stream, e.revision, e.position, e.updated_at
from read_models.escalation e
left join lateral (
  select * from reporting.deadline x where x.subject_id = e.subject_id and x.kind = e.kind and x.due_at = e.due_at
  offset 0) d on true;

create view reporting.escalation_policy as
select p.version, p.rules, p.responsibilities, p.reason, p.set_by, p.occurred_at as set_at,
  (select count(*) from read_models.escalation e where e.policy_version = p.version) as raised_count,
  p.revision, p.position, p.updated_at
from read_models.escalation_policy p;

create view reporting.notification as
select n.id as notification_id, n.channel, n.recipient, n.escalations, n.day, n.status, n.attempt_count, n.last_reason,
  n.composed_at, n.ended_at, n.revision, n.position, n.updated_at
from read_models.notification n;

do $$
declare
  entry record;
begin
  for entry in
    with dictionary (view_name, column_name, meaning) as (values
      ('deadline', 'kind',
        'containment-due, customer-notice-due, action-due, action-verification, plan-approval, window-end or '
        || 'concession-end.'),
      ('deadline', 'subject_id',
        'What is due: the nonconformity, action, CAPA, effectiveness review or concession.'),
      ('deadline', 'number', 'The number of the nonconformity or CAPA that people read; null until assigned.'),
      ('deadline', 'severity', 'Of the nonconformity, or the gravest of a CAPA''s; null where there is none.'),
      ('deadline', 'owner', 'Person id of who is responsible; null where nobody is.'),
      ('deadline', 'title', 'The title of the case or action; of a concession, the product and what departs.'),
      ('deadline', 'due_at',
        'When it is due (UTC). Days end at midnight UTC; what waits for a person is due from when it waits.'),
      ('deadline', 'met_at',
        'When it was done (UTC); null while it is not, and where a case took its hold over from a duplicate.'),
      ('deadline', 'status', 'open, met, or lapsed where the case no longer asks for it.'),
      ('deadline', 'raised_levels', 'The levels of escalation that were raised for this due date.'),
      ('deadline', 'stream', 'The stream of the log that tells whether it was done.'),
      ('deadline', 'case_stream', 'The stream of the log that tells whether the case still asks for it.'),
      ('escalation', 'escalation_id', 'Id of the escalation, derived from kind, subject, due date and level.'),
      ('escalation', 'kind', 'The kind of the deadline; see reporting.deadline.'),
      ('escalation', 'subject_id', 'What is due; joins reporting.deadline with kind and due_at.'),
      ('escalation', 'number', 'The number of the case that people read.'),
      ('escalation', 'severity', 'The severity of the case when it was raised.'),
      ('escalation', 'title', 'The title of the case or action as it is now.'),
      ('escalation', 'level', 'The step of the chain, from 1.'),
      ('escalation', 'due_at', 'The due date it was raised for (UTC).'),
      ('escalation', 'raised_at', 'When it was raised (UTC).'),
      ('escalation', 'recipients', 'Person ids of those to be told; empty where nobody was found.'),
      ('escalation', 'unresolved', 'Owner, roles or persons of the rule for whom nobody was found.'),
      ('escalation', 'urgency', 'now, or digest for the mail of the day.'),
      ('escalation', 'policy_version', 'The version of the policy it followed; joins reporting.escalation_policy.'),
      ('escalation', 'superseded_by', 'The higher level that was raised at the same time; null where there was none.'),
      ('escalation', 'status', 'Of the deadline now: open, met or lapsed; lapsed also where its due date moved.'),
      ('escalation', 'met_at', 'When it was done (UTC).'),
      ('escalation', 'stream', 'The stream of the log that tells whether it was done.'),
      ('escalation_policy', 'version', 'The version, from 1.'),
      ('escalation_policy', 'rules',
        'The rules: kind, severityAtLeast, level, afterHours, recipients and urgency (JSON).'),
      ('escalation_policy', 'responsibilities', 'Who holds a role at a site: site, role and persons (JSON).'),
      ('escalation_policy', 'reason', 'Why it was set.'),
      ('escalation_policy', 'set_by', 'Person id of who set it, or the service.'),
      ('escalation_policy', 'set_at', 'Since when it has been in force (UTC).'),
      ('escalation_policy', 'raised_count', 'How many escalations followed it.'),
      ('notification', 'notification_id', 'Id of the notification; also in the message''s own id.'),
      ('notification', 'channel', 'mail or webhook.'),
      ('notification', 'recipient', 'Person id, or the name of a webhook.'),
      ('notification', 'escalations', 'Ids of what it tells; joins reporting.escalation.'),
      ('notification', 'day', 'The day of a digest; null for what is sent at once.'),
      ('notification', 'status',
        'composed, failing, delivered, given-up, or dropped where all had been done before it was sent.'),
      ('notification', 'attempt_count', 'How often it was sent.'),
      ('notification', 'last_reason', 'Why the last attempt failed or it was dropped, a code.'),
      ('notification', 'composed_at', 'When it was composed (UTC).'),
      ('notification', 'ended_at', 'When it was delivered, given up or dropped (UTC).'))
    select * from dictionary
    union all
    select v.view_name, v.column_name, v.meaning
    from (values ('deadline'), ('escalation'), ('escalation_policy'), ('notification')) as of (view_name)
    cross join lateral (values
      (of.view_name, 'revision', 'Number of the last event of the stream that this row reflects, from 0.'),
      (of.view_name, 'position', 'Commit position of that event in the log of all events.'),
      (of.view_name, 'updated_at',
        'When this row was written, by the database''s clock; not part of any comparison.')
    ) as v (view_name, column_name, meaning)
    union all
    select v.view_name, v.column_name, v.meaning
    from (values ('deadline'), ('escalation')) as of (view_name)
    cross join lateral (values
      (of.view_name, 'case_id', 'Id of the nonconformity or CAPA, or of a concession that belongs to none.'),
      (of.view_name, 'site', 'The site.')
    ) as v (view_name, column_name, meaning)
  loop
    execute format('comment on column reporting.%I.%I is %L', entry.view_name, entry.column_name, entry.meaning);
  end loop;
end
$$;

comment on view reporting.deadline is 'What is due or was, one row a deadline.';
comment on view reporting.escalation is 'Every step of every deadline that was raised, one row each.';
comment on view reporting.escalation_policy is 'The versions of the escalation policy, one row each.';
comment on view reporting.notification is 'What was sent to whom and whether it arrived, one row a message.';
