"""One machine's nginx: its file is read and put in place, its configuration tested and reloaded, its workers listed."""

import shlex
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from deploygate.adapters.balancers.upstream import UpstreamError
from deploygate.ways import Nginx, Ssh
from deploygate.wording import plain

_QUICK, _LONG = 10.0, 60.0  # seconds that a look may take, and a test with a reload
_ABSENT, _BAD, _NOT_RUNNING, _NO_RELOAD, _A_LINK = 44, 45, 46, 47, 48  # exit codes of the programs below

_READ = """
[ -L "$FILE" ] && exit 48
[ -e "$FILE" ] || exit 44
exec cat "$FILE"
"""

# The new file is written beside the old one, under a name that no `include *.conf` or `include *` takes in, and
# renamed; what nginx refuses is taken back. A connection that breaks must not stop this in the middle.
_PLACE = """
trap '' HUP PIPE
umask 022
case $FILE in */) exit 1 ;; esac
folder=${FILE%/*} name=${FILE##*/}
new=$folder/.$name.deploygate-new old=$folder/.$name.deploygate-old
rm -f "$new" "$old" || exit 1
there=
if [ -e "$FILE" ]; then
    there=yes
    cp -p "$FILE" "$old" && cp -p "$FILE" "$new" || exit 1
fi
printf '%s' "$CONTENT" >"$new" && mv -f "$new" "$FILE" || { rm -f "$new" "$old"; exit 1; }
eval "set -- $TEST"
if said=$("$@" 2>&1 </dev/null); then
    rm -f "$old"
    exit 0
fi
if [ "$there" ]; then mv -f "$old" "$FILE"; else rm -f "$FILE"; fi || {
    printf '%s\\n' "$said" "and the file could not be put back" >&2
    exit 1
}
printf '%s\\n' "$said" >&2
exit 45
"""

# The workers are the children of the master, and one that takes no more connections says so in its title; /proc is
# read by the shell itself, since ps is not everywhere.
_WORKERS = """
workers() {
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        number=${line%% *}
        set -- ${line##*) }
        [ "$2" = "$master" ] && [ "$1" != Z ] || continue
        case $(tr '\\0' ' ' <"/proc/$number/cmdline" 2>/dev/null) in
        *'shutting down'*) echo "$number leaving" ;;
        *) echo "$number" ;;
        esac
    done
    return 0
}
master=
[ -r "$PID_FILE" ] && read -r master <"$PID_FILE"
case $master in '' | *[!0-9]*) exit 46 ;; esac
[ -d "/proc/$master" ] || exit 46
workers
"""

_RELOAD = (
    _WORKERS
    + """
trap '' HUP PIPE
eval "set -- $RELOAD"
said=$("$@" 2>&1 </dev/null) && exit 0
printf '%s\\n' "$said" >&2
exit 47
"""
)


class Ran(Protocol):
    """What a program on a machine came to."""

    @property
    def code(self) -> int:
        """Its exit code."""

    @property
    def out(self) -> str:
        """What it printed."""

    @property
    def err(self) -> str:
        """What it complained of."""


class Shell(Protocol):
    """Runs POSIX shell on machines."""

    def run(self, host: str, ssh: Ssh | None, program: str, values: Mapping[str, str], limit: float) -> Ran:
        """Run a program, whose variables have these values to the letter; without `ssh` on this machine.

        Raises:
            OSError: The machine can't be reached, or it took too long; what it says names the machine.
            ValueError: A value can't be one of a shell.
        """


class Workers(NamedTuple):
    """The processes of an nginx: those that take connections, and those that only finish what they have."""

    taking: frozenset[int]
    leaving: frozenset[int]


class NginxHost:
    """The nginx on one machine. What can't be done is an `UpstreamError`, whose line names the machine."""

    def __init__(self, way: Nginx, shell: Shell, host: str) -> None:
        self._way = way
        self._shell = shell
        self._host = host

    def file(self) -> str | None:
        """Return the file's text, or None where there is none."""
        ran = self._run(_READ, {"FILE": self._way.file}, _QUICK)
        if ran.code == _ABSENT:
            return None
        if ran.code == _A_LINK:
            raise UpstreamError(self.says(f"{self._way.file} is a symbolic link, which writing would replace"))
        if ran.code != 0:
            raise UpstreamError(self.says(f"{self._way.file} can't be read: {_last(ran)}"))
        return ran.out

    def place(self, text: str) -> None:
        """Put a file in place that nginx finds sound; one that it does not is taken back."""
        values = {"FILE": self._way.file, "CONTENT": text, "TEST": shlex.join(self._way.test.words)}
        ran = self._run(_PLACE, values, _LONG)
        if ran.code == _BAD:
            raise UpstreamError(self.says(f"nginx refuses the configuration, which was taken back: {_blamed(ran.err)}"))
        if ran.code != 0:
            raise UpstreamError(self.says(f"{self._way.file} can't be written: {_last(ran)}"))

    def reload(self) -> Workers:
        """Have nginx read its configuration, and return the workers that it had before."""
        values = {"PID_FILE": self._way.pid_file, "RELOAD": shlex.join(self._way.reload.words)}
        ran = self._run(_RELOAD, values, _LONG)
        if ran.code == _NO_RELOAD:
            raise UpstreamError(self.says(f"nginx can't be reloaded: {_last(ran)}"))
        return self._listed(ran)

    def workers(self) -> Workers:
        """Return the processes that nginx's master has now."""
        return self._listed(self._run(_WORKERS, {"PID_FILE": self._way.pid_file}, _QUICK))

    def says(self, text: str) -> str:
        """Say something of this machine."""
        return f"{self._host}: {text}" if self._host else text

    def _listed(self, ran: Ran) -> Workers:
        if ran.code == _NOT_RUNNING:
            raise UpstreamError(self.says(f"nginx is not running: {self._way.pid_file} names no living process"))
        if ran.code != 0:
            raise UpstreamError(self.says(f"the workers of nginx can't be listed: {_last(ran)}"))
        words = [line.split() for line in ran.out.splitlines()]
        numbers = [(int(one[0]), one[1:]) for one in words if one and one[0].isdigit()]
        return Workers(
            frozenset(number for number, leaving in numbers if not leaving),
            frozenset(number for number, leaving in numbers if leaving),
        )

    def _run(self, program: str, values: Mapping[str, str], limit: float) -> Ran:
        try:
            return self._shell.run(self._host, self._way.ssh, program, values, limit)
        except (OSError, ValueError) as error:
            raise UpstreamError(plain(str(error))) from None


def _last(ran: Ran) -> str:
    lines = [line for line in ran.err.splitlines() if line.strip()]
    return plain(lines[-1]) if lines else f"exit code {ran.code}"


def _blamed(err: str) -> str:
    """Return the line in which nginx says what is wrong; its last one only says that something is."""
    lines = [line for line in err.splitlines() if line.strip()]
    bad = [line for line in lines if "[emerg]" in line or "[alert]" in line or "[crit]" in line]
    return plain((bad or lines or ["it says nothing"])[-1])
