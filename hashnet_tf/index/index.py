"""Codes by name: add, remove, search, in one file."""

import collections.abc
import os
import pathlib
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf.index._checks import SHOWN, check_labels, check_names
from hashnet_tf.index.changes import Changes
from hashnet_tf.index.files import add_files
from hashnet_tf.index.store import Item, Path, Store
from hashnet_tf.retrieval.codes import Codes, check_codes, check_count
from hashnet_tf.retrieval.hamming_index import HammingIndex

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder


class Hit(typing.NamedTuple):
    """What a search found.

    Attributes:
        name: Str, by which the item was added.
        distance: Int, the Hamming distance of its code from the query's.
        label: Str, what it was said to be, or None.
    """

    name: str
    distance: int
    label: str | None


@typing.final
class Index:
    """Codes by name in one file, searched exactly by Hamming distance.

    The file is a database of SQLite. A process that is killed leaves it whole,
    others may search while one adds, and a second that adds waits for the
    first. `search` holds the codes in memory, 8 MB for a million of 64 bits,
    and sees what other processes have changed. A context manager that closes
    the file; `open` makes one.

    Attributes:
        path: `pathlib.Path` of the file.
        bits: Int, length K of the codes.

    Example:

    >>> import pathlib, tempfile, numpy as np, hashnet_tf as hn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "words.index")
    ...     with hn.Index.open(path, bits=8) as index:
    ...         codes = np.array([[0], [7], [255]], "uint8")
    ...         print(index.add(["none", "three", "all"], codes).text())
    ...         for hit in index.search(codes[1], k=2):
    ...             print(hit.name, hit.distance)
    3 added, 0 refreshed, 0 kept, 0 refused
    three 0
    none 3
    """

    path: pathlib.Path
    bits: int

    def __init__(self, store: Store, encoder: "Encoder | None" = None) -> None:
        self._store = store
        self.path = store.path
        self.bits = store.bits
        self._encoder = encoder
        # The codes as they were last read, and the state of the file then.
        self._read = HammingIndex(self.bits)
        self._version: tuple[int, int] | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        bits: int | None = None,
        encoder: "Encoder | None" = None,
    ) -> "Index":
        """Opens an index, or begins one.

        Args:
            path: Str or path of its file, on a disk of this machine.
            bits: Int, length of the codes of one that is begun, or None: that
                of the encoder.
            encoder: `hashnet_tf.runs.Encoder` of the images that are added and
                asked with, or None where codes are given. An index is of the
                encoder that it was begun with.

        Returns:
            `Index`.

        Raises:
            FileNotFoundError: If there is no file, and neither `bits` nor
                `encoder` to begin one.
            ValueError: If the file is no index or damaged, or of other bits or
                of another encoder.
            TimeoutError: If another process writes for longer than a minute.
        """
        if bits is not None:
            check_count(bits, "bits")
        if encoder is not None and bits not in (None, encoder.bits):
            raise ValueError(
                f"`bits` must be those of the encoder, {encoder.bits}."
                f" Received: bits={bits}"
            )
        wanted = encoder.bits if encoder is not None else bits
        store = Store(path, wanted)
        try:
            store.check_bits(wanted)
            if encoder is not None:
                store.check_encoder(
                    {
                        "model_digest": encoder.model_digest,
                        "framing": encoder.framing,
                        "image_size": list(encoder.image_size),
                    }
                )
        except BaseException:
            store.close()
            raise
        return cls(store, encoder)

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; the index can do no more."""
        self._store.close()

    def __len__(self) -> int:
        return len(self._store)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._store.find([name]))

    def __iter__(self) -> collections.abc.Iterator[str]:
        return self._store.names()

    def add(
        self,
        names: collections.abc.Sequence[str],
        codes: Codes,
        labels: collections.abc.Sequence[str | None] | None = None,
    ) -> Changes:
        """Adds codes by name, all or none of them.

        Args:
            names: n strings, none of them empty or given twice. The item of a
                name that is there is replaced.
            codes: uint8 `[n, ceil(bits / 8)]`.
            labels: n strings, what the items are, or None of one or of all.

        Returns:
            `Changes`.

        Raises:
            ValueError: If the names are others, not as many as the codes or the
                labels, or the codes malformed.
            TimeoutError: As `open`.
        """
        names, labels = check_names(names), check_labels(names, labels)
        codes = check_codes(codes, self.bits)
        if len(codes) != len(names):
            raise ValueError(
                "Each code needs a name."
                f" Received: {len(codes)} codes and {len(names)} names"
            )
        given = [
            Item(name, code.tobytes(), label)
            for name, code, label in zip(names, codes, labels, strict=True)
        ]
        with self._store.changing():
            known = self._store.find(names)
            new = [item for item in given if known.get(item.name) != item]
            self._store.put(new)
        refreshed = sum(item.name in known for item in new)
        return Changes(len(new) - refreshed, refreshed, len(given) - len(new))

    def add_files(
        self,
        paths: collections.abc.Iterable[Path],
        labels: collections.abc.Sequence[str | None] | None = None,
        verify: bool = False,
    ) -> Changes:
        """Adds image files by their absolute paths, those that have changed.

        A file of the size, the time and the inode that are known is not read;
        one whose content is known, by whatever name, is not encoded. What was
        encoded is kept every 128 files, so that a killed call begins there.

        Args:
            paths: Strs or paths of n JPEG, PNG, WebP or BMP files.
            labels: n strings, or None of one or of all, which keep what they
                have.
            verify: Whether to read the files that seem unchanged.

        Returns:
            `Changes`; a file that is missing or no image is refused.

        Raises:
            ValueError: If the index was opened without an encoder, or a path or
                the labels are not as they must be.
            TimeoutError: As `open`.
        """
        encoder = self._needed("add files")
        names = check_names([os.path.abspath(path) for path in paths])
        given = dict(zip(names, check_labels(names, labels), strict=True))
        return add_files(self._store, encoder, given, verify)

    def remove(self, names: collections.abc.Sequence[str]) -> None:
        """Removes items, all or none of them.

        Args:
            names: Strs.

        Raises:
            ValueError: If one is not there.
            TimeoutError: As `open`.
        """
        names = check_names(names)
        with self._store.changing():
            known = self._store.find(names)
            missing = [name for name in names if name not in known]
            if missing:
                more = ", ..." if len(missing) > SHOWN else ""
                raise ValueError(
                    "Only names that are there can be removed. Received:"
                    f" {', '.join(missing[:SHOWN])}{more}"
                )
            self._store.drop(names)

    def prune(self, folder: Path) -> list[str]:
        """Removes the files of a folder, at any depth, that have gone.

        Args:
            folder: Str or path. It must be there: of a disk that is not mounted
                nothing has gone.

        Returns:
            List of str, the names that were removed.

        Raises:
            NotADirectoryError: If there is no such folder.
            TimeoutError: As `open`.
        """
        root = os.path.abspath(folder)
        if not os.path.isdir(root):
            raise NotADirectoryError(
                f"`folder` must be a folder that is there. Received: {folder}"
            )
        within = os.path.join(root, "")
        gone = [
            name
            for name in list(self._store.names())
            if name.startswith(within) and not os.path.lexists(name)
        ]
        with self._store.changing():
            self._store.drop(gone)
        return gone

    def search(
        self, query: Path | npt.NDArray[np.uint8], k: int = 10
    ) -> list[Hit]:
        """Finds the nearest items, exactly.

        Args:
            query: Path of an image file or an image, uint8 `[height, width, 3]`
                of the encoder's size, which the encoder encodes; or a code,
                uint8 `[ceil(bits / 8)]`.
            k: Int >= 1.

        Returns:
            List of at most k `Hit`, the nearest first, items at equal distance
            as they were added.

        Raises:
            ValueError: If the query or `k` is none of these, or an image is
                given and there is no encoder.
            FileNotFoundError: If there is no file of that path.
        """
        if isinstance(query, (str, os.PathLike)):
            codes = self._needed("search for a file").encode_files([query])
        elif np.ndim(query) == 3:
            images = np.asarray(query)[None]
            codes = self._needed("search for an image").encode(images)
        else:
            codes = check_codes(np.asarray(query)[None], self.bits, "query")
        with self._store.reading():
            distances, ids = self._codes().search(codes, k)
            told = self._store.told(ids[0].tolist())
        return [
            Hit(name, distance, label)
            for (name, label), distance in zip(
                told, distances[0].tolist(), strict=True
            )
        ]

    def _codes(self) -> HammingIndex:
        """Returns the codes as they are now."""
        version = self._store.version()
        if version != self._version:
            newest = int(self._read.ids.max(initial=0))
            if self._store.count(newest) < len(self._read):
                self._read, newest = HammingIndex(self.bits), 0
            ids, codes = self._store.codes(behind=newest)
            if len(ids):
                self._read.add(codes, ids)
            self._version = version
        return self._read

    def stat(self) -> dict[str, typing.Any]:
        """Returns what the index holds, a dict.

        `items`, `files` (those of them that are files), `labels` (how many of
        each), `bits`, `encoder` (its digest or None), `bytes` (of the file).
        """
        encoder = self._store.encoder
        return {
            **self._store.counts(),
            "bits": self.bits,
            "encoder": encoder and encoder["model_digest"],
            "bytes": self.path.stat().st_size,
        }

    def copy(self, path: Path) -> None:
        """Writes the index into another file, as it is now.

        Args:
            path: Str or path; a file that is there is replaced, once all of the
                other is written.
        """
        self._store.copy(path)

    def check(self) -> None:
        """Reads all of the file.

        Raises:
            ValueError: If some of it is damaged.
        """
        self._store.check()

    def _needed(self, what: str) -> "Encoder":
        if self._encoder is None:
            raise ValueError(
                f"To {what} an index needs its encoder: Index.open(path,"
                " encoder=...). Received: an index opened without one"
            )
        return self._encoder
