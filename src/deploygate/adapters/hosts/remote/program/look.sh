# shellcheck shell=dash disable=SC2034,SC2119,SC2120,SC2154
# What runs on an instance, as its host knows it.

# Who listens at the instance's port: `port_hex` in hexadecimal, `addresses` as /proc has them. The kernel lists
# those that listen (0A) first, so that nobody has to read on through tens of thousands of connections.

listeners() {
    sed -n -e 1d -e '/ 0A /!q' -e "/[0-9A-F]:$port_hex 0*:0000 0A /p" "$1" 2>/dev/null
}

listening() {
    socket=''
    found=$(
        listeners /proc/net/tcp
        listeners /proc/net/tcp6
    )
    [ -n "$found" ] || return 1
    while IFS=' ' read -r _ at _ _ _ _ _ _ _ inode _; do
        case " $addresses " in *" ${at%:*} "*)
            socket=$inode
            return 0
            ;;
        esac
    done <<EOF
$found
EOF
    return 1
}

holder() {
    by=''
    listening || return 1
    by="a process that can't be seen"
    list=$(ls -l /proc/[0-9]*/fd 2>/dev/null)
    while IFS= read -r line; do
        case $line in
        /proc/*:)
            number=${line#/proc/}
            number=${number%%/*}
            ;;
        *"socket:[$socket]")
            by="pid $number ($(tr '\0' ' ' <"/proc/$number/cmdline" 2>/dev/null | head -c 60))"
            break
            ;;
        esac
    done <<EOF
$list
EOF
}

# What runs: `alive`, `gone` or `stopped`; the version; the process; and how it ended, in lines.

dg_process() {
    folders
    recorded || exit 4
    owned
    if [ -z "$lives" ] && [ -n "$pid_words" ] && [ -n "$current" ]; then
        as "$current"
        asked
    fi
    if [ -n "$lives" ]; then
        printf 'alive\n%s\n%s\n' "$current" "$who"
        exit 0
    fi
    if [ -z "$current" ]; then
        printf 'stopped\n'
        exit 0
    fi
    printf 'gone\n%s\n\n' "$current"
    [ -z "$brief" ] || exit 0
    holder
    printf '%s\n' "$by"
    last_lines "$mine/$current.log" "$logged"
}

# asked: asks the supervisor which process it runs. One that hangs is not waited for, and nothing that it leaves
# behind may hold the locks.
asked() {
    lives='' who=''
    pid=$(
        exported
        eval "set -- $pid_words"
        answered 300 "$@" | head -n 1
    )
    if [ "${pid:-0}" != 0 ] && alive "$pid"; then
        who=$boot:$pid:$start
        lives=yes
    fi
}

# answered TIME WORDS...: what a command prints until its time is over.
answered() {
    clock
    until=$((now + $1)) step=0.005
    shift
    setsid "$@" 2>/dev/null </dev/null 8>&- 9>&- &
    job=$!
    while alive "$job"; do
        clock
        if [ "$now" -ge "$until" ]; then
            kill -s KILL -- "-$job" 2>/dev/null || kill -s KILL "$job" 2>/dev/null
            return
        fi
        nap "$step"
        step=0.02
    done
}

dg_current() {
    folders
    recorded || exit 4
    printf '%s\n%s\n' "$current" "$previous"
}
