#!/bin/sh
# Build what has changed and run tests of one's choice, on a server that is kept in build/dev between calls.
#
#   make dev T=policy           a test of sql/
#   make dev T=tap:061          or of another section of check.sh: tap, isolation, unit, verifier, regress, arrows
#   make dev T='policy tap:061' several
#   ECERT_TEST_SHORT= make dev T=tap:071    in full length, as ./check.sh all does
#   make dev T=stop             end the server and take build/dev away; so does make dev-stop
#   make dev SANITIZE=1 T=...   the same in build/sanitize, with AddressSanitizer and UBSan in the server
#
# What the tests wrote stays in build/dev/home: logs, and tree/tmp_check of the TAP programs; what a sanitizer has
# to say is in home/logs/sanitizer.*.
set -u
export LC_ALL=C LANG=C.UTF-8
umask 022
unset CDPATH PGDATABASE PGUSER PGHOST PGPORT PGOPTIONS PGSERVICE MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES T
project=$(cd "$(dirname "$0")/.." && pwd -P)
. "$project/scripts/common.sh"
. "$project/scripts/tests.sh"

name=dev
# (for the extension alone: the programs of tests have builds of their own)
sanitize=${SANITIZE:+SANITIZE=1}
[ -z "$sanitize" ] || name=sanitize
unset SANITIZE
run=$project/build/$name
home='' socket='' runner=''
passed=0 failed=0 skipped=0
# Without optimising at link time the programs are built much sooner; figures that they print are not those of a release
export CFLAGS='-O1 -g' ECERT_TEST_SHORT="${ECERT_TEST_SHORT-1}"

# Say how it is called, and what there is
usage() {
	sed -n 's/^#   /  /p' "$0"
	sections='regress isolation tap unit verifier'
	for section in $sections; do
		say "$section:" $(test_names "$section")
	done | fold -s -w 110
}

# Find the folder that is kept, or make it anew where it is for another PostgreSQL or cannot be used
keep_home() {
	if find_home "$run" && as_server touch "$home/tree" 2>/dev/null && [ "$(cat "$home/postgres" 2>/dev/null)" = "$pg_config" ]; then
		stop_test_servers
		as_server rm -rf "$home/tree/tmp_check"
		return
	fi
	remove_home "$run"
	make_home "$run"
	as_server mkdir "$home/tree"
	echo "$pg_config" | as_server tee "$home/postgres" >/dev/null
}

# Bring what has changed of the sources to the copy
update_tree() {
	as_server rm -rf "$home/new"
	copy_tree new
	as_server perl "$home/new/scripts/update-tree.pl" "$home/new" "$home/tree" "$home/tree.list" || die 'the sources cannot be copied'
	as_server rm -rf "$home/new"
}

# Start the server unless it runs. It does not load the library before a session does, so none has to be started
# again when that changes.
serve() {
	wanted regress || wanted isolation || return 0
	socket=$home/socket
	[ ! -s "$run/socket" ] || socket=$(cat "$run/socket")
	if [ -d "$home/data" ] && [ -d "$socket" ]; then
		as_server "$pg_bin/pg_ctl" -D "$home/data" status >/dev/null 2>&1 ||
			as_server "${pg_ctl:-$pg_bin/pg_ctl}" -D "$home/data" -l "$home/data.log" -w -t 60 start >/dev/null 2>&1 && return
	fi
	stop_clusters
	as_server rm -rf "$home/data" "$home/socket"
	make_socket
	start_cluster data 5432
}

# Have every server started with the sanitizer's library, by a pg_ctl of ours; reports go to home/logs
use_sanitizer() {
	as_server mkdir -p "$home/bin" "$home/logs"
	as_server rm -f "$home"/logs/sanitizer.* "$home/data.log"
	stop_clusters
	as_server gcc -shared -fPIC -o "$home/bin/textdomain.so" "$home/tree/test/sanitize/textdomain.c" || die 'textdomain.c cannot be built'
	as_server tee "$home/bin/pg_ctl" >/dev/null <<-END
		#!/bin/sh
		export LD_PRELOAD='$(gcc -print-file-name=libasan.so) $home/bin/textdomain.so'
		export ASAN_OPTIONS='detect_leaks=0:abort_on_error=1:disable_coredump=1:log_path=$home/logs/sanitizer'
		export UBSAN_OPTIONS='print_stacktrace=1'
		exec '$pg_bin/pg_ctl' "\$@"
	END
	as_server chmod 755 "$home/bin/pg_ctl"
	pg_ctl=$home/bin/pg_ctl
}

# What a sanitizer has found is a failure whatever the tests say
show_sanitizer() {
	[ -n "$sanitize" ] || return 0
	found=$(as_server grep -h -s -E 'AddressSanitizer|runtime error:' "$home"/logs/sanitizer.* "$home/data.log" "$home"/tree/tmp_check/log/*.log | sort | uniq -c | head -n 40)
	[ -n "$found" ] || return 0
	failed=$((failed + 1))
	say 'not ok - the sanitizers have found something; the logs have more'
	say "$found"
}

# Leave the kept server, and nothing else that runs
finish() {
	trap '' INT TERM HUP
	with_main_cluster
	stop_jobs
	[ -z "$home" ] || stop_test_servers
	[ "$(id -u)" -ne 0 ] || chown "$(stat -c %u:%g "$project")" "$run" 2>/dev/null
}

case ${1:-} in
	'')
		usage
		exit 0
		;;
	stop)
		only_one "$name"
		remove_home "$run"
		exit 0
		;;
esac

sections=
for section in $1; do
	[ ! -f "$project/sql/$section.sql" ] || section=regress:$section
	check_sections "$section"
	sections="$sections $section"
done

only_one "$name"
trap finish EXIT
trap 'exit 130' INT TERM HUP
install_packages all
keep_home
update_tree
[ -z "$sanitize" ] || use_sanitizer
run_jobs build_jobs && build || exit 1
serve || die 'the server does not start'
! wanted tap || use_test_modules
run_jobs test_jobs
show_sanitizer
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
