-- Concessions and deviation permits, and what dispositions drew from them.

create table read_models.concession (
  id uuid primary key,
  site text not null,
  kind text not null,
  product text not null,
  requirement_standard text not null,
  requirement_edition text not null,
  requirement_clause text not null,
  requirement_text text,
  departure text not null,
  justification text not null,
  nonconformity_id uuid,
  lots text[] not null,
  quantity_requested double precision,
  unit text,
  requested_by text not null,
  requested_at timestamptz not null,
  status text not null,
  authority text,
  authority_reference text,
  conditions text,
  quantity_max double precision,
  valid_from timestamptz,
  valid_until timestamptz,
  decided_by text,
  decided_at timestamptz,
  decision_reason text,
  ended_at timestamptz,
  imported boolean not null,
  revision bigint not null,
  position bigint not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  updated_at timestamptz not null default now()
);
create index concession_by_request on read_models.concession (requested_at, id);

create table read_models.concession_draw (
  concession_id uuid not null,
  draw_id uuid not null,
  nonconformity_id uuid not null,
  lot text,
  quantity double precision not null,
  drawn_at timestamptz not null,
  released_at timestamptz,
  release_reason text,
  revision bigint not null,
  position bigint not null,
  updated_at timestamptz not null default now(),
  primary key (concession_id, draw_id)
);
create index concession_draw_by_case on read_models.concession_draw (nonconformity_id);
create index concession_by_case on read_models.concession (nonconformity_id);

create table read_models.case_event_concession
  partition of read_models.case_event for values in ('concession');

alter table read_models.disposition_line add column concession_id uuid;

create view reporting.concession as
select c.id as concession_id, c.site, c.kind, c.status, c.product, c.lots, c.requirement_standard,
  c.requirement_edition, c.requirement_clause, c.requirement_text, c.departure, c.justification, c.nonconformity_id,
  c.quantity_requested, c.quantity_max,
  (select coalesce(sum(d.quantity), 0) from read_models.concession_draw d
    where d.concession_id = c.id and d.released_at is null) as quantity_drawn,
  c.quantity_max - (select coalesce(sum(d.quantity), 0) from read_models.concession_draw d
    where d.concession_id = c.id and d.released_at is null) as quantity_remaining,
  c.unit, c.valid_from, c.valid_until, c.authority, c.authority_reference, c.conditions, c.requested_by, c.requested_at,
  c.decided_by, c.decided_at, c.decision_reason, c.ended_at,
  c.imported, c.revision, c.position, c.occurred_at, c.recorded_at, c.updated_at
from read_models.concession c;

create view reporting.concession_draw as
select d.concession_id, d.draw_id, d.nonconformity_id, d.lot, d.quantity, d.drawn_at, d.released_at, d.release_reason,
  d.revision, d.position, d.updated_at
from read_models.concession_draw d;

create or replace view reporting.disposition as
select l.nonconformity_id, l.line_id, l.kind, l.quantity, l.lot, l.authority_id, l.reason, l.status, l.decided_at,
  l.executed_at, l.executed_by, l.verified_at, l.verified_by, l.finished_at, l.revision, l.position, l.updated_at,
  l.concession_id
from read_models.disposition_line l;

do $$
declare
  entry record;
begin
  for entry in
    with dictionary (view_name, column_name, meaning) as (values
      ('concession', 'site', 'The site.'),
      ('concession', 'kind', 'deviation-permit (before making) or concession (after it).'),
      ('concession', 'status', 'requested, granted, refused, exhausted, expired or revoked.'),
      ('concession', 'product', 'The product.'),
      ('concession', 'lots', 'The lots it covers; empty for any lot of the product.'),
      ('concession', 'requirement_standard', 'The standard or document whose requirement is departed from.'),
      ('concession', 'requirement_edition', 'Its edition.'),
      ('concession', 'requirement_clause', 'The clause or place in it.'),
      ('concession', 'requirement_text', 'The words of the requirement, where given.'),
      ('concession', 'departure', 'What departs from it, and how far.'),
      ('concession', 'justification', 'Why it can be accepted.'),
      ('concession', 'nonconformity_id', 'The one nonconformity it is for; null where it may serve several.'),
      ('concession', 'quantity_requested', 'The quantity asked for, in unit; null where only time was to limit it.'),
      ('concession', 'quantity_max', 'The quantity granted, in unit; null where only time limits it.'),
      ('concession', 'quantity_drawn', 'What dispositions have drawn and not given back, in unit.'),
      ('concession', 'quantity_remaining', 'What may still be drawn, in unit; null where the quantity is not limited.'),
      ('concession', 'unit', 'The unit of its quantities, as given.'),
      ('concession', 'valid_from', 'When it was granted (UTC).'),
      ('concession', 'valid_until', 'The last instant at which it may be drawn (UTC); null where only quantity limits.'),
      ('concession', 'authority', 'Whose leave it is: organisation, design or customer.'),
      ('concession', 'authority_reference', 'The document or message of that authority.'),
      ('concession', 'conditions', 'The conditions under which it was granted.'),
      ('concession', 'requested_by', 'Person id of who asked for it.'),
      ('concession', 'requested_at', 'When it was asked for (UTC).'),
      ('concession', 'decided_by', 'Person id of who granted or refused it.'),
      ('concession', 'decided_at', 'When it was granted or refused (UTC).'),
      ('concession', 'decision_reason', 'Why it was refused or revoked.'),
      ('concession', 'ended_at', 'When it was exhausted, expired or revoked (UTC); null while it may be drawn.'),
      ('concession', 'imported', 'True where the stream was begun by an import of another system''s history.'),
      ('concession', 'occurred_at', 'When the last event was true (valid time, UTC).'),
      ('concession', 'recorded_at', 'When the server wrote that event down (UTC).'),
      ('concession_draw', 'draw_id', 'Id of the disposition line it was drawn for; joins reporting.disposition.line_id.'),
      ('concession_draw', 'nonconformity_id', 'Id of the nonconformity; joins reporting.nonconformity.'),
      ('concession_draw', 'lot', 'The lot it was drawn for.'),
      ('concession_draw', 'quantity', 'The quantity drawn.'),
      ('concession_draw', 'drawn_at', 'When it was drawn (UTC).'),
      ('concession_draw', 'released_at', 'When it was given back (UTC); null where it was used.'),
      ('concession_draw', 'release_reason', 'Why it was given back.'))
    select * from dictionary
    union all
    select v.view_name, v.column_name, v.meaning from (values ('concession'), ('concession_draw')) as of (view_name)
    cross join lateral (values
      (of.view_name, 'concession_id', 'Id of the concession; joins reporting.concession.'),
      (of.view_name, 'revision', 'Number of the last event of the stream that this row reflects, from 0.'),
      (of.view_name, 'position', 'Commit position of that event in the log of all events.'),
      (of.view_name, 'updated_at',
        'When this row was written, by the database''s clock; not part of any comparison.')
    ) as v (view_name, column_name, meaning)
    union all
    select 'disposition', 'concession_id', 'The concession drawn for a line that accepts what does not conform.'
  loop
    execute format('comment on column reporting.%I.%I is %L', entry.view_name, entry.column_name, entry.meaning);
  end loop;
end
$$;

comment on view reporting.concession is 'Concessions and deviation permits with what is left of them, one row each.';
comment on view reporting.concession_draw is 'What dispositions drew from concessions, one row a draw.';
