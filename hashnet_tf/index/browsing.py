"""What is in an index, some at a time: by class, by code, by id."""

import collections.abc
import typing

import numpy as np

from hashnet_tf.index.item_file import ItemFile
from hashnet_tf.index.searching import Searched
from hashnet_tf.retrieval.codes import Codes, check_codes

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder

# Of SQLite's places for values in a statement.
AT_ONCE = 500


class Entry(typing.NamedTuple):
    """An item with the number by which an index knows it.

    Attributes:
        id: Int, never used again; another once the item has another code.
        name: Str.
        code: Bytes, the packed code.
        label: Str or None.
        digest: Str, that of the file's content, or None of what is no file.
    """

    id: int
    name: str
    code: bytes
    label: str | None
    digest: str | None


class Browsed(Searched):
    """What `Index` tells of its items, some at a time.

    Attributes:
        path: As in `Searched`.
        bits: As in `Searched`.
    """

    @property
    def encoder(self) -> "Encoder":
        """`hashnet_tf.runs.Encoder` of the images that it is asked with.

        As it is now in the file. ValueError where there is none.
        """
        return self._needed("encode an image")

    def version(self) -> tuple[int, int]:
        """Returns what is another once this or another process has changed it.

        Returns:
            Two ints.
        """
        return self._file.version()

    def labels(self) -> dict[str, int]:
        """Returns how many items each label has, by label."""
        return self._file.labels()

    def entries(self, ids: collections.abc.Iterable[int]) -> list[Entry]:
        """Returns the items of some ids, in their order.

        Args:
            ids: Ints; one that is not there, or not any more, is passed over.

        Returns:
            List of `Entry`.
        """
        found = _by(self._file, "id", [int(number) for number in ids])
        return list(found.values())

    def entries_of(
        self, names: collections.abc.Iterable[str]
    ) -> dict[str, Entry]:
        """Returns the items of some names, by name.

        Args:
            names: Strs; one that is not there is passed over.

        Returns:
            Dict from str to `Entry`.
        """
        return _by(self._file, "name", list(names))

    def page(
        self, offset: int, limit: int, label: str | None = None
    ) -> tuple[int, list[Entry]]:
        """Returns some items as they were added, of all or of a label.

        Args:
            offset: Int, how many come before them.
            limit: Int, how many they are at most.
            label: Str, or None of all.

        Returns:
            How many there are in all, and a list of `Entry`.
        """
        which, values = "", []
        if label is not None:
            which, values = " WHERE label = ?", [label]
        with self._file.reading():
            ((total,),) = self._file.query(
                f"SELECT count(*) FROM items{which}", values
            )
            rows = self._file.query(
                f"SELECT {', '.join(Entry._fields)} FROM items{which}"
                " ORDER BY id LIMIT ? OFFSET ?",
                [*values, limit, offset],
            )
        return total, [Entry(*row) for row in rows]

    def page_of_code(
        self, code: Codes, radius: int, offset: int, limit: int
    ) -> tuple[int, list[tuple[int, Entry]]]:
        """Returns some of the items within a radius of a code, nearest first.

        Args:
            code: uint8 `[ceil(bits / 8)]`.
            radius: Int >= 0, in bits; 0 of those that have this code.
            offset: As in `page`.
            limit: As in `page`.

        Returns:
            How many there are in all, and a list of `(distance, Entry)`, items
            at equal distance as they were added.

        Raises:
            ValueError: If `code` or `radius` is none of these.
        """
        asked = check_codes(np.asarray(code)[None], self.bits, "code")
        with self._file.reading():
            (distances,), (ids,) = self._current().range_search(asked, radius)
            some = slice(offset, offset + limit)
            entries = self.entries(ids[some].tolist())
        near = distances[some].tolist()
        return len(ids), list(zip(near, entries, strict=True))


def _by(
    file: ItemFile, column: str, keys: list[typing.Any]
) -> dict[typing.Any, Entry]:
    """Returns the items that are there, by a column, in the order of keys."""
    place = Entry._fields.index(column)
    found = {}
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        rows = file.query(
            f"SELECT {', '.join(Entry._fields)} FROM items"
            f" WHERE {column} IN ({', '.join('?' * len(some))})",
            some,
        )
        found |= {row[place]: Entry(*row) for row in rows}
    return {key: found[key] for key in keys if key in found}
