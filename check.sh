#!/bin/sh
# Build ecert and run its tests on a throw-away PostgreSQL below build/check.
#
#   ./check.sh                       everything
#   ./check.sh unit regress ...      some of: arrows build unit verifier regress isolation tap
#   ./check.sh regress:NAME ...      one of the tests of a section, by name
#
# What is missing is installed with apt-get, as root or by sudo. The last line is 'N passed, N failed', and
# ', N skipped' where some were; the exit status is 0 when none failed and some test ran. After a failure
# everything the tests wrote is kept in build/check.
set -u
export LC_ALL=C LANG=C.UTF-8
umask 022
unset CDPATH PGDATABASE PGUSER PGHOST PGPORT PGOPTIONS PGSERVICE MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
project=$(cd "$(dirname "$0")" && pwd -P)
. "$project/scripts/common.sh"

run=$project/build/check
home=
passed=0 failed=0 skipped=0

# Count what a test said: ok, not ok or skip
count() {
	case $1 in
		ok) passed=$((passed + 1)) ;;
		skip) skipped=$((skipped + 1)) ;;
		*) failed=$((failed + 1)) ;;
	esac
}

# Is this section, or a test of it, asked for?
wanted() {
	case " $sections " in
		*" $1 "* | *" $1:"*) return 0 ;;
	esac
	return 1
}

# Print the tests of a section that are asked for by name, on one line
names() {
	for section in $sections; do
		case $section in
			"$1":*) printf '%s ' "${section#*:}" ;;
		esac
	done
}

# Run a command as the server's user, its output into a log and through an awk program that prints the
# progress and, at the end, "passed failed skipped" into a file; adds these up. A command that fails without
# a failed test counts as one failure.
run_tests() {
	title=$1 program=$2
	shift 2
	rm -f "$work/counts"
	{
		as_server timeout --foreground "$time_limit" "$@" 2>&1 </dev/null
		echo $? >"$work/status"
	} | tee "$work/log" | awk -v title="$title" -v counts="$work/counts" "$program"
	status=$(cat "$work/status")
	read -r ok not_ok skip <"$work/counts"
	if [ "$status" -eq 124 ]; then
		say "not ok - $title: stopped after $time_limit seconds"
		not_ok=$((not_ok + 1))
	elif [ "$status" -ne 0 ] && [ "$not_ok" -eq 0 ]; then
		say "not ok - $title: exit status $status"
		not_ok=1
	fi
	passed=$((passed + ok)) failed=$((failed + not_ok)) skipped=$((skipped + skip))
	mkdir -p "$run/logs"
	cp "$work/log" "$run/logs/$(printf %s "$title" | tr / -).log"
	[ "$not_ok" -eq 0 ]
}

# TAP: 'ok N - name', 'not ok N - name', '# SKIP reason', '# program' before each program of the unit tests.
# Results are shown where they fail, and in one line per program.
tap_results='
	function tell() {
		if (ok + not_ok + skip > 0)
			printf "%s %s: %d passed%s%s\n", (not_ok ? "not ok -" : "ok -"), name, ok, \
				(not_ok ? ", " not_ok " failed" : ""), (skip ? ", " skip " skipped" : "");
		fflush(); all_ok += ok; all_not_ok += not_ok; all_skip += skip; ok = not_ok = skip = 0
	}
	BEGIN { name = title }
	/^# test_[a-z_]+$/ { tell(); name = title " " $2; next }
	/^# figure: / { sub(/^# figure: /, "  "); print; fflush(); next }
	/^1\.\.0 +# *[Ss][Kk][Ii][Pp]/ { skip++; sub(/^1\.\.0 +# *[A-Za-z]* */, ""); print "skip - " title ": " $0; next }
	/^ok .*# *[Ss][Kk][Ii][Pp]/ { skip++; print "skip - " title ": " $0; next }
	/^not ok .*# *TODO/ { skip++; next }
	/^ok( |$)/ { ok++; next }
	/^not ok( |$)/ { not_ok++; print "  " $0 }
	END { tell(); print all_ok + 0, all_not_ok + 0, all_skip + 0 > counts }
'

# pg_regress: "test name ... ok 12 ms" up to PostgreSQL 15, "ok 1 - name 12 ms" from 16 on
regress_results='
	/^(not )?ok [0-9]+ +[-+] / {
		state = ($1 == "ok") ? "ok" : "not ok"; name = ($1 == "ok") ? $4 : $5; time = $(NF - 1)
	}
	/^(test| ) .* \.\.\. / {
		state = ($0 ~ /\.\.\. +ok/) ? "ok" : "not ok"; name = ($1 == "test") ? $2 : $1; time = $(NF - 1)
	}
	state != "" {
		print state " - " title " " name (time ~ /^[0-9.]+$/ ? ": " time " ms" : ""); fflush()
		if (state == "ok") ok++; else not_ok++
		state = ""
	}
	END { print ok + 0, not_ok + 0, 0 > counts }
