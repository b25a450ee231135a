-- The ledger verifies. Then somebody with every right on the server changes one byte, and it does not.
SET client_min_messages = notice;
CALL ecert.verify_ledger();

\i shared/change_byte.sql

-- Gulf Clean Energy Center burnt 67,217 short tons of coal in January 2020: in CBOR 1a 00 01 06 91. The last byte becomes 90.
SELECT p.hash, position('\x1a00010691'::bytea IN p.package::bytea) + 3 AS at
  FROM ledger.package p WHERE p.issuer = 'gulf-clean-energy-center' AND p.kind = 'energy' AND p.seq = 0 \gset
SELECT demo.change_byte(:'hash', :at) \g /dev/null
\echo
SELECT p.issuer, p.kind, p.seq, l.source, l.quantity AS "was 67217"
  FROM ledger.package p CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l WHERE p.hash = :'hash' AND l.source = 'BIT';

CALL ecert.verify_ledger();
\echo
\echo 'The same by plain SQL and pgcrypto, ecert.check_chain():'
SELECT * FROM ecert.check_chain();

-- and back, so that the ledger that is left is whole
SELECT demo.change_byte(:'hash', :at) \g /dev/null
\echo 'The byte is put back.'
CALL ecert.verify_ledger();
