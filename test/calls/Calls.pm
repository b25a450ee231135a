# Calls of everything that the extension and the ledger show: functions, aggregates, casts, views, with values of every type that
# are missing, endless, huge, empty, damaged or right. Which calls they are is told by a seed alone.
package Calls;
use strict;
use warnings FATAL => 'all';

use IPC::Run;

# What of each type is passed; those of the fixture (ledger.sql) are looked up there
my $text = [
	"''", "'certifier'", "'plant-a'", "'plant-b'", "'supplier'", "'buyer'", "'nobody'", "'energy'", "'product'", "'audit'", "'certificate'", "'checkpoint'", "'node'", "'genesis'",
	"'upstream'", "'peer'", "'downstream'", "'value'", "'package'", "'seal'", "'witness'", "'month'", "'fortnight'", "'electricity'", "'kWh'", "'A'", "'t'", "'quantity'", "'qualified'",
	"'x'", "' '", "'%s%n%p %1\$s'", "E'\\\\'", "E'\\n'", "''''", "'\"'", "'-1'", "'NaN'", "'{}'", "'[2024-01-01,2024-02-01)'", "'hub'", "'host=/nonexistent'", "E'\\u200b'", "E'\\u202e\\u2028'",
	"E'\\U0001F600'", "repeat('x', 1048576)", "repeat('x', 65536)", "repeat(E'\\u00e9', 101)", "repeat('(', 20000)",
];
my $when = [
	"'-infinity'", "'infinity'", "'4713-01-01 00:00+00 BC'", "'294276-12-31 23:59+00'", "'1970-01-01 00:00+00'", "'2000-01-01 00:00+00'", "'2024-01-01 00:00+00'", "'2024-02-01 00:00:00.000001+00'",
	"'1969-12-31 23:59:59.5+00'", 'now()',
];
my $range = [
	"'empty'", "'(,)'", "'[2024-01-01 00:00+00,)'", "'(,2024-01-01 00:00+00)'", "'[-infinity,infinity]'", "'[infinity,infinity]'", "'[2024-01-01 00:00+00,2024-02-01 00:00+00)'",
	"'[2023-01-01 00:00+00,2023-02-01 00:00+00)'", "'[2024-01-01 00:00+00,2024-01-01 00:00+00]'", "'(2024-01-01 00:00+00,2024-02-01 00:00+00]'", "'[2024-01-01 00:00:00.5+00,2024-02-01 00:00+00)'",
	"'[4713-01-01 00:00+00 BC,294276-12-31 00:00+00)'", "'[2020-01-01 00:00+00,2030-01-01 00:00+00)'", "'[2024-02-01 00:00+00,2024-03-01 00:00+00)'",
];
my $bigint = [ -1, 0, 1, 2, 3, 7, 255, 256, 16383, 2147483647, "'-2147483648'", "'9223372036854775807'", "'-9223372036854775808'", "'9223372036854775806'", 65536, 1704067200, 30 ];
my %values = (
	'text' => $text, 'cstring' => $text, 'name' => $text, 'timestamp with time zone' => $when, 'tstzrange' => $range, 'bigint' => $bigint,
	'integer' => [ -1, 0, 1, 2, 10, 65536, 2147483647, "'-2147483648'" ],
	'numeric' => [ "'NaN'", "'Infinity'", "'-Infinity'", -1, 0, 1, '0.1', '1e131071', '1e-16383', '99999999999999999999999999.999', '1000000000000000', 3 ],
	'boolean' => [qw(true false)],
	'interval' => [ "'0'", "'-1 month'", "'178000000 years'", "'1 day'", "'1 hour 0.000001 seconds'" ],
	'bytea' => [ "''", "'\\x00'", "'\\xd2'", "decode(repeat('ff', 32), 'hex')", "decode(repeat('00', 1048576), 'hex')", "decode(repeat('9f', 70000), 'hex')" ],
	'jsonb' => [ "'{}'", "'[]'", "'null'", "'1'", "'\"x\"'", "'true'", "'-1e400'", "(repeat('[', 3000) || repeat(']', 3000))::jsonb", "to_jsonb(repeat('x', 1048576))", "'{\"\": null}'",
		"(SELECT jsonb_object_agg('k' || n, n) FROM generate_series(1, 2000) AS n)" ],
	'internal' => ['NULL'],
	'xid8' => ["'0'", "'18446744073709551615'", "'700'"], 'pg_snapshot' => [ "'1:1:'", 'pg_current_snapshot()', "'1:9223372036854775806:'" ],
	'regclass' => [ "'ledger.package'::regclass", "0::oid::regclass" ], 'oid' => [ 0, 1, 4294967295 ],
);

