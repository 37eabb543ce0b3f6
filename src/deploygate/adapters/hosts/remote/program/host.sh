# shellcheck shell=dash disable=SC2015,SC2034,SC2119,SC2120,SC2154
# What deploygate runs on a host: functions for POSIX shells such as dash and busybox. The text never changes;
# versions, names and paths come as variables only. Each call runs in a subshell of its own, so that `exit` ends
# the call alone. What is to be told stands on standard output; the exit code is 0, or 1 for a trouble.

fail() {
    printf '%s\n' "$*"
    exit 1
}

needs() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null 2>&1 || fail "$called has no $tool, which deploygate needs there"
    done
    [ -r /proc/self/stat ] || fail "$called has no /proc, which deploygate needs there"
}

# Time: hundredths of a second of the host's own uptime, which no clock can set.

clock() {
    IFS=' ' read -r up _ </proc/uptime
    now=$((1${up#*.} - 100 + ${up%.*} * 100))
}

nap() {
    sleep "$1" 2>/dev/null || sleep 1
}

# Processes: the boot, the number and the start tell one from any other. All of this is without a fork.

alive() {
    case $1 in '' | *[!0-9]*) return 1 ;; esac
    { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    # shellcheck disable=SC2086 # numbers, after the name in parentheses
    set -- ${stat##*) }
    case $1 in Z | X | x) return 1 ;; esac
    pgrp=$3 start=${20}
}

carries() {
    tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | grep -qxF "DEPLOYGATE_PIDFILE=$pidfile"
}

# Records: what was started last on an instance, and which process that is.

folders() {
    here=$root/.deploygate
    mine=$here/instances/$instance
    pidfile=$mine/pid
    IFS= read -r boot </proc/sys/kernel/random/boot_id
    IFS= read -r itself </proc/sys/kernel/hostname
    case $itself in '' | */*) itself=unnamed ;; esac
    lease=$here/lease-$itself lock=$here/lock-$itself
}

recorded() {
    current='' previous='' logged=0
    { {
        IFS= read -r current && IFS= read -r previous && IFS= read -r logged
    } <"$mine/current"; } 2>/dev/null
}

owned() {
    pid='' lives='' who=''
    if { IFS= read -r noted <"$mine/identity"; } 2>/dev/null; then
        pid=${noted#*:}
        pid=${pid%%:*}
    else
        noted=''
        { IFS= read -r pid <"$pidfile"; } 2>/dev/null || return 0
    fi
    alive "$pid" || return 0
    who=$boot:$pid:$start
    if [ "$who" = "$noted" ] || carries "$pid"; then lives=yes; else who=''; fi
}

# Locks: descriptor 9 is the lease of this host, held shared during a change; 8 is one instance. Hosts may share a
# disk, and each has a lease and a lock of its own there: an uptime and a boot are one host's. Over NFS a shared lock
# needs a descriptor that can be read.

# at_most TIME: all that is waited for from now on, together, is waited for until then.
at_most() {
    clock
    end=$((now + $1))
}

hold() {
    until flock -n "$2" "$1"; do
        clock
        [ "$now" -lt "$end" ] || return 1
        nap 0.02
    done
}

open_lease() {
    { [ -d "$here" ] || mkdir -p "$here"; } 2>/dev/null && true >>"$lock" 2>/dev/null || fail "$here can't be written on $called"
    exec 9<>"$lock"
}

lease() {
    l_run='' l_rank='' l_since='' l_up=''
    { IFS=' ' read -r l_run l_rank l_gate l_process l_since l_lasts l_boot l_up <"$lease"; } 2>/dev/null || l_up=''
    [ -n "$l_up" ]
}

ours() {
    lease && [ "$l_run" = "$run" ]
}

# How long a lease has yet, in hundredths of a second. One from before the last boot counts from that boot on.
left() {
    clock
    [ "$l_boot" = "$boot" ] || l_up=0
    left=$((l_lasts * 100 - (now - l_up)))
}

# Whether this run may have the lease: nobody's, its own, of a run that is over or outranked, or out of time.
free() {
    lease || return 0
    [ "$l_run" != "$run" ] || return 0
    case " $over " in *" $l_run "*) return 0 ;; esac
    [ "$rank" != rollback ] || [ "$l_rank" = rollback ] || return 0
    [ "$l_lasts" -gt 0 ] || return 1
    left
    [ "$left" -lt 0 ]
}

# Who holds the lease, and for how many seconds yet, where that ends at all.
refused() {
    if [ "$l_lasts" -gt 0 ]; then
        left
        l_lasts=$((left > 0 ? left / 100 + 1 : 1))
    fi
    printf '%s\n' "$l_run $l_rank $l_gate $l_process $l_since $l_lasts"
    exit 3
}

# from_now RUN RANK GATE PROCESS SINCE LASTS: writes a lease whose time begins now, in one step.
from_now() {
    clock
    if ! printf '%s\n' "$* $boot $now" 2>/dev/null >"$here/.lease-$itself.$$" ||
        ! mv -f "$here/.lease-$itself.$$" "$lease"; then
        rm -f "$here/.lease-$itself.$$"
        return 1
    fi
}

# What the run of a lease does on the host makes its time begin anew, once a tenth of it is over; under the lock, so
# that no other run's lease is written over. Where the disk is full the lease stays as it was.
aged() {
    left
    [ "$l_lasts" -gt 0 ] && [ "$left" -lt $((l_lasts * 90)) ]
}

renew() {
    aged || return 0
    from_now "$l_run" "$l_rank" "$l_gate" "$l_process" "$l_since" "$l_lasts"
}

renewed() {
    if ! ours || ! aged || ! true >>"$lock"; then return 0; fi 2>/dev/null
    exec 9<>"$lock"
    at_most 200
    if hold 9 -s && ours; then renew; fi
    exec 9>&-
}

# A lease that is taken from another run, by rank or since its time is over, is told.
take() {
    free || refused
    if lease && [ "$l_run" != "$run" ]; then printf '%s\n' "$l_run $l_rank $l_gate $l_process $l_since $l_lasts"; fi
    from_now "$run" "$rank" "$gate" "$process" "$since" "$lasts" || fail "the lease of $called can't be written"
}

dg_claim() {
    needs flock mkdir mv rm sleep
    folders
    open_lease
    at_most "$patience"
    if ! hold 9 -x; then
        lease || fail "the lease of $called is busy"
        refused
    fi
    take
}

dg_leave() {
    folders
    [ -e "$lease" ] || exit 0
    open_lease
    at_most "$patience"
    hold 9 -x || exit 0
    if ours; then rm -f "$lease"; fi
}

# Commands: words that the gate has quoted, with their values in the environment.

exported() {
    export DEPLOYGATE_SERVICE DEPLOYGATE_INSTANCE DEPLOYGATE_ENVIRONMENT DEPLOYGATE_VERSION DEPLOYGATE_RELEASE \
        DEPLOYGATE_ROOT DEPLOYGATE_ADDRESS DEPLOYGATE_HOST DEPLOYGATE_PORT DEPLOYGATE_MACHINE
    if [ -r "$here/secrets/$DEPLOYGATE_VERSION" ]; then
        DEPLOYGATE_SECRETS=$here/secrets/$DEPLOYGATE_VERSION
        export DEPLOYGATE_SECRETS
    fi
}

as() {
    DEPLOYGATE_VERSION=$1 DEPLOYGATE_RELEASE=$root/$1
}

# bounded TIME LOG WORDS...: runs a command in a session of its own, and kills all of it when its time is over. What
# can't be killed, as with sudo, is left to end by itself.
bounded() {
    clock
    until=$((now + $1)) said=$2 overran='' step=0.005
    shift 2
    (
        exported
        [ ! -d "$DEPLOYGATE_RELEASE" ] || cd "$DEPLOYGATE_RELEASE" || exit 126
        exec setsid "$@"
    ) </dev/null >>"$said" 2>&1 8>&- 9>&- &
    job=$!
    while alive "$job"; do
        clock
        if [ "$now" -ge "$until" ]; then
            overran=yes
            kill -s KILL -- "-$job" 2>/dev/null || kill -s KILL "$job" 2>/dev/null || return 1
            break
        fi
        nap "$step"
        step=0.02
    done
    wait "$job"
    code=$?
    [ -z "$overran" ] && [ "$code" = 0 ]
}

# A log may have bytes that are no text, of which grep would only say that they are there.
last_lines() {
    tail -c +$(($2 + 1)) "$1" 2>/dev/null | tail -c 2048 | LC_ALL=C sed -e '/^[[:space:]]*$/d' | tail -n 2
}
