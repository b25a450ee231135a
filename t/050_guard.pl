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
	'add a trigger' => 'CREATE TRIGGER other BEFORE INSERT ON ledger.package FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
	'add a rule' => 'CREATE RULE other AS ON INSERT TO ledger.package DO INSTEAD NOTHING',
	'rename the table' => 'ALTER TABLE ledger.package RENAME TO other',
	'move the table' => 'ALTER TABLE ledger.package SET SCHEMA public',
	'give the table away' => 'ALTER TABLE ledger.package OWNER TO pg_monitor',
	'drop the primary key' => 'ALTER TABLE ledger.package DROP CONSTRAINT package_pkey',
	'drop the index of hashes' => 'DROP INDEX ledger.package_hash',
	'drop the genesis index' => 'DROP INDEX ledger.package_genesis',
	'hide rows by a policy' => 'CREATE POLICY other ON ledger.package USING (false)',
	'add a column' => 'ALTER TABLE ledger.package ADD COLUMN other int',
	'drop the table' => 'DROP TABLE ledger.package CASCADE',
	'truncate the table' => 'TRUNCATE ledger.package',
	'rename the schema' => 'ALTER SCHEMA ledger RENAME TO other',
	'drop the schema' => 'DROP SCHEMA ledger CASCADE',
	'drop the extension' => 'DROP EXTENSION ecert CASCADE');
is(sqlstate($refused{$_}), 'EC092', "refused: $_") for sort keys %refused;

my %allowed = (
	'vacuum' => 'VACUUM FULL ledger.package',
	'cluster' => 'CLUSTER ledger.package USING package_pkey',
	'reindex' => 'REINDEX TABLE ledger.package',
	'analyze' => 'ANALYZE ledger.package',
	'an index of one\'s own' => 'CREATE INDEX package_recorded_at ON ledger.package (recorded_at)',
	'a grant' => 'GRANT SELECT ON ledger.package TO pg_monitor',
	'a publication' => 'CREATE PUBLICATION other FOR TABLE ledger.package',
	'renewing the views' => 'SELECT ecert.upgrade_ledger()',
	'another table' => 'CREATE TABLE other (a int); ALTER TABLE other ADD b int; DROP TABLE other');
is(sqlstate($allowed{$_}), 'none', "allowed: $_") for sort keys %allowed;
is($server->safe_psql('postgres', 'SELECT count(*) FROM ecert.problems()'), '0', 'the ledger is whole after all of this');

is(sqlstate("CREATE ROLE clerk; SET ROLE clerk; SET ecert.allow_ledger_ddl = on"), '42501', 'only a superuser lifts the guard');
is(sqlstate("SET ecert.allow_ledger_ddl = on; DROP SCHEMA ledger CASCADE"), 'none', 'who means it sets ecert.allow_ledger_ddl');
$server->stop;
done_testing();
