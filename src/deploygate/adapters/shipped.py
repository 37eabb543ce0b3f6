"""Files that are shipped with deploygate: package data when it is installed, the top folders in a checkout."""

from pathlib import Path

import deploygate


def shipped(name: str) -> Path:
    """Return a shipped file or folder, such as `examples/talk`."""
    package = Path(deploygate.__file__).parent
    installed = package / name
    return installed if installed.exists() else package.parents[1] / name
