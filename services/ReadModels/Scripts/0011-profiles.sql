-- Which guards held where, and what they asked for.
create table read_models.profile_version (
  name text not null,
  version integer not null,
  rules jsonb not null,
  reason text not null,
  set_by text not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (name, version)
);

create table read_models.site_profile (
  site text not null,
  revision bigint not null,
  profile text not null,
  reason text not null,
  chosen_by text not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (site, revision)
);

alter table read_models.capa
  add approvals jsonb not null default '[]',
  add rationale text,
  add reopened_at timestamptz;
alter table read_models.root_cause_analysis add human_factors text;
alter table read_models.disposition_line add instruction text, add possible_harm text;

create view reporting.profile as
select p.name as profile, p.version, p.rules, p.reason, p.set_by, p.recorded_at as set_at, p.revision, p.position,
  p.updated_at
from read_models.profile_version p;

create view reporting.site_profile as
select s.site, s.profile, s.reason, s.chosen_by, s.recorded_at as chosen_at,
  lead(s.recorded_at) over (partition by s.site order by s.revision) as replaced_at, s.revision, s.position,
  s.updated_at
from read_models.site_profile s;

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
  c.risk_class, c.residual_severity, c.residual_likelihood, c.residual_risk_class, c.does_harm, c.adverse_effects,
  c.approvals, c.rationale, c.reopened_at
from read_models.capa c;

create or replace view reporting.root_cause_analysis as
select r.id as root_cause_id, r.capa_id, r.nonconformity_id, r.site, r.owner, r.problem, r.escaped, r.status, r.cycle,
  r.unknown_justification, r.extent_query, r.extent_hits, r.extent_checked_by, r.extent_checked_at,
  r.human_error_reason, r.started_at, r.completed_at, r.completed_by, r.approved_at, r.approved_by, r.imported,
  r.revision, r.position, r.occurred_at, r.recorded_at, r.updated_at, r.categories,
  r.human_factors
from read_models.root_cause_analysis r;

create or replace view reporting.disposition as
select l.nonconformity_id, l.line_id, l.kind, l.quantity, l.lot, l.authority_id, l.reason, l.status, l.decided_at,
  l.executed_at, l.executed_by, l.verified_at, l.verified_by, l.finished_at, l.revision, l.position, l.updated_at,
  l.concession_id, l.destruction, l.instruction, l.possible_harm
from read_models.disposition_line l;

comment on view reporting.profile is 'The versions of the profiles, one row each; the highest is in force.';
comment on view reporting.site_profile is 'Which profile a site followed from when to when.';

do $$
declare
  entry record;
begin
  for entry in
    select * from (values
      ('profile', 'profile', 'The name of the profile, such as iso9001.'),
      ('profile', 'version', 'The version, from 1; decisions name it in their metadata as name/version.'),
      ('profile', 'rules', 'Which guards are stricter than those of ISO 9001, and how (JSON).'),
      ('profile', 'reason', 'Why this version was set.'),
      ('profile', 'set_by', 'Person id of who set it, or the service.'),
      ('profile', 'set_at', 'Since when it has been in force (UTC).'),
      ('site_profile', 'site', 'The site; * stands for every site that has chosen none.'),
      ('site_profile', 'profile', 'The name of the profile; joins reporting.profile.'),
      ('site_profile', 'reason', 'Why it was chosen.'),
      ('site_profile', 'chosen_by', 'Person id of who chose it, or the service.'),
      ('site_profile', 'chosen_at', 'Since when the site has followed it (UTC).'),
      ('site_profile', 'replaced_at', 'When the site chose another one (UTC); null while it follows this one.'),
      ('capa', 'approvals', 'Who has approved the plan of this cycle, when and why (JSON); several where the risk is grave.'),
      ('capa', 'rationale', 'Why the plan is right, as its last approver said; null where nobody asked.'),
      ('capa', 'reopened_at', 'When it was last opened again after closing (UTC); null where it never was.'),
      ('root_cause_analysis', 'human_factors', 'What part human factors had; null where nobody asked.'),
      ('disposition', 'instruction', 'The instruction by which material is reworked or repaired.'),
      ('disposition', 'possible_harm', 'What harm rework or repair could do, as considered before.')
    ) as d (view_name, column_name, meaning)
    union all
    select v.view_name, c.column_name, c.meaning
    from (values ('profile'), ('site_profile')) as v (view_name)
    cross join (values
      ('revision', 'Number of the event in its stream, from 0.'),
      ('position', 'Commit position of that event in the log of all events.'),
      ('updated_at', 'When this row was written, by the database''s clock; not part of any comparison.')
    ) as c (column_name, meaning)
  loop
    execute format('comment on column reporting.%I.%I is %L', entry.view_name, entry.column_name, entry.meaning);
  end loop;
end
$$;
