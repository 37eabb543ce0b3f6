#!/usr/bin/env bash
# bash + ssh + curl: one command a host, over a connection of its own, since no host is needed twice.
set -eu
# shellcheck source=bench/rolls/steps.sh
. "$BENCH_ROLLS/steps.sh"
while read -r name host port; do
    ssh -n -F "$BENCH_SSH_CONFIG" "$host" "$BENCH_THERE && restart $name $host $port"
    verify "$host" "$port"
done <"$BENCH_ROOT/fleet.tsv"
