#!/bin/sh
# Where the time of admission goes beside the signature: instructions for each package of a COPY, counted by callgrind in a
# single-user server that takes every signature as right. Counts, unlike times, do not change with what else runs.
#
#   bench/profile.sh [LINES]    energy packages of so many lines, by default 1 and then 145
#
# What is missing is installed with apt-get, as root or by sudo. SHA-256 counts for more than it costs: valgrind knows no SHA
# instructions. Nothing is left behind.
set -u
export LC_ALL=C LANG=C.UTF-8 TZ=UTC
umask 022
project=$(cd "$(dirname "$0")/.." && pwd -P)
. "$project/scripts/common.sh"
run=$project/build/bench/profile
home=

finish() {
	trap '' INT TERM HUP
	with_main_cluster
	[ -z "$home" ] || remove_home "$run"
}

sql() {
	as_server "$pg_bin/psql" -XAtq -v ON_ERROR_STOP=1 -d profile "$@"
}

# Packages of 40 days of 100 issuers, so many lines each, as a file for COPY
sign() {
	genesis=$(sql -c "SELECT encode(ecert.genesis_hash(), 'hex')")
	awk -v lines="$1" 'BEGIN {
		print "producer,period_start,period_end,source,unit,quantity,point"
		for (d = 0; d < 40; d++) for (n = 0; n < 100; n++) for (l = 1; l <= lines; l++)
			printf "issuer-%02d,%s,%s,electricity,kWh,%d.%02d,meter-%d\n", n, strftime("%Y-%m-%d", 86400 * d, 1), strftime("%Y-%m-%d", 86400 * (d + 1), 1), 100 + d, l % 100, l
	}' | as_server "$home/tree/tools/ecert-sign" energy --origin profile --genesis "$genesis" 2>/dev/null | as_server tee "$home/packages" >/dev/null
	sql -c 'CREATE TABLE IF NOT EXISTS staged (package ecert.package)' -c 'TRUNCATE staged' -c "COPY staged FROM '$home/packages'" \
		-c "COPY (SELECT package FROM staged ORDER BY ecert.seq(package), ecert.issuer(package)) TO '$home/packages' (FORMAT binary)" \
		-c "SELECT format('%s packages of %s bytes', count(*), round(avg(octet_length(package::bytea)))) FROM staged"
}

# Run a statement in a single-user server under callgrind: the file says what each function took, with what it calls
count() {
	printf 'BEGIN\n%s\nROLLBACK\n' "$2" | as_server env LD_PRELOAD="$home/right.so" valgrind --tool=callgrind --callgrind-out-file="$home/counts.$1" \
		"$pg_bin/postgres" --single -D "$home/data" profile >"$home/valgrind.log" 2>&1 || die "valgrind: $(tail -n 3 "$home/valgrind.log")"
	as_server callgrind_annotate --inclusive=yes --tree=none --threshold=100 "$home/counts.$1" |
		sed -n 's/^ *\([0-9,]*\) *([ 0-9.]*%) *[^ ]*:\([A-Za-z_0-9]*\) \[.*/\1 \2/p' | tr -d , >"$run/counts.$1"
}

# The difference of both runs for each package
report() {
	awk -v packages=4000 '
		function put(name, label) { printf "  %9d  %s\n", (with[name] - without[name]) / packages, label }
		FILENAME ~ /without$/ { if ($1 > without[$2]) without[$2] = $1; next }
		{ if ($1 > with[$2]) with[$2] = $1 }
		END {
			put("DoCopy", "COPY, of it")
			put("ecert_package_recv", "  input of the type: strict form")
			put("ecert_admit", "  admission, of it")
			put("ecert_hash_of", "    SHA-256 of the package")
			put("ecert_body_check", "    schema of the body")
			put("check_origin", "    issuer, key, time")
			put("ecert_check_kind", "    rules of the kind")
			put("heap_modify_tuple_by_cols", "    the row with its columns")
			put("ExecInsertIndexTuples", "  indexes")
			put("heap_insert", "  the row into the table")
		}' "$run/counts.without" "$run/counts.with"
}

only_one bench
trap finish EXIT
trap 'exit 130' INT TERM HUP
install_packages profile
remove_home "$run"
make_home "$run"
copy_tree
if ! build || ! build_programs tools; then
	die 'the build failed'
fi
as_server sh -c 'cat >right.c && gcc -shared -fPIC -o right.so right.c' <<-'C'
	int crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *message, unsigned long long size, const unsigned char *key);
	int crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *message, unsigned long long size, const unsigned char *key) { return 0; }
C
make_socket
start_cluster data 5432 "$(printf "ecert.node = 'certifier'\necert.signing_key = '%s'\necert.seal_key = '%s'\n" "$home/tree/test/keys/certifier.pem" "$home/tree/test/keys/seal.pem")" || die 'the server does not start'
as_server "$pg_bin/createdb" profile
seq -f 'issuer-%02.0f' 0 99 | as_server "$home/tree/tools/ecert-sign" enrol | as_server tee "$home/enrol" >/dev/null
sql -c 'CREATE EXTENSION ecert' -c "SELECT ecert.create_ledger('profile') IS NOT NULL" -c 'CREATE TABLE enrolled (node text, public_key text)' -c "COPY enrolled FROM '$home/enrol'" \
	-c "SELECT count(ecert.enroll(node, '{applicant}', public_key)) FROM enrolled" >/dev/null
for lines in ${1:-1 145}; do
	say "$(sign "$lines"), $lines line(s): instructions for each"
	as_server "$pg_bin/pg_ctl" -D "$home/data" -w stop >/dev/null
	count without 'SELECT 1'
	count with "COPY ledger.package (package) FROM '$home/packages' (FORMAT binary)"
	report
	as_server "$pg_bin/pg_ctl" -D "$home/data" -l "$home/data.log" -w start >/dev/null
done
