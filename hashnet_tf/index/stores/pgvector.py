"""PostgreSQL with the extension pgvector: a table with a column of bits."""

import collections.abc
import typing

import numpy as np

from hashnet_tf.index.stores.store import About, Batch, Near, Store, load
from hashnet_tf.retrieval.codes import Codes

TABLE = "hashnet_codes"


@typing.final
class PgvectorStore(Store):
    """Codes in a table of PostgreSQL, `name text` and `code bit(K)`.

    Exact, at equal distance by name, also at the last place; the distance is
    pgvector's `<~>`, over all rows. An HNSW index (`USING hnsw (code
    bit_hamming_ops)`) that you make beside it serves your own statements and is
    not asked here. What a call of `add` or `remove` does is a transaction. The
    note of bits and encoder is the table's comment. The role must own the
    database's extension `vector` or find it there.

    Args:
        place: Str, "postgresql://..." as libpq takes it, and behind a "#" the
            table, `hashnet_codes` where none is given. A password is better
            kept in `~/.pgpass` or in PGPASSWORD.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    ```python
    with open_store("pgvector:postgresql://db/photos#codes", bits=64) as store:
        store.add(names, codes)
        store.search(codes[:1], k=10)
    ```
    """

    IS_LOCAL = False

    def _connect(self) -> None:
        psycopg = typing.cast(typing.Any, load("psycopg", "pgvector"))
        url, _, table = self._place.partition("#")
        self._sql = psycopg.sql
        self._table = psycopg.sql.Identifier(table or TABLE)
        # Transactions begin where they are said to, not by themselves.
        self._connection = psycopg.connect(url, autocommit=True)

    def _do(
        self, statement: str, values: collections.abc.Sequence[typing.Any] = ()
    ) -> typing.Any:
        """Executes a statement, {} of which is the table."""
        composed = self._sql.SQL(statement).format(self._table)
        return self._connection.execute(composed, values)

    def _noted(self) -> str | None:
        name = self._table.as_string(self._connection)
        row = self._connection.execute(
            "SELECT to_regclass(%s) IS NOT NULL,"
            " obj_description(to_regclass(%s), 'pg_class')",
            [name, name],
        ).fetchone()
        return (row[1] or "") if row[0] else None

    def _begin(self, about: About) -> None:
        with self._connection.transaction():
            self._do("CREATE EXTENSION IF NOT EXISTS vector")
            self._do(
                'CREATE TABLE IF NOT EXISTS {} (name text COLLATE "C" PRIMARY'
                f" KEY, code bit({about.bits}) NOT NULL)"
            )
            self._connection.execute(
                self._sql.SQL("COMMENT ON TABLE {} IS {}").format(
                    self._table, self._sql.Literal(about.text())
                )
            )

    def _texts(self, codes: Codes) -> list[str]:
        ones = np.unpackbits(codes, axis=1, count=self.bits) + ord("0")
        return [row.tobytes().decode() for row in ones]

    def _add(self, names: list[str], codes: Codes) -> None:
        with self._connection.transaction():
            self._do(
                "CREATE TEMPORARY TABLE hashnet_new (LIKE {}) ON COMMIT DROP"
            )
            with self._connection.cursor() as cursor:
                with cursor.copy("COPY hashnet_new FROM STDIN") as copy:
                    for row in zip(names, self._texts(codes), strict=True):
                        copy.write_row(row)
            self._do(
                "INSERT INTO {} SELECT name, code FROM hashnet_new"
                " ON CONFLICT (name) DO UPDATE SET code = excluded.code"
            )

    def _remove(self, names: list[str]) -> None:
        self._do("DELETE FROM {} WHERE name = ANY(%s)", [names])

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        for text in self._texts(codes):
            # By the cast no index comes in, which would miss some.
            rows = self._do(
                f"SELECT name, (code <~> %s::bit({self.bits}))::integer AS d"
                " FROM {} ORDER BY d, name LIMIT %s",
                [text, k],
            ).fetchall()
            yield [Near(name, distance) for name, distance in rows]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        select = self._sql.SQL("SELECT name, code FROM {}").format(self._table)
        with (
            self._connection.transaction(),
            self._connection.cursor(name="hashnet_tf") as cursor,
        ):
            cursor.execute(select)
            while rows := cursor.fetchmany(self.BATCH):
                joined = "".join(code for _, code in rows).encode()
                ones = np.frombuffer(joined, np.uint8) - ord("0")
                ones = ones.reshape(len(rows), self.bits)
                yield [name for name, _ in rows], np.packbits(ones, axis=1)

    def __len__(self) -> int:
        return self._do("SELECT count(*) FROM {}").fetchone()[0]

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()
