-- What a plan holds beside its actions: risk before and after, harm elsewhere, deployment elsewhere.
alter table read_models.capa
  add risk_class text,
  add residual_severity integer,
  add residual_likelihood integer,
  add residual_risk_class text,
  add does_harm boolean,
  add adverse_effects text;

create table read_models.capa_failure_mode (
  capa_id uuid not null,
  failure_mode text not null,
  moment text not null,
  severity integer not null,
  occurrence integer not null,
  detection integer not null,
  priority text not null,
  priority_table text not null,
  rated_by text not null,
  rated_at timestamptz not null,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (capa_id, failure_mode, moment)
);

create table read_models.capa_deployment (
  capa_id uuid not null,
  process text not null,
  deployed boolean,
  reference text,
  answered_by text,
  answered_at timestamptz,
  planned_at timestamptz not null,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (capa_id, process)
);

create or replace view reporting.capa as
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
  c.imported, c.revision, c.position, c.occurred_at, c.recorded_at, c.updated_at,
  c.risk_class, c.residual_severity, c.residual_likelihood, c.residual_risk_class, c.does_harm, c.adverse_effects
from read_models.capa c;

create view reporting.failure_mode as
select f.capa_id, f.failure_mode, f.moment, f.severity, f.occurrence, f.detection, f.priority, f.priority_table,
  f.rated_by, f.rated_at, f.revision, f.position, f.updated_at
from read_models.capa_failure_mode f;

create view reporting.deployment as
select d.capa_id, d.process, d.deployed, d.reference, d.answered_by, d.answered_at, d.planned_at, d.revision,
  d.position, d.updated_at
from read_models.capa_deployment d;

comment on column reporting.capa.risk_class is 'The class of the risk before action, by the matrix of its time.';
comment on column reporting.capa.residual_severity is 'Severity of the risk that remains after action, 1 to 5.';
comment on column reporting.capa.residual_likelihood is 'Likelihood of the risk that remains after action, 1 to 5.';
comment on column reporting.capa.residual_risk_class is 'The class of the risk that remains, by the matrix of its time.';
comment on column reporting.capa.does_harm is
  'Whether the planned action was found to do harm elsewhere; null where it was not checked in this cycle.';
comment on column reporting.capa.adverse_effects is 'What that check found.';

comment on view reporting.failure_mode is 'Failure modes of CAPAs, as last rated before and after action.';
comment on column reporting.failure_mode.capa_id is 'Id of the CAPA; joins reporting.capa.';
comment on column reporting.failure_mode.failure_mode is 'What may go wrong, in words.';
comment on column reporting.failure_mode.moment is 'before or after the action.';
comment on column reporting.failure_mode.severity is 'How grave the effect is, 1 to 10.';
comment on column reporting.failure_mode.occurrence is 'How often it happens, 1 to 10.';
comment on column reporting.failure_mode.detection is 'How hard it is to notice in time, 1 to 10.';
comment on column reporting.failure_mode.priority is 'The action priority that the table gives.';
comment on column reporting.failure_mode.priority_table is 'The version of that table.';
comment on column reporting.failure_mode.rated_by is 'Person id of who rated it.';
comment on column reporting.failure_mode.rated_at is 'When it was rated (UTC).';

comment on view reporting.deployment is 'Processes to which the action of a CAPA is to be carried over.';
comment on column reporting.deployment.capa_id is 'Id of the CAPA; joins reporting.capa.';
comment on column reporting.deployment.process is 'The process.';
comment on column reporting.deployment.deployed is 'Whether the action was carried over; null until it is answered.';
comment on column reporting.deployment.reference is 'What shows that it was, or why it was not.';
comment on column reporting.deployment.answered_by is 'Person id of who answered.';
comment on column reporting.deployment.answered_at is 'When it was answered (UTC).';
comment on column reporting.deployment.planned_at is 'When the process was named (UTC).';

do $$
declare
  view_name text;
begin
  foreach view_name in array array['failure_mode', 'deployment'] loop
    execute format('comment on column reporting.%I.revision is %L', view_name,
      'Number of the last event of the stream that this row reflects, from 0; guards against repeats.');
    execute format('comment on column reporting.%I.position is %L', view_name,
      'Commit position of that event in the log of all events.');
    execute format('comment on column reporting.%I.updated_at is %L', view_name,
      'When this row was written, by the database''s clock; not part of any comparison.');
  end loop;
end
$$;
