-- Who may do what to a stream, as its last metadata event says. The events are there already, so what they say is
-- read from them once.
alter table eventlog.stream_limits add column acl json;

comment on column eventlog.stream_limits.acl is
  'Users and groups per right ($r, $w, $d, $mr, $mw) of the last metadata event; null if it has no access list.';

-- Metadata need not be JSON, and not all JSON can be read by PostgreSQL. What might hold an access list and cannot be
-- read becomes a list that permits nothing, until the metadata are written again.
create function eventlog.acl_of(metadata bytea) returns json language plpgsql as $$
declare
  acl json;
begin
  acl := convert_from(metadata, 'UTF8')::json -> '$acl';
  return case when json_typeof(acl) <> 'null' then acl end;
exception when others then
  return case when position('acl'::bytea in metadata) > 0 then '[]'::json end;
end $$;

update eventlog.stream_limits
set acl = (
  select eventlog.acl_of(e.data) from eventlog.events as e
  where e.stream = '$$' || stream_limits.stream and e.type = '$metadata'
  order by e.revision desc limit 1);

drop function eventlog.acl_of(bytea);
