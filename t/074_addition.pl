# What docs/design.md says of how a field, a rule and a kind are added is so: test/addition adds a field with a rule and a
# kind to a copy of the sources at the listed places and no others, and both the server and ecert-verify that are built of it
# admit and find right what meets the new rules, and refuse and find, in the same words, what breaks them.
use strict;
use warnings FATAL => 'all';

use FindBin;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root;
BEGIN { $root = abs_path(dirname(__FILE__) . '/..'); }
use lib "$root/test/addition";
use Addition;

# ---- the list, and what is touched --------------------------------------------------------------------------------------

my $design = slurp_file("$root/docs/design.md");
my @field = Addition::read_edits("$root/test/addition/field.edits");
my @kind = Addition::read_edits("$root/test/addition/kind.edits");
my @field_list = (Addition::listed($design, 'Add a field'), Addition::listed($design, 'Add a rule'));
my @kind_list = Addition::listed($design, 'Add a kind');
is(Addition::differences(\@field, @field_list), '', 'a field and a rule are added where docs/design.md says');
is(Addition::differences(\@kind, @kind_list), '', 'so is a kind');
my %places = map { $_->{file} => 1 } grep { $_->{is_place} } @kind_list;
cmp_ok(scalar(keys %places), '<=', 8, 'a kind without a view of SQL has at most eight places');
my ($said) = $design =~ /^### Add a kind\n+(\w+) places/m;
is(lc $said, (qw(no one two three four five six seven eight))[ scalar keys %places ], 'and docs/design.md counts them right');

# ---- a copy with both, built ----------------------------------------------------------------------------------------------

my $tree = tempdir(CLEANUP => 1) . '/tree';

# Run a command in a folder; its output where it fails
sub run_in
{
	my ($folder, @command) = @_;
	my $output = '';
	IPC::Run::run([ 'env', '-C', $folder, @command ], '<', \undef, '>&', \$output) or die "@command:\n$output";
	return;
}

mkdir $tree or die "$tree: $!";
run_in($root, 'sh', '-c', q{tar -c -f - --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude='ecert-verify*' Makefile ecert.control README.md docs src test/unit | tar -C "$1" -x -f -}, 'sh', $tree);
for my $edit (@field, @kind)
{
	eval { Addition::apply($tree, @$edit); 1 } or BAIL_OUT($@);
}

# Not optimised: it is built for these few packages
my $jobs = '-j' . (`nproc` + 0 || 1);
my @built = eval {
	run_in($tree, 'make', '-s', $jobs, '-f', 'Makefile', "PG_CONFIG=$ENV{PG_CONFIG}", 'COPT=-O0 -g0 -Wno-cpp', "DESTDIR=$tree/installed", 'all', 'install');
	run_in("$tree/src/verifier", 'make', '-s', $jobs, 'CFLAGS=-O0');
	# of the same objects
	run_in("$tree/test/unit", 'make', '-s', $jobs, 'OUT=../../build/verifier', 'OPTIMIZE=-O0', 'T=test_body test_package', 'check');
	1;
};
ok(@built, 'it is built, and the unit tests of bodies and packages know the field and the kind') or BAIL_OUT($@);

# ---- a server with them ---------------------------------------------------------------------------------------------------

my $settings = slurp_file($ENV{TEMP_CONFIG});
my ($installed) = $settings =~ /^extension_\w+ = '(.*?\/installed)/m;
if (!defined $installed)
{
	ok(1, 'the server and the program # SKIP this PostgreSQL takes extensions from its own folders only');
	done_testing();
	exit;
}
$settings =~ s/\Q$installed\E/$tree\/installed/g;

my $server = PostgreSQL::Test::Cluster->new('addition');
$server->init(extra => [ '-E', 'UTF8' ]);
my $key = $server->basedir . '/certifier.pem';
system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $key);
$server->append_conf('postgresql.conf', "${settings}ecert.node = 'certifier'\necert.signing_key = '$key'\necert.seal_key = '$FindBin::RealBin/../test/keys/seal.pem'\n");
$server->start;

sub sql { return $server->safe_psql('postgres', $_[0]); }

