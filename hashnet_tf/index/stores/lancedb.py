"""LanceDB: a table in a folder, in the format Lance."""

import collections.abc
import datetime
import typing

from hashnet_tf.index.stores.store import About, Batch, Near, Store, load
from hashnet_tf.retrieval.codes import Codes

TABLE = "codes"
# Of the note in the metadata of the table.
KEY = b"hashnet_tf"


@typing.final
class LancedbStore(Store):
    """Codes in the table `codes` of a LanceDB folder, `name` and `code`.

    Exact as long as nobody makes an index over `code`. Of those that are tied
    at the last place the engine chooses. `code` is a list of ceil(bits / 8)
    uint8, searched by `distance_type("hamming")`. What a call of `add` or
    `remove` does is a version of the table; `close` joins the parts that they
    made, and versions of a week ago are removed.

    Args:
        place: Str, path of the folder.
        bits: As in `Store`.
        encoder: As in `Store`.

    Example:

    >>> import tempfile, numpy as np
    >>> from hashnet_tf.index.stores import open_store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_store(f"lancedb:{folder}/codes", bits=8) as store:
    ...         store.add(["a", "b"], np.array([[0], [7]], "uint8"))
    ...         print(store.search(np.array([[3]], "uint8"), k=1)[0])
    [Near(name='b', distance=1)]
    """

    def _connect(self) -> None:
        lancedb = typing.cast(typing.Any, load("lancedb", "lancedb"))
        self._arrow = typing.cast(typing.Any, load("pyarrow", "lancedb"))
        # Each call sees what others have written.
        self._database: typing.Any = lancedb.connect(
            self._place, read_consistency_interval=datetime.timedelta(0)
        )
        self._table: typing.Any = None
        self._has_changed = False

    def _noted(self) -> str | None:
        if TABLE not in self._database.list_tables().tables:
            return None
        self._table = self._database.open_table(TABLE)
        return (self._table.schema.metadata or {}).get(KEY, b"").decode()

    def _begin(self, about: About) -> None:
        arrow = self._arrow
        code = arrow.list_(arrow.uint8(), -(-about.bits // 8))
        schema = arrow.schema(
            [
                arrow.field("name", arrow.string(), nullable=False),
                arrow.field("code", code, nullable=False),
            ],
            metadata={KEY: about.text().encode()},
        )
        self._database.create_table(TABLE, schema=schema, exist_ok=True)

    def _add(self, names: list[str], codes: Codes) -> None:
        arrow = self._arrow
        column = arrow.FixedSizeListArray.from_arrays(
            arrow.array(codes.ravel()), self.width
        )
        self._has_changed = True
        (
            self._table.merge_insert("name")
            .when_matched_update_all()
            .when_not_matched_insert_all()
            .execute(arrow.table([names, column], schema=self._table.schema))
        )

    def _remove(self, names: list[str]) -> None:
        self._has_changed = True
        for start in range(0, len(names), 1000):
            quoted = ", ".join(
                "'" + name.replace("'", "''") + "'"
                for name in names[start : start + 1000]
            )
            self._table.delete(f"name IN ({quoted})")

    def _search(
        self, codes: Codes, k: int
    ) -> collections.abc.Iterable[list[Near]]:
        for code in codes:
            found = (
                self._table.search(code, vector_column_name="code")
                .distance_type("hamming")
                .select(["name", "_distance"])
                .limit(k)
                .to_arrow()
            )
            yield [
                Near(name, int(distance))
                for name, distance in zip(
                    found["name"].to_pylist(),
                    found["_distance"].to_pylist(),
                    strict=True,
                )
            ]

    def _batches(self) -> collections.abc.Iterator[Batch]:
        for batch in self._table.search().to_batches(self.BATCH):
            values = batch.column("code").flatten().to_numpy()
            codes = values.reshape(len(batch), self.width)
            yield batch.column("name").to_pylist(), codes

    def __len__(self) -> int:
        return self._table.count_rows()

    def close(self) -> None:
        """Joins what was added by parts, and closes the table."""
        if self._table is not None and self._has_changed:
            self._table.optimize()
        self._table = self._database = None
