-- Spread wallets over the nodes of a Citus cluster (12 or newer), each on one of them.
--
--     psql -v wallet=acme -f distribute.sql "postgresql://seamline@coordinator/seamline"
--
-- Run it once for each wallet, before its gateways start for the first time: they make their tables
-- in the schema, which is then kept on one node as a whole and can be moved to another one while it
-- is used. The gateways of the wallet are told of their schema by the URL, and go through the
-- coordinator:
--
--     url = "postgresql://seamline@coordinator/seamline?options=-csearch_path%3Dacme"
--
-- Why a schema, and not tables that are distributed by account: see "Citus" in ../README.md.

\set ON_ERROR_STOP on

CREATE EXTENSION IF NOT EXISTS citus;

SET citus.enable_schema_based_sharding TO on;

-- With that setting a new schema is a distributed one.
CREATE SCHEMA IF NOT EXISTS :"wallet";

-- Which node it is on, to look at; `citus_schema_move` takes it to another one.
SELECT schema_name, colocation_id, schema_size FROM citus_schemas WHERE schema_name = :'wallet'::regnamespace;
