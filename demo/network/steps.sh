# shellcheck shell=sh
# The demo of six servers; sourced by demo.sh.

# The certifier's server is the hub of the others
others='sabine channel-energy-center-llc gulf-clean-energy-center kinder-morgan buyer'
nodes="certifier $others"
# How long, in seconds, the servers may take until they hold the same
patience=60

# ---- many servers -------------------------------------------------------------------------------------

# Print the port of a node's server, by its place in the list; it only tells the sockets apart
port_of() {
	port=5432
	for other in $nodes; do
		[ "$other" != "$1" ] || break
		port=$((port + 1))
	done
	echo "$port"
}

# Do something on the server of a node
at() {
	PGPORT=$(port_of "$1")
	shift
	"$@"
}

# Do something on the servers of nodes, divided by blanks
at_each() {
	for node in $1; do
		at "$node" "$2" "$3" >/dev/null || die "$3 failed on the server of $node"
	done
}

# Ask all servers the same and print the answers, each row behind its server's name
ask_all() {
	for node in $nodes; do
		rows=$(at "$node" ask "$1") || die "the server of $node does not answer"
		printf '%s\n' "$rows" | sed "s/^/$node|/"
	done
}

# Print rows from standard input as a table under a heading; | divides the fields of both
show_table() {
	{
		printf '%s\n' "$1"
		cat
	} | awk -F '|' '
		{
			for (i = 1; i <= NF; i++) {
				cell[NR, i] = $i
				if (length($i) > width[i]) width[i] = length($i)
				if (NR > 1 && $i !~ /^-?[0-9.,]*$/) is_text[i] = 1
			}
			if (NF > columns) columns = NF
		}
		END {
			for (row = 1; row <= NR; row++) {
				line = rule = ""
				for (i = 1; i <= columns; i++) {
					line = line (i > 1 ? "|" : "") sprintf(" %" (row == 1 || is_text[i] ? "-" : "") width[i] "s ", cell[row, i])
					dashes = sprintf("%" width[i] + 2 "s", "")
					gsub(/ /, "-", dashes)
					rule = rule (i > 1 ? "+" : "") dashes
				}
				print line
				if (row == 1) print rule
			}
			print ""
		}'
}

# Ask all servers the same, and show the answers as a table under a heading
show_all() {
	on_each=$(ask_all "$2") || exit 1
	printf '%s\n' "$on_each" | show_table "$1"
}

# What a server holds, in one row: how many packages, and a digest of their hashes, which are computed from their bytes
held="SELECT count(*), left(encode(sha256(string_agg(ecert.hash(package), ''::bytea ORDER BY issuer, kind, seq)), 'hex'), 16) FROM ledger.package"

# Wait until all servers hold the same packages, and say which
settle() {
	give_up=$(($(date +%s) + patience))
	while
		on_each=$(ask_all "$held") || exit 1
		[ "$(printf '%s\n' "$on_each" | cut -d '|' -f 2- | sort -u | wc -l)" -ne 1 ]
	do
		if [ "$(date +%s)" -ge "$give_up" ]; then
			printf '%s\n' "$on_each" | show_table 'server|packages|SHA-256 of their hashes' >&2
			die "the servers do not hold the same after $patience seconds"
		fi
		sleep 0.1
	done
	printf '%s\n' "$on_each" | sed 's/^[^|]*|\([^|]*\)|\(.*\)/All six servers hold the same \1 packages (SHA-256 of their hashes: \2...)./;q'
}

# ---- the nodes ----------------------------------------------------------------------------------------

# Nodes that witness
auditors='gulf-clean-energy-center kinder-morgan buyer'

# The setting of a node's second key: the certifier's for seals, an auditor's for cosignatures
other_key() {
	case " $auditors " in
		*" $1 "*) echo "ecert.witness_key = '$home/keys/$1-witness.pem'" ;;
		*) [ "$1" != certifier ] || echo "ecert.seal_key = '$home/keys/certifier-seal.pem'" ;;
	esac
}

