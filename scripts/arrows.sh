#!/bin/sh
# Check which way the folders of src/ point: each may include from itself and from those before it, src/core
# and src/crypto nothing of PostgreSQL's, and only src/crypto OpenSSL and libsodium. Prints TAP.
#
#   core <- crypto <- rules <- pg <- package <- registry <- ledger <- energy <- audit <- certificate
#   checkpoint on ledger and under certificate, replication on checkpoint, duty on certificate and replication,
#   verifier on core, crypto and rules;
#   src/module.c is above all
cd "$(dirname "$0")/../src" || exit 1

# Name the folders that a folder may include from
below() {
	case $1 in
		core) echo core ;;
		crypto) echo core crypto ;;
		rules) echo core crypto rules ;;
		pg) echo core crypto rules pg ;;
		package) echo "$(below pg)" package ;;
		registry) echo "$(below package)" registry ;;
		ledger) echo "$(below registry)" ledger ;;
		energy) echo "$(below ledger)" energy ;;
		audit) echo "$(below energy)" audit ;;
		certificate) echo "$(below audit)" checkpoint certificate ;;
		replication) echo "$(below checkpoint)" replication ;;
		duty) echo "$(below certificate)" replication duty ;;
		checkpoint) echo "$(below ledger)" checkpoint ;;
		verifier) echo core crypto rules verifier ;;
	esac
}

# Print "file: include" for every include of a folder that it may not have
wrong_includes() {
	folder=$1
	allowed=" $(below "$folder") "
	for file in "$folder"/*.[ch]; do
		[ -f "$file" ] || continue
		sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*\)[>"].*/\1/p' "$file" | while read -r include; do
			name=${include#?}
			while [ "${name#../}" != "$name" ]; do
				name=${name#../}
			done
			case $include in
				\"*)
					if [ -f "$name" ]; then
						case $allowed in
							*" ${name%%/*} "*) continue ;;
						esac
					elif [ -f "$folder/$name" ]; then
						continue
					elif [ "$folder" != core ] && [ "$folder" != crypto ] && [ "$folder" != rules ] && [ "$folder" != verifier ]; then
						continue        # PostgreSQL's
					fi
					;;
				'<openssl/'* | '<sodium'*)
					[ "$folder" != crypto ] || continue
					;;
				*)
					continue            # the C library's
					;;
			esac
			echo "$file: $name"
		done
	done
}

number=0
failed=0
for folder in */; do
	folder=${folder%/}
	number=$((number + 1))
	if [ -z "$(below "$folder")" ]; then
		echo "not ok $number - src/$folder is on the map"
		failed=1
		continue
	fi
	wrong=$(wrong_includes "$folder")
	if [ -n "$wrong" ]; then
		echo "not ok $number - src/$folder includes from $(below "$folder") only"
		printf '%s\n' "$wrong" | sed 's/^/# src\//'
		failed=1
	else
		echo "ok $number - src/$folder includes from $(below "$folder") only"
	fi
done
echo "1..$number"
exit $failed
