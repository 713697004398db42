"""DuckDB: a table that is searched by SQL, in one file."""

import collections.abc
import contextlib
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf.index.stores.store import About, Batch, Near, Store, load
from hashnet_tf.retrieval.codes import Codes


@typing.final
class DuckdbStore(Store):
    """Codes in the table `codes` of a DuckDB file: `name`, `w0`, `w1`, ...

    Exact, at equal distance by name, also at the last place. The columns `w`
    are UBIGINT, 64 bits each, the first bit in the highest place of `w0` and
    zeros behind the last; `bit_count(xor(w0, ...))` is the distance. What a
    call of `add` or `remove` does is a transaction. One process at a time has
    the file open.

    Args:
        place: Str, path of the file.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    >>> import tempfile, numpy as np
    >>> from hashnet_tf.index.stores import open_store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_store(f"duckdb:{folder}/codes.duckdb", bits=8) as store:
    ...         store.add(["a", "b"], np.array([[0], [7]], "uint8"))
    ...         print(store.search(np.array([[3]], "uint8"), k=1)[0])
    [Near(name='b', distance=1)]
    """

    def _connect(self) -> None:
        duckdb = typing.cast(typing.Any, load("duckdb", "duckdb"))
        self._connection = duckdb.connect(self._place)

    def _noted(self) -> str | None:
        tables = self._connection.execute(
            "SELECT table_name FROM information_schema.tables"
        ).fetchall()
        if not tables:
            return None
        if ("about",) not in tables:
            return ""
        rows = self._connection.execute("SELECT note FROM about").fetchall()
        return rows[0][0] if rows else ""

    def _begin(self, about: About) -> None:
        words = ", ".join(
            f"w{i} UBIGINT NOT NULL" for i in range(-(-about.bits // 64))
        )
        with self._changing():
            self._connection.execute("CREATE TABLE about (note VARCHAR)")
            self._connection.execute(
                f"CREATE TABLE codes (name VARCHAR PRIMARY KEY, {words})"
            )
            self._connection.execute(
                "INSERT INTO about VALUES (?)", [about.text()]
            )

    @contextlib.contextmanager
    def _changing(self) -> collections.abc.Iterator[None]:
        """Makes all changes of the block or, if it raises, none of them."""
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _words(self, codes: Codes) -> npt.NDArray[np.uint64]:
        padded = np.zeros((len(codes), -(-self.bits // 64) * 8), np.uint8)
        padded[:, : self.width] = codes
        return padded.view(">u8").astype(np.uint64)

    def _add(self, names: list[str], codes: Codes) -> None:
        words = self._words(codes)
        places = ", ".join(["unnest(?::UBIGINT[])"] * words.shape[1])
        with self._changing():
            self._connection.execute(
                "INSERT OR REPLACE INTO codes SELECT unnest(?::VARCHAR[]),"
                f" {places}",
                [names, *words.T.tolist()],
            )

    def _remove(self, names: list[str]) -> None:
        with self._changing():
            self._connection.execute(
                "DELETE FROM codes WHERE name IN (SELECT unnest(?::VARCHAR[]))",
                [names],
            )

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        words = self._words(codes)
        distance = " + ".join(
            f"bit_count(xor(w{i}, ?::UBIGINT))::INTEGER"
            for i in range(words.shape[1])
        )
        for query in words.tolist():
            rows = self._connection.execute(
                f"SELECT name, {distance} AS distance FROM codes"
                " ORDER BY distance, name LIMIT ?",
                [*query, k],
            ).fetchall()
            yield [Near(name, distance) for name, distance in rows]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        # One of its own, for other statements end what it reads.
        reading = self._connection.cursor()
        reading.execute("SELECT * FROM codes")
        while rows := reading.fetchmany(self.BATCH):
            words = np.array([row[1:] for row in rows], np.uint64)
            codes = words.astype(">u8").view(np.uint8).reshape(len(rows), -1)
            yield [row[0] for row in rows], codes[:, : self.width]
        reading.close()

    def __len__(self) -> int:
        return self._connection.execute(
            "SELECT count(*) FROM codes"
        ).fetchone()[0]

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()
