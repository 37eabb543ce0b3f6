"""How this machine reaches its packages: its mirrors, its proxies and whom it trusts, as its own configuration says."""

import os
import re
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.request import getproxies

FUSE = 60.0
TRUST = "/usr/local/share/machine-ca.crt"  # where a container has the certificates that its machine trusts
_LISTS = Path("/etc/apt/sources.list.d")
_TELLS = re.compile(r"Acquire::(Check-|Retries|ForceIP|(http|https)::(Proxy|Timeout|Verify-))", re.IGNORECASE)
_PIP = ("index-url", "proxy", "trusted-host", "timeout", "default-timeout")


def trusted() -> str:
    """Return the certificates that this machine trusts; TLS to a package registry may be signed anew on the way."""
    named = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return Path(named).read_text() if named and Path(named).is_file() else ""


def lists(suite: str, own: str) -> dict[str, str]:
    """Return this machine's lists of packages for a release of Debian, by file name; `own` is the machine's release."""
    places = [_LISTS.with_name("sources.list"), *sorted(_LISTS.glob("*"))]
    texts = {
        path.name: path.read_text(errors="replace")
        for path in places
        if path.suffix in {".list", ".sources"} and path.is_file()
    }
    return {name: re.sub(rf"\b{own}\b", suite, text) for name, text in texts.items() if own and _feeds(text, own)}


def apt_settings() -> str:
    """Return what apt is to know in a container: this machine's own proxies, patience and trust in dates."""
    done = subprocess.run(
        ["apt-config", "dump", "Acquire"], capture_output=True, text=True, timeout=FUSE, check=False, env=_plain()
    )
    lines = [line for line in done.stdout.splitlines() if _TELLS.match(line) and not line.endswith('"";')]
    known = "\n".join(lines).lower()
    for scheme, proxy in getproxies().items():
        if scheme in {"http", "https"} and f"acquire::{scheme}::proxy " not in known:
            lines.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return "".join(f"{line}\n" for line in lines)


def pip_settings() -> str:
    """Return what pip is to know in a container: this machine's own index and proxy, and whom to trust."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, timeout=FUSE, check=True
    )
    said = dict(re.findall(r"^[^.\n]+\.([\w-]+)='([^'\n]*)'$", done.stdout, re.MULTILINE))
    kept = {key: value for key, value in said.items() if key in _PIP and "file:" not in value}
    if proxy := getproxies().get("https"):
        kept.setdefault("proxy", proxy)
    kept["cert"] = TRUST
    return "[global]\n" + "".join(f"{key} = {value}\n" for key, value in sorted(kept.items()))


def _plain() -> Mapping[str, str]:
    return os.environ | {"LC_ALL": "C"}


def _feeds(text: str, suite: str) -> bool:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return all(re.search(rf"\b{re.escape(word)}\b", "\n".join(lines)) for word in (suite, "main"))
