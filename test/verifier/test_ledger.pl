# Ledgers, good ones and ones with one thing wrong: what ecert-verify says and how it exits.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use VerifierTest;

# ----- good ledgers, in every form and order -----

my $good = make_ledger('good', '--files', "$folder/good.files");
my $genesis = slurp("$folder/good.files/genesis");
my ($status, $document) = report($good);
is($status, 0, 'a good ledger is valid');
is($document->{status}, 'valid', 'and says so');
is(texts($document), '', 'without a problem');
is(texts($document, 'warnings'), '', 'without a warning');
is($document->{genesis}, $genesis, 'genesis hash');
is($document->{origin}, 'ledger.example', 'origin');
is($document->{packages}, 37, 'packages');
is($document->{signatures_verified}, 37, 'every signature was verified');
is($document->{checkpoints}, 2, 'checkpoints');
is($document->{cosignatures_verified}, 2, 'cosignatures of witnesses');
is($document->{packages_after_last_checkpoint}, 2, 'packages after the last checkpoint are counted');
like(texts($document, 'not_checked'), qr/genesis was not compared with anything/, 'it says that genesis was not compared');

for my $order (qw(feed back random))
{
	for my $form ('--binary', '')
	{
		for my $mixed ('--mixed', '')
		{
			my $dump = make_ledger('ordered', '--order', $order, grep { $_ } $form, $mixed);
			my ($exit, $found) = report($dump, $dump);
			ok($exit == 0 && $found->{packages} == 37, "order $order" . ($form && ', binary') . ($mixed && ', ES256 and SM2 too'));
			($exit) = report($dump);
			is($exit, 0, 'the same from standard input');
			my ($piped) = do { system("cat '$dump' | '$verifier' --quiet - >'$folder/piped' 2>&1"); $? >> 8 };
			is($piped, 0, 'the same from a pipe');
			($exit) = report($dump, '--jobs', 7);
			is($exit, 0, 'the same with more threads than processors');
		}
	}
}

my $text = slurp($good);
for my $variant (
	[ 'an end mark', $text . "\\.\n" ],
	[ 'a header line', "package\n$text" ],
	[ 'one backslash, as psql -At prints it', $text =~ s/^\\\\x/\\x/mgr ],
	[ 'upper case', $text =~ s/([a-f])/\U$1/gr ],
	[ 'lines that end as on Windows', $text =~ s/\n/\r\n/gr ])
{
	my ($exit, $found) = report(spew("$folder/variant", $variant->[1]));
	ok($exit == 0 && $found->{packages} == 37, "text with $variant->[0]");
}

# ----- what the reader trusts -----

