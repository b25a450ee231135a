#!/bin/sh
# Power plants from fuel and output readings to audited, signed energy-saving certificates, on throw-away
# PostgreSQL servers below demo/cluster.
#
#   ./demo.sh           a network: six servers, one for each node, that share nothing but replication
#   ./demo.sh single    twenty plants, their suppliers and the certifier on one server
#   ./demo.sh stop      stop the servers of either and remove them
#
# It installs what is missing, builds, starts and runs; the servers stay to be looked at.
set -u
export LC_ALL=C LANG=C.UTF-8
umask 022
unset CDPATH PGDATABASE PGUSER PGHOST PGPORT PGOPTIONS PGSERVICE MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
project=$(cd "$(dirname "$0")" && pwd -P)
. "$project/scripts/common.sh"

folder=$project/demo/cluster
home=

# Say what comes next
title() {
	say
	say "== $*"
}

# Run a file of the demo on the server of PGPORT; further arguments are psql's
run_sql() {
	file=$1
	shift
	"$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -v SHOW_CONTEXT=never -v data="$home/tree/demo/data" -v keys="$home/keys" \
		-P pager=off -P footer=off -P null=- "$@" -d ecert <"$file" 2>&1 || die "$file failed"
}

# Print the answer to a query on the server of PGPORT, bare, a row a line
ask() {
	"$pg_bin/psql" -X -A -t -d ecert -c "$1"
}

# One key file for each node named on standard input, which only the server's user reads
make_keys() {
	as_server mkdir -m 700 "$home/keys"
	as_server sh -c '
		umask 077
		while read -r node; do
			openssl genpkey -algorithm ed25519 -out "keys/$node.pem" </dev/null || exit 1
		done' || die 'no keys could be made'
}

# Leave nothing half made behind
undo() {
	status=$?
	trap '' EXIT INT TERM HUP
	with_main_cluster
	if [ -z "$done" ]; then
		remove_home "$folder"
		[ "$status" -ne 0 ] || status=1
	fi
	exit "$status"
}

case ${1:-network} in
	network | single) kind=${1:-network} ;;
	stop)
		[ -d "$folder" ] || die 'there is no demo to stop'
		remove_home "$folder"
		say 'The demo is stopped and removed.'
		exit 0
		;;
	*) die 'say nothing, single, or stop' ;;
esac

only_one demo
done=
trap undo EXIT
trap 'exit 130' INT TERM HUP
began=$(date +%s)
install_packages demo
remove_home "$folder"
make_home "$folder"
say "Building ecert for PostgreSQL $pg_version ..."
copy_tree
build && build_programs src/verifier || die 'the build failed'
make_socket

cd "$project/demo" || exit 1
export PGOPTIONS='-c client_min_messages=warning'
. "$project/demo/$kind/steps.sh"
unset PGOPTIONS
done=yes

say
say "Done in $(($(date +%s) - began)) seconds. To look around:"
say
look_around
say
say '    SELECT * FROM ledger.certificate;    \dv+ ledger.*    \df ecert.*'
say
say "To end it: $0 stop"
