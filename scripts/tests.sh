# shellcheck shell=sh
# The tests of each section, as check.sh and dev.sh run them; POSIX sh, sourced behind common.sh. $sections is what
# is asked for: names of sections, and section:test.

# Is this section, or a test of it, asked for?
wanted() {
	case " $sections " in
		*" $1 "* | *" $1:"*) return 0 ;;
	esac
	return 1
}

# Print the names of a section's tests that are asked for, one a line. A name may be given without "test_", and of
# t/061_hub_crash.pl the number is enough.
test_names() (
	section=$1
	cd "$project" || exit 1
	case $section in
		unit) set -- test/unit/test_ .c ;;
		verifier) set -- test/verifier/test_ .c .pl ;;
		regress) set -- sql/ .sql ;;
		isolation) set -- specs/ .spec ;;
		tap) set -- t/ .pl ;;
		*) exit 1 ;;
	esac
	start=$1
	shift
	for wish in $sections; do
		case $wish in
			"$section") wish='*' ;;
			"$section":*) wish=${wish#*:} wish=${wish#test_} ;;
			*) continue ;;
		esac
		for ending; do
			for file in "$start"$wish"$ending" "$start"$wish"_"*"$ending"; do
				[ ! -f "$file" ] || basename "$file" "$ending"
			done
		done
	done | sort -u
)

# Give up where something is asked for that is not there
check_sections() {
	for section; do
		case $section in
			arrows | build | unit | verifier | regress | isolation | tap) continue ;;
		esac
		[ -n "$(sections=$section && test_names "${section%%:*}")" ] ||
			die "no such test: $section (arrows build unit verifier regress isolation tap, or one of their tests, as in tap:061)"
	done
}

# About how many seconds a test takes on a core: the longest begin first, so that none is left over at the end
seconds_of() {
	case $1 in
		verifier-test_damage) echo 110 ;;
		tap-071_million) echo 100 ;;
		tap-062_catch_up) echo 78 ;;
		tap-074_addition) echo 50 ;;
		verifier-test_memory) echo 39 ;;
		regress) echo 26 ;;
		tap-020_concurrency | tap-061_hub_crash | tap-030_full_set) echo 16 ;;
		tap-*) echo 11 ;;
		*) echo 5 ;;
	esac
}

# Print a test for run-tests.pl: name, title, reader, what says more about a failure, command
job() {
	name=$1
	printf '%s\n' "$(seconds_of "$name")" "$@" ''
}

# Print what has to be built: the extension, and the programs that the tests asked for need
build_jobs() {
	job build-ecert 'build of the extension' build - make -C "$home/tree" -s -j"$(nproc)" PG_CONFIG="$pg_config" ${sanitize:-} all
	! wanted unit || build_job test/unit
	if wanted verifier; then
		build_job test/verifier
	elif needed ecert-verify; then
		build_job src/verifier
	fi
	! needed ecert-sign && ! needed ecert-receipt || build_job tools
}

build_job() {
	job "build-$(printf %s "$1" | tr / -)" "build of $1" build - make -C "$home/tree/$1" -s -j"$(nproc)" all
}

# Is everything to be built, or does a TAP program that is asked for use this one?
needed() {
	! wanted build || return 0
	for name in $(test_names tap); do
		! grep -q "$1" "$project/t/$name.pl" || return 0
	done
	return 1
}

# Print the tests that are asked for; they find a server at $socket and port 5432
# shellcheck disable=SC2046,SC2116
test_jobs() {
	! wanted arrows || job arrows arrows tap - perl "$home/tree/scripts/arrows.pl" "$home/tree"
	! wanted arrows || job arrows planted tap - perl "$home/tree/test/arrows/test_arrows.pl"
	! wanted arrows || job names names tap - perl "$home/tree/scripts/names.pl" "$home/tree"
	! wanted arrows || job names-planted 'planted names' tap - perl "$home/tree/test/arrows/test_names.pl"
	! wanted unit || job unit unit tap - make -C "$home/tree/test/unit" -s check T="$(echo $(test_names unit))"
	for name in $(test_names verifier); do
		job "verifier-$name" verifier tap - make -C "$home/tree/test/verifier" -s check T="$name"
	done
	pgxs_job regress REGRESS "$(echo $(test_names regress))" regression.diffs
	pgxs_job isolation ISOLATION "$(echo $(test_names isolation))" output_iso/regression.diffs
	# these start their own servers, with PostgreSQL's own Perl modules
	for name in $(test_names tap); do
		job "tap-$name" "tap $name" tap "$home/tree/tmp_check/log/regress_log_$name" env -C "$home/tree" perl "t/$name.pl"
	done
}

# Print pg_regress or isolation tests, run by PGXS: section, its make variable, names, the file with differences
pgxs_job() {
	[ -n "$3" ] || return 0
	section=$1 variable=$2 names=$3 differences=$home/tree/$4
	set -- make -C "$home/tree" -s -f Makefile PG_CONFIG="$pg_config" "PGHOST=$socket" PGPORT=5432 PGUSER=postgres installcheck "$variable=$names"
	for other in REGRESS ISOLATION TAP_TESTS; do
		[ "$other" = "$variable" ] || set -- "$@" "$other="
	done
	job "$section" "$section" regress "$differences" "$@"
}

# Run what is printed by the function $1, as many at a time as there are processors, each for at most 900 seconds
# (ECERT_TEST_SECONDS); adds to passed, failed and skipped. Fails where one failed.
run_jobs() {
	"$1" | as_server tee "$home/jobs" >/dev/null
	as_server mkdir -p "$home/logs"
	as_server rm -f "$home/counts"
	# In the background, since the shell sees a signal only when it waits
	become_server perl "$home/tree/scripts/run-tests.pl" "$home/jobs" "$(nproc)" "${ECERT_TEST_SECONDS:-900}" "$home/logs" "$home/counts" &
	runner=$!
	wait "$runner"
	runner=
	if ! read -r now_passed now_failed now_skipped <"$home/counts"; then
		say 'not ok - the tests were not run to their end'
		now_passed=0 now_failed=1 now_skipped=0
	fi
	passed=$((passed + now_passed)) failed=$((failed + now_failed)) skipped=$((skipped + now_skipped))
	[ "$now_failed" -eq 0 ]
}

# End what run_jobs has under way
stop_jobs() {
	[ -n "$runner" ] || return 0
	kill "$runner" 2>/dev/null
	wait "$runner"
}
