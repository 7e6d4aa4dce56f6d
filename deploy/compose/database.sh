#!/bin/sh
# Makes the gateways' user and database on the leader; run again, it changes nothing.
set -eu
nodes=${NODES:-10.0.0.11,10.0.0.12,10.0.0.13}
leader="postgresql://postgres@$nodes/postgres?target_session_attrs=read-write"
own_password=$PGPASSWORD
export PGPASSWORD="$PATRONI_SUPERUSER_PASSWORD"
psql -X -v ON_ERROR_STOP=1 -v "password=$own_password" "$leader" <<'SQL'
SELECT format('CREATE ROLE seamline LOGIN PASSWORD %L', :'password')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'seamline') \gexec
SELECT 'CREATE DATABASE seamline OWNER seamline'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'seamline') \gexec
SQL
