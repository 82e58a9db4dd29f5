-- What hypotheses grow from, and the tree of cause codes.
alter table read_models.root_cause_analysis add categories text[];
alter table read_models.cause
  add why_id uuid,
  add factor_id uuid;

create table read_models.cause_why (
  root_cause_id uuid not null,
  why_id uuid not null,
  asks_after uuid,
  answer text not null,
  answered_by text not null,
  answered_at timestamptz not null,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (root_cause_id, why_id)
);

create table read_models.cause_factor (
  root_cause_id uuid not null,
  factor_id uuid not null,
  category text not null,
  statement text not null,
  noted_by text not null,
  noted_at timestamptz not null,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (root_cause_id, factor_id)
);

create table read_models.cause_contrast (
  root_cause_id uuid not null,
  aspect text not null,
  is_so text not null,
  is_not_so text not null,
  distinction text not null,
  noted_by text not null,
  noted_at timestamptz not null,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (root_cause_id, revision)
);

create table read_models.cause_code (
  version integer not null,
  code text not null,
  title text not null,
  reason text not null,
  set_by text not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (version, code)
);

create or replace view reporting.root_cause_analysis as
select r.id as root_cause_id, r.capa_id, r.nonconformity_id, r.site, r.owner, r.problem, r.escaped, r.status, r.cycle,
  r.unknown_justification, r.extent_query, r.extent_hits, r.extent_checked_by, r.extent_checked_at,
  r.human_error_reason, r.started_at, r.completed_at, r.completed_by, r.approved_at, r.approved_by, r.imported,
  r.revision, r.position, r.occurred_at, r.recorded_at, r.updated_at, r.categories
from read_models.root_cause_analysis r;

create or replace view reporting.cause as
select c.root_cause_id,
  (select r.capa_id from read_models.root_cause_analysis r where r.id = c.root_cause_id) as capa_id,
  c.cause_id, c.cycle, c.kind, c.code, c.statement, c.why_chain, c.status, c.method, c.evidence, c.proposed_by,
  c.proposed_at, c.decided_by, c.decided_at, c.revision, c.position, c.updated_at,
  c.why_id, c.factor_id
from read_models.cause c;

create view reporting.cause_why as
select w.root_cause_id, w.why_id, w.asks_after, w.answer, w.answered_by, w.answered_at, w.revision, w.position,
  w.updated_at
from read_models.cause_why w;

create view reporting.cause_factor as
select f.root_cause_id, f.factor_id, f.category, f.statement, f.noted_by, f.noted_at, f.revision, f.position,
  f.updated_at
from read_models.cause_factor f;

create view reporting.cause_contrast as
select c.root_cause_id, c.aspect, c.is_so, c.is_not_so, c.distinction, c.noted_by, c.noted_at, c.revision, c.position,
  c.updated_at
from read_models.cause_contrast c;

create view reporting.cause_code as
select c.version, c.code, nullif(regexp_replace(c.code, '[.]?[^.]*$', ''), '') as parent, c.title, c.reason, c.set_by,
  c.revision, c.position, c.occurred_at, c.recorded_at, c.updated_at
from read_models.cause_code c;

comment on view reporting.cause_why is 'Answers to "why?" of root cause analyses: chains from the problem to the cause.';
comment on view reporting.cause_factor is 'Possible influences by category, as a cause-and-effect diagram shows them.';
comment on view reporting.cause_contrast is 'Where problems are and could be but are not, and what sets the two apart.';
comment on view reporting.cause_code is 'The tree of cause codes, one row for each code of each version.';

do $$
declare
  entry record;
begin
  for entry in
    select * from (values
      ('root_cause_analysis', 'categories', 'The categories chosen for its diagram; null for the usual six.'),
      ('cause', 'why_id', 'The answer it follows from; joins reporting.cause_why. Null without a structured chain.'),
      ('cause', 'factor_id', 'The influence it follows from; joins reporting.cause_factor. Null without one.'),
      ('cause_why', 'why_id', 'Id of the answer.'),
      ('cause_why', 'asks_after', 'The answer that was asked after; null where the problem itself was.'),
      ('cause_why', 'answer', 'The answer.'),
      ('cause_why', 'answered_by', 'Person id of who answered.'),
      ('cause_why', 'answered_at', 'When it was answered (UTC).'),
      ('cause_factor', 'factor_id', 'Id of the influence.'),
      ('cause_factor', 'category', 'The category it stands under, such as machine or method.'),
      ('cause_factor', 'statement', 'The influence in words.'),
      ('cause_factor', 'noted_by', 'Person id of who noted it.'),
      ('cause_factor', 'noted_at', 'When it was noted (UTC).'),
      ('cause_contrast', 'aspect', 'What is contrasted: what, where, when or extent.'),
      ('cause_contrast', 'is_so', 'Where the problem is.'),
      ('cause_contrast', 'is_not_so', 'Where it could be but is not.'),
      ('cause_contrast', 'distinction', 'What sets the two apart.'),
      ('cause_contrast', 'noted_by', 'Person id of who noted it.'),
      ('cause_contrast', 'noted_at', 'When it was noted (UTC).'),
      ('cause_code', 'version', 'The version of the tree, from 1; the highest is in force.'),
      ('cause_code', 'code', 'The code, such as machine.wear.'),
      ('cause_code', 'parent', 'The code it stands below; null at the top.'),
      ('cause_code', 'title', 'The code in words.'),
      ('cause_code', 'reason', 'Why this version was set.'),
      ('cause_code', 'set_by', 'Person id of who set it.'),
      ('cause_code', 'occurred_at', 'When that event was true (valid time, UTC).'),
      ('cause_code', 'recorded_at', 'When the server wrote that event down (UTC).')
    ) as dictionary (view_name, column_name, meaning)
    union all
    select view_name, column_name, meaning
    from unnest(array['cause_why', 'cause_factor', 'cause_contrast', 'cause_code']) as view_name,
      (values
        ('root_cause_id', 'Id of the root cause analysis; joins reporting.root_cause_analysis.'),
        ('revision', 'Number of the last event of the stream that this row reflects, from 0; guards against repeats.'),
        ('position', 'Commit position of that event in the log of all events.'),
        ('updated_at', 'When this row was written, by the database''s clock; not part of any comparison.')
      ) as shared (column_name, meaning)
    where not (view_name = 'cause_code' and column_name = 'root_cause_id')
  loop
    execute format('comment on column reporting.%I.%I is %L', entry.view_name, entry.column_name, entry.meaning);
  end loop;
end
$$;
