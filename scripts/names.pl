# What the documents name is there: functions, tables, views and settings, files, the files of src/rules.
#
#   perl scripts/names.pl [ROOT]
#
# Prints TAP; a name that is nowhere is told with its file and line.
use strict;
use warnings;

my $root = shift // '.';
chdir $root or die "$root: $!\n";

sub slurp
{
	my ($name) = @_;
	open my $file, '<', $name or die "$name: $!\n";
	local $/;
	return <$file>;
}

# ---- what there is ----------------------------------------------------------------------------------------------------

my @sources = glob 'src/*.c src/*/*.c src/*/*.h src/*/*.sql';
my (%function, %there);
for my $name (@sources)
{
	my $text = slurp($name);
	while ($text =~ /\bCREATE (?:OR REPLACE )?(?:UNLOGGED )?(FUNCTION|PROCEDURE|AGGREGATE|VIEW|TABLE|TYPE) (ecert|ecert_internal|ledger)\.(\w+)/g)
	{
		my ($what, $schema, $object) = ($1, $2, $3);
		$there{"$schema.$object"} = 1;
		$function{$object} = 1 if $what =~ /FUNCTION|PROCEDURE|AGGREGATE/;
	}
	# settings
	$there{$1} = 1 while $text =~ /"(ecert\.\w+)"/g;
}

# ---- what is named ----------------------------------------------------------------------------------------------------

my $number = 0;
my $failed = 0;

sub outcome
{
	my ($what, @wrong) = @_;
	$number++;
	$failed++ if @wrong;
	print @wrong ? "not ok $number - $what\n" : "ok $number - $what\n", map { "#   $_\n" } @wrong;
	return;
}

# The matches of a pattern that a test does not find, with their places
sub nowhere
{
	my ($pattern, $is_there, @files) = @_;
	my @wrong;
	for my $file (@files)
	{
		my $line = 0;
		for my $text (split /\n/, slurp($file))
		{
			$line++;
			while ($text =~ /$pattern/g)
			{
				my $name = $1;
				push @wrong, "$file:$line: $name" unless $is_there->($name);
			}
		}
	}
	return @wrong;
}

my @documents = glob 'README.md CHANGELOG.md docs/*.md src/*/README.md demo/README.md';
# files, and the ledger of examples
my $no_object = qr/(?:c|h|so|sql|bin|copy|dump|example)\b/;
outcome('functions, tables, views and settings that the documents name',
	nowhere(qr{(?<![\w./-])((?:ecert|ecert_internal|ledger)\.(?!$no_object)[a-z]\w*)}, sub { $there{ $_[0] } }, @documents));
outcome('functions that comments, messages and scripts name',
	nowhere(qr/(?<![\w.])(ecert\.[a-z]\w*)(?=\()/, sub { $there{ $_[0] } }, @sources, glob 'demo.sh demo/*.sql bench/*.sh bench/*.sql'));
my $folder = qr/(?:src|t|test|sql|specs|scripts|bench|tools|fuzz|docs|demo)/;
outcome('files that the documents and comments name',
	nowhere(qr{(?<![\w./-])($folder/[\w./-]*\.(?:c|h|sql|pl|pm|sh|md|spec))\b}, sub { -e $_[0] }, @documents, @sources));

my ($functions) = slurp('README.md') =~ /^## Functions\n(.*?)^## /ms or die "README.md has no part \"Functions\"\n";
my ($open, $internal) = $functions =~ /(.*?)^### Internal\n(.*)/ms or die "README.md has no part \"Internal\"\n";
my %listed;
$listed{$1} = 1 while $open =~ /`(?:CALL )?(\w+)\(/g;
$listed{$1} = 1 while $internal =~ /`(\w+)`/g;
outcome('every function is in a table of README.md', grep { !$listed{$_} } sort keys %function);
outcome('the tables of README.md have no others', grep { !$function{$_} && !$there{"ecert.$_"} && $_ ne 'OPERATOR' } sort keys %listed);

my ($rules) = slurp('docs/design.md') =~ /^### Files of src\/rules\n(.*?)^(?:#|`)/ms or die "docs/design.md does not list the files of src/rules\n";
my %in_map = map { $_ => 1 } map { split /, |; / } $rules =~ /^\| ([\w., ]+) \|/mg;
my %stems = map { s{.*/}{}r =~ s/\.[ch]$//r => 1 } glob 'src/rules/*.[ch]';
outcome('every file of src/rules is on the map in docs/design.md', grep { !$in_map{$_} && !$in_map{"$_.h"} && $rules !~ /\b\Q$_\E\.h\b/ } sort keys %stems);
outcome('and no other', grep { my $stem = s/\.h$//r; $_ ne 'file' && !$stems{$stem} } sort keys %in_map);

print "1..$number\n";
exit($failed ? 1 : 0);
