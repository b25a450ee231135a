# Random ledgers (test/random) as nodes get them: one that was there when each package was signed, one that joined last and is sent them in any
# order.  Both hold the same and have the same to say against it; what they note when a package comes is what verification finds, and
# t/073_random.pl holds that against ecert-verify.  RANDOM_SEEDS=first..last says which; they are right ones unless RANDOM_OPTIONS says otherwise:
# of twins and of node packages that are wrong, a node holds what came first (docs/threat-model.md).
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tree = abs_path(dirname(__FILE__) . '/..');
my $maker = "$tree/build/random/random-ledger";
my $folder = "$PostgreSQL::Test::Utils::tmp_check/joined";
my ($first, $last) = ($ENV{RANDOM_SEEDS} // '1..60') =~ /^(\d+)\.\.(\d+)$/ or die 'RANDOM_SEEDS is first..last';
my @options = split ' ', $ENV{RANDOM_OPTIONS} // '--honest';
my $at_once = 50;
my $shown_most = 20;

PostgreSQL::Test::Utils::system_or_bail('make', '-s', '-C', "$tree/test/random");

my $server = PostgreSQL::Test::Cluster->new('joined');
$server->init(extra => [ '-E', 'UTF8' ]);
$server->append_conf('postgresql.conf', "timezone = 'UTC'\nclient_min_messages = error\nmax_parallel_workers_per_gather = 0\njit = off\nautovacuum = off\n");
$server->start;
$server->safe_psql('postgres', "CREATE EXTENSION ecert; CREATE SCHEMA random; SET ecert.node = 'certifier'; SET ecert.signing_key = '$tree/test/keys/certifier.pem'; SET ecert.seal_key = '$tree/test/keys/seal.pem';
	SELECT ecert.create_ledger('random.example', ecert.default_policy()); SET ecert.allow_ledger_ddl = on;
	ALTER TABLE ledger.package DISABLE TRIGGER ecert_refuse_row; ALTER TABLE ledger.package DISABLE TRIGGER ecert_refuse_statement");
$server->safe_psql('postgres', <<'SQL');
CREATE UNLOGGED TABLE random.bytes (number bigint GENERATED ALWAYS AS IDENTITY, bytes bytea);
-- What a node makes of a ledger: the packages that it holds with what it notes against them, and what waits or is refused
CREATE UNLOGGED TABLE random.made (seed bigint, way text, issuer text, kind text, seq bigint, hash bytea, is_covered boolean, state text, note text);
CREATE UNLOGGED TABLE random.problem (seed bigint, way text, issuer text, kind text, seq bigint, problem text);

CREATE FUNCTION random.empty() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM ledger.package;
	DELETE FROM ledger.feed;
	DELETE FROM ledger.leaf_range;
	DELETE FROM ledger.pending;
	DELETE FROM ledger.quarantine;
	DELETE FROM ledger.finding;
	DELETE FROM ledger.equivocation;
	DELETE FROM ledger.tile;
	DELETE FROM ledger.sealing;
	DELETE FROM ledger.fork;
	DELETE FROM ecert_internal.moved;
	DELETE FROM ecert_internal.tried_story;
END
$$;

-- What this backend knows of the ledger before is forgotten by an error that is caught
CREATE FUNCTION random.forget() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'forget';
EXCEPTION WHEN OTHERS THEN
END
$$;

CREATE FUNCTION random.join(way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	package record;
BEGIN
	FOR package IN SELECT b.bytes FROM random.bytes b ORDER BY CASE way WHEN 'there' THEN lpad(b.number::text, 9, '0') ELSE encode(sha256(b.bytes), 'hex') END LOOP
		PERFORM ecert.admit_from_peer(package.bytes, 'hub');
	END LOOP;
	PERFORM ecert.drain_pending();
	PERFORM ecert.take_up_checkpoints();
END
$$;

CREATE FUNCTION random.tell(seed bigint, way text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO random.made
	SELECT tell.seed, way, p.issuer, p.kind, p.seq, p.hash, ecert.sealed_by(p.issuer, p.kind, p.seq) < 9223372036854775807, 'held', CASE WHEN f.issuer IS NOT NULL THEN coalesce(f.problem, 'not judged yet') END
	  FROM ledger.package p LEFT JOIN ledger.finding f USING (issuer, kind, seq)
	UNION ALL
	SELECT tell.seed, way, q.issuer, q.kind, q.seq, q.hash, ecert.sealed_by(q.issuer, q.kind, q.seq) < 9223372036854775807, 'refused', q.reason FROM ledger.quarantine q
	UNION ALL
	SELECT tell.seed, way, w.issuer, w.kind, w.seq, w.hash, ecert.sealed_by(w.issuer, w.kind, w.seq) < 9223372036854775807, 'waits', w.reason FROM ledger.pending w;
	INSERT INTO random.problem SELECT tell.seed, way, p.issuer, p.kind, p.seq, p.problem FROM ecert.problems() AS p
$$;

-- A genesis package that is not sound makes no ledger, and nobody joins it
CREATE UNLOGGED TABLE random.failed (seed bigint, way text, is_of_genesis boolean, error text);
CREATE FUNCTION random.try(seed bigint, way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	genesis ecert.package;
BEGIN
	SELECT b.bytes::ecert.package INTO genesis FROM random.bytes b WHERE ecert.kind(b.bytes::ecert.package) = 'genesis';
	INSERT INTO ledger.package (package) VALUES (genesis);
	PERFORM random.join(way);
	PERFORM random.tell(seed, way);
EXCEPTION WHEN OTHERS THEN
	INSERT INTO random.failed VALUES (seed, way, NOT EXISTS (SELECT FROM ledger.package), SQLERRM);
END
$$;
SQL

sub load_sql
{
	my ($seed, $path) = @_;
	my $sql = "TRUNCATE random.bytes; COPY random.bytes (bytes) FROM '$path' (FORMAT binary);\n";
	$sql .= "SELECT random.empty(); SELECT random.forget(); SELECT random.try($seed, '$_');\n" for qw(there last);
	return $sql;
}

for (my $from = $first; $from <= $last; $from += $at_once)
{
	my $to = $from + $at_once - 1 < $last ? $from + $at_once - 1 : $last;
	mkdir $folder or die "$folder: $!";
	IPC::Run::run([ $maker, $from, $to, $folder, @options, '--binary', '--no-damage' ]) or die 'the ledgers could not be made';
	$server->safe_psql('postgres', "SET ecert.allow_ledger_ddl = on;\n" . join('', map { load_sql($_, "$folder/$_") } $from .. $to));
	PostgreSQL::Test::Utils::system_or_bail('rm', '-rf', $folder);
}

note($server->safe_psql('postgres', 'SELECT * FROM random.failed ORDER BY 1, 2 LIMIT 20'));
# Of two stories under one seq the first that comes is held, where no checkpoint says which
my $alike = q{CREATE VIEW random.differs AS
	SELECT coalesce(t.seed, l.seed) AS seed, concat_ws(' ', coalesce(t.issuer, l.issuer), coalesce(t.kind, l.kind), coalesce(t.seq, l.seq)) AS place,
	       t.state AS there, l.state AS last, t.note AS there_note, l.note AS last_note
	  FROM (SELECT * FROM random.made WHERE way = 'there') AS t
	  FULL JOIN (SELECT * FROM random.made WHERE way = 'last') AS l USING (seed, hash)
	 WHERE t.state IS DISTINCT FROM l.state OR t.state = 'held' AND t.note IS DISTINCT FROM l.note};
$server->safe_psql('postgres', $alike);
my $unlike = $server->safe_psql('postgres', "SELECT DISTINCT ON (seed) * FROM random.differs ORDER BY seed, place LIMIT $shown_most");
is($server->safe_psql('postgres', 'SELECT count(DISTINCT seed) FROM random.differs'), 0, 'who joined last holds and says the same as who was there') or diag($unlike);

$server->safe_psql('postgres', q{CREATE VIEW random.unlike_noted AS
	SELECT m.seed, m.way, concat_ws(' ', m.issuer, m.kind, m.seq) AS place, m.is_covered, m.note, p.problem
	  FROM (SELECT * FROM random.made WHERE state = 'held') AS m
	  FULL JOIN (SELECT p.seed, p.way, p.issuer, p.kind, p.seq, string_agg(p.problem, '; ' ORDER BY p.problem) AS problem FROM random.problem p GROUP BY 1, 2, 3, 4, 5) AS p USING (seed, way, issuer, kind, seq)
	 WHERE (m.note IS NULL) <> (p.problem IS NULL)});
$unlike = $server->safe_psql('postgres', "SELECT DISTINCT ON (seed) * FROM random.unlike_noted ORDER BY seed, way, problem NOT LIKE '%not enrolled%' DESC, place LIMIT $shown_most");
is($server->safe_psql('postgres', 'SELECT count(DISTINCT seed) FROM random.unlike_noted'), 0, 'and both note what verification finds') or diag($unlike);
note($server->safe_psql('postgres', q{SELECT way, state, is_covered, note IS NOT NULL AS noted, count(*) FROM random.made GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4}));
done_testing();
