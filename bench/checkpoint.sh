#!/bin/sh
# How fast packages are sealed, and receipts given: builds ecert, starts a server of its own below build/bench,
# measures, prints, and takes everything away again.
#
#   bench/checkpoint.sh
#
# Set by the environment:
#   PACKAGES=1000000   packages on the ledger; 10000000 takes about half an hour and 12 GB of disk
#   FEEDS=100          feeds (one issuer each) that the packages are spread over
#   REPEATS=3          how often each figure is measured
#   DURATION=10        seconds of each measurement of receipts
#   CONF=              settings for the server, as in postgresql.conf; lines end with \n
#   PG_CONFIG=         of the PostgreSQL to take, by default the newest that is complete
#
# What is missing is installed with apt-get, as root or by sudo.
set -u
export LC_ALL=C LANG=C.UTF-8
umask 022
unset CDPATH PGDATABASE PGUSER PGHOST PGPORT PGOPTIONS PGSERVICE MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
project=$(cd "$(dirname "$0")/.." && pwd -P)
. "$project/scripts/common.sh"

packages=${PACKAGES:-1000000} feeds=${FEEDS:-100} repeats=${REPEATS:-3} duration=${DURATION:-10}
run=$project/build/bench
home=

# Leave no server behind, and no file that is not the caller's
finish() {
	trap '' INT TERM HUP
	with_main_cluster
	remove_home "$run"
	[ "$(id -u)" -ne 0 ] || chown -R "$(stat -c %u:%g "$project")" "$project/build" 2>/dev/null
}

query() {
	as_server "$pg_bin/psql" -XAtq -d postgres -v ON_ERROR_STOP=1 "$@" </dev/null
}

# As the certifier
certify() {
	query -c "SET ecert.node = 'certifier'; SET ecert.signing_key = '$home/tree/test/keys/certifier.pem'; $1"
}

# Milliseconds that a statement takes
milliseconds() {
	query -c '\timing on' -c "$1" 2>/dev/null | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p'
}

# Print "median, least .. most" of the numbers on standard input
spread() {
	sort -n | awk -v unit="$1" '{ n[NR] = $1 } END { printf "%s%s (%s .. %s)\n", n[int((NR + 1) / 2)], unit, n[1], n[NR] }'
}

# The signed packages of issuers first .. last as COPY text: a line of electricity for each of $3 days
signed_packages() {
	awk -v first="$1" -v last="$2" -v days="$3" 'BEGIN {
		print "producer,period_start,period_end,source,unit,quantity"
		for (n = first; n <= last; n++)
			for (d = 0; d < days; d++)
				printf "plant-%03d,%s,%s,electricity,kWh,%d\n", n, strftime("%Y-%m-%d", 86400 * d, 1), strftime("%Y-%m-%d", 86400 * (d + 1), 1), 100 + d % 900
	}' | "$home/tree/tools/ecert-sign" energy --origin bench.example --genesis "$genesis" 2>/dev/null
}

# Load the packages, by as many sessions as there are processors
load() {
	jobs=$(nproc) days=$((packages / feeds)) job=0
	while [ "$job" -lt "$jobs" ]; do
		signed_packages $((job * feeds / jobs)) $(((job + 1) * feeds / jobs - 1)) "$days" |
			as_server "$pg_bin/psql" -Xq -d postgres -c 'COPY ledger.package (package) FROM STDIN' &
		job=$((job + 1))
	done
	wait
}

only_one bench
trap finish EXIT
trap 'exit 130' INT TERM HUP
began=$(date +%s)
install_packages all
remove_home "$run"
make_home "$run"
say "Building ecert for PostgreSQL $pg_version ..."
copy_tree
if ! build || ! build_programs tools; then
	die 'the build failed'
fi
make_socket
start_cluster data 5432 "fsync = on
max_wal_size = 8GB
$(printf '%b' "${CONF:-}")" || die 'the server does not start'

say "Loading $packages signed packages in $feeds feeds ..."
query -c 'CREATE EXTENSION ecert'
certify "SELECT ecert.create_ledger('bench.example') IS NOT NULL" >/dev/null
genesis=$(query -c "SELECT encode(ecert.genesis_hash(), 'hex')")
seq -f 'plant-%03g' 0 $((feeds - 1)) | as_server "$home/tree/tools/ecert-sign" enrol >"$home/enrol"
certify "CREATE TABLE enrol (node text, key text); COPY enrol FROM '$home/enrol'; SELECT count(ecert.enroll(node, '{applicant}', key)) FROM enrol" >/dev/null
load
query -c 'VACUUM ANALYZE ledger.package' -c 'CHECKPOINT'
stored=$(query -c 'SELECT count(*) FROM ledger.package')