'

arrows() {
	say '== arrows: which folder points at which, in C and SQL'
	time_limit=60
	run_tests arrows "$tap_results" perl "$home/tree/scripts/arrows.pl" "$home/tree" || show_log
	run_tests 'arrows planted' "$tap_results" perl "$home/tree/test/arrows/test_arrows.pl" || show_log
}

compile() {
	say "== build: PostgreSQL $pg_version, warnings are errors"
	if build && build_programs tools && build_programs src/verifier; then
		say "ok - build"
		count ok
	else
		say "not ok - build"
		count 'not ok'
		return 1
	fi
}

unit() {
	say '== unit: core and crypto, without PostgreSQL'
	time_limit=600
	run_tests unit "$tap_results" make -C "$home/tree/test/unit" -s check || show_log
}

verifier() {
	say '== verifier: ecert-verify, without PostgreSQL'
	time_limit=600
	run_tests verifier "$tap_results" make -C "$home/tree/test/verifier" -s check || show_log
}

# Run pg_regress or isolation tests by pgxs: section, its make variable, the file with differences
pgxs_tests() {
	section=$1 variable=$2 differences=$home/tree/$3
	set -- make -C "$home/tree" -s -f Makefile PG_CONFIG="$pg_config" "PGHOST=$PGHOST" "PGPORT=$PGPORT" installcheck
	for other in REGRESS ISOLATION TAP_TESTS; do
		[ "$other" = "$variable" ] || set -- "$@" "$other="
	done
	chosen=$(names "$section")
	[ -z "$chosen" ] || set -- "$@" "$variable=$chosen"
	time_limit=600
	if ! run_tests "$section" "$regress_results" "$@"; then
		if [ -s "$differences" ]; then
			head -n 300 "$differences"
			cp "$differences" "$run/logs/$section.diffs"
		else
			show_log
		fi
	fi
}

regress() {
	say "== regress: SQL on PostgreSQL $pg_version"
	pgxs_tests regress REGRESS regression.diffs
}

isolation() {
	say "== isolation: several sessions on PostgreSQL $pg_version"
	ls "$project"/specs/*.spec >/dev/null 2>&1 || return 0
	pgxs_tests isolation ISOLATION output_iso/regression.diffs
}

# Run each program of t/ with PostgreSQL's own Perl modules; they start their own servers
tap() {
	say "== tap: servers of their own on PostgreSQL $pg_version"
	use_test_modules
	chosen=$(names tap)
	for program in "$project"/t/*.pl; do
		[ -f "$program" ] || continue
		name=$(basename "$program" .pl)
		case " ${chosen:-$name} " in
			*" $name "*) ;;
			*) continue ;;
		esac
		time_limit=600
		run_tests "tap $name" "$tap_results" env -C "$home/tree" perl "t/$name.pl" || {
			show_log
			tail -n 40 "$home/tree/tmp_check/log/regress_log_$name" 2>/dev/null | sed 's/^/    /'
		}
	done
}

show_log() {
	tail -n 40 "$work/log" | sed 's/^/    /'
}

# Leave no server behind, and no file that is not the caller's
finish() {
	trap '' INT TERM HUP
	with_main_cluster
	[ -z "$home" ] || stop_clusters
	[ -z "$work" ] || rm -rf "$work"
	if [ -n "$home" ] && [ "$failed" -gt 0 ] && [ -d "$home/tree/tmp_check/log" ]; then
		cp -R "$home/tree/tmp_check/log" "$run/logs/tap"
	fi
	[ -z "$home" ] || rm -rf "$home" "$run/home" "$run/socket"
	[ "$(id -u)" -ne 0 ] || chown -R "$(stat -c %u:%g "$project")" "$project/build" 2>/dev/null
}

sections=${*:-arrows build unit verifier regress isolation tap}
for section in $sections; do
	case $section in
		arrows | build | unit | verifier | regress | isolation | tap | unit:* | regress:* | isolation:* | tap:*) ;;
		*) die "no such section: $section (arrows build unit verifier regress isolation tap)" ;;
	esac
done

only_one check
work=
trap finish EXIT
trap 'exit 130' INT TERM HUP
began=$(date +%s)
install_packages all
remove_home "$run"
make_home "$run"
work=$run/work
mkdir "$work"
copy_tree
! wanted arrows || arrows
if compile; then
	! wanted unit || unit
	! wanted verifier || verifier
	if wanted regress || wanted isolation; then
		make_socket
		if start_cluster data 5432; then
			! wanted regress || regress
			! wanted isolation || isolation
		else
			say 'not ok - the server does not start'
			count 'not ok'
		fi
	fi
	! wanted tap || tap
fi
say "== $(($(date +%s) - began)) seconds"
[ "$failed" -eq 0 ] || say "What the tests wrote is in $run/logs."
if [ "$skipped" -gt 0 ]; then
	say "$passed passed, $failed failed, $skipped skipped"
else
	say "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
