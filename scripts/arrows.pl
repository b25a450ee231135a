#!/usr/bin/perl
# Check which way the folders of src/ point, in C and in SQL, and that the files of a folder form no circle.
# Prints TAP; a wrong arrow is a line "# file:line: what it points at".
#
#   perl scripts/arrows.pl          this tree
#   perl scripts/arrows.pl DIR      another one, with src/ below it
#
# Five sorts of arrows are read: #include; what SQL names of the schemas ecert, ecert_internal and ledger; what SQL in C strings
# names; the C functions that SQL declares; and, between the files of one folder, includes and C names.
use strict;
use warnings;

# The folders, each with those directly below it: docs/design.md, "Map of the code"
my %on = (
	core => '',
	crypto => 'core',
	rules => 'crypto',
	pg => 'rules',
	package => 'pg',
	record => 'package',
	registry => 'record',
	ledger => 'registry',
	governance => 'ledger',
	checkpoint => 'ledger',
	energy => 'ledger',
	audit => 'energy',
	certificate => 'audit checkpoint',
	verify => 'certificate',
	replication => 'checkpoint',
	duty => 'governance verify replication',
	setup => 'duty',
	verifier => 'rules',
);

# Folders that know nothing of PostgreSQL
my %plain = map { $_ => 1 } qw(core crypto rules verifier);

# Folders whose files may form no circle
my @without_circles = qw(ledger registry rules verifier);

# Wrong arrows that are known and are to go: at the end of this file, how many and "file: name" or "file -> file"
my %known = map { /^(\d+) (.+)/ ? ($2 => $1) : () } <DATA>;

# In these calls a string is a message for people, not SQL
my $message_call = qr/^(?:err\w+|elog|ecert_refuse|ecert_raise\w*|refuse|pstrdup|psprintf|DefineCustom\w+Variable|strcmp)$/;

my (@files, %text, %wrong, %used);

# Read every C and SQL file of src/
sub read_files {
	for my $file (sort glob 'src/*/*.{c,h,sql}') {
		open my $in, '<', $file or die "$file: $!\n";
		local $/;
		$text{$file} = <$in>;
		push @files, $file;
	}
}

sub folder { return (split m{/}, $_[0])[1] }

# The folders that one may point at, itself included
my %reach;
sub reach {
	my ($folder) = @_;
	return $reach{$folder} //= { $folder => 1, map { %{ reach($_) } } split ' ', $on{$folder} // '' };
}

