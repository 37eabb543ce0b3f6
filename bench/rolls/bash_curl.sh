#!/usr/bin/env bash
# bash + curl: the loop that everybody has written once.
set -eu
# shellcheck source=bench/rolls/steps.sh
. "$BENCH_ROLLS/steps.sh"
while read -r name host port; do
    restart "$name" "$host" "$port"
    verify "$host" "$port"
done <"$BENCH_ROOT/fleet.tsv"
