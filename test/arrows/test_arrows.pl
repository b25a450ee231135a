# scripts/arrows.pl finds a wrong arrow of each sort, planted in a copy of src/, and names its file and line.
use strict;
use warnings;

use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $root = dirname(__FILE__) . '/../..';

# A copy of what the checker reads
sub scratch {
	my $dir = tempdir(CLEANUP => 1);
	make_path("$dir/scripts");
	copy("$root/scripts/arrows.pl", "$dir/scripts/arrows.pl") or die "arrows.pl: $!";
	for my $file (glob "$root/src/*/*.{c,h,sql}") {
		my ($name) = $file =~ m{(src/\w+/[^/]+)$};
		make_path("$dir/" . dirname($name));
		copy($file, "$dir/$name") or die "$file: $!";
	}
	return $dir;
}

# Add lines to a file, which may be new; the number of its first new line
sub plant {
	my ($dir, $file, $lines) = @_;
	my $before = 0;
	if (open my $in, '<', "$dir/$file") {
		$before++ while <$in>;
	}
	open my $out, '>>', "$dir/$file" or die "$file: $!";
	print $out $lines;
	close $out or die "$file: $!";
	return $before + 1;
}

sub verdict {
	my ($dir) = @_;
	my $said = `perl $dir/scripts/arrows.pl $dir 2>&1`;
	return ($? >> 8, $said);
}

# What was planted, and what has to be said of it
my $planted = scratch();
my @expected;

# Plant lines of which the line'th is wrong
sub finds {
	my ($what, $file, $lines, $line, $name) = @_;
	my $at = plant($planted, $file, $lines) + $line;
	push @expected, ["$what: $file:$at", qr/^not ok .*\n(?:#.*\n)*?#   \Q$file:$at: $name\E/m];
}

my ($status, $said) = verdict(scratch());
ok($status == 0 && $said !~ /^not ok/m && $said =~ /^1\.\.\d+$/m, 'the tree as it is has no wrong arrow') or diag($said);

finds('an include that goes up', 'src/core/decimal.c', qq(\n#include "pg/error.h"\n), 1, 'pg/error.h');
finds('a header of OpenSSL outside src/crypto', 'src/package/sign.c', "#include <openssl/evp.h>\n", 0, 'openssl/evp.h');
finds('an include of PostgreSQL\'s in src/rules', 'src/rules/arena.c', qq(#include "postgres.h"\n), 0, 'postgres.h');
finds('a function of SQL above', 'src/package/package.sql',
	"CREATE FUNCTION ecert.planted() RETURNS bigint LANGUAGE sql\n    AS \$\$ SELECT count(*) FROM ecert.due_duties() \$\$;\n", 1, 'ecert.due_duties');
finds('a table of SQL above', 'src/package/package.sql', "SELECT 1;\nSELECT * FROM ledger.duty_log;\n", 1, 'ledger.duty_log');
finds('a name in a string that is SQL', 'src/package/package.sql', "DO \$\$ BEGIN EXECUTE 'SELECT ecert.due_duties()'; END \$\$;\n", 0, 'ecert.due_duties');
finds('a name that is put together', 'src/energy/energy.sql', "\nDO \$\$ BEGIN EXECUTE format('SELECT ecert.%I()', 'x'); END \$\$;\n", 1, 'ecert.%I');
finds('a function above in SQL of C', 'src/package/sign.c', qq(\nstatic const char *planted = "SELECT 1 "\n\t"FROM ecert.due_duties()";\n), 2, 'ecert.due_duties');
finds('a name that is put together in C', 'src/package/sign.c', qq(static const char *planted = "SELECT ecert.rule_" KIND "()";\n), 0, 'ecert.rule_');
finds('a C function above', 'src/package/package.sql',
	"CREATE FUNCTION ecert.planted() RETURNS void\n    LANGUAGE c AS 'MODULE_PATHNAME', 'ecert_admit';\n", 1, 'ecert_admit');
finds('a C function that is nowhere', 'src/package/package.sql',
	"CREATE FUNCTION ecert.planted() RETURNS void LANGUAGE c AS 'MODULE_PATHNAME', 'ecert_planted';\n", 0, 'ecert_planted');

for my $folder (qw(ledger registry rules verifier)) {
	plant($planted, "src/$folder/planted_a.c", "int\nplanted_a(void)\n{\n\treturn 1;\n}\n\nint\nplanted_c(void)\n{\n\treturn planted_b();\n}\n");
	plant($planted, "src/$folder/planted_b.c", "int\nplanted_b(void)\n{\n\treturn planted_a();\n}\n");
	push @expected, ["a circle of files in src/$folder", qr{^not ok .*circle.*\n#   src/$folder/planted_a\.c:10: planted_b .*\n#   src/$folder/planted_b\.c:4: planted_a }m];
}
($status, $said) = verdict($planted);
ok($status == 1, 'what was planted fails');
like($said, $_->[1], $_->[0]) for @expected;

my $dir = scratch();
plant($dir, 'src/package/planted.c', qq(/* ecert.due_duties() */\n\terrhint("See ecert.due_duties().");\n));
plant($dir, 'src/package/package.sql', "-- ecert.due_duties()\nCOMMENT ON FUNCTION ecert.kind(ecert.package) IS 'see ecert.due_duties()';\n"
	. "DO \$\$ BEGIN RAISE EXCEPTION USING MESSAGE = 'no', HINT = 'SELECT ecert.due_duties()'; END \$\$;\n");
($status, $said) = verdict($dir);
ok($status == 0, 'comments and messages may name what is above') or diag($said);

$dir = scratch();
make_path("$dir/src/planted");
plant($dir, 'src/planted/planted.c', "int planted;\n");
($status, $said) = verdict($dir);
ok($status == 1 && $said =~ m{^not ok \d+ - src/planted is on the map}m, 'a folder that is not on the map');

$dir = scratch();
plant($dir, 'scripts/arrows.pl', "1 src/package/sign.c: ecert.planted\n");
($status, $said) = verdict($dir);
ok($status == 1 && $said =~ m{^not ok .*still there\n#   src/package/sign\.c: ecert\.planted: 0, the list says 1}m, 'an arrow that is gone has to leave the list');

done_testing();
