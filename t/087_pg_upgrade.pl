# pg_upgrade of a hub and of a node: slots and the list of subscribed tables do not come along from before PostgreSQL 17, and what
# was subscribed to belongs to whoever it belonged to with other options. Health says so, and the duties mend it.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Run;
use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/..');
my ($major) = `$ENV{PG_CONFIG} --version` =~ /(\d+)/;
# the newest of the older servers that lie beside this one and can be built for
my ($older) = grep { $_ >= 15 && $_ < $major && -x older_path($_) . '/bin/pg_ctl' && -f older_path($_) . '/lib/pgxs/src/makefiles/pgxs.mk' } reverse 15 .. $major - 1;
$older = $ENV{ECERT_TEST_OLDER} if defined $ENV{ECERT_TEST_OLDER};
plan skip_all => "no older PostgreSQL with its headers lies beside PostgreSQL $major" unless defined $older;

sub older_path { my ($version) = @_; chomp(my $bin = `$ENV{PG_CONFIG} --bindir`); return $bin =~ s{/\Q$major\E/bin$}{/$version}r }

# ecert for the older server, in a copy of the sources
my $tree = tempdir(CLEANUP => 1) . '/tree';
my $pg_config = older_path($older) . '/bin/pg_config';
my $output = '';
mkdir $tree or die "$tree: $!";
IPC::Run::run([ 'sh', '-c', q{tar -C "$0" -c -f - --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude='ecert-verify*' Makefile ecert.control README.md docs src | tar -C "$1" -x -f - &&
	# found by dynamic_library_path, as the newer one is: it need not be in the servers' own folders
	sed -i 's|\\$libdir/ecert|ecert|' "$1/ecert.control" && make -C "$1" -s -j2 -f Makefile PG_CONFIG="$2" with_llvm=no COPT='-O0 -g0 -Wno-cpp' DESTDIR="$1/installed" all install}, $root, $tree, $pg_config ], '<', \undef, '>&', \$output)
  or die "ecert cannot be built for PostgreSQL $older:\n$output";
chomp(my $library = `$pg_config --pkglibdir`);
chomp(my $share = `$pg_config --sharedir`);
my $settings = ($older >= 18 ? "extension_control_path = '$tree/installed$share:\$system'\n" : "extension_destdir = '$tree/installed'\n") . "dynamic_library_path = '$tree/installed$library:\$libdir'\n";
note("pg_upgrade from $older to $major");

append_to_file("$tree/older.conf", $settings);
my $newer_config = $ENV{TEMP_CONFIG};
# an older server need not know the settings by which this one finds extensions
$ENV{TEMP_CONFIG} = "$tree/older.conf";
my %old = (install_path => older_path($older));
my %server = (certifier => Network::hub('upgrade.example', %old), map { $_ => Network::server($_, %old) } qw(plant mine));
my %key = map { $_ => $server{$_}->safe_psql('postgres', 'SHOW ecert.signing_key') } keys %server;
Network::enroll($server{certifier}, $server{plant}, 'plant', '{applicant}');
Network::enroll($server{certifier}, $server{mine}, 'mine', '{auditor}');
Network::link_node($server{certifier}, $server{$_}, $_) for qw(plant mine);
my $months = 0;

# Everybody's next words
sub speak
{
	$server{plant}->safe_psql('postgres', sprintf(q{SELECT ecert.append('energy', jsonb_build_object('period',
		ecert.period_json(tstzrange('2020-01-01'::timestamptz + %1$d * interval '1 month', '2020-01-01'::timestamptz + (%1$d + 1) * interval '1 month')),
		'lines', '[{"source": "electricity", "unit": "kWh", "quantity": 1000}]'::jsonb))}, $months++));
	$server{certifier}->safe_psql('postgres', q{SELECT ecert.relate('mine', 'plant', 'upstream')});
	return;
}
speak();
is(Network::equal(@server{qw(certifier plant mine)}), '', 'linked');
$server{certifier}->safe_psql('postgres', 'SELECT ecert.checkpoint()');
is(Network::equal(@server{qw(certifier plant mine)}), '', 'sealed');