sql('CREATE EXTENSION ecert');
my $genesis = sql(q{SELECT encode(ecert.create_ledger('addition.example'), 'hex')});
sql("\\i $FindBin::RealBin/../test/keys/keys.sql");
sql(q{SELECT ecert.enroll('plant', '{applicant}', test_keys.public('plant')), ecert.enroll('auditor', '{auditor}', test_keys.public('auditor'));
	SELECT ecert.set_policy(ecert.policy())});

# A body of the new kind, and one with the new field, as SQL
sub notice { return qq{jsonb_build_object('applicant', 'plant', 'text', 'from July on', 'policy', $_[0])}; }
sub relation { return qq{jsonb_build_object('auditor', 'auditor', 'applicant', 'plant', 'as', '$_[0]', 'from', 0, 'fee', 12.5)}; }
my $policy = q{(SELECT encode(hash, 'hex') FROM ledger.package WHERE kind = 'policy')};

# ecert-verify on what is on the ledger, and on a further package
sub of_program
{
	my ($further) = @_;
	my $dump = sql('COPY ledger.package (package) TO STDOUT') . "\n" . (defined $further ? "\\$further\n" : '');
	my $output = '';
	IPC::Run::run([ "$tree/src/verifier/ecert-verify", '--json', '--genesis', $genesis ], '<', \$dump, '>', \$output);
	my $report = decode_json($output);
	return join("\n", map { join(' ', grep { defined } @$_{qw(issuer kind seq)}) . ": $_->{text}" } @{ $report->{problems} });
}

sub of_server { return sql(q{SELECT concat_ws(' ', issuer, kind, seq) || ': ' || problem FROM ecert.problems()}); }

# A package that the rules allow
sub admitted
{
	my ($what, $kind, $body) = @_;
	like(sql("SELECT ecert.append('$kind', $body)"), qr/^\\x[0-9a-f]{64}$/, "$what is admitted");
	is(of_server(), '', "$what: the server finds the ledger right");
	is(of_program(), '', "$what: so does ecert-verify");
	return;
}

# One that they do not: refused, and found where it is on a ledger
sub refused
{
	my ($what, $kind, $body, $sqlstate, $words) = @_;
	my $package = sql("SELECT ecert.sign('$kind', $body)");
	my (undef, undef, $error) = $server->psql('postgres', "\\set VERBOSITY verbose\nINSERT INTO ledger.package (package) VALUES ('$package')");
	my ($code, $message, $detail) = $error =~ /ERROR:  (\w{5}): (.*)\nDETAIL:  (.*)/;
	is($code, $sqlstate, "$what is refused with $sqlstate");
	like($message, $words, "$what: the message is that of the addition");
	my ($place) = sql("SELECT concat_ws(' ', ecert.issuer(p), ecert.kind(p), ecert.seq(p)) FROM (SELECT '$package'::ecert.package) AS g (p)");
	is(of_program($package), "$place: $message ($detail)", "$what: ecert-verify finds it, in the same words");
	# as on a ledger that a superuser has changed
	sql("ALTER TABLE ledger.package DISABLE TRIGGER USER;
		INSERT INTO ledger.package (issuer, kind, seq, subject, issued_at, hash, package, recorded_at)
		SELECT ecert.issuer(p), ecert.kind(p), ecert.seq(p), ecert.subject(p), ecert.issued_at(p), ecert.hash(p), p, now() FROM (SELECT '$package'::ecert.package) AS g (p)");
	is(of_server(), "$place: $message ($detail)", "$what: so does the server's verification");
	sql("DELETE FROM ledger.package WHERE hash = ecert.hash('$package'::ecert.package); ALTER TABLE ledger.package ENABLE TRIGGER USER");
	return;
}

admitted('a relation with a fee', 'relation', relation('upstream'));
refused('a peer with a fee', 'relation', relation('peer'), 'EC081', qr/^a peer is not paid for its audits$/);
admitted('a notice', 'notice', notice($policy));
refused('a notice of no policy', 'notice', notice(q{repeat('0', 64)}), 'EC107', qr/^the notice names no policy of this ledger$/);
refused('a notice given before', 'notice', notice($policy), 'EC107', qr/^the applicant was told of this policy before$/);
like(($server->psql('postgres', "\\set VERBOSITY sqlstate\nSELECT ecert.append('notice', " . notice($policy) . q{ - 'text')}))[2], qr/EC003/, 'a notice without text is refused by its schema');

$server->stop;
done_testing();
