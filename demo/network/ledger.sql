-- The certifier makes the ledger. Its policy requires all three audits of every package.
\set plants false
\set receipts false
\i shared/tables.sql
\i shared/certifier.sql
SELECT ecert.create_ledger('network.ecert.example', demo.policy('[{"as": "upstream", "count": 1}, {"as": "peer", "count": 1}, {"as": "downstream", "count": 1}]')) \g /dev/null
