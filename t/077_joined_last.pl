# Random ledgers (test/random), right ones, ones with lies and ones whose issuers tell two stories, as nodes get them: one that was there when each package was signed, one that joined
# last and is sent them in any order, one that is sent some feeds only.  They hold the same and have the same to say against it, but for what the
# last one cannot check; what they note when a package comes, or when its
# checkpoint is taken up, is what verification finds, and t/073_random.pl holds that against ecert-verify.  RANDOM_SEEDS=first..last says which, of all
# sorts; with RANDOM_OPTIONS, the maker's, of one.
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
my $seeds = $ENV{RANDOM_SEEDS};
my $some = $ENV{ECERT_TEST_SHORT} ? 12 : 30;
# Right ledgers, those with lies, and those with two stories; the second number is added to their seeds
my @runs = defined $ENV{RANDOM_OPTIONS} ? [ $seeds // '1..150', 0, split ' ', $ENV{RANDOM_OPTIONS} ] :
	([ $seeds // "1..$some", 0, '--honest' ], [ $seeds // '1..' . 2 * $some, 1_000_000 ],
		# a checkpoint whose size its heads do not make, at a node that cannot compute its root
		(defined $seeds ? () : [ '238..238', 1_000_000 ]), [ $seeds // "1..$some", 2_000_000, '--honest', '--lie', 'TWO_STORIES' ]);
my $at_once = 50;
my $shown_most = 20;

PostgreSQL::Test::Utils::system_or_bail('make', '-s', '-C', "$tree/test/random");

my $server = PostgreSQL::Test::Cluster->new('joined');
$server->init(extra => [ '-E', 'UTF8' ]);
$server->append_conf('postgresql.conf', "timezone = 'UTC'\nclient_min_messages = error\nmax_parallel_workers_per_gather = 0\njit = off\nautovacuum = off\n");
$server->start;
$server->safe_psql('postgres', "CREATE EXTENSION ecert; CREATE SCHEMA random; SET ecert.node = 'certifier'; SET ecert.signing_key = '$tree/test/keys/certifier.pem'; SET ecert.seal_key = '$tree/test/keys/seal.pem';
	SELECT ecert.create_ledger('random.example', ecert.default_policy()); SET ecert.allow_ledger_ddl = on;
	" . join(' ', map { "ALTER TABLE ledger.$_ DISABLE TRIGGER ecert_refuse_row; ALTER TABLE ledger.$_ DISABLE TRIGGER ecert_refuse_statement;" } qw(package equivocation fork)));
$server->safe_psql('postgres', <<'SQL');
CREATE UNLOGGED TABLE random.bytes (number bigint GENERATED ALWAYS AS IDENTITY, bytes bytea);
-- What a node makes of a ledger: the packages that it holds with what it notes against them, and what waits or is refused; cover: are they under a
-- checkpoint, was that taken up, and is its root that of any choice of stories
CREATE UNLOGGED TABLE random.made (seed bigint, way text, issuer text, kind text, seq bigint, hash bytea, cover text, state text, note text);
CREATE UNLOGGED TABLE random.sealed (seed bigint, way text, last bigint);
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
	DELETE FROM ledger.peer;
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

-- A node is sent the feeds of one applicant, or without those of auditors
CREATE FUNCTION random.filter(seed bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO ledger.peer (peer, this_node, is_hub, issuers, kinds)
	SELECT 'hub', 'reader', true, CASE WHEN seed % 2 = 0 THEN ARRAY[min(ecert.issuer(b.bytes::ecert.package))] END, CASE WHEN seed % 2 = 1 THEN '{energy,product,certificate}'::text[] END
	  FROM random.bytes b WHERE ecert.kind(b.bytes::ecert.package) = 'energy'
$$;

CREATE FUNCTION random.join(way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	package record;
BEGIN
	FOR package IN SELECT b.bytes FROM random.bytes b WHERE ecert.holds(ecert.kind(b.bytes::ecert.package), ecert.issuer(b.bytes::ecert.package)) ORDER BY CASE way WHEN 'there' THEN lpad(b.number::text, 9, '0') ELSE encode(sha256(b.bytes), 'hex') END LOOP
		PERFORM ecert.admit_from_peer(package.bytes, 'hub');
	END LOOP;
	-- two rounds of duties
	FOR i IN 1 .. 2 LOOP
		PERFORM ecert.drain_pending();
		PERFORM ecert.take_up_checkpoints();
	END LOOP;
END
$$;

CREATE FUNCTION random.cover(issuer text, kind text, seq bigint) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN c.seq IS NULL THEN 'none' ELSE coalesce((SELECT CASE s.outcome WHEN 'differs' THEN 'differs' ELSE 'taken up' END FROM ledger.sealing s WHERE s.checkpoint_seq = c.seq), 'waits') END
	  FROM ecert.sealed_by(issuer, kind, seq) AS c (seq)
$$;

CREATE FUNCTION random.tell(seed bigint, way text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO random.made
	SELECT tell.seed, way, p.issuer, p.kind, p.seq, p.hash, random.cover(p.issuer, p.kind, p.seq), 'held', CASE WHEN f.issuer IS NOT NULL THEN coalesce(f.problem, 'not judged yet') END
	  FROM ledger.package p LEFT JOIN ledger.finding f USING (issuer, kind, seq)
	UNION ALL
	SELECT tell.seed, way, q.issuer, q.kind, q.seq, q.hash, random.cover(q.issuer, q.kind, q.seq), 'refused', q.reason FROM ledger.quarantine q
	UNION ALL
	SELECT tell.seed, way, w.issuer, w.kind, w.seq, w.hash, random.cover(w.issuer, w.kind, w.seq), 'waits', w.reason FROM ledger.pending w;
	INSERT INTO random.sealed SELECT tell.seed, way, coalesce(max(s.checkpoint_seq), -1) FROM ledger.sealing s;
	INSERT INTO random.problem SELECT tell.seed, way, p.issuer, p.kind, p.seq, p.problem FROM ecert.problems() AS p
$$;

-- A genesis package that is not sound makes no ledger, and nobody joins it
CREATE UNLOGGED TABLE random.failed (seed bigint, way text, is_of_genesis boolean, error text);
CREATE FUNCTION random.try(seed bigint, way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	genesis ecert.package;
BEGIN
	SELECT b.bytes::ecert.package INTO genesis FROM random.bytes b WHERE ecert.kind(b.bytes::ecert.package) = 'genesis';
	BEGIN
		INSERT INTO ledger.package (package) VALUES (genesis);
	EXCEPTION WHEN OTHERS THEN
		INSERT INTO random.failed VALUES (seed, way, true, SQLERRM);
		RETURN;
	END;
	IF way = 'filtered' THEN
		PERFORM random.filter(seed);
	END IF;
	PERFORM random.join(way);
	PERFORM random.tell(seed, way);
EXCEPTION WHEN OTHERS THEN
	INSERT INTO random.failed VALUES (seed, way, false, SQLERRM);
END
$$;
SQL

sub load_sql
{
	my ($seed, $path) = @_;
	my $sql = "TRUNCATE random.bytes; COPY random.bytes (bytes) FROM '$path' (FORMAT binary);\n";
	$sql .= "SELECT random.empty(); SELECT random.forget(); SELECT random.try($seed, '$_');\n" for qw(there last filtered);
	return $sql;
}

# What nodes make of the ledgers of some seeds
sub try_seeds
{
	my ($from, $to, $added, @options) = @_;
	mkdir $folder or die "$folder: $!";
	IPC::Run::run([ $maker, $from, $to, $folder, @options, '--binary', '--no-damage' ]) or die 'the ledgers could not be made';
	$server->safe_psql('postgres', "SET ecert.allow_ledger_ddl = on;\n" . join('', map { load_sql($added + $_, "$folder/$_") } $from .. $to));
	# rows of ledgers that are gone
	$server->safe_psql('postgres', 'VACUUM');
	PostgreSQL::Test::Utils::system_or_bail('rm', '-rf', $folder);
	return;
}

for my $run (@runs)
{
	my ($range, $added, @options) = @$run;
	my ($first, $last) = $range =~ /^(\d+)\.\.(\d+)$/ or die 'RANDOM_SEEDS is first..last';
	for (my $from = $first; $from <= $last; $from += $at_once)
	{
		try_seeds($from, $from + $at_once - 1 < $last ? $from + $at_once - 1 : $last, $added, @options);
	}
}

note($server->safe_psql('postgres', 'SELECT * FROM random.failed ORDER BY 1, 2 LIMIT 20'));
# Differences that are known, and stay
$server->safe_psql('postgres', <<'SQL');
CREATE VIEW random.known AS
	-- of two stories under one seq a node holds the one that came first, where no checkpoint that it has taken up says which (one with a root of no ledger does not), and all that rests on that
	SELECT DISTINCT m.seed, 'two stories' AS name, NULL AS cover FROM random.made m WHERE m.state = 'refused' AND m.note LIKE 'the issuer has signed two packages with one seq%' AND m.cover <> 'taken up'
	UNION ALL
	-- what no checkpoint covers is judged by what is known when it comes: before a node package ended its key, or a checkpoint made a relation that it
	-- rests on a false one, or the next checkpoint left out what rests on the one before, it is held, and has its finding, or is void, when it is sealed; behind that it is
	-- refused or waits
	SELECT DISTINCT m.seed, 'not covered', 'none' FROM random.made m
	 WHERE m.cover = 'none' AND m.state = 'refused' AND (m.note LIKE 'node "%" is revoked %' OR m.note LIKE 'key % no longer in use%')
	    OR m.cover = 'none' AND m.state = 'refused' AND m.note LIKE 'the package rests on a checkpoint that was not the newest%'
	    OR m.cover = 'taken up' AND m.state = 'held' AND m.kind = 'relation' AND m.note IS NOT NULL
	UNION ALL
	-- and what verification finds against it, it finds by what is known now
	SELECT DISTINCT p.seed, 'not covered', 'none' FROM random.problem p JOIN random.made m USING (seed, way, issuer, kind, seq)
	 WHERE m.cover = 'none' AND m.state = 'held' AND m.note IS NULL AND (p.problem LIKE 'node "%" is revoked %' OR p.problem LIKE 'key % no longer in use%');

-- A node that is not sent everything cannot compute roots, so it holds the story that came first in any case
CREATE VIEW random.kept_story AS
	SELECT DISTINCT m.seed, m.way FROM random.made m WHERE m.way = 'filtered' AND m.state = 'refused' AND m.note LIKE 'the issuer has signed two packages with one seq%';

-- Under a checkpoint of which not all is here what was found before is not the last word: its computation waits (docs/design.md)
CREATE VIEW random.differs AS
	SELECT coalesce(t.seed, l.seed) AS seed, concat_ws(' ', coalesce(t.issuer, l.issuer), coalesce(t.kind, l.kind), coalesce(t.seq, l.seq)) AS place,
	       concat_ws(', cover ', t.state, t.cover) AS there, concat_ws(', cover ', l.state, l.cover) AS last, t.note AS there_note, l.note AS last_note,
	       CASE t.cover WHEN l.cover THEN t.cover END AS cover
	  FROM (SELECT * FROM random.made WHERE way = 'there') AS t
	  FULL JOIN (SELECT * FROM random.made WHERE way = 'last') AS l USING (seed, hash)
	 WHERE t.state IS DISTINCT FROM l.state OR t.cover IS DISTINCT FROM l.cover OR t.state = 'held' AND t.cover <> 'waits' AND t.note IS DISTINCT FROM l.note;

-- Of what it is sent the third node holds, refuses and finds no other things than who is sent everything; it may find less
CREATE VIEW random.differs_filtered AS
	SELECT f.seed, concat_ws(' ', f.issuer, f.kind, f.seq) AS place, concat_ws(', cover ', f.state, f.cover) AS filtered, concat_ws(', cover ', l.state, l.cover) AS last,
	       f.note AS filtered_note, l.note AS last_note, CASE f.cover WHEN l.cover THEN f.cover END AS cover
	  FROM (SELECT * FROM random.made WHERE way = 'filtered') AS f
	  LEFT JOIN (SELECT * FROM random.made WHERE way = 'last') AS l USING (seed, hash)
	 WHERE NOT EXISTS (SELECT FROM random.kept_story k WHERE k.seed = f.seed)
	   AND (f.state IS DISTINCT FROM l.state AND (f.state = 'held' AND l.state <> 'held' AND l.cover = 'none') IS NOT TRUE OR f.state = 'held' AND l.cover <> 'waits' AND f.note IS NOT NULL AND l.note IS NULL);

CREATE VIEW random.unlike_noted AS
	SELECT m.seed, m.way, concat_ws(' ', m.issuer, m.kind, m.seq) AS place, m.cover, m.note, p.problem
	  FROM (SELECT * FROM random.made WHERE state = 'held') AS m
	  FULL JOIN (SELECT p.seed, p.way, p.issuer, p.kind, p.seq, string_agg(p.problem, '; ' ORDER BY p.problem) AS problem FROM random.problem p GROUP BY 1, 2, 3, 4, 5) AS p USING (seed, way, issuer, kind, seq)
	 WHERE NOT EXISTS (SELECT FROM random.kept_story k WHERE k.seed = m.seed AND k.way = m.way)
	   AND (m.note IS NULL) <> (p.problem IS NULL) AND m.cover IS DISTINCT FROM 'waits'
	   AND (m.kind = 'checkpoint' AND m.note IS NULL AND m.seq > (SELECT s.last FROM random.sealed s WHERE s.seed = m.seed AND s.way = m.way)) IS NOT TRUE;
SQL

# What of a view is not known; what is, is told
sub check_view
{
	my ($view, $order, $name) = @_;
	my $known = "EXISTS (SELECT FROM random.known k WHERE k.seed = d.seed AND (k.cover IS NULL OR k.cover = d.cover))";
	my $lines = $server->safe_psql('postgres', "SELECT DISTINCT ON (seed) * FROM random.$view d WHERE NOT $known ORDER BY seed, $order LIMIT $shown_most");
	is($server->safe_psql('postgres', "SELECT count(DISTINCT seed) FROM random.$view d WHERE NOT $known"), 0, $name) or diag($lines);
	note("known in $view: $_") for split /\n/, $server->safe_psql('postgres', "SELECT k.name, count(DISTINCT d.seed) || ' ledgers' FROM random.$view d JOIN random.known k ON k.seed = d.seed AND (k.cover IS NULL OR k.cover = d.cover) GROUP BY 1 ORDER BY 1");
	return;
}

cmp_ok($server->safe_psql('postgres', "SELECT count(*) FROM random.made WHERE state = 'held' AND cover = 'taken up'"), '>', 0, 'there is something to compare');
check_view('differs', 'place', 'who joined last holds and says the same as who was there');
check_view('differs_filtered', 'place', 'who is sent some feeds only finds nothing else');
check_view('unlike_noted', 'way, place', 'and both note what verification finds');
is($server->safe_psql('postgres', 'SELECT count(*) FROM random.failed WHERE NOT is_of_genesis'), 0, 'nothing but a genesis package that is not sound stops a node');
note($server->safe_psql('postgres', q{SELECT way, state, cover, note IS NOT NULL AS noted, count(*) FROM random.made GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4}));
done_testing();
