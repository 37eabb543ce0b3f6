#!/bin/sh
# A supervisor of a unit for each instance and version: it starts, stops and names a process, and brings back one that
# dies by itself. Each start has a number, so that an earlier one that has not seen its end yet brings nothing back.
unit=$DEPLOYGATE_ROOT/unit-$DEPLOYGATE_INSTANCE-$2
case $1 in
run)
    while [ "$(cat "$unit.on" 2>/dev/null)" = "$3" ]; do
        "$DEPLOYGATE_ROOT/$2/run" "$DEPLOYGATE_HOST" "$DEPLOYGATE_PORT" &
        echo "$!" >"$unit.pid"
        wait "$!"
        sleep 0.05
    done
    ;;
start)
    rm -f "$unit.pid"
    echo "$$" >"$unit.on"
    setsid "$0" run "$2" "$$" </dev/null >/dev/null 2>&1 &
    while [ ! -s "$unit.pid" ]; do sleep 0.01; done
    ;;
stop)
    rm -f "$unit.on"
    pid=$(cat "$unit.pid" 2>/dev/null) || exit 0
    kill "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
    rm -f "$unit.pid"
    ;;
pid) cat "$unit.pid" 2>/dev/null ;;
esac
