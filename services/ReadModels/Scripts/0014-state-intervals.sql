-- From when to when a record was in which state, by all that is known.
create table read_models.state_interval (
  family text not null,
  record text not null,
  record_id uuid not null,
  case_id uuid not null,
  track text not null,
  state text not null,
  entered_at timestamptz not null,
  entered_recorded_at timestamptz not null,
  entered_revision bigint not null,
  left_at timestamptz,
  left_recorded_at timestamptz,
  left_revision bigint,
  updated_at timestamptz not null default now(),
  primary key (family, record, record_id, track, entered_at)
) partition by list (family);
create index state_interval_by_state on read_models.state_interval (record, track, state, entered_at);

create table read_models.state_interval_nonconformity
  partition of read_models.state_interval for values in ('nonconformity');
create table read_models.state_interval_concession
  partition of read_models.state_interval for values in ('concession');
create table read_models.state_interval_rootcause
  partition of read_models.state_interval for values in ('rootcause');
create table read_models.state_interval_actionplan
  partition of read_models.state_interval for values in ('actionplan');
create table read_models.state_interval_effectiveness
  partition of read_models.state_interval for values in ('effectiveness');

create view reporting.state_interval as
select i.record, i.record_id, i.case_id, i.track, i.state, i.entered_at, i.left_at,
  (extract(epoch from coalesce(i.left_at, now()) - i.entered_at) / 86400)::double precision as days,
  i.entered_recorded_at, i.left_recorded_at, i.entered_revision, i.left_revision, i.updated_at
from read_models.state_interval i;

comment on view reporting.state_interval is
  'From when to when records were in which state, by all that is known; states of no duration are left out.';

do $$
declare
  entry record;
begin
  for entry in
    select * from (values
      ('record', 'nonconformity, capa, action, root-cause-analysis, effectiveness-cycle or concession.'),
      ('record_id', 'Id of the record; joins the id of the view of that name.'),
      ('case_id', 'Id of the stream it belongs to: of an action its CAPA, else the same as record_id.'),
      ('track', 'Its status or stage, or containment, disposition, customer_notice or cause_decision.'),
      ('state', 'The state, as the column of that name says it.'),
      ('entered_at', 'When it came into the state (valid time, UTC).'),
      ('left_at', 'When it went into another one (valid time, UTC); null while it is in it.'),
      ('days', 'Days in the state, or until now.'),
      ('entered_recorded_at', 'When the event by which it came into the state was written down (UTC).'),
      ('left_recorded_at', 'When the event by which it left the state was written down (UTC).'),
      ('entered_revision', 'Revision of the event by which it came into the state.'),
      ('left_revision', 'Revision of the event by which it left the state.'),
      ('updated_at', 'When this row was written, by the database''s clock; not part of any comparison.')
    ) as d (column_name, meaning)
  loop
    execute format('comment on column reporting.state_interval.%I is %L', entry.column_name, entry.meaning);
  end loop;
end
$$;