# A generator of our own, so that a seed tells the same calls everywhere
sub new
{
	my ($class, %option) = @_;
	my $self = bless { state => 0, %option }, $class;
	$self->{state} = ($self->{seed} * 2654435761) & 0xffffffff;
	$self->random(2) foreach 1 .. 8;
	return $self;
}

sub random
{
	my ($self, $below) = @_;
	use integer;
	$self->{state} = ($self->{state} * 1664525 + 1013904223) & 0xffffffff;
	return (($self->{state} >> 8) & 0xffffff) % $below;
}

sub one_of { my ($self, @list) = @_; return $list[ $self->random(scalar @list) ]; }

# Ask the catalog what there is to call: a line is kind, name, types of the arguments, number of defaults, role may execute it
sub look
{
	my ($self, $ask) = @_;
	$self->{functions} = [ map { my @f = split /\|/, $_, -1; { prokind => $f[0], name => $f[1], types => [ split /;/, $f[2] ], defaults => $f[3], open => $f[4] eq 't', set => $f[5] eq 't' } } split /\n/, $ask->(<<'SQL') ];
SELECT p.prokind, p.oid::regproc, array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n) ORDER BY n), ';'), p.pronargdefaults,
       has_function_privilege('ecert_caller', p.oid, 'EXECUTE'), p.proretset
  FROM pg_proc p WHERE p.pronamespace::regnamespace::text IN ('ecert', 'ecert_internal') ORDER BY p.oid::regprocedure::text COLLATE "C"
SQL
	$self->{columns} = [ map { [ split /\|/ ] } split /\n/, $ask->(<<'SQL') ];
SELECT c.oid::regclass, quote_ident(a.attname), format_type(a.atttypid, NULL) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace::regnamespace::text IN ('ledger', 'ecert_internal', 'ecert', 'report') AND c.relkind IN ('r', 'v', 'm') ORDER BY c.oid::regclass::text COLLATE "C", a.attnum
SQL
	$self->{composites} = { map { split /\|/ } split /\n/, $ask->(<<'SQL') };
SELECT format_type(t.oid, NULL), (SELECT string_agg(format_type(a.atttypid, NULL), ';' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0)
  FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE t.typnamespace = 'ecert'::regnamespace AND c.relkind = 'c'
SQL
	$self->{counts} = { map { split /\|/ } split /\n/, $ask->(q{SELECT 'package', count(*) FROM calls.package_value UNION ALL SELECT 'text', count(*) FROM calls.text_value UNION ALL SELECT 'bytea', count(*) FROM calls.bytea_value UNION ALL SELECT 'jsonb', count(*) FROM calls.jsonb_value}) };
	return;
}

sub kept { my ($self, $of) = @_; return sprintf '(SELECT v FROM calls.%s_value WHERE n = %d)', $of, 1 + $self->random($self->{counts}{$of}); }

# Bodies that an aggregate has collected, from right and wrong packages
sub bodies
{
	my ($self) = @_;
	return $self->one_of(q{(SELECT ecert.collect_bodies('energy', p.n, '[2024-01-01 00:00+00,2024-02-01 00:00+00)', p.v) FROM calls.package_value p)},
		sprintf(q{(SELECT ecert.collect_bodies(%s, %s, %s, %s))}, map { $self->value($_) } 'text', 'bigint', 'tstzrange', 'ecert.package'),
		sprintf(q{(SELECT ecert.collect_bodies(CASE p.n %% 2 WHEN 0 THEN 'energy' ELSE 'product' END, p.n, %s, p.v) FROM calls.package_value p WHERE p.n %% 7 = %d)}, $self->value('tstzrange'), $self->random(7)),
		q{(SELECT ecert.collect_bodies(p.kind, p.seq, p.period, p.package) FROM ledger.package p WHERE p.issuer = 'plant-a')});
}

