# Ways to tamper with a ledger. The server (ecert.verify_ledger()) and the program that needs no server (ecert-verify, on a dump)
# must find the same packages wrong, and say the same of them; each way is kept here with the message that it gives.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use IPC::Run;
use JSON::PP;
use Math::BigInt;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $tree = abs_path(dirname(__FILE__) . '/..');
my $keys = "$tree/test/keys";
my $verify = "$tree/src/verifier/ecert-verify";
my $sign = "$tree/tools/ecert-sign";
my $origin = 'corpus.example';
my $dump = "$PostgreSQL::Test::Utils::tmp_check/corpus.copy";

my $server = PostgreSQL::Test::Cluster->new('corpus');
$server->init(extra => [ '-E', 'UTF8' ]);
$server->append_conf('postgresql.conf', "timezone = 'UTC'\nclient_min_messages = error\n");
$server->start;

sub sql
{
	my ($text) = @_;
	return $server->safe_psql('postgres', $text);
}

# As a node, with its test key
sub as
{
	my ($node, $text, $key) = @_;
	$key //= $node;
	return sql("SET ecert.node = '$node'; SET ecert.signing_key = '$keys/$key.pem'; SET ecert.seal_key = '$keys/seal.pem'; SET ecert.witness_key = '" . (-f "$keys/$node-witness.pem" ? "$keys/$node-witness.pem" : '') . "'; $text");
}

# ---- the ledger that is tampered with: every kind of package, corrections, a rotation, a revocation, three checkpoints -----------

sub read_key
{
	my ($name) = @_;
	return slurp_file("$keys/$name.pub.pem");
}

my $policy = q{ecert.default_policy() || '{"audit": {"required": [{"as": "upstream", "count": 1}, {"as": "downstream", "count": 1}],
	"upstream": {"tolerance": 0.01}, "downstream": {"tolerance": 0.01}, "peer": {"k": 3, "floor": 0, "band": 0.5, "minimum": 1}, "audit_days": 30},
	"reward": {"upstream": 5, "peer": 3, "downstream": 2.5, "unit": "point"}}'};
