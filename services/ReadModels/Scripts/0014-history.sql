-- What rows said at any past instant: beside each table of cases one of its states (read_models.*_history), and for each
-- view of them a function that answers as the view would have at an instant. Both are made from the tables and views
-- themselves by define_as_of(), which runs after every migration: a column added to a table or a view need not be
-- added here.

create table read_models.nonconformity_attachment (
  nonconformity_id uuid not null,
  revision bigint not null,
  deviations uuid[] not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (nonconformity_id, revision)
);

-- The tables whose past is kept. Lists of what has a row per stream are sorted by sorted_by, which never changes.
create view read_models.history_table as
select * from (values
  ('nonconformity', 'nonconformity', array['id'], 'opened_at'),
  ('disposition_line', 'nonconformity', array['nonconformity_id', 'line_id'], null),
  ('nonconformity_capa', 'nonconformity', array['nonconformity_id', 'capa_id'], null),
  ('concession', 'concession', array['id'], 'requested_at'),
  ('concession_draw', 'concession', array['concession_id', 'draw_id'], null),
  ('root_cause_analysis', 'rootcause', array['id'], 'started_at'),
  ('cause', 'rootcause', array['root_cause_id', 'cause_id'], null),
  ('cause_why', 'rootcause', array['root_cause_id', 'why_id'], null),
  ('cause_factor', 'rootcause', array['root_cause_id', 'factor_id'], null),
  ('cause_contrast', 'rootcause', array['root_cause_id', 'revision'], null),
  ('capa', 'actionplan', array['id'], 'opened_at'),
  ('capa_nonconformity', 'actionplan', array['capa_id', 'nonconformity_id'], null),
  ('action', 'actionplan', array['capa_id', 'action_id'], null),
  ('capa_failure_mode', 'actionplan', array['capa_id', 'failure_mode', 'moment'], null),
  ('capa_deployment', 'actionplan', array['capa_id', 'process'], null),
  ('effectiveness_review', 'effectiveness', array['id'], 'locked_at')
) as t (table_name, family, keys, sorted_by);

create view read_models.as_of_view as
select * from (values
  ('nonconformity', 'nonconformity'),
  ('disposition', 'nonconformity'),
  ('concession', 'concession'),
  ('concession_draw', 'concession'),
  ('root_cause_analysis', 'rootcause'),
  ('cause', 'rootcause'),
  ('cause_why', 'rootcause'),
  ('cause_factor', 'rootcause'),
  ('cause_contrast', 'rootcause'),
  ('capa', 'actionplan'),
  ('action', 'actionplan'),
  ('failure_mode', 'actionplan'),
  ('deployment', 'actionplan'),
  ('effectiveness_cycle', 'effectiveness')
) as v (view_name, family);

-- The states of a table: its columns, none of which PostgreSQL computes, behind those that say when the state holds.
create function read_models.define_history(of_table text, keys text[], sorted_by text) returns void
language plpgsql as $define$
declare
  history text := of_table || '_history';
  missing record;
