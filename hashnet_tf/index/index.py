"""Codes by name: add, remove, search, in one file."""

import collections.abc
import os
import pathlib
import typing

import numpy.typing as npt

from hashnet_tf._files import written_beside
from hashnet_tf.index._checks import SHOWN, check_labels, check_names
from hashnet_tf.index._database import Path
from hashnet_tf.index.changes import Changes
from hashnet_tf.index.copying import Copied, copy_items
from hashnet_tf.index.files import add_files, all_within, within
from hashnet_tf.index.fitted import Fitted
from hashnet_tf.index.fitting import awaits_fit, sample_of
from hashnet_tf.index.item_file import Item, ItemFile
from hashnet_tf.index.own_encoder import (
    check_fit,
    own_content,
    settle_encoder,
)
from hashnet_tf.index.stores import Store, open_store
from hashnet_tf.index.vectors import add_vectors
from hashnet_tf.retrieval.codes import Codes, check_codes, check_count

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder


@typing.final
class Index(Fitted):
    """Codes by name in one file, searched exactly by Hamming distance.

    The file is a database of SQLite. A process that is killed leaves it whole,
    others may search while one adds, and a second that adds waits for the
    first. `search` holds the codes in memory, 8 MB for a million of 64 bits,
    and sees what other processes have changed. A context manager that closes
    the file; `open` makes one. Each thread must open its own.

    The encoder of a LiteRT file lies in the index, so that it can be searched
    with an image wherever the file is. One that gives features can be fitted to
    the pictures: its hash layer is then learned from them, without labels.

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

    @classmethod
    def open(
        cls,
        path: Path,
        bits: int | None = None,
        encoder: "Encoder | None" = None,
        fit: bool = False,
        keep_features: bool = True,
    ) -> "Index":
        """Opens an index, or begins one.

        Args:
            path: Str or path of its file, on a disk of this machine.
            bits: Int, length of the codes of one that is begun, or None: that
                of the encoder.
            encoder: `hashnet_tf.runs.Encoder` of the images that are added and
                asked with; None where codes are given, or the encoder lies in
                the index. An index is of the encoder that it was begun with.
            fit: Of an index that is begun, whether its hash layer is learned
                from the first pictures that are added (`refit`).
            keep_features: Of an index that is begun, whether it keeps the
                features of each picture, two bytes each, where the encoder
                gives them.

        Returns:
            `Index`.

        Raises:
            FileNotFoundError: If there is no file, and neither `bits` nor
                `encoder` to begin one.
            ValueError: If the file is no index or damaged, or of other bits or
                of another encoder; if `fit` is asked of an encoder without
                features or quantised.
            TimeoutError: If another process writes for longer than a minute.
        """
        if bits is not None:
            check_count(bits, "bits")
        if encoder is not None and bits not in (None, encoder.bits):
            raise ValueError(
                f"`bits` must be those of the encoder, {encoder.bits}."
                f" Received: bits={bits}"
            )
        check_fit(fit, encoder)
        wanted = encoder.bits if encoder is not None else bits
        file = ItemFile(path, wanted)
        try:
            file.check_bits(wanted)
            if encoder is not None:
                settle_encoder(file, encoder, fit, keep_features)
        except BaseException:
            file.close()
            raise
        return cls(file, encoder)

    def __enter__(self) -> "Index":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; the index can do no more."""
        self._file.close()

    def __len__(self) -> int:
        return len(self._file)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._file.find([name]))

    def __iter__(self) -> collections.abc.Iterator[str]:
        return self._file.names()

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
        with self._file.changing():
            known = self._file.find(names)
            new = [item for item in given if known.get(item.name) != item]
            self._file.put(new)
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
        self._needed("add files")
        names = check_names([os.path.abspath(path) for path in paths])
        given = dict(zip(names, check_labels(names, labels), strict=True))
        if not awaits_fit(self._file):
            return self._add_files(given, verify)
        some = sample_of(names)
        changes = self._add_files({name: given[name] for name in some}, verify)
        if len(self):
            self.refit()
        rest = dict(given)
        for name in some:
            del rest[name]
        return changes + self._add_files(rest, verify) if rest else changes

    def _add_files(
        self, labels: dict[str, str | None], verify: bool
    ) -> Changes:
        encoder = self._needed("add files")
        keep = self._keeps_features()
        return add_files(self._file, encoder, labels, verify, keep)

    def _keeps_features(self) -> bool:
        # Of them the hash layer is learned.
        keep = awaits_fit(self._file) or self._file.noted("keep_features")
        return bool(keep)

    def add_vectors(
        self,
        names: collections.abc.Sequence[str],
        vectors: npt.ArrayLike,
        labels: collections.abc.Sequence[str | None] | None = None,
    ) -> Changes:
        """Adds vectors by name, those that have changed.

        A vector that is known by its name is not encoded. What was encoded is
        kept every 4,096 vectors, so that a killed call begins there.

        Args:
            names: n strings, none of them empty or given twice.
            vectors: Real `[n, d]`, a memory map among others.
            labels: n strings, or None of one or of all, which keep what they
                have.

        Returns:
            `Changes`.

        Raises:
            ValueError: If the index was opened without an encoder of vectors,
                or names, labels or vectors are not as they must be.
            TimeoutError: As `open`.

        Example:

        ```python
        encoder = hn.export.vector_encoder(width=384, bits=128)
        with hn.Index.open("words.index", encoder=encoder, fit=True) as index:
            index.add_vectors(ids, vectors)
            index.search(query, k=5)
        ```
        """
        encoder = self._needed("add vectors")
        names = check_names(names)
        given = dict(zip(names, check_labels(names, labels), strict=True))
        awaits, keep = awaits_fit(self._file), self._keeps_features()
        changes = add_vectors(self._file, encoder, given, vectors, keep)
        if awaits and len(self):
            self.refit()
        return changes

    def remove(self, names: collections.abc.Sequence[str]) -> None:
        """Removes items, all or none of them.

        Args:
            names: Strs.

        Raises:
            ValueError: If one is not there.
            TimeoutError: As `open`.
        """
        names = check_names(names)
        with self._file.changing():
            known = self._file.find(names)
            missing = [name for name in names if name not in known]
            if missing:
                more = ", ..." if len(missing) > SHOWN else ""
                raise ValueError(
                    "Only names that are there can be removed. Received:"
                    f" {', '.join(missing[:SHOWN])}{more}"
                )
            self._file.drop(names)

    def within(self, paths: collections.abc.Iterable[Path]) -> list[str]:
        """Returns the names that are these files or lie in these folders.

        Args:
            paths: Strs or paths, whether they are there or not.

        Raises:
            ValueError: If there is none of one of them.
        """
        return all_within(self._file.names(), paths)

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
        if not os.path.isdir(folder):
            raise NotADirectoryError(
                f"`folder` must be a folder that is there. Received: {folder}"
            )
        names = within(self._file.names(), os.path.abspath(folder))
        gone = [name for name in names if not os.path.lexists(name)]
        with self._file.changing():
            self._file.drop(gone)
        return gone

    def copy(self, path: Path) -> None:
        """Writes the index into another file, as it is now.

        Args:
            path: Str or path; a file that is there is replaced, once all of the
                other is written.
        """
        self._file.copy(path)

    def copy_to(self, store: Store | str) -> Copied:
        """Copies names and codes into an engine, as they are now.

        What is there is compared first: an equal code is not sent again, so
        that a call that was killed goes on where it was, and what the index no
        longer has is removed. At the end all is read back and compared. Bits
        and the digest of the encoder are noted with the codes. Labels and
        features stay here.

        Args:
            store: `hashnet_tf.index.stores.Store`; or the address of one, such
                as "duckdb:photos.duckdb", which is begun where there is none.

        Returns:
            `Copied`.

        Raises:
            ValueError: If the store is of other bits or another encoder, holds
                codes by other names and none by a name of the index, or is none
                of `hashnet_tf.index.stores.STORES`; or as `search`.
            OSError: If the engine fails, or what is read back is not what the
                index has.
            ImportError: If the engine is not installed.

        Example:

        >>> import tempfile, numpy as np, hashnet_tf as hn
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with hn.Index.open(f"{folder}/a.index", bits=8) as index:
        ...         _ = index.add(["a", "b"], np.array([[0], [7]], "uint8"))
        ...         place = f"parquet:{folder}/codes.parquet"
        ...         print(index.copy_to(place).text())
        ...         index.remove(["a"])
        ...         print(index.copy_to(place).text())
        2 added, 0 refreshed, 0 kept, 0 removed
        0 added, 0 refreshed, 1 kept, 1 removed
        """
        self._check_fitted()
        if isinstance(store, Store):
            return copy_items(self._file, store)
        digest = self._file.encoder_digest
        with open_store(store, self.bits, digest) as opened:
            return copy_items(self._file, opened)

    def write_encoder(self, path: Path) -> pathlib.Path:
        """Writes the encoder of the index into a LiteRT file of its own.

        Args:
            path: Str or path; a file that is there is replaced.

        Returns:
            `pathlib.Path` of the file.

        Raises:
            ValueError: If there is none in the index.
        """
        with written_beside(path) as beside:
            beside.write_bytes(own_content(self._file))
        return pathlib.Path(path)
