# With ecert in shared_preload_libraries nobody, superuser included, opens the ledger by DDL.
use strict;
use FindBin;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = PostgreSQL::Test::Cluster->new('certifier');
$server->init(extra => [ '-E', 'UTF8' ]);
my $key = $server->basedir . '/certifier.pem';
system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $key);
$server->append_conf('postgresql.conf',
	"shared_preload_libraries = 'ecert'\necert.node = 'certifier.example'\necert.signing_key = '$key'\necert.seal_key = '$FindBin::RealBin/../test/keys/seal.pem'\n");
$server->start;
$server->safe_psql('postgres', 'CREATE EXTENSION ecert');
like($server->safe_psql('postgres', "SELECT ecert.create_ledger('guard.example')"), qr/^\\x/, 'a ledger is created under the guard');

# SQLSTATE of the first error of statements, one a line, 'none' when there is none
sub sqlstate
{
	my ($sql) = @_;
	my ($status, $output, $error) = $server->psql('postgres', "\\set VERBOSITY sqlstate\n$sql");
	return $error =~ /ERROR:\s+(\w+)/ ? $1 : 'none';
}

my %refused = (
	'disable all triggers' => 'ALTER TABLE ledger.package DISABLE TRIGGER ALL',
	'disable the admission trigger' => 'ALTER TABLE ledger.package DISABLE TRIGGER ecert_admit',
	'make it fire for replication only' => 'ALTER TABLE ledger.package ENABLE REPLICA TRIGGER ecert_admit',
	'rename the trigger' => 'ALTER TRIGGER ecert_admit ON ledger.package RENAME TO other',
	'drop the trigger' => 'DROP TRIGGER ecert_refuse_row ON ledger.package',
	'make a trigger anew that refuses nothing' => 'CREATE OR REPLACE TRIGGER ecert_refuse_row BEFORE UPDATE OR DELETE ON ledger.package FOR EACH ROW WHEN (false) EXECUTE FUNCTION ecert.refuse_change()',
	'add a trigger' => 'CREATE TRIGGER other BEFORE INSERT ON ledger.package FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	'add a constraint trigger' => 'CREATE CONSTRAINT TRIGGER other AFTER INSERT ON ledger.package FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	'add a rule' => 'CREATE RULE other AS ON INSERT TO ledger.package DO INSTEAD NOTHING',
	'hide rows by a policy' => 'CREATE POLICY other ON ledger.package USING (false)',
	'switch on row security' => 'ALTER TABLE ledger.package ENABLE ROW LEVEL SECURITY',
	'switch it on for the owner, in a function' => q{DO 'BEGIN ALTER TABLE ledger.package FORCE ROW LEVEL SECURITY; END'},
	'rename the table' => 'ALTER TABLE ledger.package RENAME TO other',
	'move the table' => 'ALTER TABLE ledger.package SET SCHEMA public',
	'give the table away' => 'ALTER TABLE ledger.package OWNER TO pg_monitor',
	'tune and give away in one statement' => 'ALTER TABLE ledger.package SET (fillfactor = 90), OWNER TO pg_monitor',
	'take it out of the WAL' => "DROP PUBLICATION ecert;\nALTER TABLE ledger.package SET UNLOGGED",
	'store it by another method' => "CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler;\nALTER TABLE ledger.package SET ACCESS METHOD other",
	'drop the table' => 'DROP TABLE ledger.package CASCADE',
	'truncate the table' => 'TRUNCATE ledger.package',
	'drop the primary key' => 'ALTER TABLE ledger.package DROP CONSTRAINT package_pkey',
	'rename the primary key' => 'ALTER TABLE ledger.package RENAME CONSTRAINT package_pkey TO other',
	'drop the index of hashes' => 'DROP INDEX ledger.package_hash',
	'drop it concurrently' => 'DROP INDEX CONCURRENTLY ledger.package_hash',
	'rename it' => 'ALTER INDEX ledger.package_hash RENAME TO other',
	'drop the genesis index' => 'DROP INDEX ledger.package_genesis',
	'keep kinds out by a constraint' => q{ALTER TABLE ledger.package ADD CONSTRAINT other CHECK (kind <> 'status') NOT VALID},
	'keep packages out by a unique constraint' => 'ALTER TABLE ledger.package ADD UNIQUE (hash)',
	'add a child' => 'CREATE TABLE other () INHERITS (ledger.package)',
	'add a parent' => "CREATE TABLE other (kind text COLLATE \"C\");\nALTER TABLE ledger.package INHERIT other",
	'make it a partition' => "CREATE TABLE other (LIKE ledger.package) PARTITION BY LIST (kind);\nALTER TABLE other ATTACH PARTITION ledger.package DEFAULT",
	'add a column' => 'ALTER TABLE ledger.package ADD COLUMN other int',
	'drop a column' => 'ALTER TABLE ledger.package DROP COLUMN recorded_at',
	'rename a column' => 'ALTER TABLE ledger.package RENAME COLUMN subject TO other',
	'rewrite a column with its own type' => q{ALTER TABLE ledger.package ALTER recorded_at TYPE timestamptz USING recorded_at + interval '1 day'},
	'let seq be generated' => 'ALTER TABLE ledger.package ALTER seq ADD GENERATED ALWAYS AS IDENTITY',
	'rename the schema' => 'ALTER SCHEMA ledger RENAME TO other',
	'give the schema away' => 'ALTER SCHEMA ledger OWNER TO pg_monitor',
	'drop the schema' => 'DROP SCHEMA ledger CASCADE',
	'rename the schema of the functions' => 'ALTER SCHEMA ecert RENAME TO other',
	'give that away' => 'ALTER SCHEMA ecert OWNER TO pg_monitor',
	'drop the schema of the functions' => 'DROP SCHEMA ecert CASCADE',
	'rename the schema of run-time state' => 'ALTER SCHEMA ecert_internal RENAME TO other',
	'rename the function of a trigger' => 'ALTER FUNCTION ecert.admit() RENAME TO other',
	'move it' => 'ALTER FUNCTION ecert.refuse_change() SET SCHEMA public',
	'give it away' => 'ALTER FUNCTION ecert.admit() OWNER TO pg_monitor',
	'let it run with other settings' => q{ALTER FUNCTION ecert.admit() SET work_mem = '1MB'},
	'make it strict' => 'ALTER FUNCTION ecert.admit() STRICT',
	'put another body in its place' => q{CREATE OR REPLACE FUNCTION ecert.admit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'},
	'put another body in the place of a function that rules ask' => q{CREATE OR REPLACE FUNCTION ecert.holds(of_kind text, of_issuer text) RETURNS boolean LANGUAGE sql RETURN false},
	'rename the type' => 'ALTER TYPE ecert.package RENAME TO other',
	'take a function out of the extension' => 'ALTER EXTENSION ecert DROP FUNCTION ecert.admit()',
	'put the table into it, out of dumps' => 'ALTER EXTENSION ecert ADD TABLE ledger.package',
	'put the table into another extension, out of dumps' => "CREATE EXTENSION pgcrypto;\nALTER EXTENSION pgcrypto ADD TABLE ledger.package",
	'put proofs there' => "CREATE EXTENSION pgcrypto;\nALTER EXTENSION pgcrypto ADD TABLE ledger.equivocation",
	'put the schema there' => "CREATE EXTENSION pgcrypto;\nALTER EXTENSION pgcrypto ADD SCHEMA ledger",
	'rename an attribute of a type' => 'ALTER TYPE ecert.feed RENAME ATTRIBUTE kind TO other',
	'add an attribute to a type' => 'ALTER TYPE ecert.feed ADD ATTRIBUTE other int',
	'drop an attribute of a type' => 'ALTER TYPE ecert.feed DROP ATTRIBUTE kind',
	'drop the extension' => 'DROP EXTENSION ecert CASCADE');
for my $table ('ledger.equivocation', 'ledger.fork')
{
	$refused{"$table: disable all triggers"} = "ALTER TABLE $table DISABLE TRIGGER ALL";
	$refused{"$table: drop a trigger"} = "DROP TRIGGER ecert_refuse_statement ON $table";
	$refused{"$table: truncate"} = "TRUNCATE $table";
	$refused{"$table: drop"} = "DROP TABLE $table CASCADE";
	$refused{"$table: move"} = "ALTER TABLE $table SET SCHEMA public";
	$refused{"$table: add a rule"} = "CREATE RULE other AS ON INSERT TO $table DO INSTEAD NOTHING";
}
for my $what (sort keys %refused)
{
	# what is made on the way to the refusal goes with it
	my $alone = $refused{$what} =~ /CONCURRENTLY/;
	is(sqlstate($alone ? $refused{$what} : "BEGIN;\n$refused{$what};\nROLLBACK"), 'EC092', "refused: $what");
}

mkdir $server->basedir . '/other';
$server->safe_psql('postgres', "CREATE TABLESPACE other LOCATION '" . $server->basedir . "/other'");
my @allowed = (
	'vacuum' => 'VACUUM FULL ledger.package',
	'cluster' => "CLUSTER ledger.package USING package_pkey;\nALTER TABLE ledger.package SET WITHOUT CLUSTER",
	'reindex' => 'REINDEX TABLE ledger.package',
	'reindex an index concurrently' => 'REINDEX INDEX CONCURRENTLY ledger.package_kind',
	'reindex the table concurrently' => 'REINDEX TABLE CONCURRENTLY ledger.package',
	'reindex the schema concurrently' => 'REINDEX SCHEMA CONCURRENTLY ledger',
	'reindex the database' => 'REINDEX DATABASE postgres',
	'analyze' => 'ANALYZE ledger.package',
	'storage options' => 'ALTER TABLE ledger.package SET (autovacuum_vacuum_insert_threshold = 5000), ALTER kind SET STATISTICS 500',
	'another tablespace' => 'ALTER TABLE ledger.package SET TABLESPACE other',
	'all of a tablespace' => 'ALTER TABLE ALL IN TABLESPACE other SET TABLESPACE pg_default',
	'an index of one\'s own' => 'CREATE INDEX package_recorded_at ON ledger.package (recorded_at)',
	'one that goes again' => "CREATE INDEX mine ON ledger.package (issued_at);\nALTER INDEX ledger.mine RENAME TO still_mine;\nDROP INDEX ledger.still_mine",
	'one that goes concurrently' => "CREATE INDEX CONCURRENTLY mine ON ledger.package (issued_at);\nDROP INDEX CONCURRENTLY ledger.mine",
	'a table that refers to it, and goes again' => "CREATE TABLE mine (issuer text, kind text, seq bigint, FOREIGN KEY (issuer, kind, seq) REFERENCES ledger.package);\nDROP TABLE mine",
	'another extension with a table of one\'s own' => "CREATE TABLE mine ();\nCREATE EXTENSION pgcrypto;\nALTER EXTENSION pgcrypto ADD TABLE mine;\nALTER EXTENSION pgcrypto DROP TABLE mine;\nDROP EXTENSION pgcrypto;\nDROP TABLE mine;\nCREATE TYPE mine AS (a int);\nALTER TYPE mine RENAME ATTRIBUTE a TO b;\nDROP TYPE mine",
	'statistics' => "CREATE STATISTICS ledger.mine ON issuer, kind FROM ledger.package;\nDROP STATISTICS ledger.mine",
	'a grant' => 'GRANT SELECT ON ledger.package TO pg_monitor',
	'a comment' => q{COMMENT ON COLUMN ledger.package.seq IS 'number'},
	'a publication' => 'CREATE PUBLICATION other FOR TABLE ledger.package',
	'renewing the views' => 'SELECT ecert.upgrade_ledger()',
	'another table' => "CREATE TABLE other (a int);\nALTER TABLE other ADD b int, ENABLE ROW LEVEL SECURITY;\nDROP TABLE other",
	'a function in schema ecert' => "CREATE FUNCTION ecert.mine() RETURNS int LANGUAGE sql RETURN 1;\nCREATE OR REPLACE FUNCTION ecert.mine() RETURNS int LANGUAGE sql RETURN 2;\nDROP FUNCTION ecert.mine()",
	'a column of one\'s own books' => 'ALTER TABLE ledger.reading ADD COLUMN note text',
	'emptying caches' => 'TRUNCATE ledger.leaf_range, ecert_internal.moved',
	'a grant of a function' => 'GRANT EXECUTE ON FUNCTION ecert.append(text, jsonb, text) TO pg_monitor',
	'the extension\'s own update' => 'ALTER EXTENSION ecert UPDATE');
while (my ($what, $sql) = splice(@allowed, 0, 2))
{
	is(sqlstate($sql), 'none', "allowed: $what");
}
is($server->safe_psql('postgres', q{SELECT string_agg(i.indexrelid::regclass::text, ' ' ORDER BY i.indexrelid::regclass::text) FROM pg_index i WHERE i.indrelid = 'ledger.package'::regclass}),
	'ledger.package_genesis ledger.package_hash ledger.package_kids ledger.package_kind ledger.package_pkey ledger.package_recorded_at ledger.package_reference ledger.package_subject_kind_period',
	'REINDEX CONCURRENTLY leaves nothing behind');
is($server->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'the ledger is whole after all of this');

# names do not matter: whoever has the setting may change them, and the guard is still there when the setting is not
my $then = "SET ecert.allow_ledger_ddl = on;\n%s;\nRESET ecert.allow_ledger_ddl;\n%s";
is(sqlstate(sprintf($then, 'ALTER SCHEMA ecert RENAME TO moved', 'ALTER TABLE ledger.package DISABLE TRIGGER ALL')), 'EC092', 'another name of schema ecert does not switch the guard off');
is(sqlstate(sprintf($then, 'ALTER SCHEMA ledger RENAME TO hidden', 'ALTER TABLE hidden.package DISABLE TRIGGER ALL')), 'EC092', 'nor one of schema ledger');
is(sqlstate(sprintf($then, 'ALTER TABLE hidden.package RENAME TO other', 'TRUNCATE hidden.other')), 'EC092', 'nor one of the table');
is(sqlstate(sprintf($then, 'ALTER TRIGGER ecert_admit ON hidden.other RENAME TO other', 'DROP TRIGGER other ON hidden.other')), 'EC092', 'nor one of a trigger');
is(sqlstate(sprintf($then, 'ALTER FUNCTION moved.admit() SET SCHEMA public', 'DROP TABLE hidden.other CASCADE')), 'EC092', 'nor another schema of its function');
$server->safe_psql('postgres', q{SET ecert.allow_ledger_ddl = on; ALTER FUNCTION public.admit() SET SCHEMA moved; ALTER TRIGGER other ON hidden.other RENAME TO ecert_admit;
	ALTER TABLE hidden.other RENAME TO package; ALTER SCHEMA hidden RENAME TO ledger; ALTER SCHEMA moved RENAME TO ecert});
is($server->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'under the old names all is as it was');

is(sqlstate("CREATE ROLE clerk; SET ROLE clerk; SET ecert.allow_ledger_ddl = on"), '42501', 'only a superuser lifts the guard');
is(sqlstate("SET ecert.allow_ledger_ddl = on; DROP SCHEMA ledger CASCADE"), 'none', 'who means it sets ecert.allow_ledger_ddl');
is(sqlstate('DROP EXTENSION ecert'), 'none', 'without a ledger there is nothing to guard');
$server->stop;
done_testing();
