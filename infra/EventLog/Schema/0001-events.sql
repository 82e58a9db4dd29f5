-- The log. A position is assigned by the only writer, so positions are dense, begin with 1, and their order is the
-- order of the commits.
create table eventlog.events (
  position bigint primary key,
  stream   text collate "C" not null,
  revision bigint not null,
  event_id uuid not null,
  type     text collate "C" not null,
  is_json  boolean not null,
  created  timestamptz not null,
  data     bytea not null,
  metadata bytea not null,
  unique (stream, revision)
);

-- Bodies are small or already compact: the time to compress them is not worth the space.
alter table eventlog.events
  alter column data set storage external,
  alter column metadata set storage external;

comment on table eventlog.events is 'Every event ever appended. Rows are never changed.';
comment on column eventlog.events.position is 'Place in the log of all events, from 1 without gaps.';
comment on column eventlog.events.revision is 'Place in the stream, from 0; 9223372036854775807 marks a tombstone.';

create function eventlog.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'The event log is append-only.';
end $$;

create trigger events_are_append_only before update or delete or truncate on eventlog.events
  for each statement execute function eventlog.refuse_change();

-- Who may write. A writer names its epoch in every write transaction; a later writer has a higher one, so that a
-- writer that was only slow can never write again.
create table eventlog.epoch (
  single   boolean primary key default true check (single),
  epoch    bigint not null,
  holder   text not null,
  taken_at timestamptz not null
);

insert into eventlog.epoch (epoch, holder, taken_at) values (0, 'nobody', now());

-- What the last metadata event of a stream says about what readers of the stream may see.
create table eventlog.stream_limits (
  stream          text collate "C" primary key,
  max_count       bigint,
  truncate_before bigint,
  max_age_seconds bigint
);
