-- From which version of its projection the rows of a read model come. A service with another version rebuilds the model
-- while these rows serve.
create table read_models.model_version (
  name text primary key,
  version integer not null,
  since timestamptz not null default now()
);

-- A second set of tables in the making, one row a schema: what it is made of, and how far it has come. The transaction
-- that writes rows moves this row along; the epoch counts who has taken the work up, so that a former one cannot go on.
create table read_models.table_copy (
  target text primary key,
  epoch bigint not null,
  composition text not null,
  phase text not null,
  position bigint not null,
  event_count bigint not null,
  begun_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
