"""A Docker engine, the machine's or one for the tests alone, and a base image that is made without a registry."""

import hashlib
import platform
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploygate.adapters.files import exclusive

from .parts import CACHE, as_root, found

FUSE = 60.0  # seconds that the engine may take to come and to go
MAKING = 600.0  # seconds that the base image may take, with all that it downloads
OWN_KEYS = "[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n"
IMAGE = "deploygate-systemd-host"
LABEL = f"deploygate-e2e={CACHE}"  # what is made here, and by no other checkout
RECIPE = (
    "--mode=root",
    "--variant=apt",
    "--include=systemd,systemd-sysv,openssh-server,rsync,sudo",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    # Every host makes keys of its own, when it starts.
    '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_*',
    '--customize-hook=mkdir "$1/etc/systemd/system/ssh.service.d"',
    f'--customize-hook=printf %s "{OWN_KEYS}" >"$1/etc/systemd/system/ssh.service.d/keys.conf"',
    # A user who may do no more than a deployment needs.
    '--customize-hook=chroot "$1" useradd --create-home --shell /bin/sh deploy',
    '--customize-hook=echo "deploy ALL=(root) NOPASSWD: /usr/bin/systemctl" >"$1/etc/sudoers.d/deploy"',
    '--customize-hook=chroot "$1" systemctl --quiet mask systemd-udevd.service systemd-logind.service getty.target',
)


class UnobtainableError(Exception):
    """Something that the tests need can't be had on this machine; one line that says why."""


def docker(*words: str, give: str = "", patience: float = FUSE) -> str:
    """Run the docker client, and return what it prints.

    Raises:
        UnobtainableError: It failed, or took too long.
    """
    root = as_root()
    command = [*(root or ()), found("docker"), *words]
    try:
        done = subprocess.run(command, input=give, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        raise UnobtainableError(f"docker {words[0]} did not end within {patience:g} s") from None
    if done.returncode:
        raise UnobtainableError(f"docker {words[0]}: {_last_line(done.stderr) or f'ended with {done.returncode}'}")
    return done.stdout.strip()


@contextmanager
def engine() -> Iterator[None]:
    """Have an engine: the one that runs, else one of our own, that ends with the block.

    Raises:
        UnobtainableError: There is none, and none can be started.
    """
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(CACHE / "engine.lock", patience=MAKING))
        except TimeoutError:
            raise UnobtainableError(f"another run has had the engine for more than {MAKING:g} s") from None
        own = None if _answers() else _started()
        try:
            _tidy()
            yield
        finally:
            _tidy()
            if own is not None:
                _stop(own)


def base_image() -> str:
    """Return the tag of the image of a host, and make it where the engine has none of this recipe.

    Raises:
        UnobtainableError: It can't be made.
    """
    release = platform.freedesktop_os_release()
    suite = release.get("VERSION_CODENAME", "")
    words = (*RECIPE, suite)
    tag = f"{IMAGE}:{hashlib.sha256(repr(words).encode()).hexdigest()[:12]}"
    if docker("images", "--quiet", tag):
        return tag
    for old in docker("images", "--quiet", IMAGE).split():
        docker("rmi", old)
    root = as_root()
    if root is None:
        raise UnobtainableError("making the image of a host needs root, or sudo without a password")
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        tree = Path(folder) / "host.tar"
        # A session of its own: where it breaks off, it hangs up its whole process group.
        _made([*root, "setsid", "-w", found("mmdebstrap"), "--quiet", *RECIPE, suite, str(tree), *_sources(suite)])
        docker("import", str(tree), tag, patience=MAKING)
    return tag


def _tidy() -> None:
    """Remove the containers and networks of this checkout, also those of a run that was killed."""
    for container in docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}").split():
        docker("rm", "--force", "--volumes", container)
    for network in docker("network", "ls", "--quiet", "--filter", f"label={LABEL}").split():
        docker("network", "rm", network)


def _sources(suite: str) -> list[str]:
    """Return this machine's own lists of Debian's packages: whence it is fed, its containers are."""
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    lists = [path for path in places if path.suffix in {".list", ".sources"} and path.is_file()]
    fitting = [str(path) for path in lists if _feeds(path.read_text(errors="replace"), suite)]
    if not suite or not fitting:
        raise UnobtainableError("no list of packages in /etc/apt names this machine's own release")
    return fitting


def _feeds(text: str, suite: str) -> bool:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return all(re.search(rf"\b{re.escape(word)}\b", "\n".join(lines)) for word in (suite, "main"))


def _made(words: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            words, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=MAKING, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnobtainableError(f"mmdebstrap did not end within {MAKING:g} s") from None
    if done.returncode:
        raise UnobtainableError(f"mmdebstrap: {_last_line(done.stderr)}")


def _answers() -> str:
    try:
        return docker("version", "--format", "{{.Server.Version}}")
    except UnobtainableError:
        return ""


def _started() -> "subprocess.Popen[bytes]":
    root = as_root()
    if root is None:
        raise UnobtainableError("no Docker engine runs, and starting one needs root, or sudo without a password")
    words = [*root, "setpriv", "--pdeathsig", "TERM", "--", found("dockerd")]  # it does not outlive us
    said = CACHE / "dockerd.log"
    end = time.monotonic() + FUSE
    while True:
        with said.open("wb") as log:
            own = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if _comes(own, end):
            return own
        why = _last_line(said.read_text())
        if "pid file found" not in why or time.monotonic() > end:
            raise UnobtainableError(f"dockerd does not start: {why}")
        time.sleep(0.5)  # the engine of a run that was killed is about to end


def _comes(own: "subprocess.Popen[bytes]", end: float) -> bool:
    while own.poll() is None:
        if _answers():
            return True
        if time.monotonic() > end:
            _stop(own)
            raise UnobtainableError(f"dockerd does not answer within {FUSE:g} s")
        time.sleep(0.1)
    return False


def _stop(own: "subprocess.Popen[bytes]") -> None:
    for signal in ("TERM", "KILL"):
        words = [*(as_root() or ()), "kill", f"-{signal}", str(own.pid)]  # it may be root's, and we not
        subprocess.run(words, capture_output=True, timeout=FUSE, check=False)
        try:
            own.wait(FUSE)
        except subprocess.TimeoutExpired:
            continue
        return


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
