"""sqlite-vec: a virtual table of SQLite, in one file."""

import collections.abc
import itertools
import typing

import numpy as np

from hashnet_tf.index.stores.store import About, Batch, Near, Store, load
from hashnet_tf.retrieval.codes import Codes

# What a search of a vec0 table gives at most.
MOST = 4096
# Milliseconds that a second writer waits for the first.
WAIT = 60_000


@typing.final
class SqliteVecStore(Store):
    """Codes in the table `codes` of a SQLite file, `vec0(name, code bit[K])`.

    Exact. Of those that are tied at the last place the engine chooses, and `k`
    is 4,096 at most. K is the next multiple of 8, with zeros behind the last
    bit. What a call of `add` or `remove` does is a transaction. It is opened by
    APSW, for the `sqlite3` of some Pythons loads no extension.

    Args:
        place: Str, path of the file.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    >>> import tempfile, numpy as np
    >>> from hashnet_tf.index.stores import open_store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_store(f"sqlite-vec:{folder}/codes.db", bits=8) as store:
    ...         store.add(["a", "b"], np.array([[0], [7]], "uint8"))
    ...         print(store.search(np.array([[3]], "uint8"), k=1)[0])
    [Near(name='b', distance=1)]
    """

    def _connect(self) -> None:
        apsw = typing.cast(typing.Any, load("apsw", "sqlite-vec"))
        extension = typing.cast(typing.Any, load("sqlite_vec", "sqlite-vec"))
        self._connection = apsw.Connection(self._place)
        self._connection.set_busy_timeout(WAIT)
        self._connection.enable_load_extension(True)
        self._connection.load_extension(extension.loadable_path())
        self._connection.enable_load_extension(False)

    def _noted(self) -> str | None:
        tables = list(
            self._connection.execute("SELECT name FROM sqlite_master")
        )
        if not tables:
            return None
        if ("about",) not in tables:
            return ""
        rows = list(self._connection.execute("SELECT note FROM about"))
        return rows[0][0] if rows else ""

    def _begin(self, about: About) -> None:
        bits = 8 * -(-about.bits // 8)
        with self._connection:
            self._connection.execute("CREATE TABLE about (note TEXT)")
            self._connection.execute(
                "CREATE VIRTUAL TABLE codes USING"
                f" vec0(name TEXT PRIMARY KEY, code bit[{bits}])"
            )
            self._connection.execute(
                "INSERT INTO about VALUES (?)", [about.text()]
            )

    def _add(self, names: list[str], codes: Codes) -> None:
        # A vec0 table replaces no row.
        with self._connection:
            self._drop(names)
            self._connection.executemany(
                "INSERT INTO codes VALUES (?, vec_bit(?))",
                (
                    (name, code.tobytes())
                    for name, code in zip(names, codes, strict=True)
                ),
            )

    def _remove(self, names: list[str]) -> None:
        with self._connection:
            self._drop(names)

    def _drop(self, names: list[str]) -> None:
        self._connection.executemany(
            "DELETE FROM codes WHERE name = ?", ([name] for name in names)
        )

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        if k > MOST:
            raise ValueError(
                f"sqlite-vec finds {MOST:,} at most. Received: k={k}"
            )
        for code in codes:
            rows = self._connection.execute(
                "SELECT name, distance FROM codes"
                " WHERE code MATCH vec_bit(?) AND k = ?",
                [code.tobytes(), k],
            )
            yield [Near(name, int(distance)) for name, distance in rows]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        rows = self._connection.execute("SELECT name, code FROM codes")
        while some := list(itertools.islice(rows, self.BATCH)):
            joined = b"".join(code for _, code in some)
            codes = np.frombuffer(joined, np.uint8)
            yield [name for name, _ in some], codes.reshape(len(some), -1)

    def __len__(self) -> int:
        return list(self._connection.execute("SELECT count(*) FROM codes"))[0][
            0
        ]

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()