sql('CREATE EXTENSION ecert; CREATE SCHEMA corpus');
as('certifier', "SELECT ecert.create_ledger('$origin', $policy)");
as('certifier', "SELECT ecert.enroll('$_->[0]', '$_->[1]', '" . read_key($_->[2] // $_->[0]) . "', witness_key => " . (-f "$keys/$_->[0]-witness.pub.pem" ? "'" . read_key("$_->[0]-witness") . "'" : 'NULL') . ')')
	for [ 'plant-a', '{applicant}' ], [ 'plant-b', '{applicant,auditor}' ], [ 'supplier', '{auditor}' ], [ 'buyer', '{auditor}' ],
	[ 'stranger', '{auditor}' ], [ 'closed', '{applicant}', 'plant-c' ];
as('certifier', "SELECT ecert.relate('$_->[0]', 'plant-a', '$_->[1]')") for [ 'supplier', 'upstream' ], [ 'buyer', 'downstream' ], [ 'plant-b', 'peer' ];
as('certifier', 'SELECT ecert.checkpoint()');
as('plant-a', q{
	INSERT INTO ledger.reading (point, source, unit, product, supplier, interval_start, interval_end, quantity) VALUES
	 ('m1', 'raw_coal', 't', 'A', 'supplier', '2023-01-01', '2023-02-01', 1000), ('m2', 'electricity', 'GWh', 'A', NULL, '2023-01-01', '2023-02-01', 2),
	 ('m3', 'natural_gas', 'm3', 'B', NULL, '2023-01-01', '2023-02-01', 300000), ('m4', 'electricity', 'MWh', 'B', NULL, '2023-01-01', '2023-02-01', 1500),
	 ('m1', 'raw_coal', 't', 'A', 'supplier', '2024-01-01', '2024-02-01', 1050), ('m2', 'electricity', 'GWh', 'A', NULL, '2024-01-01', '2024-02-01', 2.1),
	 ('m3', 'natural_gas', 'm3', 'B', NULL, '2024-01-01', '2024-02-01', 260000), ('m4', 'electricity', 'MWh', 'B', NULL, '2024-01-01', '2024-02-01', 1500),
	 ('m1', 'raw_coal', 't', 'A', 'supplier', '2024-02-01', '2024-03-01', 10);
	INSERT INTO ledger.production (product, unit, period_start, period_end, output, qualified, value, currency, deliveries) VALUES
	 ('A', 't', '2023-01-01', '2023-02-01', 5100, 5000, 20000, '10^4 CNY', '[{"buyer": "buyer", "quantity": 4000}]'), ('B', 't', '2023-01-01', '2023-02-01', 2050, 2000, 10000, '10^4 CNY', NULL),
	 ('A', 't', '2024-01-01', '2024-02-01', 5660, 5600, 22400, '10^4 CNY', '[{"buyer": "buyer", "quantity": 4400}]'), ('B', 't', '2024-01-01', '2024-02-01', 1840, 1800, 9000, '10^4 CNY', NULL);
	SELECT ecert.pack_energy('[2023-01-01,2023-02-01)'), ecert.pack_product('[2023-01-01,2023-02-01)'), ecert.pack_energy('[2024-01-01,2024-02-01)'), ecert.pack_product('[2024-01-01,2024-02-01)'),
	       ecert.pack_energy('[2024-02-01,2024-03-01)');
	-- a correction
	UPDATE ledger.reading SET quantity = 1400 WHERE point = 'm4' AND interval_start = '2024-01-01';
	SELECT ecert.pack_energy('[2024-01-01,2024-02-01)', (SELECT hash FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 1), 'a meter was read wrong');});
as('closed', q{SELECT ecert.append('energy', '{"period": [1672531200, 1675209600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 7}]}')}, 'plant-c');
as('supplier', q{INSERT INTO ledger.delivery (applicant, source, unit, period_start, period_end, quantity) VALUES
	 ('plant-a', 'raw_coal', 't', '2023-01-01', '2023-02-01', 1002), ('plant-a', 'raw_coal', 't', '2024-01-01', '2024-02-01', 1049);
	SELECT ecert.submit_audit('plant-a', '[2023-01-01,2023-02-01)', 'upstream'), ecert.submit_audit('plant-a', '[2024-01-01,2024-02-01)', 'upstream')});
as('buyer', q{INSERT INTO ledger.purchase (applicant, product, unit, period_start, period_end, quantity, value) VALUES
	 ('plant-a', 'A', 't', '2023-01-01', '2023-02-01', 4000, NULL), ('plant-a', 'A', 't', '2024-01-01', '2024-02-01', 4400, NULL);
	SELECT ecert.submit_audit('plant-a', '[2023-01-01,2023-02-01)', 'downstream'), ecert.submit_audit('plant-a', '[2024-01-01,2024-02-01)', 'downstream')});
as('certifier', 'SELECT ecert.checkpoint()');
as('buyer', 'SELECT ecert.witness()');
as('certifier', q{SELECT ecert.certify('plant-a', '[2024-01-01,2024-02-01)');
	SELECT ecert.set_status(hash, 'suspended', 'a question'), ecert.set_status(hash, 'active', 'answered') FROM ledger.package WHERE kind = 'certificate';
	SELECT ecert.set_policy(ecert.policy() || '{"reward": {"upstream": 5, "peer": 3, "downstream": 2.5, "unit": "coin"}}');
	SELECT ecert.reward();
	SELECT ecert.rotate_key('plant-b', } . "'" . read_key('plant-es256') . "'), ecert.revoke_node('closed', 'moved away')");
as('certifier', 'SELECT ecert.checkpoint()');
as('supplier', 'SELECT ecert.witness()');

sql(q{CREATE TABLE corpus.original AS TABLE ledger.package;
	-- a row of a package, as admission would derive it
	CREATE FUNCTION corpus.put(p ecert.package) RETURNS void LANGUAGE sql AS $$
		INSERT INTO ledger.package (issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)
		VALUES (ecert.issuer(p), ecert.kind(p), ecert.seq(p), ecert.subject(p), ecert.period(p), ecert.issued_at(p), ecert.hash(p), p, now()) $$;
	CREATE FUNCTION corpus.exchange(p ecert.package) RETURNS void LANGUAGE sql AS $$
		DELETE FROM ledger.package l WHERE l.issuer = ecert.issuer(p) AND l.kind = ecert.kind(p) AND l.seq = ecert.seq(p);
		SELECT corpus.put(p) $$;
	CREATE FUNCTION corpus.turn(b bytea, n integer) RETURNS bytea LANGUAGE sql AS $$ SELECT set_byte(b, n, get_byte(b, n) # 1) $$;});
my $genesis = sql('SELECT encode(ecert.genesis_hash(), $$hex$$)');
my $newest = sql(q{SELECT max(seq) FROM ledger.package WHERE kind = 'checkpoint'});

# ---- making packages that no server would sign --------------------------------------------------------------------------------------

# Sign what stands at a place of the ledger again: body an SQL expression over "body", other fields as they were unless given
sub resign
{
	my ($issuer, $kind, $seq, $body, %option) = @_;
	my $row = sql("SELECT jsonb_build_object('body', encode(ecert.encode_body($body), 'hex'), 'issued_at', ecert.unix_seconds(issued_at), 'subject', subject,
		'prev', encode(ecert.prev(package), 'hex')) FROM corpus.original CROSS JOIN LATERAL (SELECT ecert.body(package)) AS b (body) WHERE issuer = '$issuer' AND kind = '$kind' AND seq = $seq");
	my $field = decode_json($row);
	my %with = (node => $issuer, kind => $kind, origin => $origin, seq => $seq, 'issued-at' => $field->{issued_at}, 'body-hex' => $field->{body},
		subject => $field->{subject}, prev => $field->{prev}, key => "$keys/" . ($option{key} // $issuer) . '.pem');
	delete $with{prev} if $kind eq 'genesis';
	$with{$_} = $option{$_} for grep { $_ ne 'key' } keys %option;
	my ($output, $error) = ('', '');
	IPC::Run::run([ $sign, 'sign', map { ("--$_", $with{$_}) } sort keys %with ], '<', \undef, '>', \$output, '2>', \$error) or die "ecert-sign: $error";
	chomp $output;
	return $output;
}

# The next package of a feed
sub next_of
{
	my ($issuer, $kind, $body, %option) = @_;
	my $head = decode_json(sql("SELECT jsonb_build_object('seq', max(seq) + 1, 'prev', encode((array_agg(hash ORDER BY seq DESC))[1], 'hex'), 'issued_at', ecert.unix_seconds(max(issued_at)),
		'subject', (array_agg(subject ORDER BY seq DESC))[1], 'body', encode(ecert.encode_body($body), 'hex')) FROM corpus.original WHERE issuer = '$issuer' AND kind = '$kind'"));
	my %with = (node => $issuer, kind => $kind, origin => $origin, seq => $head->{seq} // 0, 'issued-at' => $head->{issued_at}, 'body-hex' => $head->{body},
		subject => $head->{subject}, prev => $head->{prev} // $genesis, key => "$keys/" . ($option{key} // $issuer) . '.pem');
	$with{'issued-at'} //= time();
	$with{$_} = $option{$_} for grep { $_ ne 'key' } keys %option;
	my ($output, $error) = ('', '');
	IPC::Run::run([ $sign, 'sign', map { ("--$_", $with{$_}) } sort keys %with ], '<', \undef, '>', \$output, '2>', \$error) or die "ecert-sign: $error";
	chomp $output;
	return $output;
}

# What a key signs, raw: by others' means, since the tools here write one form only
sub sign_raw
{
	my ($key, $bytes) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/to_sign";
	unlink $file;
	append_to_file($file, $bytes);
	my ($signature, $error) = ('', '');
	IPC::Run::run([ 'openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', "$keys/$key.pem", '-in', $file, $key =~ /es256/ ? ('-digest', 'sha256') : () ], '<', \undef, '>', \$signature, '2>', \$error) or die $error;
	return $signature if $key !~ /es256/;
	my ($r, $s) = map { Math::BigInt->from_bytes($_) } $signature =~ /\A\x30.\x02.(.{31,33})\x02.(.{31,33})\z/s or die 'no signature';
	my $order = Math::BigInt->from_hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
	$s = $order - $s if 2 * $s > $order;
	return join '', map { substr(("\0" x 32) . $_->to_bytes, -32) } $r, $s;
}

# A package with another number for its algorithm, signed again
sub renumber
{
	my ($hex, $number, $key) = @_;
	my $bytes = pack 'H*', substr($hex, 2);
	substr($bytes, 6, 1) = chr(0x20 - 1 - $number);
	my $signed_bytes = pack 'H*', sql("SELECT encode(ecert.signed_bytes('\\x" . unpack('H*', $bytes) . "'::ecert.package), 'hex')");
	substr($bytes, -64) = sign_raw($key, $signed_bytes);
	return '\x' . unpack 'H*', $bytes;
}

sub put { return "SELECT corpus.put('$_[0]');" }
sub exchange { return "SELECT corpus.exchange('$_[0]');" }

# ---- the comparison --------------------------------------------------------------------------------------------------------------------

sub restore
{
	sql('ALTER TABLE ledger.package DISABLE TRIGGER USER; TRUNCATE ledger.package; INSERT INTO ledger.package SELECT * FROM corpus.original');
	return;
}

# What the server finds: lines "issuer kind seq: problem"
sub of_server
{
	# what checkpoints cover is a cache, of which verification says that it is not what they say any more: made anew, as rebuild_tree() does
	sql('SELECT count(*) FROM ecert.verify_registry(); SELECT ecert.leaf_ranges_agree(true) WHERE ecert.verified_registry() IS NOT NULL');
	sql('CALL ecert.verify_ledger()');
	return join("\n", sort split(/\n/, sql(q{SELECT concat_ws(' ', issuer, kind, seq) || ': ' || problem FROM ledger.verification_problem
		WHERE verification_id = (SELECT max(id) FROM ledger.verification)})));
}

# What the program finds in a dump of the same rows; its exit status comes first
sub of_program
{
	my ($file, @option) = @_;
	my @genesis = ('--genesis', $genesis);
	@genesis = () if @option && $option[0] eq '--any-genesis' && shift @option;
	my ($output, $error) = ('', '');
	IPC::Run::run([ $verify, '--json', @genesis, @option, $file ], '<', \undef, '>', \$output, '2>', \$error);
	my $status = $? >> 8;
	my $report = decode_json($output);
	my @lines = map { join(' ', grep { defined } @$_{qw(issuer kind seq)}) . ": $_->{text}" } @{ $report->{problems} };
	return ($status, join("\n", sort @lines), $report);
}

sub dump_ledger
{
	sql("COPY ledger.package (package) TO '$dump' (FORMAT binary)");
	return;
}

my $ways = 0;

# A way to tamper: what is done, as SQL; what must be said about it; option rows => what stands in the columns beside the package, which a dump does not have
sub tampered
{
	my ($way, $sql, $said, %option) = @_;
	$ways++;
	restore();
	sql("SET client_min_messages = error; $sql");
	dump_ledger();
	my $server_says = of_server();
	my ($status, $program_says, $report) = of_program($dump);
	my ($said_first) = $server_says =~ /$said/ ? $& : '';
	if ($option{first})
	{
		# the hash beside the package is what it was, so the server finds more: both name the same package first
		is($status, 1, "$way: the program says that it is invalid");
		like($server_says, $said, "$way: the server names what is wrong");
		is("$report->{first_problem}{issuer} $report->{first_problem}{kind} $report->{first_problem}{seq}: $report->{first_problem}{text}", $said_first, "$way: so does the program, first of all");
		return;
	}
	if ($option{beside})
	{
		like($server_says, $said, "$way: the server sees it");
		is($program_says, '', "$way: what is beside the package is not in the dump");
		return;
	}
	is($status, 1, "$way: the program says that it is invalid");
	like($program_says, $said, "$way: and what is wrong");
	is($program_says, $server_says, "$way: the server says the same");
	return;
}

# What looks odd and is right: nothing is found
sub unharmed
{
	my ($way, $sql) = @_;
	restore();
	sql("SET client_min_messages = error; $sql");
	dump_ledger();
	is(of_server(), '', "$way: the server finds nothing");
	my ($status, $said) = of_program($dump);
	is("$status $said", '0 ', "$way: nor does the program");
	return;
}

unharmed('the ledger as it was made', 'SELECT');

# bytes
my $energy = q{issuer = 'plant-a' AND kind = 'energy' AND seq};
tampered('a byte of a figure is changed', "UPDATE ledger.package SET package = corpus.turn(package::bytea, octet_length(package::bytea) - 75)::ecert.package WHERE $energy = 0",
	qr/^plant-a energy 0: signature of the package is wrong$/m, first => 1);
tampered('a byte of a signature is changed', "UPDATE ledger.package SET package = corpus.turn(package::bytea, octet_length(package::bytea) - 5)::ecert.package WHERE $energy = 2",
	qr/^plant-a energy 2: signature of the package is wrong$/m, first => 1);
tampered('a byte of the newest package of a feed is changed, and the hash beside it', "UPDATE ledger.package SET package = corpus.turn(package::bytea, octet_length(package::bytea) - 5)::ecert.package, hash = ecert.hash(corpus.turn(package::bytea, octet_length(package::bytea) - 5)::ecert.package) WHERE $energy = 3",
	qr/^plant-a energy 3: signature of the package is wrong$/m);
tampered('two packages change places', q{UPDATE ledger.package p SET package = o.package FROM corpus.original o WHERE p.issuer = 'plant-a' AND p.kind = 'energy' AND p.seq IN (0, 2) AND o.issuer = 'plant-a' AND o.kind = 'energy' AND o.seq = 2 - p.seq},
	qr/^plant-a energy 0: stored issuer, kind or seq is not that of the package/m, beside => 1);
tampered('a column beside the package is changed', "UPDATE ledger.package SET period = '[2020-01-01,2020-02-01)' WHERE $energy = 0", qr/^plant-a energy 0: stored subject, period or issued_at is not that of the package$/m, beside => 1);

restore();
sql(q{DELETE FROM ledger.package WHERE kind = 'checkpoint' AND seq = (SELECT max(seq) FROM ledger.package WHERE kind = 'checkpoint')});
is(sql('SELECT problem FROM ecert.problems() WHERE issuer IS NULL'), 'ledger.leaf_range does not say what the checkpoints cover: run SELECT ecert.rebuild_tree()', 'the cache of what checkpoints cover is held against them');

# packages that are gone
tampered('the end of a feed is removed', "DELETE FROM ledger.package WHERE $energy = 3", qr/^certifier checkpoint 1: checkpoint names energy 3 of "plant-a", which is not on the ledger$/m);
tampered('the middle of a feed is removed', "DELETE FROM ledger.package WHERE $energy = 1", qr/^plant-a energy 2: seq 2 leaves a gap in the feed/m);
tampered('the beginning of a feed is removed', "DELETE FROM ledger.package WHERE $energy = 0", qr/^plant-a energy 1: seq 1 leaves a gap in the feed/m);
tampered('a whole feed is removed', q{DELETE FROM ledger.package WHERE issuer = 'closed'}, qr/^certifier checkpoint 1: checkpoint names energy 0 of "closed", which is not on the ledger$/m);
tampered('the newest checkpoint is removed', q{DELETE FROM ledger.package WHERE kind = 'checkpoint' AND seq = (SELECT max(seq) FROM ledger.package WHERE kind = 'checkpoint')}, qr/^supplier witness 0: witness names a checkpoint that is not on the ledger/m);
tampered('a checkpoint in the middle is removed', q{DELETE FROM ledger.package WHERE kind = 'checkpoint' AND seq = 1}, qr/^certifier checkpoint 2: seq 2 leaves a gap in the feed/m);
tampered('an audit that a certificate rests on is removed', q{DELETE FROM ledger.package WHERE issuer = 'buyer' AND kind = 'audit' AND seq = 1}, qr/^certifier certificate 0: certificate differs from its recomputation in "audits.count"/m);
tampered('the policy that a certificate names is removed', q{DELETE FROM ledger.package WHERE kind = 'policy'}, qr/^certifier checkpoint \d+: checkpoint names policy 0 of "certifier", which is not on the ledger$/m);

# signatures and keys
tampered('a package is signed again by another key', exchange(resign('plant-a', 'energy', 3, 'body', key => 'stranger')), qr/^plant-a energy 3: key is not one of node "plant-a"/m);
tampered('with another figure, by its own issuer', exchange(resign('plant-a', 'energy', 3, q{jsonb_set(body, '{lines,0,quantity}', '11')})), qr/^certifier checkpoint 1: checkpoint's root is not that of the packages it covers/m);
tampered('a key is used after it was rotated', put(next_of('plant-b', 'energy', q{'{"period": [1672531200, 1675209600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 7}]}'::jsonb}, subject => 'plant-b', 'issued-at' => time() + 1000)),
	qr/^plant-b energy 0: key of node "plant-b" is no longer in use/m);
tampered('a key is used before it counts', put(next_of('plant-b', 'energy', q{'{"period": [1672531200, 1675209600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 7}]}'::jsonb}, subject => 'plant-b', 'issued-at' => 1000000000)),
	qr/^plant-b energy 0: key of node "plant-b" is not in use yet/m);
tampered('a revoked node goes on', put(next_of('closed', 'energy', q{'{"period": [1675209600, 1677628800], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 7}]}'::jsonb}, key => 'plant-c', 'issued-at' => time() + 1000)),
	qr/^closed energy 1: node "closed" is revoked/m);
tampered('somebody who is not enrolled signs', put(next_of('nobody', 'energy', q{'{"period": [1672531200, 1675209600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 7}]}'::jsonb}, key => 'stranger', subject => 'nobody')),
	qr/^nobody energy 0: issuer "nobody" is not enrolled/m);
tampered('an auditor certifies', put(next_of('stranger', 'certificate', q{(SELECT ecert.body(package) FROM corpus.original WHERE kind = 'certificate')}, subject => 'plant-a')),
	qr/^stranger certificate 0: node "stranger" may not issue packages of kind certificate/m);
tampered('a node introduces itself', put(next_of('stranger', 'node', q{(SELECT ecert.body(package) FROM corpus.original WHERE kind = 'node' AND seq = 4)}, subject => 'stranger')),
	qr/^stranger node 0: node "stranger" may not issue packages of kind node/m);
tampered('a node package vouches for another key', exchange(resign('certifier', 'node', 0, q{jsonb_set(body, '{keys,0}', ecert.key_entry(pg_read_file('} . "$keys/stranger.pub.pem" . q{')) || jsonb_build_object('effective', body -> 'effective'))})),
	qr/^plant-a energy 0: key is not one of node "plant-a"/m);
my $other_genesis = resign('certifier', 'genesis', 0, q{jsonb_set(body, '{name}', '"another"')});
restore();
sql(exchange($other_genesis));
dump_ledger();
my (undef, $any_genesis_said) = of_program($dump, '--any-genesis');
is($any_genesis_said, of_server(), 'the genesis package is exchanged: the server says the same as the program that is not told which is the right one');
my ($genesis_status, $genesis_said) = of_program($dump);
is($genesis_status, 1, 'the genesis package is exchanged: the program says that it is not the one that was named');
like($genesis_said, qr/genesis package is not the one that was named/, 'the genesis package is exchanged: and that nothing else can be verified');

# a policy that contradicts itself in genesis, signed past create_ledger(): both name the contradiction, and nobody joins such a ledger
sql('CREATE DATABASE joining');
$server->safe_psql('joining', 'CREATE EXTENSION ecert');
my $coal = q{"source": "raw_coal", "unit": "t", "kgce"};
for (
	[ 'a coefficient twice', '{coefficients}', "[{$coal: 700}, {$coal: 714.3}]", 'Coefficient of source "raw_coal" in unit "t" is there twice.' ],
	[ 'a unit twice', '{units}', '[{"unit": "t", "base": "kg", "factor": 1000}, {"unit": "t", "base": "kg", "factor": 1000}]', 'Unit "t" is there twice for base "kg".' ],
	[ 'two ways to a coefficient', '{coefficients}', "[{$coal: 700}, {\"source\": \"raw_coal\", \"unit\": \"kg\", \"kgce\": 0.7143}]", 'Source "raw_coal" in unit "10^4 t" has more than one way to a coefficient.' ],
	[ 'a factor of 0', '{units,0,factor}', '0', 'has factor 0.' ],
	[ 'a role required twice', '{audit,required}', '[{"as": "peer", "count": 1}, {"as": "peer", "count": 2}]', 'Audits as peer are required twice.' ],
	[ 'statistics of no whole packages', '{calendar,statistics}', '"week"', 'Statistics by week cannot be made of packages by month.' ],
	[ 'offsets that run backwards', '{calendar,offsets}', '[[946684800, 0], [946684800, 3600]]', '2000-01-01 00:00:00+00' ])
{
	my ($what, $path, $value, $detail) = @$_;
	my $genesis_package = resign('certifier', 'genesis', 0, "jsonb_set(body, '{policy}', jsonb_set(body -> 'policy', '$path', '$value'))");
	restore();
	sql(exchange($genesis_package));
	dump_ledger();
	my $server_says = of_server();
	like($server_says, qr/^certifier genesis 0: the policy contradicts itself \(.*\Q$detail\E.*\)$/m, "genesis with $what: the server names the contradiction");
	my ($exit, $program_says) = of_program($dump, '--any-genesis');
	is("$exit $program_says", "1 $server_says", "genesis with $what: the program says the same");
	my (undef, undef, $refusal) = $server->psql('joining', "SET ecert.node = 'reader'; SELECT ecert.join_ledger('$genesis_package')");
	like($refusal, qr/ERROR:  the policy contradicts itself\nDETAIL:  .*\Q$detail\E/, "genesis with $what: nobody joins");
	is($server->safe_psql('joining', q{SELECT to_regclass('ledger.package')}), '', "genesis with $what: and nothing of it stays");
}

# which of a node's states counts: both ends of a key's time belong to it, and the second of a revocation to the node
my $quantity = q{'{"period": [1672531200, 1675209600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 7}]}'::jsonb};
my ($until, $effective) = split /\|/, sql(q{SELECT min((k ->> 'until')::bigint), max((k ->> 'effective')::bigint) FROM jsonb_array_elements(ecert.node_state('plant-b') -> 'keys') AS k});
my $revoked = sql(q{SELECT ecert.node_state('closed') ->> 'effective'});
my $by = sub { my ($node, $key, $at) = @_; return put(next_of($node, 'energy', $node eq 'closed' ? q{'{"period": [1675209600, 1677628800], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 7}]}'::jsonb} : $quantity,
	subject => $node, key => $key, 'issued-at' => $at)) };
unharmed('the old key in the second in which it ends', $by->('plant-b', 'plant-b', $until));
tampered('the old key a second later', $by->('plant-b', 'plant-b', $until + 1), qr/^plant-b energy 0: key of node "plant-b" is no longer in use/m);
unharmed('the new key in the second from which it counts', $by->('plant-b', 'plant-es256', $effective));
tampered('the new key a second before', $by->('plant-b', 'plant-es256', $effective - 1), qr/^plant-b energy 0: key of node "plant-b" is not in use yet/m);
unharmed('a node in the second of its revocation', $by->('closed', 'plant-c', $revoked));
tampered('a node a second later', $by->('closed', 'plant-c', $revoked + 1), qr/^closed energy 1: node "closed" is revoked/m);
tampered('the end of a key of the certifier is dated back', put(next_of('certifier', 'node', q{(SELECT jsonb_set(ecert.body(package) -> 'node', '{keys,0,until}', '1000000000') FROM corpus.original WHERE kind = 'genesis')}, subject => 'certifier', 'issued-at' => time())),
	qr/^certifier node \d+: .*key of the certifier/m);

# one public key, one node and one use
my $key_entry = sub { my ($name, $use, $alg) = @_; return "(ecert.key_entry(pg_read_file('$keys/$name.pub.pem'), '$use') || '{\"effective\": 0" . (defined $alg ? ", \"alg\": $alg" : '') . "}')" };
my $enrol = sub {
	my ($node, $roles, @entries) = @_;
	return next_of('certifier', 'node', "jsonb_build_object('node', '$node', 'roles', '$roles'::jsonb, 'status', 'active', 'effective', 0, 'keys', jsonb_build_array(" . join(', ', @entries) . '))', subject => $node);
};
for ([ q{a plant's key for another plant}, '["applicant"]', 'plant-a', 'package', 'plant-a' ], [ q{a plant's key for an auditor}, '["auditor"]', 'plant-a', 'package', 'plant-a' ],
	[ q{the certifier's key for an auditor}, '["auditor"]', 'certifier', 'package', 'certifier' ], [ q{the certifier's seal key for an auditor}, '["auditor"]', 'seal', 'package', 'certifier' ],
	[ q{a witness key for an applicant}, '["applicant"]', 'supplier-witness', 'package', 'supplier' ], [ q{a plant's key as a witness key}, '["auditor"]', 'plant-a', 'witness', 'plant-a' ],
	[ 'a key that was rotated', '["applicant"]', 'plant-b', 'package', 'plant-b' ], [ 'the ES256 key that came after it', '["applicant"]', 'plant-es256', 'package', 'plant-b' ],
	[ 'the key of a node that is revoked', '["applicant"]', 'plant-c', 'package', 'closed' ])
{
	my ($what, $roles, $name, $use, $holder) = @$_;
	tampered("$what is enrolled", put($enrol->('mine', $roles, $key_entry->($name, $use))), qr/^certifier node \d+: key of node "mine" is a key of node "$holder" already/m);
}
tampered('a key is enrolled for packages and for cosignatures', put($enrol->('mine', '["auditor"]', $key_entry->('seal-es256', 'package'), $key_entry->('seal-es256', 'witness'))), qr/^certifier node \d+: node package of "mine" lists a key twice/m);

# each algorithm under each of its numbers, in the key and in what it signs
my $month = q{'{"period": [1709251200, 1711929600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 7}]}'::jsonb};
unharmed('a package under -8, by a key under -19', put(renumber(next_of('plant-a', 'energy', $month), -8, 'plant-a')));
unharmed('a key that is repeated under -8, and a package under -19', put(next_of('certifier', 'node', q{(SELECT jsonb_set(ecert.body(package), '{keys,0,alg}', '-8') FROM corpus.original WHERE kind = 'node' AND subject = 'plant-a')}, subject => 'plant-a'))
	. put(next_of('plant-a', 'energy', $month)));
my $es256_month = sub { return next_of('fifth', 'energy', $month, subject => 'fifth', key => 'seal-es256', 'issued-at' => time()) };
for my $number (-9, -7)
{
	my $enrolled = put($enrol->('fifth', '["applicant"]', $key_entry->('seal-es256', 'package', $number)));
	unharmed("a key under $number, and a package under -9", $enrolled . put($es256_month->()));
	unharmed("a key under $number, and a package under -7", $enrolled . put(renumber($es256_month->(), -7, 'seal-es256')));
}
unharmed('a key and a package under -65600', put($enrol->('fifth', '["applicant"]', $key_entry->('plant-sm2', 'package'))) . put(next_of('fifth', 'energy', $month, subject => 'fifth', key => 'plant-sm2', 'issued-at' => time())));
tampered('a key of P-256 under the number of SM2', put($enrol->('fifth', '["applicant"]', $key_entry->('seal-es256', 'package', -65600))), qr/^certifier node \d+: a key in the node package is not usable/m);
tampered('a package under another algorithm than its key', put($enrol->('fifth', '["applicant"]', $key_entry->('seal-es256', 'package')))
	. put(next_of('fifth', 'energy', $month, subject => 'fifth', key => 'stranger', 'issued-at' => time())), qr/^fifth energy 0: key is not one of node "fifth"/m);

# form and place
tampered('a body has a field that its kind does not know', exchange(resign('plant-a', 'energy', 3, q{body || '{"note": "x"}'})), qr/^plant-a energy 3: body is invalid at byte \d+: unknown field$/m);
tampered('a package is for another ledger', exchange(resign('plant-a', 'energy', 3, 'body', origin => 'other.example')), qr/^plant-a energy 3: package is for another ledger/m);
tampered('a package is about somebody else', exchange(resign('plant-a', 'energy', 3, 'body', subject => 'plant-b')), qr/^plant-a energy 3: subject of the energy package is not the one its body is about/m);
tampered('issued_at runs backwards', exchange(resign('plant-a', 'energy', 3, 'body', 'issued-at' => 1700000000)), qr/^plant-a energy 3: /m);
tampered('a period overlaps', exchange(resign('plant-a', 'energy', 2, q{jsonb_set(body, '{period}', '[1704153600, 1709251200]')})), qr/^plant-a energy 2: period overlaps an earlier one of the feed, or runs backwards/m);
tampered('a correction is of no package', exchange(resign('plant-a', 'energy', 3, q{jsonb_set(body, '{replaces,0}', to_jsonb(repeat('00', 32)))})), qr/^plant-a energy 3: the replaced package is not on the ledger \(It replaces 0{64}\.\)$/m);
tampered('a package is put behind a feed that it does not follow', put(next_of('plant-a', 'energy', q{'{"period": [1709251200, 1711929600], "lines": [{"source": "electricity", "unit": "kWh", "quantity": 7}]}'::jsonb}, prev => '00' x 32)),
	qr/^plant-a energy 4: package does not follow the head of its feed/m);

# relations, audits, certificates, rewards
tampered('the relation of an auditor is changed', exchange(resign('certifier', 'relation', 0, q{body || '{"from": 4000000000}'})), qr/^supplier audit 0: node "supplier" is not related to "plant-a" as upstream/m);
tampered('a stranger audits', put(next_of('stranger', 'audit', q{(SELECT ecert.body(package) FROM corpus.original WHERE issuer = 'supplier' AND kind = 'audit' AND seq = 0)}, subject => 'plant-a')),
	qr/^stranger audit 0: node "stranger" is not related to "plant-a" as upstream/m);
tampered('an audit is of another hash', exchange(resign('supplier', 'audit', 1, q{jsonb_set(body, '{checked,0,hash}', to_jsonb(repeat('ab', 32)))})), qr/^supplier audit 1: the audited packages are not what the audit says/m);
tampered('a range of an audit ends before it begins', exchange(resign('supplier', 'audit', 1, q{jsonb_set(body, '{checked,0,first}', to_jsonb((body #>> '{checked,0,last}')::bigint + 1))})), qr/^supplier audit 1: the audited packages are not what the audit says \(Range energy.*: first is after last\.\)$/m);
tampered('an audit is of packages that are not for its role', exchange(resign('supplier', 'audit', 1, q{jsonb_set(body, '{checked,0,kind}', '"product"')})), qr/^supplier audit 1: the audited packages are not what the audit says \(Range product/m);
tampered('the same is audited twice', put(next_of('supplier', 'audit', q{(SELECT ecert.body(package) FROM corpus.original WHERE issuer = 'supplier' AND kind = 'audit' AND seq = 1)})), qr/^supplier audit 2: these packages are audited by this node in this role already/m);
tampered('an audit fails after all', exchange(resign('supplier', 'audit', 1, q{body || '{"verdict": "fail"}'})), qr/^certifier certificate 0: certificate differs from its recomputation in "audits.digest"/m);
tampered('a certificate states another saving', exchange(resign('certifier', 'certificate', 0, q{jsonb_set(body, '{figures,2,saving_tce}', '99')})), qr/^certifier certificate 0: certificate differs from its recomputation in "figures.2.saving_tce" \(Stated 99, computed [0-9.]+\.\)$/m);
tampered('a certificate states another rate of one product', exchange(resign('certifier', 'certificate', 0, q{jsonb_set(body, '{figures,1,saving_rate}', '0.5')})), qr/^certifier certificate 0: certificate differs from its recomputation in "figures.1.saving_rate"/m);
tampered('a certificate states another rate for everybody', exchange(resign('certifier', 'certificate', 0, q{body || '{"rate": 0.5}'})), qr/^certifier certificate 0: certificate differs from its recomputation in "rate" \(Stated 0\.5, computed [0-9.]+\.\)$/m);
tampered('a certificate leaves a row of figures out', exchange(resign('certifier', 'certificate', 0, q{body #- '{figures,0}'})), qr/^certifier certificate 0: certificate differs from its recomputation in "figures" /m);
tampered('a certificate counts more packages', exchange(resign('certifier', 'certificate', 0, q{jsonb_set(body, '{figures,3,energy_packages}', '99')})), qr/^certifier certificate 0: certificate differs from its recomputation in "figures.3.energy_packages"/m);
tampered('a certificate is in another calendar', exchange(resign('certifier', 'certificate', 0, q{body || '{"calendar": "Europe/Oslo"}'})), qr/^certifier certificate 0: certificate differs from its recomputation in "calendar" /m);
tampered('a certificate is of another title', exchange(resign('certifier', 'certificate', 0, q{body || '{"title": {"en": "Certificate of merit", "zh": ""}}'})), qr/^certifier certificate 0: certificate states another "title"/m);
tampered('a certificate lists a package of the baseline that nobody replaced', exchange(resign('certifier', 'certificate', 0, q{jsonb_set(body, '{baseline_replaced}', to_jsonb(ARRAY[repeat('cd', 32)]))})), qr/^certifier certificate 0: certificate differs from its recomputation in "baseline_replaced" /m);
tampered('a certificate names another issuer', exchange(resign('certifier', 'certificate', 0, q{body || '{"issuer_name": "A ministry"}'})), qr/^certifier certificate 0: certificate states another "issuer_name" than its place in the feed, the registry and the policy give/m);
tampered('a certificate has another site', exchange(resign('certifier', 'certificate', 0, q{body || '{"site": "Elsewhere"}'})), qr/^certifier certificate 0: certificate states another "site"/m);
tampered('a certificate says fail', exchange(resign('certifier', 'certificate', 0, q{body || '{"verdict": "fail"}'})), qr/^certifier certificate 0: certificate differs from its recomputation in "verdict" \(Stated "fail", computed "pass"\.\)$/m);
tampered('a certificate is valid for longer', exchange(resign('certifier', 'certificate', 0, q{jsonb_set(body, '{valid,1}', '4000000000')})), qr/^certifier certificate 0: certificate states another "valid.1" than its place in the feed, the registry and the policy give/m);
tampered('a certificate has another number', exchange(resign('certifier', 'certificate', 0, q{body || '{"number": "EC-2024-000009"}'})), qr/^certifier certificate 0: certificate states another "number"/m);
tampered('a certificate leaves a correction out', exchange(resign('certifier', 'certificate', 0, q{jsonb_set(body, '{packages,count}', '40')})), qr/^certifier certificate 0: certificate differs from its recomputation in "packages.count"/m);
tampered('a certificate names a policy that is none', exchange(resign('certifier', 'certificate', 0, q{jsonb_set(body, '{policy}', to_jsonb(repeat('cd', 32)))})), qr/^certifier certificate 0: the certificate names another policy than the one in force/m);
tampered('a certificate rests on no audits', exchange(resign('certifier', 'certificate', 0, q{jsonb_set(body, '{audits,count}', '0')})), qr/^certifier certificate 0: certificate differs from its recomputation in "audits.count"/m);
tampered('a certificate rests on another checkpoint', exchange(resign('certifier', 'certificate', 0, q{jsonb_set(body, '{checkpoint}', (SELECT to_jsonb(encode(hash, 'hex')) FROM corpus.original WHERE kind = 'checkpoint' AND seq = 0))})), qr/^certifier certificate 0: the package rests on a checkpoint that was not the newest/m);
my $story_of_checkpoint = resign('certifier', 'checkpoint', 1, "body - 'note'");
tampered('a certificate rests on another story of its checkpoint', exchange(resign('certifier', 'certificate', 0, qq{jsonb_set(body, '{checkpoint}', to_jsonb(encode(ecert.hash('$story_of_checkpoint'::ecert.package), 'hex')))})),
	qr/^certifier certificate 0: the package rests on a checkpoint that is not on the ledger/m);
tampered('a status is of no certificate', exchange(resign('certifier', 'status', 1, q{jsonb_set(body, '{certificate}', to_jsonb(repeat('ef', 32)))})), qr/^certifier status 1: there is no such certificate/m);
tampered('what is withdrawn is made active again', exchange(resign('certifier', 'status', 0, q{body || '{"status": "withdrawn"}'})), qr/^certifier status 1: /m);
tampered('a reward is replayed', put(next_of('certifier', 'reward', q{(SELECT ecert.body(package) || jsonb_build_object('checkpoint',
	(SELECT encode(hash, 'hex') FROM corpus.original WHERE kind = 'checkpoint' ORDER BY seq DESC LIMIT 1)) FROM corpus.original WHERE kind = 'reward' AND seq = 0)}, subject => 'buyer', 'issued-at' => time())), qr/^certifier reward \d: this auditor has been rewarded for these packages in this role already/m);
tampered('a reward goes to somebody else', exchange(resign('certifier', 'reward', 0, q{jsonb_set(body, '{auditor}', '"stranger"')}, subject => 'stranger')), qr/^certifier reward 0: the reward is for no audit of this auditor that counts/m);
tampered('the policy is replaced', exchange(resign('certifier', 'policy', 0, q{jsonb_set(body, '{certificate,threshold}', '0.9')})), qr/^certifier checkpoint \d+: checkpoint's root is not that of the packages it covers/m);
tampered('a policy contradicts itself', put(next_of('certifier', 'policy', q{(SELECT jsonb_set(b, '{units}', (b -> 'units') || (b -> 'units' -> 0)) FROM (SELECT ecert.body(package) FROM corpus.original WHERE kind = 'policy') AS p (b))})), qr/^certifier policy 1: /m);

# checkpoints and witnesses
tampered('a checkpoint states another root', exchange(resign('certifier', 'checkpoint', $newest, q{body - 'note' || jsonb_build_object('root', repeat('12', 32))})), qr/^certifier checkpoint \d+: checkpoint's seal is wrong$/m);
my $sealed = sub { my ($size, $root) = @_; return "'[" . as('certifier', "SELECT ecert.seal_root($size, decode('$root', 'hex'))") . "]'::jsonb" };
my $size = sql("SELECT ecert.body(package) ->> 'size' FROM corpus.original WHERE kind = 'checkpoint' AND seq = $newest");
my $root = sql("SELECT ecert.body(package) ->> 'root' FROM corpus.original WHERE kind = 'checkpoint' AND seq = $newest");
tampered('with a seal over it', exchange(resign('certifier', 'checkpoint', $newest, "body - 'note' || jsonb_build_object('root', repeat('12', 32), 'seals', " . $sealed->($size, '12' x 32) . ')')),
	qr/^certifier checkpoint \d+: checkpoint's root is not that of the packages it covers \(signed (12){32}, computed $root\)$/m);
tampered('a checkpoint states another size', exchange(resign('certifier', 'checkpoint', $newest, "body - 'note' || jsonb_build_object('size', " . ($size + 1) . ", 'seals', " . $sealed->($size + 1, $root) . ')')),
	qr/^certifier checkpoint \d+: checkpoint's size is \d+, the packages it covers make $size$/m);
tampered('a checkpoint is sealed with the key for packages', exchange(resign('certifier', 'checkpoint', $newest, "body - 'note' || jsonb_build_object('seals', '["
	. as('certifier', "SET ecert.seal_key = '$keys/certifier.pem'; SELECT ecert.seal_root($size, decode('$root', 'hex'))") . "]'::jsonb)")),
	qr/^certifier checkpoint \d+: checkpoint is sealed with a key that is no seal key of "certifier"/m);
tampered('a package is signed with the key for seals', exchange(resign('certifier', 'policy', 0, 'body', key => 'seal')), qr/^certifier policy 0: key of node "certifier" does not sign packages/m);
tampered('a checkpoint names a head again', exchange(resign('certifier', 'checkpoint', $newest, q{jsonb_set(body, '{heads}', (body -> 'heads') || '[["supplier", "audit", 1]]')})), qr/^certifier checkpoint \d+: checkpoint's head audit of "supplier" does not advance \(it names seq 1, an earlier checkpoint 1\)$/m);
tampered('a checkpoint lists heads out of order', exchange(resign('certifier', 'checkpoint', $newest, q{jsonb_set(body, '{heads}', (SELECT jsonb_agg(h ORDER BY n DESC) FROM jsonb_array_elements(body -> 'heads') WITH ORDINALITY AS e (h, n)))})), qr/^certifier checkpoint \d+: checkpoint's heads are not in increasing order$/m);
tampered('the note of a checkpoint is another one', exchange(resign('certifier', 'checkpoint', $newest, q{jsonb_set(body, '{note}', (SELECT ecert.body(package) -> 'note' FROM corpus.original WHERE kind = 'checkpoint' AND seq = 1))})), qr/^certifier checkpoint \d+: checkpoint's note is wrong$/m);
tampered('an auditor seals', put(next_of('stranger', 'checkpoint', q{(SELECT ecert.body(package) FROM corpus.original WHERE kind = 'checkpoint' AND seq = 0)}, subject => $origin)), qr/^stranger checkpoint 0: node "stranger" may not issue packages of kind checkpoint/m);
tampered('a witness states another root', exchange(resign('supplier', 'witness', 0, q{jsonb_set(body, '{root}', to_jsonb(repeat('34', 32)))})), qr/^supplier witness 0: witness states another size or root than its checkpoint/m);
tampered('a cosignature is of another checkpoint', exchange(resign('supplier', 'witness', 0, q{jsonb_set(body, '{cosignature}', to_jsonb(replace((SELECT ecert.body(package) ->> 'cosignature' FROM corpus.original WHERE issuer = 'buyer' AND kind = 'witness'), ' buyer ', ' supplier ')))})),
	qr/^supplier witness 0: witness's cosignature is wrong/m);

unharmed('a seal under -8, by a key under -19', exchange(resign('certifier', 'checkpoint', $newest, q{jsonb_set(body, '{seals,0,alg}', '-8')})) . q{DELETE FROM ledger.package WHERE issuer = 'supplier' AND kind = 'witness'});
tampered('a cosignature with its line end', exchange(resign('supplier', 'witness', 0, q{jsonb_set(body, '{cosignature}', to_jsonb((body ->> 'cosignature') || E'\\n'))})), qr/^supplier witness 0: witness's cosignature is wrong/m);
tampered('two lines of cosignatures', exchange(resign('supplier', 'witness', 0, q{jsonb_set(body, '{cosignature}', to_jsonb((body ->> 'cosignature') || E'\\n' || (body ->> 'cosignature')))})), qr/^supplier witness 0: witness's cosignature is wrong/m);

cmp_ok($ways, '>=', 30, "$ways ways to tamper with a ledger");

# ---- what a table cannot hold, and files can ------------------------------------------------------------------------------------------

restore();
my $other_story = resign('plant-a', 'energy', 3, q{jsonb_set(body, '{lines,0,quantity}', '12')});
sql("COPY (SELECT package FROM ledger.package UNION ALL SELECT '$other_story'::ecert.package) TO '$dump' (FORMAT binary)");
my ($status, $said) = of_program($dump);
is($status, 1, 'two stories in one dump are invalid');
like($said, qr/^plant-a energy 3: .*equivocation|^plant-a energy 3: seq 3 of the feed is taken/m, 'and named');
dump_ledger();
my $whole = slurp_file($dump);
append_to_file("$dump.cut", substr($whole, 0, length($whole) - 400));
($status, $said) = of_program("$dump.cut");
is($status, 2, 'a dump that ends too early could not be checked');
append_to_file("$dump.bit", $whole);
open(my $bit, '+<', "$dump.bit") or die;
binmode($bit);
seek($bit, length($whole) - 300, 0);
print $bit chr(ord(substr($whole, length($whole) - 300, 1)) ^ 4);
close($bit);
($status) = of_program("$dump.bit");
isnt($status, 0, 'a dump with a bit turned is not valid');
# bytes that are no package: refused with the same words, at the same byte, and nothing is said against the rest
my $dumped = sql('SELECT package FROM ledger.package');
my $alike = sub {
	my ($what, $bytes, $words) = @_;
	my (undef, undef, $refusal) = $server->psql('postgres', "SELECT '$bytes'::ecert.package");
	my ($why, $at) = $refusal =~ /ERROR:  (?:invalid|unsupported) ecert package: ([^\n]*)\nLINE.*\n.*\nDETAIL:  At byte (\d+) of the package/ or diag($refusal);
	like($why, $words, "$what: the server refuses it");
	unlink $dump;
	append_to_file($dump, "$dumped\n$bytes\n");
	my ($exit, $problems) = of_program($dump);
	is("$exit $problems", "1 : package is malformed at byte $at: $why", "$what: so does the program, at the same byte");
	return;
};
my ($body_hex) = next_of('plant-a', 'energy', $month) =~ /(a2656c696e6573.*)5840[0-9a-f]{128}$/ or die 'no body';
# the quantity, a field behind the others, or one in front of them
for (
	[ 'an integer of 64 bits and no sign', '1b8000000000000000', qr/^an integer of a body does not fit 64 bits with sign$/ ], [ 'the same below 0', '3b8000000000000000', qr/^an integer of a body does not fit/ ],
	[ '5 as a decimal', 'c4820005', qr/^a decimal fraction is not the one form of its value$/ ], [ '50 as a decimal', 'c4820105', qr/^a decimal fraction is not the one form/ ],
	[ '10^19 with a zero too many', 'c482111864', qr/^a decimal fraction is not the one form/ ], [ 'an exponent of 19', 'c4821305', qr/^a decimal fraction is not \[exponent -18\.\.18, mantissa of 64 bits\]$/ ],
	[ 'an exponent of -19', 'c4823205', qr/^a decimal fraction is not \[/ ], [ 'a bignum', 'c24105', qr/^this tag is not allowed here$/ ], [ 'a float', 'f94700', qr/^floating-point numbers/ ],
	[ '7 in two bytes', '1807', qr/^a number or length is not in its shortest form$/ ], [ 'undefined', 'f7', qr/^simple values other than/ ], [ 'bytes', '4107', qr/^byte strings are not allowed in a body$/ ])
{
	my ($what, $value, $words) = @$_;
	(my $changed = $body_hex) =~ s/(7175616e74697479)07/$1$value/ or die $what;
	$alike->($what, next_of('plant-a', 'energy', $month, 'body-hex' => $changed), $words);
}
for ([ 'U+0000 in a text', '626100', qr/^a text of a body holds U\+0000$/ ], [ 'U+0000 and no more', '6100', qr/^a text of a body holds U\+0000$/ ], [ 'half of a surrogate pair', '63eda080', qr/^text is not valid UTF-8$/ ],
	[ 'a text in pieces', '7f6161ff', qr/^indefinite lengths are not allowed$/ ])
{
	my ($what, $value, $words) = @$_;
	$alike->($what, next_of('plant-a', 'energy', $month, 'body-hex' => 'a3' . substr($body_hex, 2) . "66726561736f6e$value"), $words);
}
$alike->('U+0000 in a key', next_of('plant-a', 'energy', $month, 'body-hex' => "a3610001" . substr($body_hex, 2)), qr/^a text of a body holds U\+0000$/);
$alike->('a key twice', next_of('plant-a', 'energy', $month, 'body-hex' => 'a3' . substr($body_hex, 2) . '66706572696f6400'), qr/^map keys are not in strictly increasing order$/);
dump_ledger();

# two checkpoints that contradict each other, of which the reader has kept one
my $kept = "$PostgreSQL::Test::Utils::tmp_check/kept";
append_to_file($kept, sql(q{SELECT package FROM ledger.package WHERE kind = 'checkpoint' AND seq = 1}) . "\n");
($status, $said) = of_program($dump, '--checkpoint', $kept);
is($status, 0, 'the ledger goes on from a checkpoint that was kept') or diag($said);
append_to_file("$kept.fork", resign('certifier', 'checkpoint', 1, "body - 'note' || jsonb_build_object('root', repeat('12', 32), 'seals', " . $sealed->(sql(q{SELECT ecert.body(package) ->> 'size' FROM corpus.original WHERE kind = 'checkpoint' AND seq = 1}), '12' x 32) . ')') . "\n");
($status, $said) = of_program($dump, '--checkpoint', "$kept.fork");
is($status, 1, 'not from one that says something else');
like($said, qr/fork/, 'and that is a fork');
# one with the same seq and the same tree is another story all the same, to both; the same statement under another right signature is not
my $other_seal = resign('certifier', 'checkpoint', 1, "body - 'note'");
for ([ 'another statement', $other_seal, 1, 'fork' ], [ 'the same package', sql(q{SELECT package FROM corpus.original WHERE kind = 'checkpoint' AND seq = 1}), 0, 'consistent' ])
{
	my ($what, $checkpoint, $exit, $outcome) = @$_;
	unlink "$kept.story";
	append_to_file("$kept.story", "$checkpoint\n");
	($status, $said) = of_program($dump, '--checkpoint', "$kept.story");
	is($status, $exit, "a checkpoint with the same seq and tree, $what: the program") or diag($said);
	like($said, $exit ? qr/^certifier checkpoint 1: fork: the certifier signed another checkpoint with seq 1 \(/m : qr/^$/, "a checkpoint with the same seq and tree, $what: in words");
	is(as('certifier', "BEGIN; SELECT outcome FROM ecert.compare_checkpoint('$checkpoint'); ROLLBACK"), $outcome, "a checkpoint with the same seq and tree, $what: the server");
}
# receipts beside the dump
my $statement = "$PostgreSQL::Test::Utils::tmp_check/statement";
append_to_file($statement, sql(q{SELECT ecert.transparent(hash) FROM ledger.package WHERE kind = 'certificate'}) . "\n");
($status, $said) = of_program($dump, '--receipt', $statement);
is($status, 0, 'a transparent certificate fits the ledger') or diag($said);
my $paper = '';
IPC::Run::run([ $verify, 'certificate', $statement, '--certifier-key', "$keys/certifier.pub.pem", '--seal-key', "$keys/seal.pub.pem" ], '<', \undef, '>', \$paper, '2>', \my $complaint);
is($? >> 8, 0, 'and stands alone, with nothing but the certifier\'s public keys') or diag($paper . $complaint);
like($paper, qr/EC-2024-000001/, 'for people to read');
IPC::Run::run([ $verify, 'certificate', $statement, '--certifier-key', "$keys/stranger.pub.pem", '--seal-key', "$keys/seal.pub.pem" ], '<', \undef, '>', \$paper, '2>', \$complaint);
is($? >> 8, 1, 'not with another key');

# a receipt may be written by others: one that is signed by the seal key holds in any form of CBOR; where it cannot be read, both say that it was not checked
restore();
my $bstr = sub { my ($bytes) = @_; return length($bytes) < 24 ? chr(0x40 + length $bytes) . $bytes : length($bytes) < 256 ? "\x58" . chr(length $bytes) . $bytes : "\x59" . pack('n', length $bytes) . $bytes };
my ($package, $receipt) = map { pack 'H*', $_ } split /\|/, sql(q{SELECT encode(package::bytea, 'hex'), encode(ecert.receipt(hash), 'hex') FROM ledger.package WHERE issuer = 'plant-a' AND kind = 'energy' AND seq = 0});
my ($header, $proofs) = $receipt =~ /\A\xd2\x84\x58(.)/s ? (substr($receipt, 4, ord $1), substr($receipt, 4 + ord $1, -67)) : die 'no receipt';
my ($kid) = $header =~ /\x04(\x58\x20.{32})/s or die 'no kid';
my ($claims) = $header =~ /\x0f(\xa2.*)\x19\x01\x8b\x01/s or die 'no claims';
my ($tree_size) = $header =~ /(\x3a\x00\x01\x00\x42.*)\z/s or die 'no size';
my ($sealed_size) = $proofs =~ /\x83\x18(.)/s or die 'no proof';
my $sealed_root = sql('SELECT encode(ecert.tree_root(' . ord($sealed_size) . "), 'hex')");
my $receipt_of = sub {
	my ($protected, $unprotected) = @_;
	my $signed_bytes = "\x84\x6aSignature1" . $bstr->($protected) . "\x40" . $bstr->(pack 'H*', $sealed_root);
	return "\xd2\x84" . $bstr->($protected) . ($unprotected // $proofs) . "\xf6" . $bstr->(sign_raw('seal', $signed_bytes));
};
my $vds = "\x19\x01\x8b\x01";
my ($alg, $all_of_it) = ("\x01\x32", "\x04$kid\x0f$claims$vds$tree_size");
my ($path) = $proofs =~ /\A\xa1\x19\x01\x8c\xa1\x20\x81(.*)\z/s or die 'no path';
my $file_number = 0;
for (
	[ 'as it was', "\xa5$alg$all_of_it", undef, 'holds' ],
	[ 'parameters in another order', "\xa5$vds\x0f$claims$tree_size\x04$kid$alg", undef, 'holds' ],
	[ 'the two that have to be there in another order', "\xa3$vds\x0f$claims$alg", undef, 'holds' ],
	[ 'claims in another order', "\xa5$alg\x04$kid\x0f\xa2\x02\x6ecorpus.example\x01\x69certifier$vds$tree_size", undef, 'holds' ],
	[ 'a map of no definite length', "\xbf$alg$all_of_it\xff", undef, 'holds' ],
	[ 'numbers in more bytes than they need', "\xa5\x18\x01\x38\x12\x18\x04$kid\x0f$claims\x1a\x00\x00\x01\x8b\x18\x01$tree_size", undef, 'holds' ],
	[ 'Ed25519 under its old number', "\xa5\x01\x27$all_of_it", undef, 'holds' ],
	[ 'a time under tag 1 and a float among the claims', "\xa5$alg\x04$kid\x0f\xa4\x01\x69certifier\x02\x6ecorpus.example\x06\xc1\x1a\x65\xbb\xb3\x80\x61x\xfb\x3f\xf8\0\0\0\0\0\0$vds$tree_size", undef, 'holds' ],
	[ 'more parameters', "\xa7$alg$all_of_it\x18\x21\x42\x30\x82\x61v\xf9\x3c\x00", undef, 'holds' ],
	[ 'no kid', "\xa4$alg\x0f$claims$vds$tree_size", undef, 'holds' ],
	[ 'no tree size that is signed', "\xa4$alg\x04$kid\x0f$claims$vds", undef, 'holds' ],
	[ 'more parameters beside the proofs', "\xa5$alg$all_of_it", "\xa2\x61v\xf5" . substr($proofs, 1), 'holds' ],
	[ 'proofs in a list of no definite length', "\xa5$alg$all_of_it", "\xa1\x19\x01\x8c\xa1\x20\x9f$path\xff", 'holds' ],
	[ 'another issuer', "\xa5$alg\x04$kid\x0f\xa2\x01\x69somebody!\x02\x6ecorpus.example$vds$tree_size", undef, 'holds', 'wrong' ],
	[ 'another ledger', "\xa5$alg\x04$kid\x0f\xa2\x01\x69certifier\x02\x6ecorpus.exampla$vds$tree_size", undef, 'wrong' ],
	[ 'no claims', "\xa4$alg\x04$kid$vds$tree_size", undef, 'wrong' ],
	[ 'neither claims nor kid', "\xa3$alg$vds$tree_size", undef, 'not checked' ],
	[ 'another structure', "\xa5$alg\x04$kid\x0f$claims\x19\x01\x8b\x03$tree_size", undef, 'not checked' ],
	[ 'alg twice', "\xa6$alg$alg$all_of_it", undef, 'not checked' ],
	[ 'crit', "\xa6$alg\x02\x81\x19\x01\x8b$all_of_it", undef, 'not checked' ],
	[ 'two proofs', "\xa5$alg$all_of_it", "\xa1\x19\x01\x8c\xa1\x20\x82$path$path", 'not checked' ],
	[ 'a consistency proof beside it', "\xa5$alg$all_of_it", "\xa1\x19\x01\x8c\xa2\x20\x81$path\x21\x81\x40", 'not checked' ],
	[ 'another size in the proof', "\xa5$alg$all_of_it", substr($proofs, 0, index($proofs, "\x83\x18") + 2) . chr(ord($sealed_size) - 1) . substr($proofs, index($proofs, "\x83\x18") + 3), 'not checked' ])
{
	my ($what, $protected, $unprotected, $outcome, $with_ledger) = @$_;
	my $bytes = $receipt_of->($protected, $unprotected);
	my $hex = unpack 'H*', $bytes;
	my $statement_hex = unpack('H*', substr($package, 0, 4 + ord substr $package, 3, 1)) . 'a119018a81' . unpack('H*', $bstr->($bytes)) . unpack('H*', substr $package, 5 + ord substr $package, 3, 1);
	my %verifies = (holds => 't', wrong => 'f', 'not checked' => '');
	my %exit_status = (holds => 0, wrong => 1, 'not checked' => 2);
	is(as('certifier', "SELECT ecert.verify_transparent('\\x$statement_hex', ecert.public_key('seal'))"), $verifies{$outcome}, "receipt with $what: the server says $outcome");
	my $file = "$PostgreSQL::Test::Utils::tmp_check/receipt-" . $file_number++;
	append_to_file("$file.statement", pack 'H*', $statement_hex);
	IPC::Run::run([ $verify, 'certificate', "$file.statement", '--certifier-key', "$keys/plant-a.pub.pem", '--seal-key', "$keys/seal.pub.pem" ], '<', \undef, '>', \$paper, '2>', \$complaint);
	is($? >> 8, $exit_status{$outcome}, "receipt with $what: so does the program, of the statement alone") or diag($paper . $complaint);
	($status, $said) = of_program($dump, '--receipt', "$file.statement");
	is($status, $exit_status{ $with_ledger // $outcome }, "receipt with $what: and beside the ledger") or diag($said);
}

done_testing();
