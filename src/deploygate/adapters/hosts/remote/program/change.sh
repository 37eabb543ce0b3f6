# shellcheck shell=dash disable=SC2015,SC2016,SC2034,SC2119,SC2120,SC2154
# A change on a host: stop what runs on an instance, and start something else, under the lease of the run.

# A run that had claimed this host and does not hold it any more is over. Where nobody holds it, a rollback is told
# so for this host alone, and does what it can elsewhere.
fenced() {
    if lease; then
        printf '%s\n' "$l_rank run $l_run"
        printf '%s\n' "the lease of $called is held by $l_rank run $l_run since $l_since; nothing was changed there"
        exit 6
    fi
    why="the lease of $called is not held by run $run any more; nothing was changed there"
    [ "$rank" = deploy ] || fail "$why"
    printf 'another run, which is over already,\n%s\n' "$why"
    exit 6
}

# The lease is held by this run, and shared until the end of the change: a claim waits for it. A run that could
# not be here when it claimed its hosts (`claiming`) claims this one now.
leased() {
    open_lease
    hold 9 -s || fail "the lease of $called is busy"
    if ours; then
        renew
        return 0
    fi
    [ -n "$claiming" ] || fenced
    hold 9 -x || fail "the lease of $called is busy"
    if free; then
        take >/dev/null
        # The one lock does not become the other in one step: another run may have claimed the host in between.
        hold 9 -s || fail "the lease of $called is busy"
        ours || fenced
        return 0
    fi
    lease || fail "the lease of $called is not held by run $run any more; nothing was changed there"
    fail "the lease of $called is held by $l_rank run $l_run since $l_since; nothing was changed there"
}

# gone PID START TIME: whether a process is gone by then.
gone() {
    clock
    end=$((now + $3)) step=0.002
    while alive "$1" && [ "$start" = "$2" ]; do
        clock
        [ "$now" -lt "$end" ] || return 1
        nap "$step"
        step=0.01
    done
}

# ended PID TIME ASK: stops a process and its group; SIGKILL when the time is over.
ended() {
    alive "$1" || return 0
    group=$pgrp begun=$start
    [ -z "$3" ] || kill -s TERM -- "-$group" 2>/dev/null
    if ! gone "$1" "$begun" "$2"; then
        kill -s KILL -- "-$group" 2>/dev/null
        gone "$1" "$begun" 500 || fail "pid $1 does not die on $called"
    fi
    kill -s KILL -- "-$group" 2>/dev/null
    return 0
}

# Written down before a process is asked to stop, until what was started last is written: if the change breaks off
# in between, the process may still go, and nobody who finds it alive may trust it to stay.
asked_to_stop() {
    if ! printf '%s\n' "$run" 2>/dev/null >"$mine/stopping"; then
        rm -f "$mine/stopping"
        fail "$mine can't be written on $called: is its disk full? nothing was changed there"
    fi
}

stop_own() {
    asked_to_stop
    if [ -z "$stop_words" ] || [ -z "$running" ]; then
        ended "$pid" "$grace" ask
        return
    fi
    as "$running"
    DEPLOYGATE_PID=$pid
    export DEPLOYGATE_PID
    clock
    began=$now ask=ask log=$mine/$running.log
    eval "set -- $stop_words"
    bounded "$grace" "$log" "$@" && ask=''
    [ -z "$overran" ] || printf 'deploygate: the stop command did not end within its grace\n' >>"$log"
    clock
    left=$((grace - (now - began)))
    [ "$left" -gt 0 ] || left=0
    ended "$pid" "$left" "$ask"
}

# What a supervisor runs may be another user's, so it is killed by the supervisor's own command, where there is one.
# If that is not possible, the second stop has to do.
kill_supervised() {
    if [ -z "$kill_words" ]; then
        kill -s KILL "$pid" 2>/dev/null || return
    else
        eval "set -- $kill_words"
        bounded 500 "$log" "$@" || return
    fi
    gone "$pid" "$begun" 500
}

# A supervisor is asked first; what does not go within its grace is killed, and then it is asked again, so that
# it does not bring it back.
stop_supervised() {
    [ -n "$running" ] && [ -n "$stop_words" ] || return 0
    as "$running"
    [ -n "$lives" ] || asked
    [ -z "$lives" ] || asked_to_stop
    begun=$start log=$mine/$running.log
    eval "set -- $stop_words"
    clock
    limit=$((now + grace))
    if bounded "$grace" "$log" "$@"; then
        [ -n "$lives" ] || return 0
        clock
        left=$((limit - now))
        [ "$left" -gt 0 ] || left=0
        if gone "$pid" "$begun" "$left"; then return 0; fi
    elif [ -z "$lives" ] && [ -z "$overran" ]; then
        fail "the stop command of $running ended with $code on $called: $(last_lines "$log" 0 | tr '\n' ' ')"
    fi
    if [ -n "$lives" ] && alive "$pid" && [ "$start" = "$begun" ]; then kill_supervised; fi
    stopped=yes
    bounded 1000 "$log" "$@" || stopped=''
    if [ -n "$lives" ] && ! gone "$pid" "$begun" 100; then
        fail "pid $pid does not die on $called: $(last_lines "$log" 0 | tr '\n' ' ')"
    fi
    [ -z "$stopped" ] || return 0
    why="ended with $code"
    [ -z "$overran" ] || why="did not end within 10 s, when what it stops was killed already"
    fail "the stop command of $running $why on $called: $(last_lines "$log" 0 | tr '\n' ' ')"
}

