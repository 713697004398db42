"""The one walk over folders of images, which accounts for all it meets.

A file is used, refused or passed over, and each is counted: what is left out
must be told.
"""

import collections
import collections.abc
import dataclasses
import heapq
import os
from typing import Any

# What a JPEG, PNG, WebP or BMP is called. They are decoded by their content.
ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib")

# What systems put beside one's own: resource forks, thumbnails, bins.
_OF_SYSTEMS = frozenset(
    [
        "__macosx",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
    ]
)
_AGAIN = "folders met again"
_HIDDEN_FILES, _HIDDEN_FOLDERS = "hidden files", "hidden folders"
_LONGEST_ENDING = 12
SHOWN = 10


@dataclasses.dataclass(frozen=True)
class Account:
    """What became of all that a walk met.

    Attributes:
        used: Int, images.
        refused: Dict from the name of a file that was left out to the
            decoder's reason.
        passed_over: Dict from what is no image, by its ending or, of a folder
            that was not entered, by its name, to how many of it there were.

    Example:

    >>> from hashnet_tf.datasets.sources.walking import Account
    >>> account = Account(used=3, passed_over={".txt": 1, "@eaDir/": 1})
    >>> account.text()
    '5 found: 3 images used, 2 passed over (.txt 1, @eaDir/ 1)'
    """

    used: int
    refused: dict[str, str] = dataclasses.field(default_factory=dict)
    passed_over: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def found(self) -> int:
        """Int, all files, and the folders that were not entered."""
        return self.used + len(self.refused) + sum(self.passed_over.values())

    def refusing(self, refused: collections.abc.Mapping[str, str]) -> "Account":
        """Returns the account with some of the used images refused.

        Args:
            refused: Dict from their names to the decoder's reasons.
        """
        return dataclasses.replace(
            self,
            used=self.used - len(refused),
            refused={**self.refused, **refused},
        )

    def using(self, used: int) -> "Account":
        """Returns the account with fewer images used.

        Args:
            used: Int, how many; the others are passed over.
        """
        if used == self.used:
            return self
        left = {"images in no part": self.used - used}
        passed_over = {**self.passed_over, **left}
        return dataclasses.replace(self, used=used, passed_over=passed_over)

    def text(self) -> str:
        """Returns the sum in one line."""
        told = f"{self.found:,} found: {self.used:,} images used"
        if self.refused:
            told += f", {len(self.refused):,} refused by the decoder"
        if self.passed_over:
            kinds = [f"{kind} {n:,}" for kind, n in self.passed_over.items()]
            count = sum(self.passed_over.values())
            told += f", {count:,} passed over ({', '.join(kinds)})"
        return told

    def as_dict(self) -> dict[str, Any]:
        """Returns the account as plain values, ready for JSON."""
        return {"found": self.found, **dataclasses.asdict(self)}


@dataclasses.dataclass
class Listing:
    """What lies in one folder.

    Attributes:
        images: Sorted list of str, the names of the files that end as an image
            does.
        folders: Sorted list of str, the names of the folders, links too.
        links: Set of str, those of the folders that are links.
        passed_over: Counter of the rest, as in `Account`.
    """

    images: list[str] = dataclasses.field(default_factory=list)
    folders: list[str] = dataclasses.field(default_factory=list)
    links: set[str] = dataclasses.field(default_factory=set)
    passed_over: collections.Counter[str] = dataclasses.field(
        default_factory=collections.Counter
    )


def none_in(
    folder: str | os.PathLike[str],
    passed_over: collections.abc.Mapping[str, int],
) -> str:
    """Returns a folder without images as a message names it.

    Example:

    >>> from hashnet_tf.datasets.sources.walking import none_in
    >>> none_in("photos", {".heic": 9})
    'photos with none (9 found: 0 images used, 9 passed over (.heic 9))'
    """
    account = Account(0, passed_over=dict(passed_over))
    told = f" ({account.text()})" if account.found else ""
    return f"{folder} with none{told}"


def list_folder(folder: str | os.PathLike[str]) -> Listing:
    """Lists one folder; no file in it is looked at.

    Args:
        folder: Str or path.

    Returns:
        `Listing`.

    Raises:
        OSError: If the folder cannot be read or a link in it leads nowhere.
        ValueError: If the name of an image is no UTF-8: it could not be
            written to a file.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.datasets.sources.walking import list_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("1.JPG", ".DS_Store"):
    ...         pathlib.Path(folder, name).touch()
    ...     listing = list_folder(folder)
    >>> listing.images, dict(listing.passed_over)
    (['1.JPG'], {'hidden files': 1})
    """
    failed: dict[str, str] = {}
    listing = _listed(os.fspath(folder), failed)
    _refuse(failed, folder)
    return listing


