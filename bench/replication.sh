#!/bin/sh
# How fast linked servers replicate packages: builds ecert, starts servers of its own below build/bench,
# measures, prints, and takes everything away again.
#
#   bench/replication.sh             both parts, in about four minutes on two cores
#   bench/replication.sh rate        packages per second that one subscriber applies
#   bench/replication.sh latency     time from commit at one node to visible at the others
#
# Set by the environment:
#   PACKAGES=50000   rate: how many packages the subscriber has missed
#   REPEATS=3        rate: how often each figure is measured
#   RATE=500         latency: packages a second, each a transaction of its own
#   DURATION=20      latency: seconds
#   FEEDS=100        feeds (one issuer each) that the packages are spread over
#   CONF=            settings for every server, as in postgresql.conf; lines end with \n
#   PG_CONFIG=       of the PostgreSQL to take, by default the newest that is complete
#
# What is missing is installed with apt-get, as root or by sudo.
set -u
export LC_ALL=C LANG=C.UTF-8
umask 022
unset CDPATH PGDATABASE PGUSER PGHOST PGPORT PGOPTIONS PGSERVICE MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
project=$(cd "$(dirname "$0")/.." && pwd -P)
. "$project/scripts/common.sh"

run=$project/build/bench
home=

# Leave no server behind, and no file that is not the caller's
finish() {
	trap '' INT TERM HUP
	with_main_cluster
	remove_home "$run"
	[ "$(id -u)" -ne 0 ] || chown -R "$(stat -c %u:%g "$project")" "$project/build" 2>/dev/null
}

for part in "$@"; do
	case $part in
		rate | latency) ;;
		*) die "no such part: $part (rate latency)" ;;
	esac
done

only_one bench
trap finish EXIT
trap 'exit 130' INT TERM HUP
began=$(date +%s)
install_packages all
remove_home "$run"
make_home "$run"
say "Building ecert for PostgreSQL $pg_version ..."
copy_tree
if ! build || ! build_programs tools || ! build_programs bench; then
	die 'the build failed'
fi
use_test_modules
[ ! -t 1 ] || export ON_TERMINAL=1
as_server env -C "$home/tree" perl bench/replication.pl "$@" </dev/null || die 'it was not measured'
say "Measured in $(($(date +%s) - began)) seconds."
