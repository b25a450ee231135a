-- The supplier has what it delivered itself.
\set plants false
\set receipts 'supplier = ''KINDER MORGAN'''
\i shared/tables.sql
\i shared/deliveries.sql
