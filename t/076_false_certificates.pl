# A certifier that lies: it signs, past its own server's rules, certificates that leave out what is sealed.  An honest node, the server's own
# problems() and ecert-verify say what is wrong, each as of the checkpoint that the certificate names.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/lib";

use Network;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $verify = "$FindBin::RealBin/../src/verifier/ecert-verify";
my $policy = q{ecert.default_policy() || '{"audit": {"required": [{"as": "upstream", "count": 1}],
	"upstream": {"tolerance": 0.02}, "downstream": {"tolerance": 0.02}, "peer": {"k": 3, "floor": 0, "band": 0.5, "minimum": 1}, "audit_days": 30}}'::jsonb};
my $hub = Network::hub('false.example', policy => $policy);
my $folder = $hub->basedir;
my %keys;
my ($base, $period) = ('[2023-01-01,2023-02-01)', '[2024-01-01,2024-02-01)');

sub as
{
	my ($node, $sql) = @_;
	return $hub->safe_psql('postgres', "SET client_min_messages = warning; SET ecert.node = '$node'; SET ecert.signing_key = '$keys{$node}';\n$sql");
}

sub certifier { return $hub->safe_psql('postgres', "SET client_min_messages = warning;\n$_[0]") }
sub seal { return certifier(q{SELECT encode(ecert.checkpoint(), 'hex')}) }

