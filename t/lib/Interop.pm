# Programs of t/interop: other people's libraries from npm, and how they are run
package Interop;
use strict;
use warnings FATAL => 'all';

use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Spec;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

our $json = JSON::PP->new->utf8->canonical;

# The folder with the scripts and their modules, or undef
sub folder
{
	my $source = dirname(__FILE__) . '/../interop';
	return File::Spec->rel2abs($source) if -d "$source/node_modules";

	my $folder = File::Spec->rel2abs("$PostgreSQL::Test::Utils::tmp_check/interop");
	make_path($folder);
	# programs that run beside each other install them once
	open my $lock, '>', "$folder.lock" or die "$folder.lock: $!";
	flock $lock, LOCK_EX or die "$folder.lock: $!";
	copy($_, $folder) or die "could not copy $_: $!" foreach (glob("$source/*.mjs $source/*.json"));
	return $folder if -d "$folder/node_modules";

	local $ENV{npm_config_cache} = "$PostgreSQL::Test::Utils::tmp_check/npm-cache";
	my $output = '';
	my $done = eval {
		IPC::Run::run(
			[ 'npm', 'install', '--prefix', $folder, '--no-save', '--omit=optional', '--ignore-scripts',
				'--no-audit', '--no-fund',
				'--fetch-retries=1', '--fetch-timeout=20000' ],
			'<', \undef, '>&', \$output, IPC::Run::timeout(180));
	};
	note($output);
	return $done ? $folder : undef;
}

sub have_node
{
	my $version = '';
	my $ran = eval { IPC::Run::run([ 'node', '--version' ], '<', \undef, '>', \$version, '2>', \my $error) };
	return $ran && $version =~ /^v(\d+)/ && $1 >= 20;
}

# Skip the whole program where node or the modules cannot be had; else the folder
sub need_folder
{
	plan skip_all => 'node 20 or later is not here' unless have_node();
	my $folder = folder();
	plan skip_all => 'the npm modules of t/interop cannot be installed' unless defined $folder;
	return $folder;
}

# Run a script of the folder with a JSON document in and out
sub script
{
	my ($folder, $name, $request) = @_;
	my $input = $json->encode($request);
	my ($output, $error) = ('', '');
	IPC::Run::run([ 'node', "$folder/$name" ], '<', \$input, '>', \$output, '2>', \$error)
	  or die "$name failed: $error";
	return $json->decode($output);
}

# Key files for these names in a new folder, which is returned
sub keys
{
	my ($folder, @names) = @_;
	my $keys = PostgreSQL::Test::Utils::tempdir();
	IPC::Run::run([ 'sh', '-c', 'cd "$0" && exec node "$@"', $keys, "$folder/keys.mjs", @names ])
	  or die 'keys.mjs failed';
	return $keys;
}

1;