# Make, start and prepare the server of a node
start_server() {
	PGPORT=$(port_of "$1")
	start_cluster "$1" "$PGPORT" "
shared_preload_libraries = 'ecert'
ecert.node = '$1'
ecert.signing_key = '$home/keys/$1.pem'
$(other_key "$1")
ecert.worker_database = 'ecert'
# rounds of duties are called here, so that one can see what each does
ecert.worker_interval = 0
wal_level = logical
# enough for a hub that reads from five and sends to five
max_wal_senders = 20
max_replication_slots = 20
max_logical_replication_workers = 20
max_worker_processes = 30
wal_retrieve_retry_interval = 100ms" || die "the server of $1 does not start"
	"$pg_bin/createdb" ecert || exit 1
	ask 'CREATE EXTENSION ecert; CREATE EXTENSION pgcrypto' >/dev/null || exit 1
}

# Print the connection string of a node's server
connection_of() {
	echo "host='$PGHOST' port=$(port_of "$1") dbname=ecert user=$PGUSER"
}

# Let a node take part: the certifier enrolls its keys, and both begin to replicate; roles, name
take_part() {
	key=$(at "$1" ask 'SELECT ecert.public_key()') || exit 1
	witness_key=$(at "$1" ask "SELECT ecert.public_key('witness')") || exit 1
	at certifier run_sql network/enroll.sql -v node="$1" -v roles="$2" -v name="$3" -v public_key="$key" -v witness_key="$witness_key"
	at "$1" run_sql network/join.sql -v genesis="$genesis" -v hub="$(connection_of certifier)"
	at certifier run_sql network/admit.sql -v node="$1" -v connection="$(connection_of "$1")"
}

look_around() {
	say "    $pg_bin/psql -h '$PGHOST' -U postgres -p 5433 ecert"
	say
	say "    with the port, here Sabine's, of any of the six servers."
}

# ---- what happens -------------------------------------------------------------------------------------

title 'Six servers, each with a node, a key and a ledger of its own; they listen on Unix sockets only'
{ printf '%s\n' $nodes certifier-seal; printf '%s-witness\n' $auditors; } | make_keys
for node in $nodes; do
	start_server "$node"
done
show_all 'server|port|key' "SELECT current_setting('port'), left(ecert.key_entry(ecert.public_key()) ->> 'kid', 16) || '...'"

title 'The certifier makes the ledger and says who audits whom; the others join, and replicate through it'
at certifier run_sql network/ledger.sql
genesis=$(at certifier ask "SELECT package FROM ledger.package WHERE kind = 'genesis'") || exit 1
take_part sabine '{applicant}' 'Sabine'
take_part channel-energy-center-llc '{applicant}' 'Channel Energy Center LLC'
take_part gulf-clean-energy-center '{applicant,auditor}' 'Gulf Clean Energy Center'
take_part kinder-morgan '{auditor}' 'Kinder Morgan'
take_part buyer '{auditor}' 'A buyer of electricity, made up'
at certifier run_sql network/relations.sql
settle
at buyer run_sql network/nodes.sql

title 'Each server is given what its node alone knows; none of this travels'
at sabine run_sql network/plant_data.sql -v producer=EIA-3459
at channel-energy-center-llc run_sql network/plant_data.sql -v producer=EIA-55299
at gulf-clean-energy-center run_sql network/plant_data.sql -v producer=EIA-641
at kinder-morgan run_sql network/supplier_data.sql
at buyer run_sql network/buyer_data.sql
show_all 'server|readings|production|deliveries|purchases' 'SELECT (SELECT count(*) FROM ledger.reading),
	(SELECT count(*) FROM ledger.production), (SELECT count(*) FROM ledger.delivery), (SELECT count(*) FROM ledger.purchase)'
say 'The buyer is made up: it buys 40 % of what the two applicants generate. All else is as it was reported to the EIA.'

title 'The plants pack and sign their months of 2020 and 2024: CALL ecert.run_duties()'
# the peer first: in its round it would audit what has come from the others already
at_each 'gulf-clean-energy-center sabine channel-energy-center-llc' ask 'CALL ecert.run_duties()'
settle
at buyer run_sql network/unit_energy.sql

