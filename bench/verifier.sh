#!/bin/sh
# How fast ecert-verify checks a ledger, beside the bare verification of the same signatures: builds what it
# needs below build/, makes a ledger, measures, prints. Needs no PostgreSQL.
#
# Each round measures every figure once, so that all of them see the same moods of the machine. Where other
# programs are busy too, the best of each tells more than the median; CPU is the least that a package took.
#
# Set by the environment:
#   PACKAGES=100000   energy and product packages on the ledger, of 100 plants
#   REPEATS=5         how often each figure is measured, one after the other in turn
#   MIXED=            not empty: every third plant has an ES256 key, every fourth an SM2 key
set -u
export LC_ALL=C LANG=C.UTF-8
project=$(cd "$(dirname "$0")/.." && pwd -P)

if ! make -s -C "$project/bench" || ! make -s -C "$project/test/verifier" all; then
	echo 'the build failed' >&2
	exit 1
fi
exec perl "$project/bench/verifier.pl"
