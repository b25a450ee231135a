-- Somebody with every right on the hub. Who tries without more ado is refused.
\set ON_ERROR_STOP off
ALTER TABLE ledger.package DISABLE TRIGGER USER;
\set ON_ERROR_STOP on
\i shared/change_byte.sql
\i network/change_byte.sql
\echo
\echo 'Who means it can. After the next round of duties of the others:'
