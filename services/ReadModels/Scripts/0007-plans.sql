-- Due dates move by granted extensions only; the one first planned is what being on time is measured by.
alter table read_models.action
  add original_due_on date,
  add requested_due_on date,
  add extension_count integer not null default 0,
  add replaced_by uuid;
update read_models.action set original_due_on = due_on;
alter table read_models.action alter original_due_on set not null;

create or replace view reporting.action as
select a.capa_id,
  (select x.number from read_models.capa_number x where x.id = a.capa_id) as capa_number,
  a.action_id, a.cycle, a.kind, a.title, a.description, a.owner, a.due_on, a.causes, a.status,
  a.status in ('planned', 'in-progress', 'done') and a.due_on < (now() at time zone 'utc')::date as overdue,
  a.planned_at, a.started_at, a.completed_at, a.completed_by, a.evidence, a.verified_at, a.verified_by, a.finding,
  a.cancelled_at, a.cancel_reason, a.return_count, a.revision, a.position, a.updated_at,
  a.original_due_on, a.requested_due_on, a.extension_count,
  case when a.status in ('done', 'verified') then (a.completed_at at time zone 'utc')::date <= a.original_due_on
    end as on_time,
  a.replaced_by
from read_models.action a;

comment on column reporting.action.original_due_on is
  'The due date as first planned: the one that being on time is measured by.';
comment on column reporting.action.requested_due_on is
  'The later due date somebody asked for and nobody has decided on yet; null where there is none.';
comment on column reporting.action.extension_count is 'How often another person granted a later due date.';
comment on column reporting.action.on_time is
  'Whether it was done by the original due date; null until it is done.';
comment on column reporting.action.replaced_by is
  'Id of the action that replaced it; null unless it was cancelled in favour of another one.';
