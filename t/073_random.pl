# Random ledgers, right ones and ones with lies and damage (test/random): the server (ecert.problems()) and the program that needs no
# server (ecert-verify, on the same packages) must find the same.  RANDOM_SEEDS=first..last says which, by default 1..2000, with
# ECERT_TEST_SHORT 1..500; the same seed makes the same
# ledger.  Where they differ, the seed, both sides and the dump are told, unless the difference is in the table of known ones.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $tree = abs_path(dirname(__FILE__) . '/..');
my $verify = "$tree/src/verifier/ecert-verify";
my $maker = "$tree/build/random/random-ledger";
my $folder = "$PostgreSQL::Test::Utils::tmp_check/random";
my ($first, $last) = ($ENV{RANDOM_SEEDS} // ($ENV{ECERT_TEST_SHORT} ? '1..500' : '1..2000')) =~ /^(\d+)\.\.(\d+)$/ or die 'RANDOM_SEEDS is first..last';
my @options = split ' ', $ENV{RANDOM_OPTIONS} // '';
my $at_once = 100;
my $shown_most = 20;
my $lines_most = 12;

# Differences that are known, and stay: which side says it (server or program; either: the one or the other), what it says, and why
my @known = (
	# docs/verifier.md: a package whose signature is wrong is not held against the one that follows it.  The server goes by the hash beside
	# such a package, which here is that of the changed bytes; in the registry's feeds (node, policy, relation), what comes behind is not believed either
	{ name => 'behind a changed package', side => 'server', says => qr/: package does not follow the head of its feed .*\[behind a changed package\]$/ },
	# and of what does not follow, the server does not ask further whether its times fit the feed (seed 26219 of the format before)
	{ name => 'behind a changed package', side => 'program', says => qr/: (?:period overlaps an earlier one|issued_at runs backwards).*\[behind a changed package\]$/ },
	{ name => 'behind a changed package of the registry', side => 'either', says => qr/ \[a package of the registry was changed\]$/ },
);

PostgreSQL::Test::Utils::system_or_bail('make', '-s', '-C', "$tree/test/random");

# ---- the server -------------------------------------------------------------------------------------------------------------------

my $server = PostgreSQL::Test::Cluster->new('random');
$server->init(extra => [ '-E', 'UTF8' ]);
$server->append_conf('postgresql.conf', "timezone = 'UTC'\nclient_min_messages = error\nmax_parallel_workers_per_gather = 0\njit = off\nautovacuum = off\n");
$server->start;
$server->safe_psql('postgres', "CREATE EXTENSION ecert; CREATE SCHEMA random; SET ecert.node = 'certifier'; SET ecert.signing_key = '$tree/test/keys/certifier.pem'; SET ecert.seal_key = '$tree/test/keys/seal.pem';
	SELECT ecert.create_ledger('random.example', ecert.default_policy()); SET ecert.allow_ledger_ddl = on; ALTER TABLE ledger.package DISABLE TRIGGER USER");
$server->safe_psql('postgres', <<'SQL');
-- Rows of a dump, and the packages that they are; refused: what the server says of a row that is none
CREATE UNLOGGED TABLE random.line (number bigint GENERATED ALWAYS AS IDENTITY, line text);
CREATE UNLOGGED TABLE random.bytes (number bigint GENERATED ALWAYS AS IDENTITY, bytes bytea);
CREATE UNLOGGED TABLE random.row (number bigint, package ecert.package, refused text);
CREATE UNLOGGED TABLE random.found (seed bigint, issuer text, kind text, seq bigint, problem text);
CREATE UNLOGGED TABLE random.ledger (seed bigint PRIMARY KEY, row_count bigint, refused_count bigint, left_out_count bigint);
CREATE UNLOGGED TABLE random.refused (seed bigint, problem text);
CREATE UNLOGGED TABLE random.twice (seed bigint, issuer text, kind text, seq bigint, hash text, is_equivocation boolean);

CREATE FUNCTION random.read_one(number bigint, bytes bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	INSERT INTO random.row VALUES (number, bytes::ecert.package);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
	INSERT INTO random.row VALUES (number, NULL, regexp_replace(SQLERRM || ' ' || said, '^(?:invalid|unsupported) ecert package: (.*) At byte (\d+) of the package(?:, field "[^"]*")?\.$',
		CASE WHEN SQLSTATE = 'EC006' THEN 'package is not supported at byte \2: \1' ELSE 'package is malformed at byte \2: \1' END));
END
$$;

-- All rows at once, or one by one where one of them is no package
CREATE FUNCTION random.read_rows() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO random.row SELECT number, bytes::ecert.package FROM random.bytes;
EXCEPTION WHEN OTHERS THEN
	PERFORM random.read_one(number, bytes) FROM random.bytes ORDER BY number;
END
$$;

-- What this backend knows of the ledger before is forgotten by an error that is caught
CREATE FUNCTION random.forget() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'forget';
EXCEPTION WHEN OTHERS THEN
END
$$;

-- NULL where the server cannot tell, because of a genesis package that is not sound
CREATE FUNCTION random.is_equivocation(one ecert.package, other ecert.package) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN ecert.is_equivocation(one::bytea, other::bytea);
EXCEPTION WHEN OTHERS THEN
	RETURN NULL;
END
$$;

-- Put a dump in place of the ledger, past the triggers, with the columns that admission would derive.  Of several packages with one
-- place the table holds one, and one genesis package
CREATE FUNCTION random.load(seed bigint, path text, is_binary boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	rows bigint;
	refused bigint;
	held bigint;
BEGIN
	-- tables of this size are emptied sooner so than by TRUNCATE, after which every plan would be made anew
	DELETE FROM random.line;
	DELETE FROM random.bytes;
	DELETE FROM random.row;
	DELETE FROM ledger.package;
	IF is_binary THEN
		EXECUTE format('COPY random.bytes (bytes) FROM %L (FORMAT binary)', path);
	ELSE
		EXECUTE format('COPY random.line (line) FROM %L (DELIMITER %L)', path, E'\x01');
		INSERT INTO random.bytes (bytes) SELECT CASE WHEN line ~ '^\\x([0-9a-f]{2})*$' THEN line::bytea END FROM random.line ORDER BY number;
	END IF;
	PERFORM random.read_rows();
	INSERT INTO ledger.package (issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)
	SELECT DISTINCT ON (i.issuer, i.kind, i.seq) i.issuer, i.kind, i.seq, ecert.subject(r.package), ecert.period(r.package), ecert.issued_at(r.package), ecert.hash(r.package), r.package, now()
	  FROM random.row r CROSS JOIN LATERAL (SELECT ecert.issuer(r.package), ecert.kind(r.package), ecert.seq(r.package)) AS i (issuer, kind, seq)
	 WHERE r.package IS NOT NULL
	   AND NOT (i.kind = 'genesis' AND EXISTS (SELECT FROM random.row o WHERE o.package IS NOT NULL AND o.number < r.number AND ecert.kind(o.package) = 'genesis'))
	 ORDER BY i.issuer, i.kind, i.seq, r.number;
	GET DIAGNOSTICS held = ROW_COUNT;
	SELECT count(*), count(*) FILTER (WHERE package IS NULL) INTO rows, refused FROM random.row;
	INSERT INTO random.refused SELECT seed, r.refused FROM random.row r JOIN random.bytes b USING (number) WHERE r.package IS NULL AND b.bytes IS NOT NULL;
	INSERT INTO random.ledger VALUES (seed, rows, refused, rows - refused - held);
	PERFORM ecert.verify_registry();
	IF ecert.verified_registry() IS NOT NULL THEN
		PERFORM ecert.leaf_ranges_agree(true);
	END IF;
	IF held < rows THEN
		EXECUTE format('COPY ledger.package (package) TO %L (FORMAT binary)', path || '.held');
	END IF;
	PERFORM random.forget();
	IF held < rows - refused THEN
		INSERT INTO random.twice
		SELECT seed, p.issuer, p.kind, p.seq, encode(ecert.hash(r.package), 'hex'), random.is_equivocation(p.package, r.package)
		  FROM random.row r JOIN ledger.package p ON (p.issuer, p.kind, p.seq) = (ecert.issuer(r.package), ecert.kind(r.package), ecert.seq(r.package))
		 WHERE r.package IS NOT NULL AND ecert.hash(r.package) <> p.hash;
	END IF;
END
$$;

CREATE FUNCTION random.judge(seed bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO random.found SELECT judge.seed, p.issuer, p.kind, p.seq, p.problem FROM ecert.problems() AS p;
	-- certificates that are right, and that do not stand
	IF ecert.verified_registry() IS NOT NULL THEN
		INSERT INTO random.found
		SELECT judge.seed, p.issuer, p.kind, p.seq, format('certificate''s standing is %s: %s', s.standing, s.why)
		  FROM ledger.package p CROSS JOIN LATERAL ecert.certificate_standing(p.package) AS s
		 WHERE p.kind = 'certificate' AND s.why IS NOT NULL AND ecert.rule_problem(p.package) IS NULL AND (ecert.certificate_status(p.hash)).status <> 'withdrawn';
	END IF;
EXCEPTION WHEN OTHERS THEN
	INSERT INTO random.found VALUES (judge.seed, NULL, NULL, NULL, 'ecert.problems() fails: ' || SQLERRM);
END
$$;

CREATE FUNCTION random.said(path text, OUT issuer text, OUT kind text, OUT seq bigint, OUT problem text, OUT hash text) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT p ->> 'issuer', p ->> 'kind', (p ->> 'seq')::bigint, p ->> 'text', p ->> 'hash'
	  FROM pg_read_file(path) AS f, jsonb_array_elements(f::jsonb -> 'problems' || (f::jsonb -> 'not_supported') || jsonb_path_query_array(f::jsonb -> 'warnings', '$[*] ? (@.text starts with "certificate''s standing is")')) AS p
$$;

-- What one side says and the other does not; in brackets what is known of such a ledger or package
CREATE FUNCTION random.differences(seed bigint, path text, OUT side text, OUT problem text) RETURNS SETOF record LANGUAGE sql AS $$
	WITH server AS MATERIALIZED (SELECT f.issuer, f.kind, f.seq, f.problem FROM random.found f WHERE f.seed = differences.seed),
	program AS MATERIALIZED (SELECT s.issuer, s.kind, s.seq, s.problem FROM random.said(path) AS s)
	SELECT d.side, concat_ws(' ', d.issuer, d.kind, d.seq) || ': ' || d.problem || CASE
	       WHEN EXISTS (SELECT FROM program p WHERE p.kind IN ('node', 'policy', 'relation') AND p.problem = 'signature of the package is wrong') THEN ' [a package of the registry was changed]'
	       WHEN EXISTS (SELECT FROM program p WHERE (p.issuer, p.kind, p.seq) = (d.issuer, d.kind, d.seq - 1) AND p.problem = 'signature of the package is wrong') THEN ' [behind a changed package]'
	       ELSE '' END
	  FROM (SELECT 'server', s.* FROM (TABLE server EXCEPT TABLE program) AS s
	        UNION ALL SELECT 'program', p.* FROM (TABLE program EXCEPT TABLE server) AS p) AS d (side, issuer, kind, seq, problem)
$$;
SQL

# ---- the comparison ---------------------------------------------------------------------------------------------------------------

# Of a dump that the server cannot hold whole, the program is shown what the server holds, and then the whole
sub verify_all
{
	my (@dumps) = @_;
	my $script = '';
	for my $dump (@dumps)
	{
		my $held = -e "$dump.held" ? "$dump.held" : $dump;
		$script .= "'$verify' --json --jobs 1 '$held' >'$dump.json'; [ \$? -le 2 ] || echo 'signal on $held'\n";
		$script .= "'$verify' --json --jobs 1 '$dump' >'$dump.whole.json'; [ \$? -le 2 ] || echo 'signal on $dump'\n" if $held ne $dump;
	}
	my $said = '';
	IPC::Run::run([ 'sh' ], '<', \$script, '>', \$said, '2>&1') or die $said;
	return $said;
}

my %count = map { $_ => 0 } qw(ledgers differing clean refused twice fallen);
my %known_count;
my %took = map { $_ => 0 } qw(making server program comparing);
my $crashes = '';

# The row of the table that a difference belongs to
sub known_as
{
	my ($side, $problem) = @_;
	for my $known (@known)
	{
		next if $known->{side} ne $side && $known->{side} ne 'either';
		return $known if $problem =~ $known->{says};
	}
	return;
}

# Tell of a ledger on which the two sides differ, and keep its dump
sub show
{
	my ($seed, $path, $binary, @lines) = @_;
	my $kept = "$PostgreSQL::Test::Utils::log_path/random-$seed.copy";
	$count{differing}++;
	append_to_file("$PostgreSQL::Test::Utils::log_path/random-differences", join('', map { "$seed\t$_->[0]\t$_->[1]\n" } @lines));
	return if $count{differing} > $shown_most;
	copy($path, $kept) or die "$kept: $!";
	my $told = '';
	IPC::Run::run([ $maker, $seed, '--tell', @options, $binary ? '--binary' : () ], '>', \my $bytes, '2>', \$told);
	my $more = @lines > $lines_most ? '  and ' . (@lines - $lines_most) . " more\n" : '';
	diag("seed $seed: server and program differ; the dump is $kept\n$told" . join('', map { "  $_->[0]: $_->[1]\n" } grep { defined } @lines[ 0 .. $lines_most - 1 ]) . $more);
	return;
}

# What a row is that is no package, and which packages prove that their issuer told two stories: of the whole dump
$server->safe_psql('postgres', <<'SQL');
CREATE FUNCTION random.whole_differences(seed bigint, path text, OUT side text, OUT problem text) RETURNS SETOF record LANGUAGE sql AS $$
	WITH said AS MATERIALIZED (SELECT s.* FROM random.said(path) AS s),
	told AS MATERIALIZED (SELECT t.*, EXISTS (SELECT FROM said s WHERE (s.issuer, s.kind, s.seq) = (t.issuer, t.kind, t.seq) AND s.problem LIKE 'equivocation: %' || t.hash || '%') AS by_program
	                        FROM random.twice t WHERE t.seed = whole_differences.seed)
	SELECT CASE WHEN t.by_program THEN 'program' ELSE 'server' END, concat_ws(' ', t.issuer, t.kind, t.seq) || ': equivocation, with ' || t.hash
	  FROM told t WHERE t.by_program <> t.is_equivocation AND NOT EXISTS (SELECT FROM said s WHERE s.problem LIKE 'the ledger has no sound genesis package%')
	UNION ALL
	SELECT d.side, ': ' || d.problem
	  FROM (SELECT 'server', a.* FROM (SELECT r.problem FROM random.refused r WHERE r.seed = whole_differences.seed EXCEPT ALL SELECT s.problem FROM said s WHERE s.kind IS NULL) AS a
	        UNION ALL
	        SELECT 'program', a.* FROM (SELECT s.problem FROM said s WHERE s.kind IS NULL AND s.problem LIKE ANY ('{package is malformed%,package is not supported%}') EXCEPT ALL SELECT r.problem FROM random.refused r WHERE r.seed = whole_differences.seed) AS a) AS d (side, problem)
	UNION ALL
	SELECT 'program', format('%s rows are no packages, the server refuses %s', count(s.*), l.refused_count)
	  FROM random.ledger l LEFT JOIN said s ON s.kind IS NULL AND (s.problem LIKE 'package is malformed%' OR s.problem LIKE 'package is not supported%' OR s.problem LIKE 'row %' OR s.problem LIKE 'package is missing%')
	 WHERE l.seed = whole_differences.seed GROUP BY l.refused_count HAVING count(s.*) <> l.refused_count
$$;
SQL

# All differences of some dumps
sub differences
{
	my (@dumps) = @_;
	my $sql = join(' UNION ALL ', map { my ($seed, $path) = @$_;
		"SELECT $seed, d.side, d.problem FROM random.differences($seed, '$path.json') AS d" .
		(-e "$path.whole.json" ? " UNION ALL SELECT $seed, d.side, d.problem FROM random.whole_differences($seed, '$path.whole.json') AS d" : '') } @dumps);
	my $found = $server->safe_psql('postgres', "SELECT jsonb_build_array(d.seed, d.side, d.problem) FROM ($sql) AS d (seed, side, problem) ORDER BY d.seed, d.side, d.problem COLLATE \"C\"");
	my %of;
	push @{ $of{ $_->[0] } }, [ $_->[1], $_->[2] ] for map { decode_json($_) } split /\n/, $found;
	return %of;
}

# Call code and count the time that it takes
sub timed
{
	my ($what, $code) = @_;
	my $began = time;
	my @result = $code->();
	$took{$what} += time() - $began;
	return @result;
}

# Make the ledgers of some seeds, have both judge them, compare
sub try_seeds
{
	my ($from, $to, $binary) = @_;
	my @dumps = map { [ $_, "$folder/$_" ] } $from .. $to;
	mkdir $folder or die "$folder: $!";
	timed('making', sub { IPC::Run::run([ $maker, $from, $to, $folder, @options, $binary ? '--binary' : () ]) or die 'the ledgers could not be made' });
	timed('server', sub { $server->safe_psql('postgres', 'TRUNCATE ledger.package, random.line, random.bytes, random.row, random.found, random.ledger, random.refused, random.twice;' .
		join('', map { "SELECT random.load($_->[0], '$_->[1]', " . ($binary ? 'true' : 'false') . "), random.judge($_->[0]);\n" } @dumps)) });
	timed('program', sub { $crashes .= verify_all(map { $_->[1] } @dumps) });
	my %of = timed('comparing', sub { differences(@dumps) });
	for my $dump (@dumps)
	{
		my ($seed, $path) = @$dump;
		my @unknown;
		for my $line (@{ $of{$seed} // [] })
		{
			my $known = known_as(@$line);
			push @unknown, $line if !$known;
			next if !$known;
			$known_count{ $known->{name} }++;
			append_to_file("$PostgreSQL::Test::Utils::log_path/random-known", "$known->{name}\t$seed\t$line->[0]\t$line->[1]\n");
		}
		show($seed, $path, $binary, @unknown) if @unknown;
	}
	$count{ledgers} += @dumps;
	my ($clean, $refused, $twice, $fallen) = split /\|/, $server->safe_psql('postgres', "SELECT count(*) FILTER (WHERE NOT EXISTS (SELECT FROM random.found f WHERE f.seed = l.seed)),
		count(*) FILTER (WHERE refused_count > 0), count(*) FILTER (WHERE left_out_count > 0),
		(SELECT count(*) FROM random.found f WHERE f.problem LIKE 'certificate''s standing is%') FROM random.ledger l");
	$count{clean} += $clean;
	$count{refused} += $refused;
	$count{twice} += $twice;
	$count{fallen} += $fallen;
	PostgreSQL::Test::Utils::system_or_bail('rm', '-rf', $folder);
	return;
}

for (my $from = $first; $from <= $last; $from += $at_once)
{
	my $to = $from + $at_once - 1 < $last ? $from + $at_once - 1 : $last;
	try_seeds($from, $to, int($from / $at_once) % 2);
}

is($crashes, '', 'the program ends by itself');
is($count{differing}, 0, "server and program find the same in $count{ledgers} ledgers");
cmp_ok($count{clean}, '>', $count{ledgers} / 20, "$count{clean} of them are clean");
note("rows that are no packages in $count{refused}, packages for one place in $count{twice}; certificates that are right and do not stand: $count{fallen}");
note(sprintf('%.1f s for %s', $took{$_}, $_)) for sort keys %took;
# a row of the table that is not seen any more in many ledgers can go
note("known: $_ (" . ($known_count{$_} // 0) . ' lines)') for sort keys %{ { map { $_->{name} => 1 } @known } };

done_testing();