sub line_of { return 1 + (substr($_[0], 0, $_[1]) =~ tr/\n//) }

# Note a wrong arrow, unless it is one that is known
sub wrong {
	my ($sort, $file, $line, $name, $to) = @_;
	my $key = "$file: $name";
	return if $used{$key}++ < ($known{$key} // 0);
	push @{ $wrong{ folder($file) }{$sort} }, "$file:$line: $to";
}

# Blank out what matches, line ends kept, so that offsets stay
sub blank { my ($part) = @_; $part =~ s/[^\n]/ /g; return $part }

# C without comments; without strings too when asked
sub c_code {
	my ($code, $strings) = @_;
	$code =~ s{(/\*.*?\*/|//[^\n]*)|("(?:[^"\\\n]|\\.)*")|('(?:[^'\\\n]|\\.)*')}
		{ defined $1 ? blank($1) : defined $3 || !$strings ? blank($&) : $& }gse;
	return $code;
}

# ---- #include -------------------------------------------------------------

# Where an include leads: a file of src/, or nothing when it is somebody else's
sub included {
	my ($file, $name) = @_;
	$name =~ s{^(?:\.\./)+}{};
	return "src/$name" if $text{"src/$name"};
	my $beside = 'src/' . folder($file) . "/$name";
	return $text{$beside} ? $beside : undef;
}

sub check_includes {
	for my $file (grep { /\.[ch]$/ } @files) {
		my $folder = folder($file);
		while ($text{$file} =~ /^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]/mg) {
			my ($quote, $name, $line) = ($1, $2, line_of($text{$file}, $-[0]));
			my $target = $quote eq '"' ? included($file, $name) : undef;
			my $bad = $target ? !reach($folder)->{ folder($target) } :
				$name =~ m{^(?:openssl/|sodium)} ? $folder ne 'crypto' : $quote eq '"' && $plain{$folder};
			wrong('includes', $file, $line, $name, $name) if $bad;
		}
	}
}

# ---- SQL --------------------------------------------------------------------

my (%owners, %c_owner);

# SQL without comments, and without what it tells people: COMMENT ON ... IS '...', MESSAGE = '...', HINT, DETAIL
sub sql_code {
	my ($code) = @_;
	$code =~ s{(--[^\n]*)|('(?:[^']|'')*')}{ defined $1 ? blank($1) : $2 }ge;
	$code =~ s{(COMMENT\s+ON\s[^;']*?\sIS\s*)((?:'(?:[^']|'')*'))}{ $1 . blank($2) }ge;
	$code =~ s{((?:MESSAGE|HINT|DETAIL)\s*=\s*(?:(?:pg_catalog\.)?(?:format|concat|coalesce)\()?\s*)((?:'(?:[^']|'')*'))}{ $1 . blank($2) }ge;
	return $code;
}

# Which folders define a name: overloaded functions may have several
sub find_owners {
	for my $file (grep { /\.sql$/ } @files) {
		my $code = sql_code($text{$file});
		while ($code =~ /\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:UNIQUE\s+|UNLOGGED\s+)?(?:FUNCTION|PROCEDURE|AGGREGATE|TYPE|TABLE|VIEW|DOMAIN)\s+(?:IF\s+NOT\s+EXISTS\s+)?((?:ecert|ecert_internal|ledger)\.\w+)/g) {
			$owners{$1}{ folder($file) } = 1;
		}
	}
	for my $file (grep { /\.c$/ } @files) {
		$c_owner{$1} = folder($file) while $text{$file} =~ /^(?:ECERT_FUNCTION|ACCESSOR)\((\w+)/mg;
	}
}

# Whether a folder may name something: somebody below it defines it, or nobody does (a setting, a column)
sub may_name {
	my ($folder, $name) = @_;
	my $owners = $owners{$name} or return 1;
	return scalar grep { reach($folder)->{$_} } keys %$owners;
}

# Check the names in a piece of SQL that begins at an offset of a file
sub check_names {
	my ($sort, $file, $sql, $offset) = @_;
	while ($sql =~ /\b(ecert|ecert_internal|ledger)\.(%\w*|%\d+\$\w|\w+)/g) {
		my ($name, $at) = ("$1.$2", $offset + $-[0]);
		my $made = $2 =~ /^%|_$/;       # put together when it runs: nobody can say where it points
		next if !$made && may_name(folder($file), $name);
		wrong($sort, $file, line_of($text{$file}, $at), $name,
			$made ? "$name is put together when it runs" : "$name (src/" . join(', src/', sort keys %{ $owners{$name} }) . ')');
	}
}

sub check_sql {
	for my $file (grep { /\.sql$/ } @files) {
		my $code = sql_code($text{$file});
		check_names('sql', $file, $code, 0);
		while ($code =~ /'MODULE_PATHNAME'\s*,\s*'(\w+)'/g) {
			my ($function, $line) = ($1, line_of($code, $-[0]));
			my $owner = $c_owner{$function};
			wrong('declares', $file, $line, $function, $function . ($owner ? " (src/$owner)" : ' is nowhere'))
				if !$owner || !reach(folder($file))->{$owner};
		}
	}
}

# The strings of C that are SQL: all but those inside a call that makes a message
sub check_strings {
	for my $file (grep { /\.[ch]$/ && !$plain{ folder($_) } } @files) {
		my $code = c_code($text{$file}, 1);
		my @calls;
		while ($code =~ /(\w*)\s*\(|(\))|("(?:[^"\\\n]|\\.)*")/g) {
			if (defined $3) {
				check_names('strings', $file, $3, $-[0]) if !grep { /$message_call/ } @calls;
			}
			elsif (defined $2) { pop @calls }
			else { push @calls, $1 }
		}
	}
}

# ---- circles of files ---------------------------------------------------------

# Which file defines a function or variable that others can see
sub definitions {
	my ($folder) = @_;
	my %defined;
	for my $file (grep { m{^src/$folder/.*\.c$} } @files) {
		my $code = c_code($text{$file}, 0);
		while ($code =~ /^([a-zA-Z_][^\n;{}()=#]*?)(?:\n|[ \t*])(\w+)\(/mg) {
			my ($type, $name) = ($1, $2);
			$defined{$name} = $file if $type !~ /\b(?:static|return|else|typedef|extern)\b/;
		}
		while ($code =~ /^([a-zA-Z_][\w \t*]*?[ \t*])(\w+)(?:\[[^\]\n]*\])*\s*(?:=|;)/mg) {
			my ($type, $name) = ($1, $2);
			$defined{$name} = $file if $type !~ /\b(?:static|return|else|typedef|extern|goto)\b/;
		}
	}
	return \%defined;
}

# What each file of a folder needs of the others: { from => { to => "file:line: name" } }
sub needs {
	my ($folder) = @_;
	my $defined = definitions($folder);
	my %needs;
	for my $file (grep { m{^src/$folder/.*\.[ch]$} } @files) {
		my $from = $file;
		while ($text{$file} =~ /^[ \t]*#[ \t]*include[ \t]*"([^"]+)"/mg) {
			my ($name, $at) = ($1, $-[0]);
			my $target = included($file, $name);
			next if !$target || folder($target) ne $folder || $target eq $from;
			$needs{$from}{ $target } //= "$file:" . line_of($text{$file}, $at) . ": $name";
		}
		next if $file =~ /\.h$/;
		my $code = c_code($text{$file}, 0);
		# a static function of its own hides one of that name elsewhere
		my %own = map { $_ => 1 } $code =~ /^(\w+)\(/mg;
		while ($code =~ /(?<![\w.>])(\w+)\b/g) {
			my ($name, $at) = ($1, $-[0]);
			my $to = $defined->{$name};
			next if !$to || $to eq $from || $own{$name};
			$needs{$from}{$to} //= "$file:" . line_of($code, $at) . ": $name";
		}
	}
	return \%needs;
}

# A shortest way from a file back to itself, or none
sub way_back {
	my ($needs, $start) = @_;
	my @queue = ([$start]);
	my %seen;
	while (my $way = shift @queue) {
		for my $next (sort keys %{ $needs->{ $way->[-1] } || {} }) {
			return [@$way, $next] if $next eq $start;
			push @queue, [@$way, $next] if !$seen{$next}++;
		}
	}
	return undef;
}

sub check_circles {
	my ($folder) = @_;
	my $needs = needs($folder);
	my %told;
	# what is known is taken out first, so that a circle behind it is seen
	for my $arrow (grep { m{^src/$folder/.* -> } } sort keys %known) {
		my ($from, $to) = split / -> /, $arrow;
		$used{$arrow} = delete $needs->{$from}{$to} ? 1 : 0;
	}
	for my $start (sort keys %$needs) {
		next if $told{$start};
		my $way = way_back($needs, $start) or next;
		$told{$_} = 1 for @$way;
		push @{ $wrong{$folder}{circles} }, map { "$needs->{$way->[$_]}{$way->[$_ + 1]} ($way->[$_ + 1])" } 0 .. $#$way - 1;
	}
}

# ---- TAP -------------------------------------------------------------------------

my ($number, $failed) = (0, 0);

sub result {
	my ($name, @wrong) = @_;
	$number++;
	$failed = 1 if @wrong;
	print @wrong ? 'not ok' : 'ok', " $number - $name\n";
	print "#   $_\n" for @wrong;
}

my %saying = (
	includes => 'includes from',
	sql => 'names in its SQL what is in',
	strings => 'names in SQL strings of its C what is in',
	declares => 'declares C functions of',
);

chdir(@ARGV ? $ARGV[0] : "$0/../..") or chdir(($0 =~ m{^(.*)/})[0] . '/..') or die "no such folder: $!\n";
read_files();
find_owners();
check_includes();
check_sql();
check_strings();
check_circles($_) for @without_circles;
for my $folder (sort map { m{^src/(\w+)/$} } glob 'src/*/') {
	if (!defined $on{$folder}) {
		result("src/$folder is on the map", 'scripts/arrows.pl does not know it');
		next;
	}
	my $reach = join ' ', grep { $_ ne $folder } sort keys %{ reach($folder) };
	my @of_folder = grep { folder($_) eq $folder } @files;
	result("src/$folder includes from " . ($reach || 'nothing') . ' only', @{ $wrong{$folder}{includes} || [] });
	for my $sort (qw(sql declares)) {
		result("src/$folder $saying{$sort} " . ($reach || 'itself') . ' only', @{ $wrong{$folder}{$sort} || [] })
			if grep { /\.sql$/ } @of_folder;
	}
	result("src/$folder $saying{strings} " . ($reach || 'itself') . ' only', @{ $wrong{$folder}{strings} || [] }) if !$plain{$folder};
	result("src/$folder has no circle of files", @{ $wrong{$folder}{circles} || [] })
		if grep { $_ eq $folder } @without_circles;
}
result('every arrow that is known to be wrong is still there',
	map { "$_: " . ($used{$_} // 0) . ", the list says $known{$_}" } grep { ($used{$_} // 0) < $known{$_} } sort keys %known);
print "1..$number\n";
exit $failed;

__DATA__
