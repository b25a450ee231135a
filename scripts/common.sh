# shellcheck shell=sh
# Shell functions that demo.sh, check.sh and bench/*.sh share; POSIX sh, sourced with $project set.
#
# Each script works in a folder of its own below the project ($run): a copy of the sources, what is
# built of it, the throw-away clusters and their sockets lie in $run/home, which belongs to the user the
# servers run as. The servers find the extension there too, so nothing is installed into the system's
# folders but Debian packages that are missing.

# Say what is being done
say() {
	printf '%s\n' "$*"
}

# Give up with a message
die() {
	printf '%s\n' "$0: $*" >&2
	exit 1
}

# Let only one script of a name run in this checkout; the lock goes with the process (not with the server it starts)
only_one() {
	mkdir -p "$project/build"
	exec 9>"$project/build/$1.lock"
	[ "$(id -u)" -ne 0 ] || chown "$(stat -c %u:%g "$project")" "$project/build" "$project/build/$1.lock"
	flock -n 9 || die 'it is running in this folder already'
}

# Run a command as root
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		die "this needs root, and sudo is not here; as root, run: $*"
	fi
}

# ---- packages -------------------------------------------------------------------------------------

# Point pg_bin, pg_config, pgxs and pg_version at the newest PostgreSQL that is complete: server, headers,
# libpq's too, and pgcrypto. PG_CONFIG, when set, is the only one looked at.
find_postgres() {
	if [ -n "${PG_CONFIG:-}" ]; then
		candidates=$PG_CONFIG
	else
		candidates=$(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -t / -k 5,5nr)
	fi
	for pg_config in $candidates; do
		pg_bin=$("$pg_config" --bindir) || continue
		pgxs=$("$pg_config" --pgxs)
		pg_version=$("$pg_config" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
		if [ "$pg_version" -ge 15 ] && [ -x "$pg_bin/postgres" ] && [ -x "$pg_bin/initdb" ] &&
			[ -f "$pgxs" ] && [ -f "$("$pg_config" --includedir-server)/postgres.h" ] &&
			[ -f "$("$pg_config" --includedir)/libpq-fe.h" ] &&
			[ -f "$("$pg_config" --sharedir)/extension/pgcrypto.control" ]; then
			return 0
		fi
	done
	return 1
}

# Name the major version to install: that of a server that is here without its headers, or Debian's own
postgres_to_install() {
	for server in $(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -t / -k 5,5nr); do
		major=${server#/usr/lib/postgresql/}
		major=${major%%/*}
		if [ "$major" -ge 15 ]; then
			echo "$major"
			return 0
		fi
	done
	apt-cache show postgresql 2>/dev/null | sed -n 's/^Version: \([0-9][0-9]*\).*/\1/p' | sort -n | tail -n 1
}

# Add a package to the list of what is missing unless its test succeeds
need() {
	package=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $package"
}

# Install the Debian packages that are missing; $1 = all includes what only tests need, bench what only bench needs too
install_packages() {
	missing=
	need gcc command -v gcc
	need libc6-dev test -f /usr/include/stdio.h
	need make command -v make
	need openssl command -v openssl
	need libssl-dev test -f /usr/include/openssl/evp.h
	need libsodium-dev test -f /usr/include/sodium.h
	if [ "$1" = bench ]; then
		need gnuplot-nox command -v gnuplot
	fi
	if [ "$1" = profile ]; then
		need valgrind command -v valgrind
	fi
	if [ "$1" = all ] || [ "$1" = bench ]; then
		need perl perl -MTest::More -e 1
		need libipc-run-perl perl -MIPC::Run -e 1
	fi
	find_postgres || missing="$missing postgresql"
	[ -n "$missing" ] || return 0

	command -v apt-get >/dev/null 2>&1 || die "please install what is missing:$missing"
	apt_log=$(mktemp)
	case $missing in
		*' postgresql')
			major=$(postgres_to_install)
			if [ -z "$major" ]; then
				say 'Fetching the lists of packages ...'
				apt_get update
				major=$(postgres_to_install)
			fi
			[ -n "$major" ] || die 'no postgresql package is known to apt'
			[ "$major" -ge 15 ] || die "ecert needs PostgreSQL 15 or later, and this Debian has $major"
			missing="${missing% postgresql} postgresql-$major postgresql-server-dev-$major"
			;;
	esac
	say "Installing$missing ..."
	no_main_cluster
	# The lists may be older than the archive: then they are fetched, and it is tried once more
	# shellcheck disable=SC2086
	if ! apt_get_quiet install $missing; then
		say 'Fetching the lists of packages ...'
		apt_get update
		apt_get install $missing
	fi
	with_main_cluster
	rm -f "$apt_log"
	find_postgres || die "postgresql-$major is installed, but is not complete"
}

apt_get_quiet() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends "$@" >"$apt_log" 2>&1 </dev/null
}

apt_get() {
	if ! apt_get_quiet "$@"; then
		tail -n 20 "$apt_log" >&2
		with_main_cluster
		die "apt-get $* failed"
	fi
}

# Debian's server package makes and starts a cluster "main" when it is first installed. Nobody asked us
# for one, so for that one apt-get run a drop-in of postgresql-common's says no; it is taken away again.
main_cluster_conf=/etc/postgresql-common/createcluster.d/ecert-no-main-cluster.conf

no_main_cluster() {
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && return 0
	[ -d "${main_cluster_conf%/*}" ] || as_root mkdir -p "${main_cluster_conf%/*}"
	echo 'create_main_cluster = false' | as_root tee "$main_cluster_conf" >/dev/null
}

with_main_cluster() {
	[ -f "$main_cluster_conf" ] || return 0
	as_root rm -f "$main_cluster_conf"
	as_root rmdir --ignore-fail-on-non-empty "${main_cluster_conf%/*}"
}

# ---- the user and the folder of the server ----------------------------------------------------------

# Run a command as the user of the server, in its folder. PostgreSQL refuses to run as root, and so do its
# tests; root's server is the user postgres's.
as_server() {
	(become_server "$@")
}

# The same in place of this shell, so that in the background $! is the command itself
become_server() {
	cd "$home" || exit 1
	if [ -z "$server_privilege" ]; then
		exec "$@" 9>&-
	else
		# shellcheck disable=SC2086
		exec setpriv --reuid=postgres --regid=postgres --init-groups $server_privilege -- env HOME="$home" "$@" 9>&-
	fi
}

# Make the folder $1 with a folder "home" in it that the server's user owns and reaches; sets run, home
make_home() {
	run=$1
	mkdir -p "$run"
	mkdir "$run/home"
	home=$(cd "$run/home" && pwd -P)
	server_privilege=
	[ "$(id -u)" -eq 0 ] || return 0

	chown postgres: "$home"
	chmod 700 "$home"
	# Plainly, if it may walk to the folder; else (a checkout in /root) with the one capability to look
	# behind closed directories; else, where even that is withheld from root, elsewhere, and said so.
	for server_privilege in '--bounding-set=-all' \
		'--bounding-set=-all,+dac_read_search --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search'; do
		[ "$(as_server sh -c 'cd "$1" && touch here && rm here && pwd -P' - "$home" 2>/dev/null)" != "$home" ] || return 0
	done
	server_privilege='--bounding-set=-all'
	rmdir "$home"
	home=$(mktemp -d /tmp/ecert.XXXXXX)
	chown postgres: "$home"
	ln -s "$home" "$run/home"
	say "The user postgres cannot reach $project, so the server's files are in $home."
}

# Find again what make_home made in the folder $1
find_home() {
	run=$1
	home=$(cd "$run/home" 2>/dev/null && pwd -P) || return 1
	server_privilege=
	[ "$(id -u)" -ne 0 ] || server_privilege='--bounding-set=-all,+dac_read_search --inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search'
	[ "$(id -u)" -ne 0 ] || as_server true 2>/dev/null || server_privilege='--bounding-set=-all'
}

# Take the folder of make_home away, with its servers
remove_home() {
	if find_home "$1"; then
		stop_clusters
		rm -rf "$home"
	fi
	rm -rf "$1"
}

# ---- building -----------------------------------------------------------------------------------------

# Copy the sources to the folder $1 of $home (tree), without anything that is built; tests find the folder "shared" beside it
copy_tree() {
	as_server mkdir "$home/${1:-tree}"
	tar -C "$project" -c -f - --exclude=./.git --exclude=./build --exclude=./demo/cluster --exclude='*.o' \
		--exclude='*.so' --exclude='*.d' --exclude=./ecert--1.0.sql --exclude='./fuzz/corpus' --exclude=./tools/ecert-sign --exclude=./tools/ecert-receipt \
		--exclude=./bench/verify-rate --exclude='./src/verifier/ecert-verify*' --exclude=./tmp_check --exclude=./results . |
		as_server tar -C "$home/${1:-tree}" --no-same-owner -x -f -
	[ ! -d "$project/../shared" ] || [ -e "$home/shared" ] || as_server ln -s "$(cd "$project/../shared" && pwd -P)" "$home/shared"
}

# Build the extension and put it into $home/installed; the compiler's output is shown where it fails
build() {
	if ! as_server make -C "$home/tree" -s -j"$(nproc)" PG_CONFIG="$pg_config" ${sanitize:-} all >"$home/build.log" 2>&1; then
		tail -n 60 "$home/build.log" >&2
		return 1
	fi
	if ! as_server make -C "$home/tree" -s PG_CONFIG="$pg_config" ${sanitize:-} DESTDIR="$home/installed" install >>"$home/build.log" 2>&1; then
		tail -n 20 "$home/build.log" >&2
		return 1
	fi
}

# Build the programs of a folder that need no PostgreSQL: the signing tool that tests use is in tools; a log of its
# own, since folders are built side by side
build_programs() {
	build_log=$home/build-$(printf %s "$1" | tr / -).log
	if ! as_server make -C "$home/tree/$1" -s -j"$(nproc)" all >"$build_log" 2>&1; then
		tail -n 60 "$build_log" >&2
		return 1
	fi
}

# Print the settings by which a server finds the extension in $home/installed. Debian's servers have
# extension_destdir for this, others from 18 on extension_control_path; a server that has neither gets the
# extension where everybody's is, which needs root.
extension_settings() {
	library=$("$pg_config" --pkglibdir)
	settings=$(as_server "$pg_bin/postgres" --describe-config | cut -f 1)
	if printf '%s\n' "$settings" | grep -qx extension_destdir; then
		printf "extension_destdir = '%s'\n" "$home/installed"
	elif printf '%s\n' "$settings" | grep -qx extension_control_path; then
		printf "extension_control_path = '%s:\$system'\n" "$home/installed$("$pg_config" --sharedir)"
	else
		say "PostgreSQL $pg_version loads extensions from its own folders only: installing ecert there." >&2
		as_root make -C "$home/tree" -s PG_CONFIG="$pg_config" install >&2
		return
	fi
	printf "dynamic_library_path = '%s:\$libdir'\n" "$home/installed$library"
}

# Let Perl programs find PostgreSQL's own modules for tests, and the servers that these start the extension
use_test_modules() {
	modules=${pgxs%/makefiles/pgxs.mk}/test
	extension_settings | as_server tee "$home/tap.conf" >/dev/null
	# their sockets are here: a socket's address has to be short
	TMPDIR=$(as_server mktemp -d /tmp/ecert.XXXXXX)
	echo "$TMPDIR" >>"$run/test-folders"
	unset PGHOST PGUSER
	PGPORT=65432 TESTDIR=$home/tree TESTDATADIR=$home/tree/tmp_check TESTLOGDIR=$home/tree/tmp_check/log
	PATH=${pg_ctl:+${pg_ctl%/*}:}$pg_bin:$home/tree:$PATH TEMP_CONFIG=$home/tap.conf PG_REGRESS=$modules/regress/pg_regress
	PG_CONFIG=$pg_config PERL5LIB=$modules/perl:$home/tree
	export TMPDIR PGPORT TESTDIR TESTDATADIR TESTLOGDIR PATH TEMP_CONFIG PG_REGRESS PG_CONFIG PERL5LIB
}

# ---- the throw-away clusters --------------------------------------------------------------------------

# Make the folder of the sockets, private: nobody else can connect, and since clusters listen nowhere else, no
# port of the machine has to be free. Sets PGHOST and PGUSER for psql and the tests.
make_socket() {
	# The address of a socket has room for 107 bytes
	socket=$home/socket
	if [ "${#socket}" -gt 85 ]; then
		socket=$(mktemp -d /tmp/ecert.XXXXXX)
		[ -z "$server_privilege" ] || chown postgres: "$socket"
		echo "$socket" >"$run/socket"
	else
		as_server mkdir -m 700 "$socket"
	fi
	PGHOST=$socket PGUSER=postgres
	export PGHOST PGUSER
}

# Make and start a cluster in the folder $1 of $home, log beside it; $2 = its port, by which clusters of one
# folder of sockets are told apart; $3 = further settings. Sets PGPORT to that.
start_cluster() {
	if ! as_server "$pg_bin/initdb" -D "$home/$1" -U postgres -A trust -E UTF8 --no-locale -N >"$home/initdb.log" 2>&1; then
		cat "$home/initdb.log" >&2
		return 1
	fi
	{
		extension_settings
		printf "listen_addresses = ''\nunix_socket_directories = '\"%s\"'\nport = %s\n" "$PGHOST" "$2"
		printf "fsync = off\nmax_connections = 60\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n%s\n" "${3:-}"
	} | as_server tee -a "$home/$1/postgresql.conf" >/dev/null
	if ! as_server "${pg_ctl:-$pg_bin/pg_ctl}" -D "$home/$1" -l "$home/$1.log" -w -t 60 start >/dev/null 2>&1; then
		cat "$home/$1.log" >&2
		return 1
	fi
	PGPORT=$2
	export PGPORT
}

# Stop every server in $home, also one that has only begun
stop_clusters() {
	stop_test_servers
	stop_servers "$home"/*/postmaster.pid
	remove_listed "$run/socket"
}

# Stop the servers that a test has left behind, and take away what use_test_modules made elsewhere
stop_test_servers() {
	stop_servers "$home"/tree/tmp_check/*/pgdata/postmaster.pid
	remove_listed "$run/test-folders"
}

# Stop the servers of these files postmaster.pid
stop_servers() {
	for pid_file; do
		[ -f "$pid_file" ] || continue
		[ -n "${pg_bin:-}" ] || find_postgres || true
		as_server "$pg_bin/pg_ctl" -D "${pid_file%/*}" -m immediate -w stop >/dev/null 2>&1 || true
	done
}

# Remove the folders that a file lists, and the file
remove_listed() {
	[ -f "$1" ] || return 0
	while read -r listed; do
		rm -rf "$listed"
	done <"$1"
	rm -f "$1"
}
