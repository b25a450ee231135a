-- The certifier assesses, certifies and rewards.
\set against channel-energy-center-llc
\i shared/certificates.sql

\echo 'What the auditors have earned:'
SELECT b.auditor, b.reward_count AS audits, trim_scale(b.amount) AS points FROM ledger.reward_balance b ORDER BY b.amount DESC, b.auditor;
