-- The versions of the triage policy, for whoever asks why a case was opened.
alter table read_models.triage_policy add column groups_by_station boolean not null default true;

create view reporting.triage_policy as
select p.version, p.rules, p.groups_by_station, p.reason, p.set_by, p.occurred_at as set_at,
  (select count(*) from read_models.signature_case s where s.policy_version = p.version) as opened_count,
  p.revision, p.position, p.updated_at
from read_models.triage_policy p;

comment on view reporting.triage_policy is 'The versions of the triage policy, one row each.';
comment on column reporting.triage_policy.version is 'The version, from 1; cases name the one that opened them.';
comment on column reporting.triage_policy.rules is 'The rules: severity, countMin and windowDays (JSON).';
comment on column reporting.triage_policy.groups_by_station is
  'Whether deviations of different stations are different subjects.';
comment on column reporting.triage_policy.reason is 'Why it was set.';
comment on column reporting.triage_policy.set_by is 'Person id of who set it, or the service.';
comment on column reporting.triage_policy.set_at is 'Since when it has been in force (UTC).';
comment on column reporting.triage_policy.opened_count is 'How many cases it opened.';
comment on column reporting.triage_policy.revision is 'Number of the event in its stream, from 0.';
comment on column reporting.triage_policy.position is 'Commit position of that event in the log of all events.';
comment on column reporting.triage_policy.updated_at is
  'When this row was written, by the database''s clock; not part of any comparison.';