begin
  execute format('create table if not exists read_models.%I (
    event_revision bigint not null,
    event_occurred_at timestamptz not null,
    event_recorded_at timestamptz not null,
    true_from timestamptz not null,
    known_from timestamptz not null)', history);
  for missing in
    select a.attname, format_type(a.atttypid, a.atttypmod) as type, pg_get_expr(d.adbin, d.adrelid) as value
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = format('read_models.%I', of_table)::regclass and a.attnum > 0 and not a.attisdropped
      and a.attgenerated = ''
      and not exists (select from pg_attribute h
        where h.attrelid = format('read_models.%I', history)::regclass and h.attname = a.attname)
    order by a.attnum
  loop
    execute format('alter table read_models.%I add column %I %s %s', history, missing.attname, missing.type,
      'default ' || missing.value);
  end loop;
  if not exists (select from pg_constraint
      where conrelid = format('read_models.%I', history)::regclass and contype = 'p') then
    execute format('alter table read_models.%I add primary key (%s, event_revision, true_from, known_from)', history,
      array_to_string(keys, ', '));
  end if;
  if sorted_by is not null then
    execute format('create index if not exists %I on read_models.%I (%I, id) include (true_from, known_from)
      where event_revision = 0', history || '_first', history, sorted_by);
  end if;
end
$define$;

-- A function that answers with rows like those of a table. It is bound to none, so that a rebuilt table can take the
-- place of the one it reads.
create function read_models.define_at(of_table text, rows_like text, body text) returns void
language plpgsql as $define$
declare
  signature text := format('read_models.%I(timestamptz, timestamptz, bigint)', of_table || '_at');
  columns text;
begin
  select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
  into columns from pg_attribute a
  where a.attrelid = format('read_models.%I', rows_like)::regclass and a.attnum > 0 and not a.attisdropped;
  if pg_get_function_result(to_regprocedure(signature)::oid) <> format('TABLE(%s)', columns) then
    execute 'drop function ' || signature;
  end if;
  execute format('create or replace function %s returns table (%s) language sql stable as %L', signature, columns,
    body);
end
$define$;

-- The states that held at an instant, by the events up to a revision. A row per stream begins with its first event; it
-- is there that rows are found and sorted.
create function read_models.define_states(of_table text, keys text[], sorted_by text) returns void
language plpgsql as $define$
declare
  columns text;
  held constant text := 's.true_from <= $1 and s.known_from <= $2 and s.event_revision <= $3';
  latest constant text := 's.event_revision desc, s.true_from desc, s.known_from desc';
  body text;
begin
  if sorted_by is null then
    body := format('select distinct on (%1$s) s.* from read_models.%2$I_history s where %3$s order by %1$s, %4$s',
      (select string_agg('s.' || key, ', ') from unnest(keys) as key), of_table, held, latest);
  else
    select string_agg(format(case when a.attname in ('id', sorted_by) then 'o.%I' else 'h.%I' end, a.attname), ', '
      order by a.attnum)
    into columns from pg_attribute a
    where a.attrelid = format('read_models.%I_history', of_table)::regclass and a.attnum > 0 and not a.attisdropped;
    body := format('select %1$s from read_models.%2$I_history o
      cross join lateral (
        select s.* from read_models.%2$I_history s where s.id = o.id and %3$s order by %4$s limit 1) h
      where o.event_revision = 0 and o.true_from <= $1 and o.known_from <= $2', columns, of_table, held, latest);
  end if;
  perform read_models.define_at(of_table, of_table || '_history', body);
end
$define$;

-- The view's own text with states for rows and the instant for now. Of the view's own streams a revision may be asked
-- for instead of instants; other streams are always read as they were known. The function in reporting has the rights of
-- its owner, since analysts may not read the tables.
create function read_models.define_view_as_of(of_view text, of_family text) returns void
language plpgsql as $define$
declare
  body text := rtrim(pg_get_viewdef(format('reporting.%I', of_view)::regclass, true), ';');
  source record;
begin
  for source in
    select table_name, family from read_models.history_table
    union all values ('nonconformity_number', 'numbering-nc'), ('capa_number', 'numbering-capa')
  loop
    body := regexp_replace(body, format('\mread_models\.%s\M', source.table_name), format(
      case when source.family = of_family
        then 'read_models.%s_at(case when $3 is null then $1 else ''infinity'' end,
          case when $3 is null then $2 else ''infinity'' end, coalesce($3, 9223372036854775807))'
        else 'read_models.%s_at($1, $2, 9223372036854775807)' end, source.table_name), 'g');
  end loop;
  body := regexp_replace(body, '\mnow\(\)', '$1', 'g');
  execute format('create or replace function read_models.%1$I(
      as_of timestamptz, known_at timestamptz, through_revision bigint default null)
    returns setof reporting.%2$I language sql stable as %3$L', of_view || '_as_of', of_view, body);
  execute format('create or replace function reporting.%1$I(as_of timestamptz, known_at timestamptz default now())
    returns setof reporting.%2$I language sql stable security definer set search_path = pg_catalog, pg_temp
    as ''select * from read_models.%1$I($1, $2)''', of_view || '_as_of', of_view);
  execute format('revoke all on function reporting.%I(timestamptz, timestamptz) from public', of_view || '_as_of');
  execute format('grant execute on function reporting.%I(timestamptz, timestamptz) to capa_analyst',
    of_view || '_as_of');
  execute format('comment on function reporting.%I(timestamptz, timestamptz) is %L', of_view || '_as_of', format(
    'The rows of reporting.%s as they were at as_of by what was recorded up to known_at, which is now unless given.',
    of_view));
end
$define$;

create function read_models.define_as_of() returns void language plpgsql as $define$
begin
  perform read_models.define_history(table_name, keys, sorted_by) from read_models.history_table;
  perform read_models.define_states(table_name, keys, sorted_by) from read_models.history_table;
  -- Numbers are given once.
  perform read_models.define_at(t, t, format(
    'select n.* from read_models.%I n where n.occurred_at <= $1 and n.recorded_at <= $2', t))
  from unnest(array['nonconformity_number', 'capa_number']) as t;
  perform read_models.define_view_as_of(view_name, family) from read_models.as_of_view;
end
$define$;