# What a gone process left behind, or one that still listens, is known by its environment.
end_left_over() {
    if [ -z "$1" ] && ! listening; then
        vacant=yes
        return 0
    fi
    # shellcheck disable=SC2013 # paths of /proc have no space
    for one in $(grep -lzxF "DEPLOYGATE_PIDFILE=$pidfile" /proc/[0-9]*/environ 2>/dev/null); do
        one=${one#/proc/}
        one=${one%/environ}
        if carries "$one"; then ended "$one" "$grace" ask; fi
    done
}

written() {
    printf '%s\n' "$start_version" "$before" "$logged" "$run" "$at" >"$mine/.current.$$" 2>/dev/null &&
        mv -f "$mine/.current.$$" "$mine/current" || fail "$mine can't be written on $called: is its disk full?"
    true >"$mine/stopping"
}

# Until a process has written its number there is none. A file is emptied without a program, and what stands between
# the end of one process and the start of the next is time without either.
nobody() {
    true >"$mine/identity"
    true >"$pidfile"
}

# Whether setsid can go to the background by itself, which leaves no signal ignored; busybox's may not.
forks() {
    fork=-f
    setsid -f true </dev/null >/dev/null 2>&1 8>&- 9>&- || fork=''
}

# The last thread of a process may hold its port for a moment after the process itself is gone.
still_held() {
    at_most 200
    while listening; do
        clock
        if [ "$now" -ge "$end" ]; then
            holder
            return
        fi
        nap 0.01
    done
    return 1
}

start_own() {
    if [ -z "$vacant" ] && still_held; then
        fail "port $DEPLOYGATE_PORT of $called is held by $by, which deploygate did not start"
    fi
    nobody
    eval "set -- $start_words"
    set -- /bin/sh -c 'echo "$$" >"$DEPLOYGATE_PIDFILE" && exec "$@"' deploygate "$@"
    (
        exported
        DEPLOYGATE_PIDFILE=$pidfile
        export DEPLOYGATE_PIDFILE
        if [ -n "$DEPLOYGATE_SECRETS" ]; then
            set -a
            # shellcheck disable=SC1090 # written by deploygate, each value quoted
            . "$DEPLOYGATE_SECRETS"
            set +a
        fi
        cd "$DEPLOYGATE_RELEASE" || exit 1
        if [ -n "$fork" ]; then exec setsid -f "$@"; fi
        setsid "$@" &
    ) </dev/null >>"$log" 2>&1 8>&- 9>&-
    clock
    end=$((now + 500)) pid=''
    until { IFS= read -r pid <"$pidfile"; } 2>/dev/null; do
        clock
        [ "$now" -lt "$end" ] || fail "$start_version did not start on $called: $(last_lines "$log" "$logged" | tr '\n' ' ')"
        nap 0.002
    done
    alive "$pid" || start=gone
    printf '%s\n' "$boot:$pid:$start" >"$mine/identity"
}

start_supervised() {
    nobody
    eval "set -- $start_words"
    if ! bounded "$start_limit" "$log" "$@"; then
        why="ended with $code"
        [ -z "$overran" ] || why="did not end within $((start_limit / 100)) s"
        fail "the start command of $start_version $why on $called: $(last_lines "$log" "$logged" | tr '\n' ' ')"
    fi
    clock
    end=$((now + 200)) pid_words=$start_pid_words
    asked
    while [ -z "$lives" ]; do
        clock
        [ "$now" -lt "$end" ] || return 0
        nap 0.05
        asked
    done
    printf '%s\n' "$who" >"$mine/identity"
}

dg_leased() {
    folders
    ours || fenced
    renewed
}

dg_switch() {
    needs flock setsid mkdir mv rm sleep grep sed tr
    folders
    at_most "$patience"
    leased
    { [ -d "$mine" ] || mkdir -p "$mine"; } 2>/dev/null || fail "$mine can't be written on $called"
    exec 8>>"$mine/lock"
    hold 8 -x || fail "another gate is busy with $instance on $called"
    known=yes
    recorded || known=''
    owned
    if [ -z "$lives" ] && [ -n "$supervised" ] && [ -n "$current" ]; then
        as "$current"
        asked
    fi
    if [ -n "$keep" ] && [ -n "$lives" ] && [ "$current" = "$start_version" ] && [ ! -s "$mine/stopping" ]; then
        exit 0
    fi
    if [ "$current" != "$expected" ]; then
        printf '%s was changed by somebody else just now, to %s\n' "$instance on $called" "${current:-nothing}"
        exit 5
    fi
    [ -z "$start_version" ] || installed "$start_version"
    [ -n "$supervised" ] || [ -z "$start_version" ] || forks
    running=${current:-$stop_version} before=${current:-$stop_version} orphans='' vacant=''
    if [ -n "$supervised" ]; then
        stop_supervised
    elif [ -n "$lives" ]; then
        stop_own
    elif [ -n "$pid" ]; then
        orphans=yes
    fi
    [ -n "$supervised" ] || end_left_over "$orphans"
    if [ -n "$known" ] && [ -z "$current" ]; then before=''; fi
    [ "$before" != "$start_version" ] || before=$previous
    log=$mine/$start_version.log logged=0
    if [ -n "$start_version" ] && [ -s "$log" ]; then logged=$(($(wc -c <"$log"))); fi
    written
    [ -n "$start_version" ] || exit 0
    as "$start_version"
    if [ -n "$supervised" ]; then start_supervised; else start_own; fi
}