# The server of a node goes on in the next version, at the same address
sub upgrade
{
	my ($node) = @_;
	my $from = $server{$node};
	local $ENV{TEMP_CONFIG} = $newer_config;
	my $to = PostgreSQL::Test::Cluster->new("$node-new", port => $from->port);
	$to->init(allows_streaming => 'logical', extra => [ '-E', 'UTF8', ($major >= 18 ? '--no-data-checksums' : ()) ]);
	# what was set, but for where the extension lies
	my ($set) = slurp_file($from->data_dir . '/postgresql.conf') =~ /^(shared_preload_libraries = 'ecert'\n.*)/ms or die 'no settings';
	$to->append_conf('postgresql.conf', $set);
	$from->stop;
	command_ok([ 'pg_upgrade', '--no-sync', '-b', older_path($older) . '/bin', '-B', dirname((split ' ', `$ENV{PG_CONFIG} --bindir`)[0] . '/x'), '-d', $from->data_dir, '-D', $to->data_dir,
			'-s', $from->host, '-p', $from->port, '-P', $to->port ], "pg_upgrade of $node");
	$to->start;
	$server{$node} = $to;
	return;
}

sub receiving
{
	my ($node) = @_;
	return $server{$node}->safe_psql('postgres', q{SELECT string_agg(state || ' ' || value, ', ' ORDER BY subject) FROM ledger.health WHERE item = 'receiving from'});
}

for my $node (qw(certifier plant))
{
	upgrade($node);
	my $links = $node eq 'certifier' ? 2 : 1;
	is(receiving($node), join(', ', ('alarm wrong rights') x $links), "$node: health says that its links are not in order") if $older == 15;
	is(receiving($node), join(', ', ('alarm brings nothing') x $links), "$node: health says that its links bring nothing") if $older == 16;
	# somebody enables them by hand, as one does: nothing comes, and health goes on saying so
	$server{$node}->safe_psql('postgres', "ALTER SUBSCRIPTION $_ ENABLE") for split /\n/, $server{$node}->safe_psql('postgres', 'SELECT subname FROM pg_subscription');
	isnt(receiving($node), join(', ', ('ok streaming') x $links), "$node: enabled by hand they are no better") if $older < 17;
	# slots that wait for nobody are here after 17, and are gone before; each side does a round or two
	for (1 .. 2)
	{
		Network::duties(@server{qw(certifier plant mine)});
	}
	for my $at (qw(certifier plant mine))
	{
		my $all = join(', ', ('ok streaming') x ($at eq 'certifier' ? 2 : 1));
		$server{$at}->poll_query_until('postgres', q{SELECT bool_and(value = 'streaming') FROM ledger.health WHERE item = 'receiving from'});
		is(receiving($at), $all, "$node is upgraded: the links of $at stream after two rounds of duties");
	}
	is($server{$node}->safe_psql('postgres', q{SELECT string_agg(DISTINCT to_jsonb(s) ->> 'subrunasowner' || ' ' || (to_jsonb(s) ->> 'subpasswordrequired') || ' ' || (r.rolname = ecert.receiver_role(ecert.this_node())) || ' ' || r.rolsuper, ', ')
		FROM pg_subscription s JOIN pg_roles r ON r.oid = s.subowner}), 'true false true false', "$node: its subscriptions belong to the role that receives");
	speak();
	is(Network::equal(@server{qw(certifier plant mine)}), '', "$node is upgraded: packages come by themselves");
	$server{$node}->safe_psql('postgres', 'CALL ecert.verify_ledger()');
	is(Network::problems($server{$node}), '', "$node: everything verifies");
	is($server{$node}->safe_psql('postgres', q{SELECT count(*) FROM ledger.health WHERE state = 'alarm'}), '0', "$node: health has no alarm");
}
$_->stop for values %server;
done_testing();
