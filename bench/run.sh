#!/bin/sh
# What ecert does beside what a user would do instead, in one run: builds ecert, starts a server of its own below
# build/bench, measures, prints tables with ratios, draws plots, and takes everything but the results away again.
#
#   bench/run.sh [quick | full | large] [SECTION ...]
#
#   quick   everything on little data, two minutes (make bench-quick)
#   full    everything, under half an hour (make bench)
#   large   a ledger of ten million packages beside an empty one (make bench-large): about an hour and 30 GB of disk
#
# Sections, by default all: copy growth commits moved readings verify checkpoint aggregate assess hypercore replication
# Figures of sections that are run again replace the old ones of that level.
#
# Set by the environment:
#   KEEP=              1 for large: keep the ledger in build/bench/large, where the next run takes it from
#   DAYS=10000         for large: days of the 1000 issuers on the ledger
#   CONF=              further settings for the server, as in postgresql.conf; lines end with \n
#   ECERT_DATA_DIR=    where the data of the real plants is, by default shared/data beside the checkout or above it
#   PG_CONFIG=         of the PostgreSQL to take, by default the newest that is complete
#
# What is missing is installed with apt-get, as root or by sudo; hypercore by npm, and left out where there is none. As root or
# by sudo huge pages are reserved for the server (vm.nr_hugepages), and given back at the end.
# Results are build/bench/results.csv (every single figure), tables.md and plots/*.svg.
set -u
export LC_ALL=C LANG=C.UTF-8 TZ=UTC
umask 022
unset CDPATH PGDATABASE PGUSER PGHOST PGPORT PGOPTIONS PGSERVICE MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
project=$(cd "$(dirname "$0")/.." && pwd -P)
. "$project/scripts/common.sh"

all_sections='copy growth commits moved readings verify checkpoint aggregate assess hypercore replication'
level=full
case "${1:-}" in
	quick | full | large) level=$1; shift ;;
esac
[ "$level" != large ] || all_sections=large
sections=${*:-$all_sections}
for section in $sections; do
	case " $all_sections " in
		*" $section "*) ;;
		*) die "no such section: $section ($all_sections)" ;;
	esac
done
results=$project/build/bench
run=$results/run
[ "$level" != large ] || run=$results/large
home=
keep=
huge_pages_before=
[ "$level" != large ] || keep=${KEEP:-}

# Leave no server behind, and no file that is not the caller's, but the figures and a ledger that is to be kept
finish() {
	trap '' INT TERM HUP
	with_main_cluster
	if [ -n "$home" ]; then
		keep_results
		if [ -n "$keep" ] && [ -f "$home/kept" ]; then
			as_server "$pg_bin/pg_ctl" -D "$home/data" -m fast -w stop >/dev/null 2>&1
			stop_clusters
		else
			remove_home "$run"
		fi
	fi
	[ -z "$huge_pages_before" ] || set_huge_pages "$huge_pages_before"
	# but for a ledger that is kept, which is the server's
	[ "$(id -u)" -ne 0 ] || find "$results" -path "$results/large/home" -prune -o -exec chown "$(stat -c %u:%g "$project")" {} + 2>/dev/null
}

# Put the figures of this run's sections in the place of older ones, and make the tables and plots of them
keep_results() {
	[ -s "$home/results.csv" ] || return 0
	touch "$results/$level.csv"
	{
		grep -v -E "^(machine,$(cut -d , -f 1 "$home/results.csv" | sort -u | sed 's/.*/|&,/' | tr -d '\n'))" "$results/$level.csv"
		cat "$home/results.csv"
	} >"$results/results.csv"
	cp "$results/results.csv" "$results/$level.csv"
	rm -f "$home/results.csv"
}

# ecert once more, without what it notes of feeds that have moved: for section moved
build_unmoved() {
	as_server sh -c '
		cc -std=gnu11 -O2 -fPIC -I"$1/src" -I"$2" -c -o "$1/bench/unmoved.o" "$1/bench/unmoved.c" &&
			cc -shared -o "$3/ecert_unmoved.so" $(find "$1/src" -name "*.o" ! -path "*/verifier/*" ! -path "*/ledger/moved.o") "$1/bench/unmoved.o" -lcrypto -lsodium
	' - "$home/tree" "$("$pg_config" --includedir-server)" "$home/installed$("$pg_config" --pkglibdir)"
}

