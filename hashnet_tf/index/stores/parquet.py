"""Parquet: one file of names and codes, for what reads tables."""

import collections.abc
import contextlib
import os
import pathlib
import typing

import numpy as np

from hashnet_tf._files import only_writer, written_beside
from hashnet_tf.index.stores.store import About, Batch, Near, Store, load
from hashnet_tf.retrieval.codes import Codes
from hashnet_tf.retrieval.neighbors import search

# Of the note in the file's metadata.
KEY = b"hashnet_tf"


@typing.final
class ParquetStore(Store):
    """Codes in a Parquet file of two columns, `name` and `code`, by name.

    Exact, at equal distance by name, also at the last place: it is searched
    here, as `hashnet_tf.retrieval.HammingIndex` does, and has no engine of its
    own. `code` is a binary of ceil(bits / 8) bytes. A call of `add` or `remove`
    writes all of the file, beside its place, and renames it.

    Args:
        place: Str, path of the file.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    >>> import pathlib, tempfile, numpy as np
    >>> import pyarrow.parquet
    >>> from hashnet_tf.index.stores import open_store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = str(pathlib.Path(folder, "codes.parquet"))
    ...     with open_store(f"parquet:{path}", bits=8) as store:
    ...         store.add(["b", "a"], np.array([[0], [7]], "uint8"))
    ...     pyarrow.parquet.read_table(path).to_pydict()
    {'name': ['a', 'b'], 'code': [b'\\x07', b'\\x00']}
    """

    # All is written anew for each.
    BATCH = 100_000

    def _connect(self) -> None:
        self._arrow = typing.cast(typing.Any, load("pyarrow", "parquet"))
        self._parquet = typing.cast(
            typing.Any, load("pyarrow.parquet", "parquet")
        )
        self._path = pathlib.Path(self._place)
        self._known: tuple[tuple[int, ...], list[str], Codes] | None = None

    def _noted(self) -> str | None:
        if not self._path.exists():
            return None
        return (self._metadata().get(KEY) or b"").decode()

    def _metadata(self) -> dict[bytes, bytes]:
        with self._readable():
            return self._parquet.read_schema(self._path).metadata or {}

    def _begin(self, about: About) -> None:
        with self._alone():
            if not self._path.exists():
                width = -(-about.bits // 8)
                self._write([], np.zeros((0, width), np.uint8), about.text())

    def _write(self, names: list[str], codes: Codes, note: str) -> None:
        arrow, width = self._arrow, codes.shape[1]
        column = arrow.FixedSizeBinaryArray.from_buffers(
            arrow.binary(width), len(codes), [None, arrow.py_buffer(codes)]
        )
        schema = arrow.schema(
            [("name", arrow.string()), ("code", arrow.binary(width))],
            metadata={KEY: note.encode()},
        )
        table = arrow.table(
            [arrow.array(names, arrow.string()), column], schema
        )
        with written_beside(self._path) as beside:
            self._parquet.write_table(table, beside)

    def _all(self) -> tuple[list[str], Codes]:
        """Returns what is in the file, sorted by name."""
        there = os.stat(self._path)
        state = there.st_ino, there.st_mtime_ns, there.st_size
        if self._known is None or self._known[0] != state:
            with self._readable():
                table = self._parquet.read_table(self._path)
                names = table["name"].to_pylist()
                joined = b"".join(table["code"].to_pylist())
                codes = np.frombuffer(joined, np.uint8)
                codes = codes.reshape(len(names), self.width)
            self._known = state, names, codes
        return self._known[1:]

    @contextlib.contextmanager
    def _readable(self) -> collections.abc.Iterator[None]:
        """Says of a file that fails what was wanted and what came."""
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:
            # By a damaged file Arrow fails in many ways.
            raise ValueError(
                "A store of Parquet must be a file that this package wrote."
                f" Received: {self.told} with {error!r}"
            ) from error

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        lock = self._path.with_name(f".{self._path.name}.lock")
        return only_writer(self._path, lock)

    def _change(self, gone: list[str], names: list[str], codes: Codes) -> None:
        with self._alone():
            known, there = self._all()
            dropped = set(gone)
            stay = [i for i, n in enumerate(known) if n not in dropped]
            names = [*(known[i] for i in stay), *names]
            codes = np.concatenate([there[stay], codes])
            order = sorted(range(len(names)), key=names.__getitem__)
            note = self._metadata()[KEY].decode()
            self._write([names[i] for i in order], codes[order], note)

    def _add(self, names: list[str], codes: Codes) -> None:
        self._change(names, names, codes)

    def _remove(self, names: list[str]) -> None:
        self._change(names, [], np.zeros((0, self.width), np.uint8))

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        names, there = self._all()
        distances, places = search(codes, there, k)
        for row, found in zip(distances.tolist(), places.tolist(), strict=True):
            yield [Near(names[p], d) for p, d in zip(found, row, strict=True)]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        self._known = None
        names, codes = self._all()
        for start in range(0, len(names), self.BATCH):
            some = slice(start, start + self.BATCH)
            yield names[some], codes[some]

    def __len__(self) -> int:
        return len(self._all()[0])

    def close(self) -> None:
        """Forgets what was read."""
        self._known = None
