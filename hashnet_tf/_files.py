"""Files and folders that are whole or not there."""

import contextlib
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from hashnet_tf._output import say

# Of a folder's files that are read back.
DIGESTS = "digests.json"

try:
    import fcntl
except ImportError:
    # Not on Windows, where no process is kept from another's folder.
    fcntl = None


@contextlib.contextmanager
def written_beside(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Gives a place beside `path`, and renames it to `path` at the end.

    Whoever reads `path` sees the old or the new and never a part. If the block
    raises, what was written is removed and `path` is as it was. What a process
    left there that was killed meanwhile is removed too.

    Args:
        path: Str or path of a file or a folder; its parent is made if it is
            missing. A file that is there is replaced, a folder is not.

    Yields:
        `pathlib.Path` to write to, in the same parent.

    Raises:
        OSError: If `path` is a folder that holds something.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf._files import written_beside
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "new", "notes.txt")
    ...     with written_beside(path) as beside:
    ...         _ = beside.write_text("all of it")
    ...     path.read_text()
    'all of it'
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    beside = place_beside(path)
    try:
        yield beside
        os.replace(beside, path)
    finally:
        _remove(beside)


def place_beside(path: pathlib.Path) -> pathlib.Path:
    """Returns the place beside `path` that is this process's alone.

    Example:

    >>> import pathlib
    >>> from hashnet_tf._files import place_beside
    >>> place_beside(pathlib.Path("run/model.keras")).suffix
    '.keras'
    """
    # The ending stays: Keras and numpy choose the format by it. Containers
    # that share a folder often have the same process ids.
    return path.with_name(f".{_host()}-{os.getpid()}.{path.name}")


def remove_leftovers(path: pathlib.Path) -> None:
    """Removes what processes that are dead left beside `path`.

    What a living process of this machine writes there, and what any process of
    another writes, stays.

    Args:
        path: `pathlib.Path`; its parent must be there.
    """
    pattern = re.compile(
        rf"\.(?:(?P<host>[\w-]+)-)?(?P<pid>\d+)\.{re.escape(path.name)}"
    )
    for entry in list(path.parent.iterdir()):
        match = pattern.fullmatch(entry.name)
        # Version 0.1 named no machine.
        if match and match["host"] in (None, _host()):
            pid = int(match["pid"])
            if pid == os.getpid() or not _is_alive(pid):
                _remove(entry)


