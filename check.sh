#!/bin/sh
# Build ecert and run its tests on a throw-away PostgreSQL below build/check.
#
#   ./check.sh                       every test, in about seven minutes on two cores
#   ./check.sh all                   in full length, as with CI=true: a million packages, dumps cut at every byte
#   ./check.sh unit regress ...      some of: arrows build unit verifier regress isolation tap
#   ./check.sh regress:NAME ...      one of the tests of a section, by name
#
# As many tests run at a time as there are processors. What is missing is installed with apt-get, as root or by
# sudo. The last line is 'N passed, N failed', and ', N skipped' where some were; the exit status is 0 when none
# failed and some test ran. After a failure everything the tests wrote is kept in build/check.
set -u
export LC_ALL=C LANG=C.UTF-8
umask 022
unset CDPATH PGDATABASE PGUSER PGHOST PGPORT PGOPTIONS PGSERVICE MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
project=$(cd "$(dirname "$0")" && pwd -P)
. "$project/scripts/common.sh"
. "$project/scripts/tests.sh"

run=$project/build/check
home='' socket='' runner=''
passed=0 failed=0 skipped=0

# Build what is asked for, and count that as one test
compile() {
	say "== build: PostgreSQL $pg_version, warnings are errors"
	if run_jobs build_jobs && build; then
		say "ok - build"
		passed=1
	else
		say "not ok - build"
		failed=1
		return 1
	fi
}

# Start the server that regress and isolation share
serve() {
	wanted regress || wanted isolation || return 0
	make_socket
	if ! start_cluster data 5432; then
		say 'not ok - the server does not start'
		failed=$((failed + 1))
		return 1
	fi
}

# Leave no server behind, and no file that is not the caller's
finish() {
	trap '' INT TERM HUP
	with_main_cluster
	stop_jobs
	[ -z "$home" ] || stop_clusters
	if [ -n "$home" ] && [ -d "$home/logs" ]; then
		cp -R "$home/logs" "$run/logs"
		[ "$failed" -eq 0 ] || ! [ -d "$home/tree/tmp_check/log" ] || cp -R "$home/tree/tmp_check/log" "$run/logs/tap"
	fi
	[ -z "$home" ] || rm -rf "$home" "$run/home"
	# (build/dev and build/bench may keep servers, whose files are not the caller's)
	[ "$(id -u)" -ne 0 ] || chown -R "$(stat -c %u:%g "$project")" "$run" 2>/dev/null
}

sections='' long=''
[ "${CI:-}" != true ] || long=all
for section; do
	case $section in
		all) long=all ;;
		*) check_sections "$section" && sections="$sections $section" ;;
	esac
done
sections=${sections:-arrows build unit verifier regress isolation tap}
# Two tests that take minutes are shorter where nobody asks for all of them
[ -n "$long" ] || export ECERT_TEST_SHORT=1

only_one check
trap finish EXIT
trap 'exit 130' INT TERM HUP
began=$(date +%s)
install_packages all
remove_home "$run"
make_home "$run"
copy_tree
if compile && serve; then
	say "== tests: $(nproc) at a time, on PostgreSQL $pg_version"
	! wanted tap || use_test_modules
	run_jobs test_jobs
fi
say "== $(($(date +%s) - began)) seconds"
[ "$failed" -eq 0 ] || say "What the tests wrote is in $run/logs."
if [ "$skipped" -gt 0 ]; then
	say "$passed passed, $failed failed, $skipped skipped"
else
	say "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
