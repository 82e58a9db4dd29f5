-- The database and its three roles. Run as the superuser by ./capa and by the container image's first start; running it
-- again changes passwords only. The roles exist before the read models do, whose migrations grant to the analyst.
\getenv eventlog_password CAPA_EVENTLOG_PASSWORD
\getenv readmodels_password CAPA_READMODELS_PASSWORD
\getenv analyst_password CAPA_ANALYST_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', role)
FROM unnest(ARRAY['capa_eventlog', 'capa_readmodels', 'capa_analyst']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec

-- A password in a statement must not reach the server's log when the statement fails.
SET log_min_error_statement = panic;
ALTER ROLE capa_eventlog PASSWORD :'eventlog_password';
ALTER ROLE capa_readmodels PASSWORD :'readmodels_password';
ALTER ROLE capa_analyst PASSWORD :'analyst_password';
RESET log_min_error_statement;

-- Analysts bring their own tools: a forgotten query must not hold the system up, and nothing is changed by accident.
ALTER ROLE capa_analyst SET default_transaction_read_only = on;
ALTER ROLE capa_analyst SET statement_timeout = '60s';
ALTER ROLE capa_analyst SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE capa_analyst SET search_path = reporting;

SELECT 'CREATE DATABASE capaengine'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'capaengine') \gexec

REVOKE ALL ON DATABASE capaengine FROM PUBLIC;
GRANT CONNECT ON DATABASE capaengine TO capa_eventlog, capa_readmodels, capa_analyst;
GRANT CREATE, TEMPORARY ON DATABASE capaengine TO capa_eventlog, capa_readmodels;

\connect capaengine
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SELECT 'CREATE SCHEMA eventlog AUTHORIZATION capa_eventlog'
WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'eventlog') \gexec
