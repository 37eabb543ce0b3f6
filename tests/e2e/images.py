"""Base images that are made of this machine's own package lists, so that no registry is asked."""

import hashlib
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploygate.adapters.files import exclusive

from .engine import MAKING, UnobtainableError, docker, last_line
from .machine import TRUST, apt_settings, lists, pip_settings, trusted
from .parts import CACHE, as_root, found

OWN_KEYS = "[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n"
SLIM = (
    "--mode=root",
    "--variant=apt",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
)
HOST = (
    *SLIM,
    "--include=systemd,systemd-sysv,openssh-server,rsync,sudo",
    # Every host makes keys of its own, when it starts.
    '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_*',
    '--customize-hook=mkdir "$1/etc/systemd/system/ssh.service.d"',
    f'--customize-hook=printf %s "{OWN_KEYS}" >"$1/etc/systemd/system/ssh.service.d/keys.conf"',
    # A user who may do no more than a deployment needs.
    '--customize-hook=chroot "$1" useradd --create-home --shell /bin/sh deploy',
    '--customize-hook=echo "deploy ALL=(root) NOPASSWD: /usr/bin/systemctl" >"$1/etc/sudoers.d/deploy"',
    '--customize-hook=chroot "$1" systemctl --quiet mask systemd-udevd.service systemd-logind.service getty.target',
)
PYTHON = (
    *SLIM,
    "--include=python3,python3-pip,python3-venv,ca-certificates",
    # It is to be used as Python's own image is: pip installs where it likes, and Python is below /usr/local.
    '--customize-hook=rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
    '--customize-hook=ln -s /usr/bin/python3 "$1/usr/local/bin/python3"',
    '--customize-hook=ln -s python3 "$1/usr/local/bin/python"',
)
DEBIANS = {"python:3.11-slim": "bookworm", "python:3.13-slim": "trixie"}  # which release brings that Python
STAND_IN = "deploygate-stand-in"
_OURS = f"label={STAND_IN}"
_LOCK = Path(tempfile.gettempdir()) / f"{STAND_IN}-{os.getuid()}.lock"
KEPT = "12h"  # how long layers built on the stand-in are kept, for the next run
_TRUSTING = f'Acquire::https::CAInfo "{TRUST}";\n'


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of: mmdebstrap's words, the lists of packages, and files that it gets, by where they go."""

    name: str
    suite: str
    words: tuple[str, ...]
    lists: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    apt: str = ""

    @property
    def tag(self) -> str:
        """The image's name, which is another one as soon as anything in it is."""
        return f"{self.name}:{hashlib.sha256(repr(self).encode()).hexdigest()[:12]}"


def host_image() -> str:
    """Return the tag of the image of a host with systemd, and make it where the engine has none of this recipe.

    Raises:
        UnobtainableError: It can't be made.
    """
    own = _codename()
    return _image(Recipe("deploygate-systemd-host", own, HOST, lists(own, own)))


@contextmanager
def python_image(tag: str) -> Iterator[None]:
    """Have an image under the tag of one of Python's own, `python:3.13-slim`: the engine's, or one that stands in.

    What this machine needs to reach packages is in the stand-in, so the Dockerfile that begins with it has none of it.
    The tag is taken off again: whoever else means Python's own image by it is not to get this one.

    Raises:
        UnobtainableError: It is not there, and can't be made.
    """
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(_LOCK, patience=MAKING))
        except TimeoutError:
            raise UnobtainableError(f"another run has had the image {tag} for more than {MAKING:g} s") from None
        theirs = docker("images", "--quiet", tag) and not docker("images", "--quiet", "--filter", _OURS, tag)
        if not theirs and platform.freedesktop_os_release().get("ID") != "debian":  # whose lists alone have the release
            docker("pull", "--quiet", tag, patience=MAKING)
        elif not theirs:
            docker("tag", _image(_python(tag)), tag)
            held.callback(_untag, tag)
        yield


def _untag(tag: str) -> None:
    """Take the tag off again, and remove old layers that were built on what it meant."""
    docker("rmi", "--no-prune", tag)
    docker("image", "prune", "--force", "--filter", _OURS, "--filter", f"until={KEPT}")


def _python(tag: str) -> Recipe:
    """Return how an image is made that has Python where Python's own has it."""
    if tag not in DEBIANS:
        raise UnobtainableError(f"{tag} is not in the engine, and it is not known which Debian would stand in for it")
    files = {TRUST: trusted(), "/etc/pip.conf": pip_settings(), "/etc/apt/apt.conf.d/trust": _TRUSTING}
    return Recipe(STAND_IN, DEBIANS[tag], PYTHON, lists(DEBIANS[tag], _codename()), files, apt_settings())


def _image(recipe: Recipe) -> str:
    if docker("images", "--quiet", recipe.tag):
        return recipe.tag
    for old in docker("images", "--format", "{{.Repository}}:{{.Tag}}", recipe.name).split():
        docker("rmi", old)
    root = as_root()
    if root is None:
        raise UnobtainableError("making an image needs root, or sudo without a password")
    if not recipe.lists:
        raise UnobtainableError("no list of packages in /etc/apt names this machine's own release")
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        tree = Path(folder) / "tree.tar"
        words = [*recipe.words, f"--aptopt={_written(folder, 'apt.conf', recipe.apt)}"] if recipe.apt else recipe.words
        puts = [
            f"--customize-hook=upload {_written(folder, f'file-{number}', text)} {place}"
            for number, (place, text) in enumerate(recipe.files.items())
        ]
        sources = [_written(folder, name, text) for name, text in recipe.lists.items()]
        # A session of its own: where it breaks off, it hangs up its whole process group.
        made = [*root, "setsid", "-w", found("mmdebstrap"), "--quiet", *words, *puts, recipe.suite, str(tree), *sources]
        _run(made)
        docker("import", "--change", f"LABEL {recipe.name}={CACHE}", str(tree), recipe.tag, patience=MAKING)
    return recipe.tag


def _written(folder: str, name: str, text: str) -> str:
    path = Path(folder) / name
    path.write_text(text)
    return str(path)


def _codename() -> str:
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def _run(words: list[str]) -> None:
    try:
        done = subprocess.run(
            words, capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=MAKING, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnobtainableError(f"mmdebstrap did not end within {MAKING:g} s") from None
    if done.returncode:
        raise UnobtainableError(f"mmdebstrap: {last_line(done.stderr)}")