def _host() -> str:
    return re.sub("[^a-zA-Z0-9]", "-", platform.node())


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        # There is no harmless signal elsewhere.
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _remove(path: pathlib.Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def only_writer(
    path: str | os.PathLike[str], lock: str | os.PathLike[str] | None = None
) -> Iterator[None]:
    """Holds a place as the only process that writes to it.

    The lock is the file system's, which the kernel takes back when a process
    dies, however it does; a lock file that is left behind locks nothing.

    Args:
        path: Str or path of what is written; a message names it.
        lock: Str or path of the lock file, which is there only meanwhile, as
            are folders that it needs and nothing else comes to lie in. None:
            `.lock` in `path`, which then is a folder.

    Yields:
        None.

    Raises:
        OSError: If another process holds it.

    Example:

    >>> import tempfile
    >>> from hashnet_tf._files import only_writer
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with only_writer(folder):
    ...         pass
    """
    lock = pathlib.Path(path, ".lock") if lock is None else pathlib.Path(lock)
    if fcntl is None:
        yield
        return
    made = []
    for folder in lock.parents:
        if folder.exists():
            break
        made.append(folder)
    with _locked(path, lock) as file:
        file.truncate(0)
        file.write(f"{os.getpid()}")
        file.flush()
        try:
            yield
        finally:
            # While it is locked: it may be another's right after.
            lock.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                for folder in made:
                    folder.rmdir()


def _locked(path: str | os.PathLike[str], lock: pathlib.Path) -> TextIO:
    """Returns the lock file, opened and locked."""
    assert fcntl is not None
    while True:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(lock.open("a+", encoding="ascii"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise OSError(
                    f"{path} must be written by one process at a time: wait"
                    " until the other is done. Received: process"
                    f" {file.read() or 'unknown'} writes there"
                ) from error
            except OSError as error:
                say(f"{path} is not guarded against a second writer: {error}")
            # Whoever held it may have removed it between the two steps.
            there = lock.exists() and os.stat(lock)
            if there and os.path.samestat(there, os.fstat(file.fileno())):
                stack.pop_all()
                return file


@contextlib.contextmanager
def sealed(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Gives a place beside `path` as `written_beside`, and keeps a digest.

    The digest lies in `digests.json` of the same folder, where `read_back`
    compares it.

    Args:
        path: Str or path of a file.

    Yields:
        `pathlib.Path` to write to.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf._files import read_back, sealed
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "notes.txt")
    ...     with sealed(path) as beside:
    ...         _ = beside.write_text("all of it")
    ...     with read_back(path, "delete it"):
    ...         path.read_text()
    'all of it'
    """
    path = pathlib.Path(path)
    with written_beside(path) as beside:
        yield beside
        digest = file_digest(beside)
        # A kill in between leaves the old file or the new: both are good.
        _note(path, lambda known: [digest, *known])
    _note(path, lambda known: [digest])


@contextlib.contextmanager
def read_back(path: str | os.PathLike[str], advice: str) -> Iterator[None]:
    """Compares the digest of a file, around the lines that read it.

    Args:
        path: Str or path of a file that is there.
        advice: Str, what to do where it is damaged: "delete it".

    Yields:
        None.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If the file is another than `sealed` wrote. Where no digest
            of it is known, as version 0.1 kept none, whatever is raised while
            it is read becomes one.
    """
    path = pathlib.Path(path)
    known = _digests(path.parent).get(path.name)
    told = f"{path} must be whole, as it was written; {advice}. Received: "
    if known:
        if file_digest(path) not in known:
            raise ValueError(f"{told}a file of another digest")
        yield
        return
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        # Libraries fail in many ways by a damaged file.
        raise ValueError(f"{told}{error!r}") from error


def read_json(
    path: str | os.PathLike[str],
    advice: str,
    parse: Callable[[Any], Any] = lambda value: value,
) -> Any:
    """Reads JSON as `read_back` does.

    Args:
        path: Str or path of a file that is there.
        advice: As in `read_back`.
        parse: Function from what the JSON holds to what is returned; it may
            raise anything where that is not as it must be.

    Example:

    >>> import tempfile
    >>> from hashnet_tf._files import read_json, write_json
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(f"{folder}/a.json", [1, 2], seal=True)
    ...     read_json(f"{folder}/a.json", "delete it")
    [1, 2]
    """
    with read_back(path, advice):
        return parse(json.loads(pathlib.Path(path).read_text("utf-8")))


def file_digest(path: str | os.PathLike[str]) -> str:
    """Returns the SHA-256 of a file's content, in hexadecimal digits.

    Args:
        path: Str or path of a file that is there.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf._files import file_digest
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "notes.txt")
    ...     _ = path.write_text("all of it")
    ...     len(file_digest(path))
    64
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digests(folder: pathlib.Path) -> dict[str, list[str]]:
    path = folder / DIGESTS
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): list(known) for name, known in found.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(
            f"{path} must hold digests by the names of files; delete it if the"
            f" files are whole. Received: {error!r}"
        ) from error


def _note(path: pathlib.Path, change: Callable[[list[str]], list[str]]) -> None:
    """Changes the digests that are known of a file."""
    with contextlib.ExitStack() as stack:
        if fcntl is not None:
            folder = os.open(path.parent, os.O_RDONLY)
            stack.callback(os.close, folder)
            with contextlib.suppress(OSError):
                fcntl.flock(folder, fcntl.LOCK_EX)
        digests = _digests(path.parent)
        digests[path.name] = change(digests.get(path.name, []))
        write_json(path.parent / DIGESTS, digests)


def write_json(
    path: str | os.PathLike[str], value: Any, seal: bool = False
) -> None:
    """Writes `value` as JSON, whole or not at all.

    Args:
        path: Str or path; a file that is there is replaced.
        value: What `json.dumps` takes.
        seal: Whether it is read back, and so to be `sealed`.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf._files import write_json
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(f"{folder}/a.json", [1, 2])
    ...     pathlib.Path(folder, "a.json").read_text().split()
    ['[', '1,', '2', ']']
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    with (sealed if seal else written_beside)(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")
