#!/usr/bin/env bash
# bash + curl behind HAProxy: each instance is drained before it is stopped, and put back when it has passed.
set -eu
# shellcheck source=bench/rolls/steps.sh
. "$BENCH_ROLLS/steps.sh"

order() { # COMMAND
    exec 3<>"/dev/tcp/127.0.0.1/$BENCH_HAPROXY"
    printf '%s\n' "$1" >&3
    said=$(cat <&3)
    exec 3>&-
}

column() { # NUMBER, of a line of `show stat`
    printf '%s\n' "$said" | grep "^bench,$name," | cut -d, -f"$1"
}

while read -r name host port; do
    order "set server bench/$name state drain"
    while
        sleep 0.01
        order "show stat"
        [ "$(column 5)" != 0 ]
    do :; done
    restart "$name" "$host" "$port"
    verify "$host" "$port"
    order "set server bench/$name state ready"
    while
        order "show stat"
        [ "$(column 18)" != UP ]
    do sleep 0.01; done
done <"$BENCH_ROOT/fleet.tsv"
