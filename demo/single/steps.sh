# shellcheck shell=sh
# The demo on one server; sourced by demo.sh.

# Run one step of the demo: a title and its SQL
step() {
	title "$1"
	run_sql "$2"
}

look_around() {
	say "    $pg_bin/psql -h '$PGHOST' -U postgres ecert"
}

say 'Starting a PostgreSQL of its own ...'
start_cluster data 5432 || die 'the server does not start'
"$pg_bin/createdb" ecert || exit 1

step 'The figures that twenty plants reported to the EIA, and the nodes of the ledger' single/01_data.sql
{ ask 'SELECT node FROM demo.node ORDER BY node'; echo seal; } | make_keys
step 'Genesis, policy, nodes and who audits whom' single/02_ledger.sql
step 'Every plant signs its months of 2020 and 2024' single/03_packages.sql
step 'Suppliers and peers audit' single/04_audits.sql
step 'The certifier assesses 2024 against 2020, certifies, and rewards the auditors' single/05_certificates.sql
step 'One byte is changed' single/06_tamper.sql
