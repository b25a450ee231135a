#!/bin/sh
# Twenty power plants from fuel and output readings to audited, signed energy-saving certificates, on a
# throw-away PostgreSQL below demo/cluster.
#
#   ./demo.sh         install what is missing, build, start, run; the server stays to be looked at
#   ./demo.sh stop    stop the server and remove it
set -u
export LC_ALL=C LANG=C.UTF-8
umask 022
unset CDPATH PGDATABASE PGUSER PGHOST PGPORT PGOPTIONS PGSERVICE MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
project=$(cd "$(dirname "$0")" && pwd -P)
. "$project/scripts/common.sh"

folder=$project/demo/cluster
home=

# Run one step of the demo: a title and its SQL
step() {
	say
	say "== $1"
	"$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -v SHOW_CONTEXT=never -v keys="$home/keys" \
		-P pager=off -P footer=off -P null=- -d ecert <"$2" 2>&1 || die "$2 failed"
}

# One key file for each node, which only the server's user reads
make_keys() {
	as_server mkdir -m 700 "$home/keys"
	"$pg_bin/psql" -X -A -t -d ecert -c 'SELECT node FROM demo.node ORDER BY node' | as_server sh -c '
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

case ${1:-} in
	'') ;;
	stop)
		[ -d "$folder" ] || die 'there is no demo to stop'
		remove_home "$folder"
		say 'The demo is stopped and removed.'
		exit 0
		;;
	*) die 'say nothing, or stop' ;;
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
build || die 'the build failed'
say 'Starting a PostgreSQL of its own ...'
start_cluster || die 'the server does not start'
"$pg_bin/createdb" ecert || exit 1

cd "$project/demo" || exit 1
export PGOPTIONS='-c client_min_messages=warning'
step 'The figures that twenty plants reported to the EIA, and the nodes of the ledger' 01_data.sql
make_keys
step 'Genesis, policy, nodes and who audits whom' 02_ledger.sql
step 'Every plant signs its months of 2020 and 2024' 03_packages.sql
step 'Suppliers and peers audit' 04_audits.sql
step 'The certifier assesses 2024 against 2020, certifies, and rewards the auditors' 05_certificates.sql
step 'One byte is changed' 06_tamper.sql
unset PGOPTIONS
done=yes

say
say "Done in $(($(date +%s) - began)) seconds. To look around:"
say
say "    $pg_bin/psql -h '$PGHOST' -U postgres ecert"
say
say '    SELECT * FROM ledger.certificate;    \dv+ ledger.*    \df ecert.*'
say
say "To end it: $0 stop"
