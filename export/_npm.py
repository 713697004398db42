"""What npm fetches, for browsers."""

import pathlib
import shutil
import subprocess
from collections.abc import Mapping

from hashnet_tf._output import say


def fetch(
    packages: Mapping[str, str], folder: pathlib.Path, advice: str
) -> None:
    """Lets npm fetch packages into a folder's `node_modules`.

    No script of theirs is run.

    Args:
        packages: Dict from the name of each to its version, as `package.json`
            has them.
        folder: Path of the folder.
        advice: Str, what an error begins with, a sentence.

    Raises:
        ValueError: If there is no npm, or it fails.

    Example:

    ```python
    fetch({"@litertjs/core": "^2.5.3"}, folder, "LiteRT.js is needed.")
    ```
    """
    wanted = [f"{name}@{version}" for name, version in packages.items()]
    npm = shutil.which("npm")
    if npm is None:
        raise ValueError(f"{advice} Received: no npm on the PATH")
    say(f"Fetching {', '.join(wanted)} by npm")
    done = subprocess.run(
        [
            *(npm, "install", "--ignore-scripts", "--no-audit", "--no-fund"),
            *("--loglevel=error", "--prefix", str(folder), *wanted),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
    )
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines() or ["nothing"]
        raise ValueError(
            f"{advice} Received: npm ended with {done.returncode} and"
            f" {lines[0]}"
        )
