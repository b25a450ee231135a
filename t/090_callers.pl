# Whoever calls, and with whatever settings of the session: functions and views give the same, and what is signed is the same.
use strict;
use warnings FATAL => 'all';

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = PostgreSQL::Test::Cluster->new('callers');
$server->init(extra => [ '-E', 'UTF8' ]);
my $keys = "$FindBin::RealBin/../test/keys";
$server->append_conf('postgresql.conf', "ecert.seal_key = '$keys/seal.pem'\nmax_prepared_transactions = 5\ntimezone = 'UTC'\nshared_preload_libraries = 'ecert'\necert.worker_interval = 0\n");
$server->start;
system_or_bail('psql', '-X', '-q', '-d', $server->connstr('postgres'), '-v', "keys=$keys", '-f', "$FindBin::RealBin/../test/calls/ledger.sql");
$server->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pgcrypto;
-- objects of one's own that stand before everything else on a hostile path, and say so when they are used
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.lower(tstzrange) RETURNS timestamptz LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.upper(tstzrange) RETURNS timestamptz LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.encode(bytea, text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.decode(text, text) RETURNS bytea LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.jsonb_array_elements(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.current_setting(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.digest(bytea, text) RETURNS bytea LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.hash(bytea) RETURNS bytea LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.date_trunc(text, timestamptz) RETURNS timestamptz LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.to_jsonb(text) RETURNS jsonb LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.left(text, integer) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.same(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.same(bytea, bytea) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.same(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE FUNCTION hostile.joined(text, text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'hostile'; END$$;
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.same);
CREATE OPERATOR hostile.= (LEFTARG = bytea, RIGHTARG = bytea, FUNCTION = hostile.same);
CREATE OPERATOR hostile.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.same);
CREATE OPERATOR hostile.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.same);
CREATE OPERATOR hostile.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.joined);
CREATE TABLE hostile.pg_class (oid oid);
CREATE TABLE hostile.pg_proc (oid oid);
CREATE TABLE hostile.package (package text);
SQL
my @evidence = split /\|/, $server->safe_psql('postgres', q{SELECT encode(first, 'hex'), encode(second, 'hex') FROM (SELECT first_package::bytea AS first, second_package::bytea AS second FROM ledger.equivocation) AS e});
my $certificate = $server->safe_psql('postgres', q{SELECT encode(hash, 'hex') FROM ledger.package WHERE kind = 'certificate'});

my $jan = "'[2024-01-01 00:00+00,2024-02-01 00:00+00)'";
my $before = "'[2023-01-01 00:00+00,2023-02-01 00:00+00)'";
# what is read: views, and functions
my @read = (
	(split /\n/, $server->safe_psql('postgres', q{
		SELECT format('SELECT %s FROM %s', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), c.oid::regclass) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
		 WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'v' AND c.relname <> 'health' AND a.attname NOT LIKE '%age\_seconds' GROUP BY c.oid ORDER BY c.oid::regclass::text})),
	# (times are shown to a session in its zone and style)
	"SELECT item, subject, state, CASE WHEN item IN ('newest package', 'checkpoint', 'duties', 'verification') THEN '' ELSE value END AS value FROM ecert.health()",
	'SELECT count(*) FROM ecert.problems()', 'SELECT * FROM ecert.check_chain()',
	"SELECT * FROM ecert.assess('plant-a', $jan, $before)", "SELECT * FROM ecert.assess('plant-a', $jan, $before, 'value')", "SELECT obstacle FROM ecert.obstacles('plant-a', $jan)", "SELECT * FROM ecert.audits('plant-a')",
	"SELECT * FROM ecert.coverage_gaps('plant-a', 'energy', '[2024-01-01 00:00+00,2024-07-01 00:00+00)')", "SELECT seq, period FROM ecert.live_packages('plant-a', 'energy', $jan)",
	'SELECT * FROM ecert.unaudited()', 'SELECT applicant FROM ecert.uncertified()', 'SELECT duty, subject FROM ecert.due_duties()',  # (periods are still cut in the session's time zone)
	 'SELECT * FROM ecert.coefficients(ecert.policy())', 'SELECT ecert.node_state(n.node) FROM ledger.node n',
	'SELECT * FROM ecert.unsealed()', "SELECT ecert.verify_receipt(p.package, ecert.receipt(p.hash), calls.public('seal')) FROM ledger.package p WHERE p.kind = 'certificate'",
	"SELECT * FROM ecert.statement_parts(ecert.transparent(decode('$certificate', 'hex')), calls.public('seal'))", 'SELECT ecert.default_policy()', "SELECT ecert.certificate_figures('plant-a', $jan, $before, 'product')",
	'SELECT ecert.jsonb(package) FROM ledger.package', 'SELECT p.hash, l.* FROM ledger.package p CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l', 'SELECT l.* FROM ledger.package p CROSS JOIN LATERAL ecert.energy_series(p.package) AS l',
	"SELECT ecert.is_equivocation('\\x$evidence[0]', '\\x$evidence[1]')", 'SELECT * FROM ecert.passed_over()', 'SELECT * FROM ecert.feeds()', 'SELECT ecert.moved_identity() IS NOT NULL', "SELECT ecert.note_key('buyer')",
	"SELECT n.* FROM calls.text_value t CROSS JOIN LATERAL ecert.read_note(t.v) AS n", 'SELECT * FROM ecert.late_packages()',
);
# and what is written, in a transaction that is rolled back: each as a node
my @write = (
	[ 'plant-a', q{SELECT ecert.append('energy', '{"period": [1711929600, 1714521600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 1.50, "note": "a\\\\nb"}]}')} ],
	[ 'plant-a', q{UPDATE ledger.reading SET quantity = quantity + 0.125 WHERE interval_start = '2024-01-01 00:00+00'} ],
	[ 'plant-a', qq{SELECT ecert.pack_energy($jan, p.hash, 'read again') FROM ledger.package p WHERE p.issuer = 'plant-a' AND p.kind = 'energy' AND p.seq = 2} ],
	[ 'supplier', qq{SELECT ecert.submit_audit('plant-a', $jan, 'upstream')} ], [ 'plant-b', qq{SELECT ecert.submit_audit('plant-a', $before, 'peer')} ],
	[ 'certifier', q{SELECT ecert.checkpoint()} ], [ 'certifier', q{SELECT ecert.set_status(decode('CERTIFICATE', 'hex'), 'withdrawn', 'corrected')} ], [ 'certifier', q{SELECT ecert.checkpoint()} ],
	[ 'certifier', qq{SELECT ecert.certify('plant-a', $jan, $before)} ], [ 'certifier', q{SELECT count(*) FROM ecert.reward()} ], [ 'certifier', q{SELECT ecert.relate('stranger', 'plant-a', 'peer', '2024-01-01 00:00+00')} ],
	[ 'certifier', q{SELECT ecert.enroll('new', '{applicant}', calls.public('plant-c'), 'New one')} ], [ 'certifier', q{SELECT ecert.set_policy(ecert.policy())} ],
	[ 'certifier', q{SELECT ecert.checkpoint()} ], [ 'buyer', q{SELECT ecert.witness()} ],
	[ 'certifier', q{SELECT ecert.admit_from_peer(bytes, 'hub') FROM calls.story} ], [ 'certifier', q{SELECT ecert.judge_certificates()} ], [ 'certifier', q{SELECT ecert.rebuild_tree()} ],
	[ 'certifier', q{SELECT ecert.upgrade_ledger()} ],
);
for (@write) { $_->[1] =~ s/CERTIFICATE/$certificate/; }

# They are parsed here, under the defaults: the setting is for what they call
my @kept = (
	'SELECT p.issuer, p.kind, p.seq, p.subject, p.period, ecert.body(p.package) AS body FROM ledger.package p',
	'SELECT (SELECT count(*) FROM ledger.equivocation) AS equivocations, (SELECT count(*) FROM ledger.quarantine) AS quarantined, (SELECT count(*) FROM ledger.finding) AS findings',
);
my $made = "SET client_min_messages = warning;\n";
$made .= "CREATE VIEW calls.r$_ AS $read[$_];\n" foreach 0 .. $#read;
$made .= "CREATE VIEW calls.k$_ AS $kept[$_];\n" foreach 0 .. $#kept;
$made .= "CREATE FUNCTION calls.w$_() RETURNS void LANGUAGE sql BEGIN ATOMIC SELECT set_config('ecert.node', '$write[$_][0]', false), set_config('ecert.signing_key', '$keys/$write[$_][0].pem', false),
	set_config('ecert.witness_key', CASE '$write[$_][0]' WHEN 'buyer' THEN '$keys/buyer-witness.pem' ELSE '' END, false); $write[$_][1]; SELECT; END;\n" foreach 0 .. $#write;
$server->safe_psql('postgres', $made);

# The answers under a setting, printed under the defaults
sub answers
{
	my ($set, $reset) = @_;
	my $script = "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT never\nSET calls.keys = '$keys';\nSET ecert.node = 'certifier';\nSET ecert.signing_key = '$keys/certifier.pem';\n$set\n";
	$script .= "\\warn $read[$_]\nCREATE TEMP TABLE q$_ AS TABLE calls.r$_;\n" foreach 0 .. $#read;
	$script .= "BEGIN ISOLATION LEVEL READ COMMITTED;\n\\set ON_ERROR_ROLLBACK on\n";
	$script .= "\\warn $write[$_][1]\nSELECT calls.w$_();\n" foreach 0 .. $#write;
	$script .= "CREATE TEMP TABLE kept$_ AS TABLE calls.k$_;\n" foreach 0 .. $#kept;
	$script .= "$reset\n\\warn printed\n";
	$script .= "\\echo :: $read[$_]\nSELECT t::text FROM q$_ AS t ORDER BY t::text COLLATE \"C\";\n" foreach 0 .. $#read;
	# times of today, hashes and signatures differ from run to run
	$script .= q{\echo :: written
SELECT w.issuer, w.kind, w.seq, w.subject, w.period, regexp_replace(regexp_replace((w.body - '{valid,effective,keys,from,root,seals,note,cosignature,number}'::text[])::text, '"[0-9a-f]{64,}"', '"<hash>"', 'g'), '\m1[789][0-9]{8}\M', '<time>', 'g')
  FROM kept0 AS w ORDER BY w.issuer COLLATE "C", w.kind COLLATE "C", w.seq;
SELECT * FROM kept1;
ROLLBACK;
};
	my ($output, $error) = ('', '');
	IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-d', $server->connstr('postgres') ], '<', \$script, '>', \$output, '2>', \$error);
	return ($output, $error);
}

# Are two outputs the same?  Else the first lines that only one of them has
sub same
{
	my ($output, $error, $expected, $name) = @_;
	my (%in, @differ);
	return pass($name) if $output eq $expected;
	$in{$_} |= 1 foreach split /\n/, $expected;
	$in{$_} |= 2 foreach split /\n/, $output;
	push @differ, map { "$name: " . ($in{$_} == 1 ? 'only before: ' : 'only now: ') . substr($_, 0, 400) } grep { $in{$_} < 3 } sort keys %in;
	fail($name);
	diag(join "\n", @differ[ 0 .. ($#differ < 5 ? $#differ : 5) ], grep { /ERROR|WARNING/ } split /\n/, $error);
	return;
}

my ($expected, $said) = answers('', '');
unlike($said, qr/ERROR/, 'nothing fails under the defaults');
my ($again) = answers('', '');
same($again, '', $expected, 'and it is the same again');
# some together: none of them changes anything
my @settings = (
	"standard_conforming_strings = off; SET backslash_quote = on; SET escape_string_warning = off; SET search_path = ''",
	"bytea_output = 'escape'; SET extra_float_digits = -15; SET quote_all_identifiers = on; SET xmlbinary = 'hex'; SET check_function_bodies = off; SET row_security = off; SET transform_null_equals = on; SET array_nulls = off",
	"DateStyle = 'German, DMY'; SET IntervalStyle = 'sql_standard'; SET TimeZone = 'Asia/Shanghai'",
	"DateStyle = 'SQL, MDY'; SET IntervalStyle = 'iso_8601'; SET lc_messages = 'C.UTF-8'; SET lc_numeric = 'C.UTF-8'; SET lc_monetary = 'C.UTF-8'; SET lc_time = 'C.UTF-8'; SET client_encoding = 'SQL_ASCII'", 'search_path = hostile, pg_catalog',
	"plpgsql.extra_errors = 'all'; SET plpgsql.variable_conflict = 'use_column'; SET plpgsql.check_asserts = off",
	"default_transaction_isolation = 'serializable'; SET default_transaction_deferrable = on", "default_transaction_isolation = 'repeatable read'", 'PARALLEL',
);
for my $setting (@settings)
{
	my $parallel = $server->safe_psql('postgres', q{SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});
	(my $set = $setting) =~ s/^PARALLEL$/$parallel = 'regress'/;
	my $reset = join ' ', map { /^(?:SET )?([\w.]+) =/ ? "RESET $1;" : () } split /; /, $set;
	my ($output, $error) = answers("SET $set;", $reset);
	same($output, $error, $expected, "$setting changes nothing");
}

# Every key of pg_advisory_lock() that ecert's locks could have, held by somebody else: a transaction that is prepared holds them without a session
$server->safe_psql('postgres', q{BEGIN;
	SELECT pg_advisory_xact_lock(hashtext(n)), pg_advisory_xact_lock(0, hashtext(n)), pg_advisory_xact_lock(hashtext(n)::bigint & 4294967295)
	  FROM unnest('{ecert.run_duties,ecert.tree,ecert.moved,ecert.certificates,duties,tree,moved,certificates}'::text[]) AS n;
	PREPARE TRANSACTION 'holder'});
my $as_certifier = "SET ecert.node = 'certifier'; SET ecert.signing_key = '$keys/certifier.pem'; SET lock_timeout = '10s'; ";
sub rounds { return $server->safe_psql('postgres', q{SELECT attempt_count FROM ledger.duty_log WHERE duty = 'round' AND subject = 'certifier'}); }
my $rounds = rounds();
$server->safe_psql('postgres', $as_certifier . 'CALL ecert.run_duties()');
is(rounds(), $rounds + 1, 'a round is done whoever holds advisory locks');
ok($server->safe_psql('postgres', $as_certifier . 'SELECT ecert.relate(\'stranger\', \'plant-a\', \'peer\') IS NOT NULL') eq 't'
	&& $server->safe_psql('postgres', $as_certifier . 'SELECT ecert.checkpoint() IS NOT NULL') eq 't', 'and it seals');
$server->safe_psql('postgres', q{ROLLBACK PREPARED 'holder'});
is($server->safe_psql('postgres', 'SELECT ecert.begin_round(\'own\'); SELECT count(*) FROM pg_locks WHERE locktype = \'advisory\''), "t\n1", 'a lock of its own is held meanwhile');

# A database whose transactions are serializable by default: rounds seal, by hand and the worker's
$server->append_conf('postgresql.conf', "ecert.node = 'certifier'\necert.signing_key = '$keys/certifier.pem'\necert.checkpoint_interval = 1\n");
$server->reload;
sub sealed { return $server->safe_psql('postgres', q{SELECT max(seq) FROM ledger.package WHERE kind = 'checkpoint'}); }
for my $level ('serializable', 'repeatable read')
{
	my $to = 1800000000 + length $level;
	$server->safe_psql('postgres', "ALTER DATABASE postgres SET default_transaction_isolation = '$level'");
	$server->safe_psql('postgres', "SELECT ecert.relate('stranger', 'plant-b', 'peer', '2024-01-01 00:00+00', to_timestamp($to))");
	$server->poll_query_until('postgres', 'SELECT ecert.checkpoint_is_due()') or die 'no checkpoint is due';
	my $before = sealed();
	$server->safe_psql('postgres', 'CALL ecert.run_duties()');
	is(sealed(), $before + 1, "a round seals where the default is $level");
	$server->safe_psql('postgres', "SELECT ecert.relate('stranger', 'plant-es256', 'peer', '2024-01-01 00:00+00', to_timestamp($to))");
	$server->append_conf('postgresql.conf', "ecert.worker_interval = 1\n");
	$server->reload;
	ok($server->poll_query_until('postgres', "SELECT max(seq) > $before + 1 FROM ledger.package WHERE kind = 'checkpoint'"), "and so does the worker's");
	$server->append_conf('postgresql.conf', "ecert.worker_interval = 0\n");
	$server->reload;
}
is($server->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'the ledger is sound');

# Settings that are wrong in the file are refused at a reload, and said to be; what was in force stays
my $offset = -s $server->logfile;
$server->append_conf('postgresql.conf', "ecert.packing_delay = 'soon'\necert.worker_database = 'a,a'\n");
$server->reload;
ok($server->poll_query_until('postgres', "SELECT count(*) >= 2 FROM pg_file_settings WHERE name LIKE 'ecert.%' AND error IS NOT NULL"), 'the file is said to be wrong');
is($server->safe_psql('postgres', 'SHOW ecert.packing_delay'), '0', 'what was in force stays');
like(slurp_file($server->logfile, $offset), qr/invalid value for parameter "ecert.packing_delay": "soon"/, 'and the log says which');
$server->stop;
done_testing();