for ([ 'plant', '{applicant}' ], [ 'mine', '{auditor}' ], [ 'rival', '{auditor}' ])
{
	my ($node, $roles) = @$_;
	$keys{$node} = "$folder/$node.pem";
	system_or_bail('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $keys{$node});
	certifier("SELECT ecert.enroll('$node', '$roles', '" . as($node, 'SELECT ecert.public_key()') . "', 'The $node')");
}
certifier(q{SELECT ecert.relate('mine', 'plant', 'upstream'), ecert.relate('rival', 'plant', 'peer')});

# Sign packages with bodies that a query gives, and put them on the ledger past the triggers
sub put_past
{
	my ($node, $kind, $bodies) = @_;
	as($node, qq{SET ecert.allow_ledger_ddl = on;
		ALTER TABLE ledger.package DISABLE TRIGGER ecert_admit;
		DO \$\$
		DECLARE
			body jsonb;
		BEGIN
			FOR body IN $bodies LOOP
				INSERT INTO ledger.package (issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)
				SELECT ecert.issuer(package), ecert.kind(package), ecert.seq(package), ecert.subject(package), ecert.period(package), ecert.issued_at(package), ecert.hash(package), package, now()
				  FROM (SELECT ecert.sign('$kind', body, 'plant')) AS lie (package);
			END LOOP;
		END \$\$;
		ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit});
	return;
}

# The second half of the days of a period
sub inner { return certifier("SELECT tstzrange(lower(p) + (upper(p) - lower(p)) / 2, upper(p)) FROM (SELECT '$_[0]'::tstzrange) AS s (p)") }

sub pack_energy
{
	my ($month, $quantity, $replaces) = @_;
	return as('plant', qq{SELECT encode(ecert.append('energy', jsonb_build_object('period', ecert.period_json('$month'),
		'lines', '[{"source": "electricity", "unit": "kWh", "product": "A", "quantity": $quantity}]'::jsonb} . ($replaces // '') . q{)), 'hex')});
}

sub audit
{
	my ($node, $as, $month, $verdict) = @_;
	as($node, qq{SELECT ecert.append('audit', jsonb_build_object('applicant', 'plant', 'period', ecert.period_json('$month'), 'as', '$as', 'verdict', '$verdict', 'checks', '[]'::jsonb,
		'policy', encode(ecert.policy_hash(), 'hex'), 'checked', jsonb_build_array(jsonb_build_object('kind', 'energy', 'first', p.seq, 'last', p.seq, 'hash', encode(p.hash, 'hex')))), 'plant')
		FROM ecert.live_packages('plant', 'energy', '$month') AS p});
	return;
}

pack_energy($base, 1000);
my $declared = pack_energy($period, 900);
as('plant', "SELECT ecert.append('product', jsonb_build_object('period', ecert.period_json('$_'),
	'lines', '[{\"product\": \"A\", \"unit\": \"t\", \"output\": 10, \"qualified\": 10}]'::jsonb))") for $base, $period;
audit('mine', 'upstream', $_, 'pass') for $base, $period;
my $first = seal();

# What certify() would sign but for a change, as of the newest checkpoint: put on the ledger past the triggers, for as long as the server
# and the program look at it
sub figures { return certifier("SELECT ecert.certificate_figures('plant', '$period', '$base', 'product')") }

sub lie_about
{
	my ($what, $change, $said) = @_;
	my $figures = $change =~ /^\{/ ? $change : figures();
	$change = "'{}'" if $change =~ /^\{/;
	my $found = certifier(qq{BEGIN;
		SET ecert.allow_ledger_ddl = on;
		CREATE TEMP TABLE lie ON COMMIT DROP AS SELECT ecert.sign('certificate', '$figures'::jsonb
			|| jsonb_build_object('number', 'EC-2024-' || lpad((n.seq + 1)::text, 6, '0'), 'name', 'The plant', 'valid', jsonb_build_array(t.now, t.now + 365 * 86400))
			|| jsonb_build_object('checkpoint', encode((ecert.newest_checkpoint()).hash, 'hex')) || $change, 'plant') AS package
		  FROM (SELECT ecert.unix_seconds(clock_timestamp())) AS t (now), (SELECT count(*) FROM ledger.package WHERE kind = 'certificate') AS n (seq);
		ALTER TABLE ledger.package DISABLE TRIGGER ecert_admit;
		INSERT INTO ledger.package (issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)
		SELECT ecert.issuer(package), ecert.kind(package), ecert.seq(package), ecert.subject(package), ecert.period(package), ecert.issued_at(package), ecert.hash(package), package, now() FROM lie;
		SELECT problem FROM ecert.problems() WHERE kind = 'certificate';
		\\copy ledger.package (package) TO '$folder/dump' (FORMAT binary)
		ROLLBACK});
	my ($out) = run_command([ $verify, '--no-progress', '--all', "$folder/dump" ]);
	like($found, $said, "$what: the server's own verification");
	like(join("\n", grep { /^  issuer "certifier", certificate/ } split /\n/, $out), $said, "$what: ecert-verify");
	return;
}

# what is right is right
my $honest = figures();
lie_about('nothing', "'{}'", qr/^$/);

# a failing audit that is sealed, which is told of or left out
audit('rival', 'peer', $period, 'fail');
lie_about('a failing audit that is not sealed yet', "'{}'", qr/^(?:.*certificate's standing is disputed: audit 0 of "rival".*)?$/);
my $second = seal();
lie_about('a failing audit', "'{}'", qr/"plant" cannot be certified for .*audit_failed: "rival" as peer says fail/);
lie_about('a failing audit that is left out', $honest, qr/certificate differs from its recomputation in "audits.count"/);
lie_about('the checkpoint before it', "'{\"checkpoint\": \"$first\"}'", qr/the package rests on a checkpoint that was not the newest \(Checkpoint 0 is not/);
lie_about('a checkpoint that is none', "'{\"checkpoint\": \"" . 'ab' x 32 . "\"}'", qr/the package rests on a checkpoint that is not on the ledger/);

# a correction that is sealed
my $before = figures();
pack_energy($period, 1300, ", 'replaces', jsonb_build_array('$declared'), 'reason', 'a meter was read wrongly'");
seal();
lie_about('a correction that is left out', $before, qr/certificate differs from its recomputation in "(audits|baseline_replaced|figures|packages)/);

# a policy that is not in force any more
my $old = certifier(q{SELECT encode(ecert.policy_hash(), 'hex')});
certifier(q{SELECT ecert.set_policy(ecert.policy() || jsonb_build_object('certificate', ecert.policy() -> 'certificate' || '{"threshold": 0.2, "seal_within": 1}'))});
seal();
lie_about('the policy before the one in force', "'{\"policy\": \"$old\"}'", qr/the certificate names another policy than the one in force/);

# made long after its checkpoint: the policy gives a second
$hub->poll_query_until('postgres', "SELECT clock_timestamp() > issued_at + interval '3 seconds' FROM ecert.newest_checkpoint()") or die 'time stands still';
lie_about('a checkpoint of long ago', "'{}'", qr/the package was not issued in time after the checkpoint that it rests on \(It says .*; the policy gives 1 s\.\)/);
is(Network::sqlstate($hub, "SELECT ecert.append('certificate', ecert.certificate_figures('plant', '$period', '$base', 'product') || '{\"number\": \"EC-2024-000001\", \"valid\": [1, 2]}', 'plant')"),
	'EC061', 'which the certifier\'s server refuses');

# An honest node that is sent such a certificate refuses it as long as no checkpoint covers it.  One that does shows that it is on the ledger
# everywhere: then it is here too, with what is wrong beside it, and does not count.  No feed stops, and the roots stay the same
my $node = Network::server('honest');
Network::enroll($hub, $node, 'honest', '{auditor}');
Network::link_node($hub, $node, 'honest');
seal();
is(Network::equal($hub, $node), '', 'linked');
certifier(qq{SET ecert.allow_ledger_ddl = on;
	ALTER TABLE ledger.package DISABLE TRIGGER ecert_admit;
	INSERT INTO ledger.package (issuer, kind, seq, subject, period, issued_at, hash, package, recorded_at)
	SELECT ecert.issuer(package), ecert.kind(package), ecert.seq(package), ecert.subject(package), ecert.period(package), ecert.issued_at(package), ecert.hash(package), package, now()
	  FROM (SELECT ecert.sign('certificate', '$before'::jsonb || jsonb_build_object('number', 'EC-2024-000001', 'name', 'The plant', 'valid', jsonb_build_array(t.now, t.now + 365 * 86400))
			|| jsonb_build_object('checkpoint', encode((ecert.newest_checkpoint()).hash, 'hex')), 'plant') FROM (SELECT ecert.unix_seconds(clock_timestamp())) AS t (now)) AS lie (package);
	ALTER TABLE ledger.package ENABLE ALWAYS TRIGGER ecert_admit});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ledger.quarantine}), 'a false certificate is refused while nothing covers it');
seal();
is(Network::equal($hub, $node), '', 'and is there once it is sealed');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM ledger.finding WHERE problem IS NOT NULL}), 'with what is wrong');
my $finding = qr/^the certificate names another policy than the one in force/;
like($node->safe_psql('postgres', 'SELECT finding FROM ledger.certificate'), $finding, 'which the view shows');
like($node->safe_psql('postgres', q{SELECT state || ' ' || detail FROM ledger.health WHERE item = 'finding'}), qr/^alarm the last: certificate 0 of "certifier": the certificate names/, 'and health');
is($node->safe_psql('postgres', 'SELECT count(*) FROM ledger.pending') . $node->safe_psql('postgres', 'SELECT count(*) FROM ledger.quarantine'), '00', 'nothing waits');
is($node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE outcome <> 'agrees') || ' of ' || count(*) FROM ledger.sealing}), '0 of ' . certifier('SELECT count(*) FROM ledger.sealing'), 'all roots agree');
certifier(q{SELECT ecert.set_status(hash, 'withdrawn', 'false') FROM ledger.package WHERE kind = 'certificate'});

# certify() seals by itself, and what it makes is right
audit('mine', 'upstream', $period, 'pass');
certifier("SELECT ecert.certify('plant', '$period')");
like(certifier('SELECT issuer, kind, seq, problem FROM ecert.problems()'), qr/^certifier\|certificate\|0\|[^\n]*$/, 'certify() makes one that is right beside the false one');
is(certifier(q{SELECT verdict, recomputation, checkpoint_hash = encode((ecert.newest_checkpoint()).hash, 'hex') FROM ledger.certificate WHERE status = 'active'}), 'fail|agrees|t', 'as of the newest checkpoint');
seal();
is(Network::equal($hub, $node), '', 'and goes everywhere');
is($node->safe_psql('postgres', q{SELECT string_agg(coalesce(finding, 'none'), ', ' ORDER BY certificate_number DESC) FROM ledger.certificate WHERE status = 'active'}), 'none', 'where nothing is found against it');

# a failing audit that a node holds and the certifier never seals: the certificate agrees as of its checkpoint, and is disputed
my $fails = as('rival', qq{SELECT encode(ecert.sign('audit', jsonb_build_object('applicant', 'plant', 'period', ecert.period_json('$period'), 'as', 'peer', 'verdict', 'fail', 'checks', '[]'::jsonb,
	'policy', encode(ecert.policy_hash(), 'hex'), 'checked', jsonb_build_array(jsonb_build_object('kind', 'energy', 'first', p.seq, 'last', p.seq, 'hash', encode(p.hash, 'hex')))), 'plant')::bytea, 'hex')
	FROM ecert.live_packages('plant', 'energy', '$period') AS p});
Network::duties($node);
my $shown = q{SELECT concat_ws(' ', certificate_number, recomputation, standing, standing_reason) FROM ledger.certificate WHERE status = 'active'};
is($node->safe_psql('postgres', $shown), 'EC-2024-000002 agrees stands', 'before it is known the certificate stands');
is($node->safe_psql('postgres', "SELECT ecert.admit_from_peer('\\x$fails', 'rival')"), 'admitted', 'a failing audit that the certifier does not have');
Network::duties($node);
like($node->safe_psql('postgres', $shown), qr/^EC-2024-000002 agrees disputed audit 1 of "rival" \([0-9a-f]{64}\) as peer says fail/, 'the certificate is disputed');
like($node->safe_psql('postgres', q{SELECT state || ' ' || detail FROM ledger.health WHERE item = 'certificate'}), qr/^warning EC-2024-000002 of "plant" is disputed: audit 1 of "rival" .* Next: ask "certifier" about it/, 'health has a row');
like($node->safe_psql('postgres', q{SET ecert.node = 'plant'; SELECT state FROM ledger.health WHERE item = 'certificate'}), qr/^alarm$/, 'an alarm at the plant');
$node->safe_psql('postgres', "\\copy ledger.package (package) TO '$folder/dump' (FORMAT binary)");
like((run_command([ $verify, '--no-progress', "$folder/dump" ]))[0], qr/certificate's standing is disputed: audit 1 of "rival"/, 'ecert-verify says so too');
# two checkpoints pass it over: the policy gives a second
for (1 .. 2)
{
	select(undef, undef, undef, 1.2);
	certifier(q{SELECT ecert.relate('rival', 'plant', 'peer')});
	seal();
}
ok($node->poll_query_until('postgres', 'SELECT count(*) FROM ledger.sealing', certifier('SELECT count(*) FROM ledger.sealing')), 'two checkpoints more');
like($node->safe_psql('postgres', q{SELECT state || ' ' || detail FROM ledger.health WHERE item = 'passed over'}), qr/^alarm two sealings leave out audit of "rival" from seq 1 on/, 'that they leave it out is an alarm');
# sealed at last, it disputes the certificate everywhere
certifier("SELECT ecert.admit_from_peer('\\x$fails', 'rival')");
seal();
is(Network::equal($hub, $node), '', 'it is sealed');
Network::duties($hub);
like(certifier($shown), qr/^EC-2024-000002 agrees disputed audit 1 of "rival"/, 'the certifier is told');
like(certifier(q{SELECT state || ' ' || detail FROM ledger.health WHERE item = 'certificate'}), qr/^alarm EC-2024-000002 of "plant" is disputed.* Next: settle it with that auditor/, 'with what to do');
is($node->safe_psql('postgres', q{SELECT state FROM ledger.health WHERE item = 'passed over'}), 'ok', 'nothing is passed over any more');
is(certifier(q{SELECT issuer, kind, seq FROM ecert.problems()}), 'certifier|certificate|0', 'and the disputed certificate is no problem of the ledger');

# an audit that is on the ledger although its rule speaks against it does not count: neither for a certificate nor for a reward
certifier(q{SELECT ecert.set_status(certificate_hash, 'withdrawn', 'to be issued again') FROM (SELECT decode(c.certificate_hash, 'hex') FROM ledger.certificate c WHERE c.status = 'active') AS c (certificate_hash);
	SELECT ecert.set_policy(jsonb_set(ecert.policy(), '{audit,required}', '[{"as": "upstream", "count": 2}]'))});
my $missing = "SELECT detail FROM ecert.obstacles('plant', '$period', '$base') WHERE obstacle = 'audit_missing'";
like(certifier($missing), qr/^2 energy packages lack 2 passing upstream/, 'a second auditor is required');
put_past('rival', 'audit', q{SELECT ecert.body(package) FROM ledger.package WHERE issuer = 'mine' AND kind = 'audit' ORDER BY seq});
seal();
like(certifier($missing), qr/^2 energy packages lack 2 passing upstream/, 'an auditor who is not related does not make it');
certifier('SELECT ecert.reward()');
is(certifier(q{SELECT count(*) FROM ledger.audit a JOIN ledger.reward r USING (audit_hash) WHERE a.auditor = 'rival' AND a.as_role = 'upstream'}), '0', 'nor is it paid');
my $replaced = certifier(q{SELECT certificate_hash FROM ledger.certificate ORDER BY certificate_number DESC LIMIT 1});
lie_about('a certificate on such audits', "'{\"replaces\": \"$replaced\"}'", qr/"plant" cannot be certified for .*audit_missing: 2 energy packages lack 2 passing upstream/);
seal();
is(Network::equal($hub, $node), '', 'it goes everywhere');
is($node->safe_psql('postgres', q{SELECT string_agg(problem, ' ') LIKE '%"rival" is not related to "plant" as upstream%' FROM ledger.finding WHERE kind = 'audit'}), 't', 'with what is wrong');
# and does not stand in the way of one that does
certifier(q{SELECT ecert.relate('rival', 'plant', 'upstream')});
audit('rival', 'upstream', $_, 'pass') for $base, $period;
is(certifier($missing), '', 'the same packages can be audited by an auditor whose audit did not count');
is(Network::sqlstate($hub, qq{SET ecert.node = 'rival'; SET ecert.signing_key = '$keys{rival}'; SELECT ecert.append('audit', ecert.body(package), 'plant') FROM ledger.package
	WHERE issuer = 'rival' AND kind = 'audit' ORDER BY seq DESC LIMIT 1}), 'EC053', 'but not once more');
seal();
is(certifier(q{SELECT seq FROM ecert.problems() WHERE issuer = 'rival' AND problem LIKE '%audited by this node in this role already%'}), '', 'nor is anything found against that');

# nor do declared figures that overlap what was there, or stand in its place and do not replace it: they are found, and change no certificate
my $shown_figures = "SELECT ecert.certificate_figures('plant', '$period', '$base', 'product') - 'checkpoint'";
my $unmoved = certifier($shown_figures);
my $standings = q{SELECT string_agg(concat_ws(' ', s.standing, s.why), ', ' ORDER BY p.seq) FROM ledger.package p CROSS JOIN LATERAL ecert.certificate_standing(p.package) AS s WHERE p.kind = 'certificate'};
my $stand = certifier($standings);
my $line = q{jsonb_build_array(jsonb_build_object('source', 'electricity', 'unit', 'kWh', 'product', 'A', 'quantity', 5000))};
for ([ 'in the place of another', $base ], [ 'in the middle of one', inner($base) ], [ 'in the middle of another', inner($period) ])
{
	my ($what, $when) = @$_;
	put_past('plant', 'energy', "SELECT jsonb_build_object('period', ecert.period_json('$when'), 'lines', $line)");
	my $seq = certifier(q{SELECT max(seq) FROM ledger.package WHERE issuer = 'plant' AND kind = 'energy'});
	is(certifier($shown_figures), $unmoved, "figures $what do not count");
	seal();
	is(certifier($shown_figures), $unmoved, 'nor when they are sealed');
	is(certifier($standings), $stand, 'and take no certificate away');
	like(certifier("SELECT problem FROM ecert.problems() WHERE issuer = 'plant' AND kind = 'energy' AND seq = $seq"), qr/period overlaps an earlier one/, 'and they are found');
}
# nor one for a time between others, which overlaps none of them and comes behind a later one
my $between = '[2023-06-01,2023-07-01)';
put_past('plant', 'energy', "SELECT jsonb_build_object('period', ecert.period_json('$between'), 'lines', $line)");
seal();
like(certifier(q{SELECT problem FROM ecert.problems() WHERE issuer = 'plant' AND kind = 'energy' ORDER BY seq DESC LIMIT 1}), qr/period overlaps an earlier one of the feed, or runs backwards/, 'a period that runs backwards is found');
is(certifier("SELECT count(*) FROM ecert.live_packages('plant', 'energy', '$between')"), '0', 'and does not count');
# one that claims to replace a package of long before, for which more of the applicant is looked up while its packages are gone through
my $live = "SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM ecert.live_packages('plant', 'energy', (SELECT tstzrange(lower('$base'::tstzrange), upper('$period'::tstzrange))))";
my $were_live = certifier($live);
put_past('plant', 'energy', "SELECT jsonb_build_object('period', ecert.period_json(tstzrange(d, d + interval '1 day')), 'lines', $line) FROM generate_series('2010-01-01'::timestamptz, '2010-01-04', interval '1 day') AS d");
put_past('plant', 'energy', "SELECT jsonb_build_object('period', ecert.period_json('$period'), 'lines', $line, 'reason', 'meter', 'replaces', (
	SELECT jsonb_build_array(encode(p.hash, 'hex')) FROM ledger.package p WHERE p.issuer = 'plant' AND p.kind = 'energy' AND p.period \@> '2010-01-01 12:00'::timestamptz))");
is(certifier($live), $were_live, 'nothing is gone through twice');
seal();
is(Network::equal($hub, $node), '', 'all of it goes everywhere');
is($node->safe_psql('postgres', $shown_figures), $unmoved, 'with the same figures');
done_testing();