# ---- the server -------------------------------------------------------------------------------------

# PostgreSQL's defaults but for these
settings() {
	cat <<-CONF
		fsync = on
		# as its manual recommends for a server of its own: a quarter of the memory
		shared_buffers = $(awk '/^MemTotal/ { printf "%d", $2 / 4096 }' /proc/meminfo)MB
		# so that no checkpoint falls into one measurement and not into the other: each begins with one
		max_wal_size = 16GB
		checkpoint_timeout = 1h
		# its work would fall into whatever is measured next; tables are vacuumed and analyzed when they are filled
		autovacuum = off
		ecert.node = 'certifier'
		ecert.signing_key = '$home/tree/test/keys/certifier.pem'
		ecert.seal_key = '$home/tree/test/keys/seal.pem'
		$(printf '%b' "${CONF:-}")
	CONF
}

# Start the server, on a ledger that was kept if there is one
start_server() {
	rm -rf "$home/socket"
	make_socket
	if [ -f "$home/kept" ]; then
		printf "unix_socket_directories = '\"%s\"'\n" "$PGHOST" | as_server tee -a "$home/data/postgresql.conf" >/dev/null
		as_server "$pg_bin/pg_ctl" -D "$home/data" -l "$home/data.log" -w -t 600 start >/dev/null 2>&1 || die 'the kept server does not start'
		export PGPORT=5432
	else
		start_cluster data 5432 "$(settings)" || die 'the server does not start'
	fi
}

set_huge_pages() {
	echo "$1" | as_root tee /proc/sys/vm/nr_hugepages >/dev/null 2>&1
}

# Have the server take its shared memory in huge pages, as its manual recommends where there is much of it: a ledger is
# written and read all over, and without them a good part of the time goes into finding pages. Where the system gives
# none it is left without, and says so
use_huge_pages() {
	HUGE_PAGES=
	case "${CONF:-}" in
		*huge_pages*) return 0 ;;
	esac
	needed=$(as_server "$pg_bin/psql" -XAtq -d postgres -c 'SHOW shared_memory_size_in_huge_pages' 2>/dev/null || echo -1)
	HUGE_PAGES='huge_pages = off'
	[ "$needed" -gt 0 ] && [ -f /proc/sys/vm/nr_hugepages ] || return 0
	huge_pages_before=$(cat /proc/sys/vm/nr_hugepages)
	as_server "$pg_bin/pg_ctl" -D "$home/data" -m fast -w stop >/dev/null 2>&1
	set_huge_pages $((huge_pages_before + needed))
	if [ "$(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo)" -ge "$needed" ]; then
		HUGE_PAGES='huge_pages = on'
	else
		set_huge_pages "$huge_pages_before"
	fi
	# not in its configuration: a ledger that is kept has to start where there are none
	as_server "$pg_bin/pg_ctl" -D "$home/data" -l "$home/data.log" -o "-c ${HUGE_PAGES%% *}=${HUGE_PAGES##* }" -w -t 600 start >/dev/null 2>&1 || die 'the server does not start with huge pages'
}

# npm's hypercore, to be run from this folder; where it cannot be had, why
install_hypercore() {
	HYPERCORE=
	case " $sections " in
		*' hypercore '*) ;;
		*) return 0 ;;
	esac
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		say 'hypercore is left out: there is no node or npm here.'
		return 0
	fi
	cp -r "$project/bench/hypercore" "$home/npm"
	if (cd "$home/npm" && npm install --no-audit --no-fund >"$home/npm.log" 2>&1 </dev/null 9>&-); then
		[ -z "$server_privilege" ] || chown -R postgres: "$home/npm"
		HYPERCORE=$home/npm
	else
		say "hypercore is left out: npm does not get it ($(grep -m 1 -i 'error' "$home/npm.log" | cut -c 1-80))"
	fi
}

# ---- what is measured on ----------------------------------------------------------------------------

fact() {
	printf 'machine,%s,,1,"%s",\n' "$1" "$(printf %s "$2" | tr '"\n' "' ")" | as_server tee -a "$home/results.csv" >/dev/null
	printf '  %-12s %s\n' "$1" "$2"
}

