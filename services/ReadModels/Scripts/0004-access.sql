-- Analysts read the views and nothing else. ./capa and the container image create the role with its password; on a bare
-- database it is created here without one, which fails, naming the role, where this login may not create roles.
do $$
begin
  if not exists (select from pg_roles where rolname = 'capa_analyst') then
    create role capa_analyst login;
  end if;
exception
  when duplicate_object or unique_violation then null; -- Another database of this server was being set up meanwhile.
end
$$;

revoke all on schema read_models from public;
revoke all on all tables in schema read_models from public;
grant usage on schema reporting to capa_analyst;
grant select on all tables in schema reporting to capa_analyst;
alter default privileges in schema reporting grant select on tables to capa_analyst;
