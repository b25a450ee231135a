-- The certifier assesses, certifies and rewards.
SELECT set_config('demo.keys', :'keys', false) \g /dev/null
SELECT demo.act_as('certifier') \g /dev/null

\set against dan-e-karn
\i shared/certificates.sql

\echo 'The best rewarded auditors:'
SELECT n.name AS auditor, b.reward_count AS audits, trim_scale(b.amount) AS points
  FROM ledger.reward_balance b JOIN demo.node n ON n.node = b.auditor ORDER BY b.amount DESC, n.name LIMIT 3;