# Writes of 8 KiB a second that each wait for the disk, as a commit does
disk_rate() {
	as_server dd if=/dev/zero of=synced bs=8k count=2000 conv=notrunc 2>/dev/null
	as_server dd if=/dev/zero of=synced bs=8k count=2000 conv=notrunc oflag=dsync 2>&1 |
		sed -n 's/.* copied, \([0-9.e-]*\) s,.*/\1/p' | awk '{ printf "%d", 2000 / $1 }'
	rm -f "$home/synced"
}

describe() {
	say 'Measured on:'
	fact date "$(date +%Y-%m-%d)"
	fact revision "$(git -C "$project" rev-parse --short HEAD 2>/dev/null || echo unknown)"
	fact level "$level"
	fact processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores"
	fact memory "$(awk '/^MemTotal/ { printf "%.1f GB", $2 / 1048576 }' /proc/meminfo)"
	fact disk "$(df -T "$home" | awk 'NR == 2 { print $2 }'), $(disk_rate) synchronous writes of 8 KiB a second by one process"
	fact system "$(. /etc/os-release && printf %s "$PRETTY_NAME"), Linux $(uname -r)"
	fact software "PostgreSQL $("$pg_config" --version | cut -d ' ' -f 2), $("$home/tree/bench/verify-rate" 0 </dev/null)"
	[ -z "$HYPERCORE" ] || fact node "$(node --version), hypercore $(sed -n 's/^ *"version": "\(.*\)".*/\1/p' "$HYPERCORE/node_modules/hypercore/package.json")"
	fact settings "${HUGE_PAGES:+$HUGE_PAGES; }$(settings | grep -v -e '^#' -e '^ecert' -e '^$' | paste -s -d ';' | sed 's/;/; /g')"
	fact load "$(cut -d ' ' -f 1-3 /proc/loadavg) before"
}

# Where t/030_full_set.pl finds the real plants
find_data() {
	DATA=
	for data in "${ECERT_DATA_DIR:-}" "$project"/../shared/data "$project"/../../shared/data "$project"/../../../shared/data \
		"$project"/../../../../shared/data "$project"/../../../../../shared/data "$project"/../../../../../../shared/data; do
		if [ -z "$DATA" ] && [ -r "$data/eia923/plant_month.csv.gz" ]; then
			DATA=$(cd "$data" && pwd -P)
		fi
	done
}

# ---- what is run ------------------------------------------------------------------------------------

# Linked servers of their own
replication() {
	say replication
	stop_clusters
	use_test_modules
	case $level in
		quick) size='PACKAGES=3000 REPEATS=1 DURATION=2 FEEDS=20' ;;
		*) size='PACKAGES=50000 REPEATS=3 DURATION=20 FEEDS=100' ;;
	esac
	# shellcheck disable=SC2086
	as_server env -C "$home/tree" $size RESULTS="$home/results.csv" perl bench/replication.pl </dev/null
}

only_one bench
trap finish EXIT
trap 'exit 130' INT TERM HUP
began=$(date +%s)
install_packages bench
find_data
if [ -n "$keep" ] && find_home "$run" && [ -f "$home/kept" ]; then
	rm -rf "$home/tree" "$home/installed" "$home/shared"
else
	remove_home "$run"
	make_home "$run"
fi
say "Building ecert for PostgreSQL $pg_version ..."
copy_tree
if ! build || ! build_programs tools || ! build_programs bench || ! build_unmoved; then
	die 'the build failed'
fi
start_server
use_huge_pages
install_hypercore
describe
CORES=$(nproc)
export BENCH_HOME="$home" LEVEL="$level" RESULTS="$home/results.csv" PATH="$pg_bin:$PATH" KEEP="$keep" CORES DATA HYPERCORE
first=$(printf '%s\n' "$sections" | tr ' ' '\n' | grep -vx replication | paste -s -d ' ')
# shellcheck disable=SC2086
[ -z "$first" ] || as_server perl "$home/tree/bench/run.pl" $first </dev/null || die 'it was not measured'
case " $sections " in
	*' replication '*) replication || die 'replication was not measured' ;;
esac
keep_results
perl "$project/bench/report.pl" "$results" "$level" || die 'there is no report'
say "Measured in $(($(date +%s) - began)) seconds. Figures: build/bench/results.csv, tables.md, plots"