title 'Peer and buyer audit each month: CALL ecert.run_duties(); the supplier audits the years in which it delivered'
at_each 'gulf-clean-energy-center buyer' ask 'CALL ecert.run_duties()'
at kinder-morgan run_sql network/supplier_audits.sql
settle
at certifier run_sql network/audits.sql

title 'The certifier assesses January to November 2024 against 2020, certifies, and rewards the auditors'
at certifier run_sql network/certificates.sql
settle

title 'The certifier seals the ledger; every server computes the Merkle root again; the auditors witness it'
at certifier ask 'SELECT ecert.checkpoint()' >/dev/null
settle
at_each 'gulf-clean-energy-center kinder-morgan buyer' ask 'CALL ecert.run_duties()'
settle
show_all 'server|packages under it|root|outcome here|witnesses' "SELECT tree_size, left(root, 16) || '...', outcome, witness_count FROM ledger.checkpoint"
[ "$(printf '%s\n' "$on_each" | grep -c '|agrees|3$')" -eq 6 ] || die 'not every server has computed the checkpoint'

title 'Sabine keeps its certificate in a file; it can be checked years later, with no server, against the certifier'"'"'s keys'
at sabine ask "SELECT encode(ecert.transparent(hash), 'hex') FROM ledger.package WHERE kind = 'certificate'" | as_server tee "$home/certificate.hex" >/dev/null
at certifier ask 'SELECT ecert.public_key()' | as_server tee "$home/certifier.pub.pem" >/dev/null
at certifier ask "SELECT ecert.public_key('seal')" | as_server tee "$home/seal.pub.pem" >/dev/null
as_server "$home/tree/src/verifier/ecert-verify" certificate "$home/certificate.hex" --certifier-key "$home/certifier.pub.pem" --seal-key "$home/seal.pub.pem" ||
	die 'the certificate does not verify'

title 'Every server compares with the hub, verifies its ledger, and computes the certificate again'
at_each "$others" ask 'CALL ecert.run_duties()'
at_each "$nodes" ask 'CALL ecert.verify_ledger()'
show_all 'server|certificate|plant|saving, tce|rate, %|verdict|recomputation' 'SELECT certificate_number, applicant_name,
	trim_scale(saving_tce), trim_scale(100 * saving_rate), verdict, recomputation FROM ledger.certificate'
[ "$(printf '%s\n' "$on_each" | grep -c '|agrees$')" -eq 6 ] || die 'not every server agrees'
show_all 'server|ledger.health|of|state|detail' "SELECT item, subject, state, detail FROM ledger.health
	WHERE item IN ('receiving from', 'verification') ORDER BY item DESC, subject"

# What each server holds of Sabine's first month, and what it says about the hub
look_at_byte() {
	show_all 'server|SHA-256 of hashes|gas, mcf|recomputation|difference, in ledger.health' "SELECT
		(SELECT h.digest FROM ($held) AS h (packages, digest)),
		(SELECT l.quantity FROM ledger.package p CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l
		  WHERE p.issuer = 'sabine' AND p.kind = 'energy' AND p.seq = 0 AND l.source = 'NG'),
		(SELECT recomputation FROM ledger.certificate),
		coalesce((SELECT concat_ws(': ', state, detail) FROM ledger.health WHERE item = 'difference'), '-')"
}

title 'A superuser of the hub changes one byte there: the gas that Sabine burnt in January 2020'
at certifier run_sql network/tamper.sql
at_each "$others" ask 'CALL ecert.run_duties()'
look_at_byte
[ "$(printf '%s\n' "$on_each" | grep -c '|alarm: sabine energy ')" -eq 5 ] || die 'not every other server has seen it'
at certifier run_sql network/problems.sql
say 'And ecert-verify, which needs no server, of a dump of it:'
at certifier ask 'COPY ledger.package (package) TO STDOUT' | as_server "$home/tree/src/verifier/ecert-verify" --certifier-key "$home/certifier.pub.pem" &&
	die 'ecert-verify has not seen it'

title 'The byte is put back'
at certifier run_sql network/change_byte.sql
at_each "$others" ask 'CALL ecert.run_duties()'
look_at_byte
settle