say "PostgreSQL $("$pg_config" --version | cut -d ' ' -f 2), $(nproc) processors ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)), fsync on, load $(cut -d ' ' -f 1 /proc/loadavg)"
say "$stored packages"
say ''
sealed=$(as_server "$pg_bin/psql" -XAtq -d postgres -c "SET ecert.node = 'certifier'" -c "SET ecert.signing_key = '$home/tree/test/keys/certifier.pem'" \
	-c '\timing on' -c 'SELECT ecert.checkpoint()' 2>/dev/null </dev/null | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p')
say "checkpoint over all of them: $sealed ms, $(awk -v n="$stored" -v ms="$sealed" 'BEGIN { printf "%d", n / ms * 1000 }') packages/s"
query -c "SELECT 'tiles: ' || pg_size_pretty(pg_total_relation_size('ledger.tile')) || ' beside ' || pg_size_pretty(pg_total_relation_size('ledger.package')) || ' of packages'"
for repeat in $(seq "$repeats"); do
	milliseconds 'SELECT ecert.rebuild_tree()' | awk -v n="$stored" '{ printf "%d\n", n / $1 * 1000 }'
done | { printf 'the tree made anew: '; spread ' packages/s'; }
query -c 'VACUUM ANALYZE ledger.tile, ledger.leaf_range, ledger.sealing'
certify 'SELECT ecert.checkpoint()' >/dev/null
for repeat in $(seq "$repeats"); do
	milliseconds 'SELECT ecert.verify_registry() UNION ALL SELECT ecert.verify_checkpoints(true)' | awk -v n="$stored" '{ printf "%d\n", n / $1 * 1000 }'
done | { printf 'checkpoints checked from the bytes of the packages: '; spread ' packages/s'; }

# receipts of packages drawn by chance, each a transaction of its own, one client
query -c "CREATE TABLE drawn AS SELECT row_number() OVER () AS n, hash FROM (SELECT hash FROM ledger.package WHERE kind = 'energy' AND random() < 50000.0 / $stored) AS p" \
	-c 'CREATE UNIQUE INDEX ON drawn (n)' -c 'ANALYZE drawn' || die 'it was not measured'
count=$(query -c 'SELECT count(*) FROM drawn')
cat >"$home/receipt.sql" <<SQL
\\set n random(1, $count)
SELECT ecert.receipt(hash) FROM drawn WHERE n = :n;
SQL
cat >"$home/lookup.sql" <<SQL
\\set n random(1, $count)
SELECT p.package FROM drawn s JOIN ledger.package p ON p.hash = s.hash WHERE s.n = :n;
SQL
for script in receipt lookup; do
	for repeat in $(seq "$repeats"); do
		rm -f "$home"/pgbench_log.*
		as_server "$pg_bin/pgbench" -n -M prepared -c 1 -T "$duration" -l -f "$home/$script.sql" postgres >/dev/null 2>&1 </dev/null
		cut -d ' ' -f 3 "$home"/pgbench_log.* | sort -n | awk '{ us[NR] = $1 } END { printf "%.3f %.3f\n", us[int((NR + 1) / 2)] / 1000, us[int(NR * 0.99)] / 1000 }'
	done >"$home/$script.ms"
	printf '%s, ms as the client sees it, median: ' "$script"
	cut -d ' ' -f 1 "$home/$script.ms" | spread ' ms'
	printf '%s, 99th percentile: ' "$script"
	cut -d ' ' -f 2 "$home/$script.ms" | spread ' ms'
done
key=$(certify 'SELECT ecert.public_key()')
for repeat in $(seq "$repeats"); do
	milliseconds "SELECT count(ecert.receipt(hash)) FROM (SELECT hash FROM drawn LIMIT 10000) AS s" | awk '{ printf "%.4f\n", $1 / 10000 }'
done | { printf 'receipt, in one statement: '; spread ' ms'; }
for repeat in $(seq "$repeats"); do
	milliseconds "SELECT count(*) FROM (SELECT p.package, ecert.receipt(s.hash) AS receipt FROM (SELECT hash FROM drawn LIMIT 10000) AS s JOIN ledger.package p ON p.hash = s.hash OFFSET 0) AS r WHERE ecert.verify_receipt(r.package, r.receipt, '$key')" | awk '{ printf "%.4f\n", $1 / 10000 }'
done | { printf 'receipt made and verified: '; spread ' ms'; }
say "size of a receipt: $(query -c 'SELECT max(octet_length(ecert.receipt(hash))) FROM (SELECT hash FROM drawn LIMIT 100) AS s') bytes"
say "Measured in $(($(date +%s) - began)) seconds."