# Some expression of a type
sub value
{
	my ($self, $type, $depth) = @_;
	$depth //= 0;
	return "NULL::$type" if $self->random(8) == 0;
	if ($type =~ /^(.*)\[\]$/)
	{
		my $of = $1;
		my $shape = $self->random(7);
		return "'{}'::$type" if $shape == 0;
		return "ARRAY[NULL]::$type" if $shape == 1;
		return "array_fill(" . $self->value($of, $depth + 1) . "::$of, '{3,2}', '{-4,0}')" if $shape == 2 && $of !~ /\./;
		return "array_fill(" . $self->value($of, $depth + 1) . "::$of, '{5000}')" if $shape == 3 && $self->random(4) == 0;
		return 'ARRAY[' . join(', ', map { $self->value($of, $depth + 1) } 0 .. $self->random(4)) . "]::$type";
	}
	return 'ROW(' . join(', ', map { $self->value($_, $depth + 1) } split /;/, $self->{composites}{$type}) . ")::$type" if $self->{composites}{$type};
	return $self->kept('package') if $type eq 'ecert.package';
	return $self->bodies if $type eq 'ecert.package_bodies';
	return sprintf '(SELECT l FROM ecert.lines(%s) AS l LIMIT 1 OFFSET %d)', $self->kept('package'), $self->random(3) if $type eq 'ecert.package_line';
	return $self->kept($type) if ($type eq 'bytea' || $type eq 'jsonb') && $self->random(4) > 0;
	return $self->kept('text') if $type eq 'text' && $self->random(8) == 0;
	return "'" . $self->one_of(qw(x 1 {} \\x00)) . "'::$type" unless $values{$type};
	return 'NULL' if $type eq 'internal';
	return $self->one_of(@{ $values{$type} }) . ($type eq 'cstring' ? '::text::cstring' : "::$type");
}

# The next statement; as_caller: for the role that has USAGE alone, which is mostly given what it may execute
sub statement
{
	my ($self, $as_caller) = @_;
	if ($self->random(25) == 0)
	{
		my ($relation, $column, $type) = @{ $self->one_of(@{ $self->{columns} }) };
		return "SELECT * FROM $relation" . $self->one_of('', " LIMIT 1", " WHERE $column = " . $self->value($type), " ORDER BY $column", " WHERE $column IS NULL");
	}
	my $function;
	do { $function = $self->one_of(@{ $self->{functions} }) } while $as_caller && !$function->{open} && $self->random(20) > 0;
	my @types = @{ $function->{types} };
	splice @types, @types - $self->random($function->{defaults} + 1) if $function->{defaults};
	my @arguments = map { $self->value($_) } @types;
	my $call = "$function->{name}(" . join(', ', @arguments) . ')';
	return "CALL $call" if $function->{prokind} eq 'p';
	return "SELECT $call FROM generate_series(1, 3)" if $function->{prokind} eq 'a' || $self->random(6) == 0;
	return "SELECT $call" if grep({ $_ eq 'internal' } @types) || $self->random(3) == 0;
	return "SELECT * FROM $call";
}

# May a call end so?  An internal error, an address in a message, or no answer at all is a fault of ours
sub fault
{
	my ($error) = @_;
	return 'internal error' if $error =~ /^(?:psql:\S+ )?ERROR:  XX/m;
	return 'an address' if $error =~ /(?:ERROR|DETAIL|HINT|WARNING):.*\b0x[0-9a-f]{5,}/;
	return 'the server is gone' if $error =~ /server closed the connection|connection to server was lost|terminating connection because of crash/;
	return;
}

# Run statements, each in a transaction that is rolled back: hands each with what it said to $tell->(statement, error)
sub run
{
	my ($self, $psql, $statements, $tell) = @_;
	my @left = @$statements;
	while (@left)
	{
		my $script = "\\set VERBOSITY verbose\n\\set SHOW_CONTEXT never\n$self->{setup}\n";
		$script .= "\\warn <<<$_>>>\n" . ($left[$_] =~ /^CALL/ ? "$left[$_];\n" : "BEGIN;\n$left[$_];\nROLLBACK;\n") foreach 0 .. $#left;
		my ($output, $error) = ('', '');
		IPC::Run::run([@$psql], '<', \$script, '>', '/dev/null', '2>', \$error);
		my (undef, %said) = split /<<<(\d+)>>>\n/, $error, -1;
		my @told = sort { $a <=> $b } keys %said;
		die "psql says: $error" unless @told;
		$tell->($left[$_], $said{$_}) foreach @told;
		splice @left, 0, $told[-1] + 1;
		$self->{wait}->() if @left;
	}
	return;
}

1;