def walk(
    folder: str | os.PathLike[str],
    apart: collections.abc.Container[tuple[int, int]] = frozenset(),
) -> tuple[list[str], collections.Counter[str]]:
    """Finds the images in a folder, to any depth.

    Links to folders are followed once all others have been entered, and no
    folder is entered twice, by whatever names it is met. So a link changes no
    name of an image that is found without it, and a loop ends.

    Args:
        folder: Str or path.
        apart: `identities` of folders that are not entered from here; the
            folder itself may be among them.

    Returns:
        `(images, passed_over)`: list of str, paths relative to `folder`, sorted
        by their parts, and a Counter as in `Account`.

    Raises:
        OSError: If a folder or an image cannot be read or a link leads nowhere:
            the message names the first ten, each with the system's reason.
        ValueError: As `list_folder`.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.datasets.sources.walking import walk
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.png", "a/1.jfif", "a/notes.txt"):
    ...         path = pathlib.Path(folder, name)
    ...         path.parent.mkdir(exist_ok=True)
    ...         path.touch()
    ...     images, passed_over = walk(folder)
    >>> [pathlib.PurePath(name).as_posix() for name in images]
    ['a/1.jfif', 'b.png']
    >>> dict(passed_over)
    {'.txt': 1}
    """
    root = os.fspath(folder)
    failed: dict[str, str] = {}
    own = _identity(root, failed)
    entered: set[tuple[int, int]] = set()
    images: list[str] = []
    passed_over: collections.Counter[str] = collections.Counter()
    todo = [""]
    # By the alphabet, so that which of two names counts is settled.
    links: list[list[str]] = []
    while todo or links:
        inner = todo.pop() if todo else os.sep.join(heapq.heappop(links))
        path = os.path.join(root, inner) if inner else root
        identity = _identity(path, failed)
        if identity is None:
            continue
        is_apart = identity != own and identity in apart
        if is_apart or identity in entered:
            passed_over[_AGAIN] += 1
            continue
        entered.add(identity)
        listing = _listed(path, failed)
        passed_over += listing.passed_over
        for name in listing.images:
            _check_readable(os.path.join(path, name), failed)
            images.append(os.path.join(inner, name))
        for name in reversed(listing.folders):
            below = os.path.join(inner, name)
            if name in listing.links:
                heapq.heappush(links, _parts(below))
            else:
                todo.append(below)
    _refuse(failed, root)
    return sorted(images, key=_parts), passed_over


def identities(
    folders: collections.abc.Iterable[str | os.PathLike[str]],
) -> frozenset[tuple[int, int]]:
    """Returns what the system knows folders by, whatever their names.

    Args:
        folders: Strs or paths.

    Raises:
        OSError: If one of them cannot be looked at.

    Example:

    >>> from hashnet_tf.datasets.sources.walking import identities
    >>> len(identities(["/", "/.", "/.."]))
    1
    """
    failed: dict[str, str] = {}
    found = [_identity(folder, failed) for folder in folders]
    _refuse(failed, "the data set")
    return frozenset(identity for identity in found if identity is not None)


def check_utf8(path: str) -> None:
    """Checks that a path can be written to a file.

    Args:
        path: Str.

    Raises:
        ValueError: If it is no UTF-8.
    """
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Names of files must be UTF-8. Received: {path!r}"
        ) from error


def _listed(folder: str, failed: dict[str, str]) -> Listing:
    listing = Listing()
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        failed[folder] = _reason(error)
        return listing
    for entry in found:
        try:
            _place(entry, listing)
        except OSError as error:
            failed[entry.path] = _reason(error)
    return listing


def _place(entry: os.DirEntry[str], listing: Listing) -> None:
    name = entry.name
    if name.startswith("."):
        # macOS writes "._1.jpg", which is no image, beside 1.jpg on disks of
        # other systems. Whereto a hidden link leads is nobody's matter.
        is_folder = entry.is_dir(follow_symlinks=False)
        kind = _HIDDEN_FOLDERS if is_folder else _HIDDEN_FILES
        listing.passed_over[kind] += 1
    elif entry.is_dir():
        if name.lower() in _OF_SYSTEMS:
            listing.passed_over[f"{name}/"] += 1
            return
        listing.folders.append(name)
        if entry.is_symlink():
            listing.links.add(name)
    elif entry.is_file():
        ending = os.path.splitext(name)[1].lower()
        if ending in ENDINGS:
            check_utf8(entry.path)
            listing.images.append(name)
        else:
            listing.passed_over[_kind_of(ending)] += 1
    else:
        # Of a dead link this fails, and says why.
        os.stat(entry.path)
        listing.passed_over["pipes and devices"] += 1


def _kind_of(ending: str) -> str:
    if len(ending) < 2:
        return "without an ending"
    if len(ending) > _LONGEST_ENDING or not ending.isprintable():
        return "of other endings"
    return ending


def _identity(
    folder: str | os.PathLike[str], failed: dict[str, str]
) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)
    except OSError as error:
        failed[os.fspath(folder)] = _reason(error)
        return None
    return status.st_dev, status.st_ino


def _check_readable(path: str, failed: dict[str, str]) -> None:
    # One question to the system, where opening takes several.
    if os.access(path, os.R_OK):
        return
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        failed[path] = _reason(error)


def _parts(path: str) -> list[str]:
    return path.split(os.sep)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _refuse(failed: dict[str, str], folder: str | os.PathLike[str]) -> None:
    if failed:
        named = [f"{path} ({reason})" for path, reason in failed.items()]
        more = ", ..." if len(named) > SHOWN else ""
        raise OSError(
            f"All folders, images and links in {folder} must be readable."
            f" Received: {len(named)} that are not, {', '.join(named[:SHOWN])}"
            f"{more}"
        )
