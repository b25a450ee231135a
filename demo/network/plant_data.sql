-- A plant has its own months, and what was delivered to it. Variable: producer.
\set plants producer= :'producer'
\set receipts :plants
\i shared/tables.sql
\i shared/readings.sql
