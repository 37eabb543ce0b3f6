# shellcheck shell=bash
# The start, the stop and the rule, for every contestant that goes through a shell.

restart() { # NAME HOST PORT
    read -r pid <"$BENCH_ROOT/run/$1.pid" || [ -n "$pid" ]
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.002; done
    {
        cd "$BENCH_ROOT/$BENCH_VERSION" &&
            exec setsid "$BENCH_PYTHON" -I -S service.py --host "$2" --port "$3" --instance "$1"
    } </dev/null >/dev/null 2>&1 &
}

verify() { # HOST PORT
    tries=0
    until curl -fs -o /dev/null "http://$1:$2/health"; do
        tries=$((tries + 1))
        [ "$tries" -lt 500 ] || return 1
    done
    [ "$(curl -fs "http://$1:$2/version")" = "{\"version\": \"$BENCH_VERSION\"}" ]
}