($status) = run_verifier($good, '--genesis', $genesis);
is($status, 0, 'the genesis that is named');
($status) = run_verifier($good, '--genesis', '\\x' . uc $genesis);
is($status, 0, 'the same as psql shows it');
($status, $document) = report($good, '--genesis', 'ab' x 32);
is($status, 1, 'another genesis than named');
like(texts($document), qr/genesis package is not the one that was named/, 'and it says so');
($status, $document) = report($good, '--certifier-key', "$folder/good.files/certifier.pem");
is($status, 0, 'the certifier key that is named');
unlike(texts($document, 'not_checked'), qr/genesis was not compared/, 'is a comparison');
($status, $document) = report($good, '--certifier-key', "$folder/good.files/stranger.pem");
is($status, 1, 'another certifier key than named');
like(texts($document), qr/not signed with the certifier's key/, 'and it says so');

# ----- what is wrong with one thing -----

my @wrong = (
	[ 'gap', qr/^seq 2 leaves a gap in the feed \(Feed \("plant-0001", energy\) ends at seq 0 with hash [0-9a-f]{64}; the package has seq 2 and prev [0-9a-f]{64}\.\)$/m ],
	[ 'gap', qr/^checkpoint names energy 1 of "plant-0001", which is not on the ledger$/m ],
	[ 'lost-feed', qr/^checkpoint names energy 1 of "plant-0001", which is not on the ledger$/m ],
	[ 'duplicate', qr/^package is on the ledger already \(Feed/m ],
	[ 'equivocation', qr/^seq 1 of the feed is taken \(Feed/m ],
	[ 'equivocation', qr/^equivocation: the issuer signed two different packages with seq 1 \(/m ],
	[ 'signature', qr/^signature of the package is wrong$/m ],
	[ 'malformed', qr/^package is malformed at byte \d+: /m ],
	[ 'twin', qr/^package is malformed at byte \d+: the signature is not in strict form \(high s\)$/m ],
	[ 'checkpoint-twin', qr/^package is malformed at byte \d+: the signature is not in strict form \(high s\)$/m ],
	[ 'seal-high', qr/^checkpoint's seal is not in strict form \(high s\)$/m ],
	[ 'body', qr/^body is invalid at byte 91: unknown field$/m ],
	[ 'unknown-issuer', qr/^issuer "stranger" is not enrolled \(No node package on the ledger "ledger.example" introduces it\.\)$/m ],
	[ 'not-entitled', qr/^node "supplier" may not issue packages of kind energy \(Packages of kind energy are issued by applicants\.\)$/m ],
	[ 'not-certifier', qr/^node "supplier" may not issue packages of kind node \(Packages of kind node are issued by the certifier that made the ledger\.\)$/m ],
	[ 'stolen-key', qr/^key is not one of node "plant-0001" \(The package names key [0-9a-f]{64}\.\)$/m ],
	[ 'key-of-other', qr/^key of node "plant-0002" is a key of node "plant-0001" already \(Key [0-9a-f]{64}\.\)$/m ],
	[ 'key-of-certifier', qr/^key of node "buyer" is a key of node "certifier" already \(Key [0-9a-f]{64}\.\)$/m ],
	[ 'kid', qr/^a key in the node package is not usable \(kid [0-9a-f]{64}: not a valid public key, or the kid is not its RFC 9679 thumbprint\.\)$/m ],
	[ 'revoked', qr/^node "plant-0001" is revoked \(Revoked from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00; the package says it was issued at /m ],
	[ 'subject', qr/^subject of the product package is not the one its body is about \(Subject "plant-0002", expected "plant-0001"\.\)$/m ],
	[ 'other-ledger', qr/^package is for another ledger \(It is for "another.example", this ledger is "ledger.example"\.\)$/m ],
	[ 'overlap', qr/^period overlaps an earlier one of the feed, or runs backwards \(The period starts at 2024-01-31 10:30:00\+00, the feed already reaches 2024-03-01 21:00:00\+00\.\)$/m ],
	[ 'not-over', qr/^the period is not over \(It ends at 2027-[-0-9 :]+\+00, the package says it was issued at 2026-[-0-9 :]+\+00\.\)$/m ],
	[ 'backwards', qr/^issued_at runs backwards in the feed \(The package says /m ],
	[ 'replaces', qr/^the replaced package is not on the ledger \(It replaces [0-9a-f]{64}\.\)$/m ],
	[ 'root', qr/^checkpoint's root is not that of the packages it covers \(signed [0-9a-f]{64}, computed [0-9a-f]{64}\)$/m ],
	[ 'size', qr/^checkpoint's size is 22, the packages it covers make 21$/m ],
	[ 'seal', qr/^checkpoint's seal is wrong$/m ],
	[ 'seal-package', qr/^checkpoint is sealed with a key that is no seal key of "certifier" \(Key [0-9a-f]{64}\.\)$/m ],
	[ 'package-seal', qr/^key of node "certifier" does not sign packages \(Key [0-9a-f]{64} is a seal key of the node\.\)$/m ],
	[ 'cosignature-package', qr/^witness's cosignature is wrong$/m ],
	[ 'note', qr/^checkpoint's note is wrong$/m ],
	[ 'head-missing', qr/^checkpoint names energy 0 of "zz-nobody", which is not on the ledger$/m ],
	[ 'head-order', qr/^checkpoint's heads are not in increasing order$/m ],
	[ 'head-back', qr/^checkpoint names the genesis feed, which every tree begins with$/m ],
	[ 'witness-checkpoint', qr/^witness names a checkpoint that is not on the ledger \(Checkpoint [0-9a-f]{64}\.\)$/m ],
	[ 'witness-size', qr/^witness states another size or root than its checkpoint \(Size 22, root [0-9a-f]{64}; the checkpoint has 21 and [0-9a-f]{64}\.\)$/m ],
	[ 'cosignature', qr/^witness's cosignature is wrong$/m ]);
for my $case (@wrong)
{
	my ($what, $problem) = @$case;
	my ($exit, $found) = report(make_ledger('wrong', '--wrong', $what));
	ok($exit == 1, "$what is invalid") or diag("exit status $exit");
	like(texts($found), $problem, "$what is named");
}

# ----- what is for a later version is neither right nor wrong -----

my $later = make_ledger('later', '--wrong', 'algorithm');
($status, $document) = report($later);
is($status, 2, 'a package of an unknown algorithm cannot be checked');
is($document->{status}, 'not checked', 'and the document says so');
is(texts($document), '', 'nothing is a problem: not what follows it in its feed, nor the checkpoints that cover it');
is(texts($document, 'not_supported'), 'package is not supported at byte 6: the signature algorithm is not supported', 'it is named');
like($document->{not_supported}[0]{row}, qr/^\d+$/, 'by its row');
is($document->{packages}, 37, 'and has its place');
is($document->{signatures_verified}, 36, 'all others are verified');
is($document->{tree_size}, 35, 'the tree is that of the checkpoints');
my ($said) = do { my $out = `'$verifier' --quiet '$later' 2>&1`; $out };
is($said, "ecert-verify: packages that this version does not support: 1, the first: package is not supported at byte 6: the signature algorithm is not supported\n", 'without a report it says why, too');
# one thing that is really wrong makes it invalid all the same
my @rows = split /\n/, slurp($later);
my ($other) = grep { $rows[$_] =~ /706c616e742d30303032/ && $rows[$_] =~ /656e657267792b/ } 0 .. $#rows;
substr($rows[$other], -1) =~ tr/0-9a-f/1-9a-f0/;
($status, $document) = report(spew("$folder/both", join("\n", @rows) . "\n"));
is($status, 1, 'with a wrong signature elsewhere it is invalid');
is($document->{first_problem}{text}, 'signature of the package is wrong', 'for that');
is(scalar @{ $document->{not_supported} }, 1, 'and the other is named as before');
# what others rest on: a problem may be one because of it
for my $what (qw(algorithm-checkpoint algorithm-key))
{
	($status, $document) = report(make_ledger('later', '--wrong', $what));
	is($status, 2, "$what: could not be checked");
	like(texts($document, 'not_supported'), qr/^(?:package|body) is not supported(?: yet,)? at byte \d+: the signature algorithm is not supported/, "$what is named");
}

# ----- sealings of several parts -----

($status, $document) = report(make_ledger('parts', '--heads', 3));
is($status, 0, 'parts of sealings');
is($document->{tree_size}, 37, 'cover what one checkpoint does, and the parts before');
($status, $document) = report(make_ledger('wrong', '--heads', 3, '--wrong', 'part-missing'));
is($status, 1, 'a part is missing');
like(texts($document), qr/^checkpoint is part 1 of \d of a sealing, where part 2 of \d has to come \(The sealing that checkpoint 0 began is not complete\.\)$/m, 'and is waited for');
is($document->{tree_size}, 0, 'what is under the others is not covered');
like(texts($document, 'not_checked'), qr/^size and root of \d parts? of sealings whose last part is not here$/m, 'nor compared');
($status, $document) = report(make_ledger('wrong', '--heads', 3, '--wrong', 'part-number'));
like(texts($document), qr/^checkpoint is part 2 of \d of a sealing, where part 2 of \d has to come \(The sealing that checkpoint 0 began is not complete\.\)$/m, 'a part of another number of parts');
like(texts($document), qr/^checkpoint is part 3 of \d of a sealing that has not begun \(A sealing begins with its part 1; none is incomplete here\.\)$/m, 'and what comes behind it');

($status, $document) = report(make_ledger('wrong', '--wrong', 'two-stories-elsewhere'));
like(texts($document), qr/^seq 1 of the feed is taken \(Feed/m, 'two packages for another ledger with one seq');
unlike(texts($document), qr/equivocation/, 'are no two stories on this one');
# of an ES256 signature (r, s) anybody can make (r, n - s): the row is named, the rest is sound, nobody is accused
for my $what (qw(twin checkpoint-twin))
{
	($status, $document) = report(make_ledger('wrong', '--wrong', $what));
	is($document->{problem_count}, 1, "$what: one problem");
	is($document->{packages}, 37, "$what: every package is there");
	unlike(texts($document), qr/equivocation|fork/, "$what: nobody is accused");
}

# two stories are told of, whatever stands beside them under their seq: a copy whose signature was changed, wherever its hash puts it
my $two = slurp(make_ledger('two', '--wrong', 'equivocation'));
my ($one_of_two) = texts((report("$folder/two"))[1]) =~ /^equivocation: .* \(([0-9a-f]{64}) and/m;
require Digest::SHA;
my ($row) = grep { my ($hex) = /([0-9a-f]{100,})/; defined $hex && Digest::SHA::sha256_hex("\0" . pack 'H*', $hex) eq $one_of_two } split /\n/, $two;
my @silent;
for my $at (1 .. 12)
{
	my $changed = $row;
	substr($changed, -$at, 1) = substr($changed, -$at, 1) eq '0' ? '1' : '0';
	push @silent, $at if texts((report(spew("$folder/three", "$changed\n$two")))[1]) !~ /^equivocation: /m;
}
is("@silent", '', 'nor does a changed third package hide it');

($status, $document) = report(make_ledger('wrong', '--wrong', 'signature'));
is($document->{first_problem}{text}, 'signature of the package is wrong', 'what is wrong in itself comes first');
is($document->{first_problem}{issuer}, 'plant-0001', 'with its issuer');
is($document->{first_problem}{kind}, 'energy', 'its kind');
is($document->{first_problem}{seq}, 1, 'its seq');
like($document->{first_problem}{hash}, qr/^[0-9a-f]{64}$/, 'its hash');
unlike(texts($document), qr/does not follow the head/, 'and its successor is not blamed');

($status, $document) = report(make_ledger('wrong', '--wrong', 'no-genesis'));
is($status, 2, 'without genesis nothing can be checked');
like(texts($document), qr/^the ledger has no sound genesis package: nothing on it can be verified$/m, 'and it says so');

($status, $document) = report(make_ledger('late', '--wrong', 'late'));
is($status, 0, 'a package that comes after its key was revoked, and says it is from before, is valid');
like(texts($document, 'warnings'), qr/^is sealed after its key was revoked or rotated, though it says it was issued before$/m, 'but a warning');

($status, $document) = report(make_ledger('void', '--wrong', 'revoked-sealed'));
is($status, 0, 'a package from after its key was revoked is void once a checkpoint covers it: the ledger is valid');
like(texts($document, 'warnings'), qr/^packages that are void, because their key had ended before they were issued: 1$/m, 'and the package is counted');

# ----- two ledgers -----

my $other = make_ledger('other', '--wrong', 'other', '--files', "$folder/other.files");
my $kept = "$folder/good.files";
($status, $document) = report($good, map { ('--checkpoint', "$kept/$_") } qw(checkpoint-0 checkpoint-1.hex note-0 note-1));
is($status, 0, 'older checkpoints that the ledger continues');
is($document->{kept_checkpoints_checked}, 4, 'as packages, hexadecimal digits and notes');
($status, $document) = report($other, '--checkpoint', "$kept/checkpoint-0");
is($status, 0, 'another ledger continues the checkpoint from before they parted');
for my $name (qw(checkpoint-1 checkpoint-1.hex note-1))
{
	($status, $document) = report($other, '--checkpoint', "$kept/$name");
	is($status, 1, "but not the one after that ($name)");
	like(texts($document), qr/^fork: the certifier signed that the first 35 packages have root [0-9a-f]{64} .*, but those of this ledger have root [0-9a-f]{64}$/m,
		'a fork, with both roots');
}
my $longer = make_ledger('longer', '--wrong', 'another', '--files', "$folder/longer.files");
($status, $document) = report($good, '--checkpoint', "$folder/longer.files/note-1");
is($status, 1, 'a checkpoint of more packages than the ledger has');
($status, $document) = report($good, '--checkpoint', "$kept/stranger.pem");
is($status, 1, 'a file that is no checkpoint');

for my $name (qw(last.receipt last.statement last.statement.hex))
{
	($status, $document) = report($good, '--receipt', "$kept/$name");
	ok($status == 0 && $document->{receipts_checked} == 1, "receipt: $name");
	($status, $document) = report($other, '--receipt', "$kept/$name");
	is($status, 1, "of another ledger: $name");
}
my $receipt = slurp("$kept/last.statement");
for my $at (map { int($_ * length($receipt) / 40) } 0 .. 39)
{
	my $changed = $receipt;
	substr($changed, $at, 1) ^= "\x01";
	($status) = run_verifier($good, '--quiet', '--receipt', spew("$folder/changed", $changed));
	isnt($status, 0, "a receipt with byte $at changed does not fit");
}

# ----- for people -----

my ($exit, $said, $errors) = run_verifier($good, '--genesis', $genesis);
like($said, qr/^The ledger is VALID: no problem was found\.$/m, 'report: valid');
like($said, qr/^Checked: 37 packages \(16627 bytes\) in 11 feeds, 37 signatures, 2 checkpoints, 2 witness statements; /m, 'report: what was checked');
like($said, qr/^Not checked:$/m, 'report: what was not');
is($errors, '', 'nothing on standard error');
($exit, $said) = run_verifier(make_ledger('wrong', '--wrong', 'other-ledger', '--months', 30));
like($said, qr/^The ledger is INVALID: 90 problems\.$/m, 'report: invalid');
is(() = $said =~ /^  issuer /mg, 20, 'report: the first 20 problems');
like($said, qr/and 70 more \(--all shows them\)/, 'report: and how many more');
($exit, $said) = run_verifier("$folder/wrong", '--all');
is(() = $said =~ /^  issuer /mg, 90, 'report: all with --all');
($exit, $said) = run_verifier("$folder/wrong", '--quiet');
is($said, '', '--quiet says nothing');

# ----- usage -----

for my $arguments ([ '--nonsense' ], [ '--genesis', 'ab' ], [ '--jobs', '0' ], [ "$folder/nowhere" ], [ $good, $good ], [ 'certificate' ],
	[ 'certificate', "$kept/last.statement" ], [ 'export-tiles' ])
{
	($exit) = run_verifier(undef, @$arguments);
	is($exit, 2, "exit status 2: @$arguments" =~ s/\Q$folder\E/.../gr);
}
($exit, $said) = run_verifier(undef, '--help');
ok($exit == 0 && $said =~ /Exit status: 0 valid/, '--help');
($exit, $said) = run_verifier(undef, '--version');
ok($exit == 0 && $said =~ /^ecert-verify \d/, '--version');

# ----- one statement -----

my @key = ('--certifier-key', "$kept/certifier.pem", '--seal-key', "$kept/seal.pem");
($exit, $said) = run_verifier(undef, 'certificate', "$kept/checkpoint-0", @key);
is($exit, 2, 'certificate: a package without a receipt cannot be checked as a whole');
($exit, $said) = run_verifier(undef, 'certificate', "$kept/last.statement", @key, '--origin', 'ledger.example');
is($exit, 0, 'certificate: a statement with its receipt');
like($said, qr/sealed it as leaf 34 of a checkpoint of 35 packages/, 'certificate: where it lies');
($exit, $said) = run_verifier(undef, 'certificate', "$kept/last.statement.hex", @key);
is($exit, 0, 'certificate: in hexadecimal digits');
($exit, $said) = run_verifier(undef, 'certificate', "$kept/last.statement", @key, '--origin', 'another.example');
is($exit, 1, 'certificate: of another ledger');
($exit, $said) = run_verifier(undef, 'certificate', "$kept/last.statement", @key[0 .. 1], '--seal-key', "$kept/stranger.pem");
is($exit, 2, 'certificate: under another seal key nothing can be checked');
($exit, $said) = run_verifier(undef, 'certificate', "$kept/last.statement", @key[0 .. 1], '--seal-key', "$kept/certifier.pem");
is($exit, 2, 'certificate: the key for packages is none for receipts');
($exit, $said) = run_verifier(undef, 'certificate', "$kept/certifier.pem", @key);
is($exit, 1, 'certificate: a file that is none');

make_ledger('certified', '--certificate', '--files', "$folder/certified.files");
($exit, $said) = run_verifier(undef, 'certificate', "$folder/certified.files/certificate.statement", @key, '--origin', 'ledger.example');
is($exit, 0, 'certificate: of a certificate');
like($said, qr/^\s+number\s+ledger\.example-2026-0001$/m, 'its number');
like($said, qr/^\s+name\s+Cement works 1$/m, 'the applicant');
like($said, qr/^\s+period\s+2024-12-31 06:00:00\+00 to 2025-12-31 12:00:00\+00$/m, 'the period');
like($said, qr/^  cement in t, ok\n\s+baseline\s+960100\s+5000\s+192\.02\n\s+reporting\s+1008105\s+5600\s+180\.01875\n\s+saving\s+67207\s+rate 0\.0625$/m,
	'the products');
like($said, qr/^\s+saving tce\s+74\.362$/m, 'the totals');
like($said, qr/^\s+title \(en\)\s+Certificate of energy saved\n\s+number/m, 'its title');
like($said, qr/^\s+issuer's name\s+Certification body\n/m, 'the name of its issuer');
like($said, qr/^\s+calendar\s+Asia\/Shanghai\n\s+method\s+product\n\s+rate is of\s+baseline$/m, 'what was asked');
like($said, qr/^Packages\n\s+baseline\s+12 energy, 0 product\n\s+reporting\s+12 energy, 12 product$/m, 'the packages');
like($said, qr/^\s+rate\s+0\.0465\n\s+threshold\s+0\.04$/m, 'the rate');
like($said, qr/^\s+audits\s+3$/m, 'how many audits');
like($said, qr/^\s+verdict\s+pass$/m, 'the verdict');
like($said, qr/^The statement is VALID\.$/m, 'that it is valid');
like($said, qr/whether it was suspended, withdrawn or replaced since/, 'and what was not checked');
my $statement = slurp("$folder/certified.files/certificate.statement");

# what nobody has signed: one receipt that holds is enough, whatever stands beside it
my ($before, $ours, $behind) = slurp("$kept/last.statement") =~ /\A(.*?)\xa1\x19\x01\x8a\x81((?:\x58.|\x59..)\xd2\x84.*?\xf6\x58\x40.{64})(.*)\z/s or die;
my $wrong = substr($ours, 0, -1) . (substr($ours, -1) ^ "\1");
my $foreign = "\x58\x4e\xd2\x84\x47\xa2\x01\x26\x19\x01\x8b\x02\xa0\xf6\x58\x40" . "\0" x 64;
my $receipts = "\x19\x01\x8a";
for my $case (
	[ 'junk, ours', "\xa1$receipts\x82\x43abc$ours", 0, qr/^NOT CHECKED: receipt 1: there are bytes after the end$/m ],
	[ 'foreign vds, ours', "\xa1$receipts\x82$foreign$ours", 0, qr/^NOT CHECKED: receipt 1: the verifiable data structure is not known$/m ],
	[ 'ours, foreign vds', "\xa1$receipts\x82$ours$foreign", 0, qr/^NOT CHECKED: receipt 2: the verifiable data structure is not known$/m ],
	[ 'wrong, ours', "\xa1$receipts\x82$wrong$ours", 0, qr/^WRONG: receipt 1: the signature does not match$/m ],
	[ 'x5chain beside receipts', "\xa3\x18\x21\x82\x42\x30\x82\x42\x30\x82$receipts\x81$ours\x61v\xfb" . "\0" x 8, 0,
		qr/^NOT CHECKED: header 33: it is not signed, and nothing here reads it\nNOT CHECKED: header "v":/m ],
	[ 'many labels', "\xb8\x65" . join('', map { "\x18" . chr($_) . "\0" } 100 .. 199) . "$receipts\x81$ours", 0, qr/^NOT CHECKED: more entries/m ],
	[ 'wrong alone', "\xa1$receipts\x81$wrong", 1, qr/^WRONG: receipt 1: the signature does not match$/m ],
	[ 'foreign alone', "\xa1$receipts\x81$foreign", 2, qr/^The statement COULD NOT BE CHECKED as a whole/m ],
	[ 'junk alone', "\xa1$receipts\x81\x43abc", 2, qr/^The statement COULD NOT BE CHECKED as a whole/m ],
	[ 'nested too deep', "\xa1\x01" . "\x81" x 200 . "\0", 2, qr/\A\z/ ])
{
	my ($name, $header, $expected, $text) = @$case;
	my $file = spew("$folder/statement", $before . $header . $behind);
	($exit, $said) = run_verifier(undef, 'certificate', $file, @key);
	is($exit, $expected, "certificate: $name");
	like($said, $text, "certificate: $name, in words");
	next if $name eq 'nested too deep';
	($status, $document) = report($good, '--receipt', $file);
	is($status, $expected, "receipt: $name");
	like(texts($document, $expected == 0 ? 'not_checked' : $expected == 1 ? 'problems' : 'errors'), $name eq 'wrong alone' ? qr/^receipt in ".*" does not fit: the signature does not match$/
		: $name =~ /alone/ ? qr/^the statement in ".*" could not be checked/ : qr/^(?:receipt \d|header 33|header 100) of the statement in "/m, "receipt: $name, in words");
}
($status, $document) = report($good, '--receipt', spew("$folder/large.receipt", "\xd2" . 'x' x 8192));
is($status, 2, 'receipt: larger than can be read');
($status, $document) = report($good, '--receipt', spew("$folder/foreign.receipt", substr $foreign, 2));
is($status, 2, 'receipt: of another data structure');
($status, $document) = report($good, '--receipt', spew("$folder/junk.receipt", 'junk'));
is($status, 1, 'receipt: a file that is none');

my @passed;
for my $at (map { int($_ * length($statement) / 200) } 0 .. 199)
{
	my $changed = $statement;
	substr($changed, $at, 1) ^= "\x04";
	($exit) = run_verifier(undef, 'certificate', spew("$folder/changed", $changed), @key);
	push @passed, $at if $exit == 0;
}
is("@passed", '', 'one bit changed in any of 200 places is caught');
for my $size (0 .. 3, map { int($_ * length($statement) / 50) } 1 .. 49)
{
	($exit) = run_verifier(undef, 'certificate', spew("$folder/changed", substr $statement, 0, $size), @key);
	push @passed, $size if $exit == 0;
}
is("@passed", '', 'and so is a statement that is cut off');

# ----- tiles -----

($exit, $said) = run_verifier(undef, 'export-tiles', "$folder/tiles", $good);
is($exit, 0, 'export-tiles');
is(-s "$folder/tiles/tile/0/000.p/35", 35 * 32, 'tile of the leaves');
like(slurp("$folder/tiles/checkpoint"), qr/\Aledger\.example\n35\n[^\n]+\n\n(\xe2\x80\x94 ledger\.example [^\n]+\n)(\xe2\x80\x94 supplier [^\n]+\n)\z/,
	'checkpoint with the cosignature of the witness');
my $entries = slurp("$folder/tiles/tile/entries/000.p/35");
my $count = 0;
my $tile = slurp("$folder/tiles/tile/0/000.p/35");
while (length $entries)
{
	my $size = unpack 'n', substr $entries, 0, 2, '';
	my $package = substr $entries, 0, $size, '';
	require Digest::SHA;
	is(Digest::SHA::sha256("\0$package"), substr($tile, 32 * $count, 32), "entry $count has the hash of its leaf");
	$count++;
}
is($count, 35, 'bundle of the packages');
($status, $document) = report($good, '--checkpoint', "$folder/tiles/checkpoint");
ok($status == 0 && $document->{kept_checkpoints_checked} == 1, 'the exported checkpoint can be kept and compared');
($status) = run_verifier($other, '--quiet', '--checkpoint', "$folder/tiles/checkpoint");
is($status, 1, 'and tells a ledger from another');
($exit) = run_verifier(undef, 'export-tiles', "$folder/tiles", $good);
is($exit, 0, 'export-tiles again, over what is there');
($exit) = run_verifier(undef, 'export-tiles', "$folder/no-tiles", make_ledger('wrong', '--wrong', 'root'));
ok($exit == 2 && !-e "$folder/no-tiles", 'nothing is exported when a checkpoint is wrong');
my $many = make_ledger('many', '--applicants', 12, '--months', 30);
($exit) = run_verifier(undef, 'export-tiles', "$folder/tiles", $many);
ok($exit == 0 && -s "$folder/tiles/tile/0/001" == 8192 && -s "$folder/tiles/tile/1/000.p/2" == 64 && -e "$folder/tiles/tile/entries/001",
	'full tiles, and the level above them');

# the tree of every older checkpoint, from its partial tiles alone
make_ledger('grown', '--applicants', 9, '--months', 60, '--checkpoints', 5, '--files', "$folder/grown.files");
($exit) = run_verifier(undef, 'export-tiles', "$folder/grown.tiles", "$folder/grown");
is($exit, 0, 'export-tiles of a ledger that grew');

sub node { return Digest::SHA::sha256("\1$_[0]$_[1]") }

# RFC 9162 section 2.1.1
sub tree_root
{
	my (@leaves) = @_;
	return $leaves[0] if @leaves == 1;
	my $half = 1;
	$half *= 2 while 2 * $half < @leaves;
	return node(tree_root(@leaves[ 0 .. $half - 1 ]), tree_root(@leaves[ $half .. $#leaves ]));
}

# All hashes of a level in the tree of a size, as a reader of C2SP tlog-tiles asks for them
sub level_hashes
{
	my ($level, $size) = @_;
	my $count = $size >> 8 * $level;
	my $bytes = join '', map { slurp(sprintf('%s/tile/%d/%03d', "$folder/grown.tiles", $level, $_)) } 0 .. ($count >> 8) - 1;
	$bytes .= slurp(sprintf('%s/tile/%d/%03d.p/%d', "$folder/grown.tiles", $level, $count >> 8, $count & 255)) if $count & 255;
	return unpack '(a32)*', $bytes;
}

my $sizes = 0;
for my $file (glob "$folder/grown.files/note-*")
{
	my ($size, $root) = slurp($file) =~ /\A[^\n]+\n(\d+)\n([^\n]+)\n/ or die $file;
	my @leaves = level_hashes(0, $size);
	require MIME::Base64;
	is(MIME::Base64::encode_base64(tree_root(@leaves), ''), $root, "the tree of $size leaves from its tiles");
	my @above = level_hashes(1, $size);
	is(join('', map { unpack 'H*', $_ } @above), join('', map { unpack 'H*', tree_root(@leaves[ 256 * $_ .. 256 * $_ + 255 ]) } 0 .. $#above), 'and the level above');
	$sizes += @above > 0;
}
cmp_ok($sizes, '>', 2, 'some of more than one level');

# the published note has the lines of witnesses that are no nodes too
make_ledger('outside', '--wrong', 'outside');
($exit) = run_verifier(undef, 'export-tiles', "$folder/outside.tiles", "$folder/outside");
like(slurp("$folder/outside.tiles/checkpoint"), qr/\n\n\xe2\x80\x94 ledger\.example [^\n]+\n\xe2\x80\x94 witness\.example\/w1 [^\n]+\n\z/, 'an outside cosignature is published');

# notes that came back with others' signatures
my $note = slurp("$kept/note-1");
my ($text, $signed) = $note =~ /\A(.*\n\n)(.*)\z/s;
my $line = sub { "\xe2\x80\x94 other.example/w$_[0] " . MIME::Base64::encode_base64(chr($_[0]) x $_[1], '') . "\n" };
for my $case ([ 'two further lines of 3.3 kB', $text . $line->(1, 2420) . $line->(2, 2420) . $signed, 0 ],
	[ 'sixteen lines', $text . join('', map { $line->($_, 76) } 1 .. 15) . $signed, 0 ],
	[ 'sixteen lines of 5 kB', $text . join('', map { $line->($_, 4900) } 1 .. 15) . $signed, 0 ],
	[ 'far too many', $text . $signed . join('', map { $line->($_, 4900) } 1 .. 40), 2 ],
	[ 'lines of others alone', $text . join('', map { $line->($_, 68) } 1 .. 3), 1 ])
{
	my ($name, $bytes, $expected) = @$case;
	($status, $document) = report($good, '--checkpoint', spew("$folder/note", $bytes));
	is($status, $expected, "note: $name");
}
like(texts((report($good, '--checkpoint', spew("$folder/note", $text . $signed . join('', map { $line->($_, 4900) } 1 .. 40))))[1], 'errors'),
	qr/^the checkpoint in ".*" could not be checked: larger/, 'note: in words');

done_testing();
