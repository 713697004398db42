"""What is kept of an index: items by name, pictures by content, an encoder."""

import collections.abc
import contextlib
import json
import pathlib
import typing
import zlib

import numpy as np
import numpy.typing as npt

from hashnet_tf.index._database import Database, Path

# Ids are not used again: who has loaded the codes knows them by these.
SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value NOT NULL);
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    code BLOB NOT NULL,
    label TEXT,
    digest TEXT,
    size INTEGER,
    modified INTEGER,
    inode INTEGER,
    checksum INTEGER NOT NULL
);
CREATE INDEX items_by_digest ON items (digest);
CREATE INDEX items_by_label ON items (label);
CREATE TABLE pictures (
    digest TEXT PRIMARY KEY,
    look BLOB,
    features BLOB,
    checksum INTEGER NOT NULL
);
"""


class Item(typing.NamedTuple):
    """What is kept by a name.

    Attributes:
        name: Str.
        code: Bytes, the packed code.
        label: Str or None.
        digest: Str, that of the file's content, or None of what is no file.
        size: Int, bytes of the file, or None.
        modified: Int, its time in nanoseconds, or None.
        inode: Int, by which its file system knows it, or None.
    """

    name: str
    code: bytes
    label: str | None = None
    digest: str | None = None
    size: int | None = None
    modified: int | None = None
    inode: int | None = None

    def checksum(self) -> int:
        """Returns the CRC-32 of what SQLite would not miss."""
        texts = (self.name, self.code.hex(), self.label, self.digest)
        return zlib.crc32("\0".join(map(str, texts)).encode())


class Picture(typing.NamedTuple):
    """What is kept of the content of a file, whatever its names.

    Attributes:
        digest: Str, that of the content.
        look: Bytes, its perceptual hash, or None of what has no looks.
        features: Bytes, float16 `[d]`, what the encoder's network gave for it,
            or None where they are not kept.
    """

    digest: str
    look: bytes | None
    features: bytes | None

    def checksum(self) -> int:
        """Returns the CRC-32 of what SQLite would not miss."""
        return zlib.crc32((self.look or b"") + (self.features or b""))


# Of an item that a search has found: name, label, digest, code.
Told = tuple[str, str | None, str | None, bytes]


class ItemFile:
    """Items by name in a file of SQLite.

    Args:
        path: Str or path of the file.
        bits: Int, to begin a file of codes of as many bits where there is none;
            None to open one that is there.

    Attributes:
        path: `pathlib.Path`.
        bits: Int, length of the codes.
        changing: Context manager, all changes of whose block are made or, if it
            raises, none of them. TimeoutError where another process writes for
            longer than a minute.
        reading: Context manager whose block sees one state, whatever others
            write meanwhile.
        query: Function that returns the rows of a statement with its values.

    Raises:
        FileNotFoundError: If there is no file and `bits` is None.
        ValueError: If the file is none of an index, or damaged.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.index.item_file import Item, ItemFile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = ItemFile(pathlib.Path(folder, "a.index"), bits=8)
    ...     with file.changing():
    ...         file.put([Item("one", b"1")])
    ...     print(len(file), file.find(["one"])["one"].code)
    ...     file.close()
    1 b'1'
    """

    path: pathlib.Path
    bits: int
    changing: collections.abc.Callable[
        [], contextlib.AbstractContextManager[None]
    ]
    reading: collections.abc.Callable[
        [], contextlib.AbstractContextManager[None]
    ]

    def __init__(self, path: Path, bits: int | None = None) -> None:
        def begin(file: Database) -> None:
            file.execute("INSERT INTO about VALUES ('bits', ?)", [bits])

        self._file = Database(path, SCHEMA, None if bits is None else begin)
        self.path = self._file.path
        self.changing, self.reading = self._file.changing, self._file.reading
        self.version, self.copy = self._file.version, self._file.copy
        self.query = self._file.execute
        self.close = self._file.close
        self.bits = self.noted("bits")

    def noted(self, key: str) -> typing.Any:
        """Returns what was noted by a key, or None."""
        return self._file.value("SELECT value FROM about WHERE key = ?", [key])

    def note(self, key: str, value: str | int | bytes) -> None:
        """Notes a value by a key."""
        self._file.execute(
            "INSERT INTO about VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [key, value],
        )

    @property
    def encoder(self) -> dict[str, typing.Any] | None:
        """Dict, the encoder that the codes are of, or None."""
        noted = self.noted("encoder")
        return None if noted is None else json.loads(noted)

    @encoder.setter
    def encoder(self, told: dict[str, typing.Any]) -> None:
        self.note("encoder", json.dumps(told))

    @property
    def encoder_digest(self) -> str | None:
        """Str, that of the encoder that the codes are of, or None."""
        told = self.encoder
        return None if told is None else told["model_digest"]

    def check_bits(self, bits: int | None) -> None:
        """Refuses a file of other bits; None allows any.

        Raises:
            ValueError: If they differ.
        """
        if bits not in (None, self.bits):
            raise ValueError(
                f"The index must be of {bits} bits."
                f" Received: {self.path} of {self.bits} bits"
            )

    def __len__(self) -> int:
        return self._file.value("SELECT count(*) FROM items")

    def names(self, label: str | None = None) -> collections.abc.Iterator[str]:
        """Iterates over the names as they were added, all or of a label."""
        which, values = "", []
        if label is not None:
            which, values = " WHERE label = ?", [label]
        for (name,) in self._file.rows(
            f"SELECT name FROM items{which} ORDER BY id", values
        ):
            yield name

    def items(self, behind: int, most: int) -> list[tuple[int, Item]]:
        """Returns `most` items with their ids, which rise from `behind`."""
        columns = ", ".join(("id", *Item._fields))
        rows = self._file.execute(
            f"SELECT {columns} FROM items WHERE id > ? ORDER BY id LIMIT ?",
            [behind, most],
        )
        return [(row[0], Item(*row[1:])) for row in rows]

    def find(self, names: collections.abc.Iterable[str]) -> dict[str, Item]:
        """Returns those items that are there, by name."""
        return self._by("name", names)

    def alike(self, digests: collections.abc.Iterable[str]) -> dict[str, Item]:
        """Returns an item of each content that is there, by its digest."""
        return self._by("digest", digests)

    def _by(
        self, column: str, keys: collections.abc.Iterable[str]
    ) -> dict[str, Item]:
        statement = (
            f"SELECT {', '.join(Item._fields)} FROM items WHERE {column} = ?"
            " ORDER BY id LIMIT 1"
        )
        found = {}
        for key in keys:
            for row in self._file.execute(statement, [key]):
                found[key] = Item(*row)
        return found

    def put(self, items: collections.abc.Sequence[Item]) -> None:
        """Adds items; one of a name that is there takes its place.

        It keeps its id only if it has the code that was there.
        """
        columns = (*Item._fields, "checksum")
        told = ", ".join(f"{column} = excluded.{column}" for column in columns)
        self._file.execute_many(
            "DELETE FROM items WHERE name = ? AND code <> ?",
            ((item.name, item.code) for item in items),
        )
        self._file.execute_many(
            f"INSERT INTO items ({', '.join(columns)}) VALUES"
            f" ({', '.join('?' * len(columns))})"
            f" ON CONFLICT (name) DO UPDATE SET {told}",
            ((*item, item.checksum()) for item in items),
        )

    def put_pictures(
        self,
        items: collections.abc.Sequence[Item],
        pictures: collections.abc.Iterable[Picture],
        known: collections.abc.Mapping[str, Item],
    ) -> None:
        """Adds items and what is kept of their contents, all or none.

        Args:
            items: As in `put`.
            pictures: As in `keep_pictures`.
            known: Those that were there, by name, whose pictures go where no
                item is of them any more.
        """
        with self.changing():
            self.put(items)
            self.keep_pictures(pictures)
            self.forget(known[i.name].digest for i in items if i.name in known)

    def drop(self, names: collections.abc.Iterable[str]) -> None:
        """Removes the items of names, and pictures that no item is of."""
        for name in names:
            for (digest,) in self._file.execute(
                "DELETE FROM items WHERE name = ? RETURNING digest", [name]
            ):
                self.forget([digest])

    def forget(self, digests: collections.abc.Iterable[str | None]) -> None:
        """Removes those of some pictures that no item is of any more."""
        self._file.execute_many(
            "DELETE FROM pictures WHERE digest = ? AND NOT EXISTS"
            " (SELECT 1 FROM items WHERE items.digest = pictures.digest)",
            ([digest] for digest in digests),
        )

    def forget_features(self) -> None:
        """Removes the features of all pictures."""
        rows = self._file.execute(
            "SELECT digest, look FROM pictures WHERE features IS NOT NULL"
        )
        self.keep_pictures(Picture(*row, features=None) for row in rows)

    def keep_pictures(
        self, pictures: collections.abc.Iterable[Picture]
    ) -> None:
        """Adds pictures, in the place of those of the same content."""
        self._file.execute_many(
            "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?)",
            ((*picture, picture.checksum()) for picture in pictures),
        )

    def pictures(
        self, digests: collections.abc.Iterable[str | None]
    ) -> dict[str, Picture]:
        """Returns what is kept of contents, by their digests."""
        statement = (
            "SELECT digest, look, features FROM pictures WHERE digest = ?"
        )
        found = {}
        for digest in digests:
            for row in self._file.execute(statement, [digest]):
                found[row[0]] = Picture(*row)
        return found

    def looks(self) -> list[tuple[str, bytes]]:
        """Returns the name and the perceptual hash of each file, as added."""
        return self._file.execute(
            "SELECT name, look FROM items JOIN pictures USING (digest)"
            " WHERE look IS NOT NULL ORDER BY id"
        )

    def codes(
        self, behind: int = 0
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Returns the codes of the items whose ids are above `behind`.

        They are `(ids, codes)`, int64 `[n]` that rise and uint8 `[n, bytes]`.
        """
        width = -(-self.bits // 8)
        rows = self._file.execute(
            "SELECT id, code FROM items WHERE id > ? ORDER BY id", [behind]
        )
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        joined = b"".join(row[1] for row in rows)
        if len(joined) != len(rows) * width:
            raise self._file.damaged("codes of other lengths")
        return ids, np.frombuffer(joined, np.uint8).reshape(-1, width)

    def count(self, newest: int) -> int:
        """Returns how many items have ids up to `newest`; it never grows."""
        return self._file.value(
            "SELECT count(*) FROM items WHERE id <= ?", [newest]
        )

    def newest(self) -> int:
        """Returns the highest id, 0 where there is none."""
        return self._file.value("SELECT max(id) FROM items") or 0

    def contents(self) -> list[str]:
        """Returns the digest of each content that items are of, sorted."""
        rows = self._file.execute(
            "SELECT DISTINCT digest FROM items WHERE digest IS NOT NULL"
            " ORDER BY digest"
        )
        return [digest for (digest,) in rows]

    def counts(self) -> dict[str, typing.Any]:
        """Returns the numbers of items, files, pictures and of each label."""
        return {
            "items": len(self),
            "files": self._file.value(
                "SELECT count(*) FROM items WHERE size IS NOT NULL"
            ),
            "features": self._file.value(
                "SELECT count(*) FROM pictures WHERE features IS NOT NULL"
            ),
            "labels": self.labels(),
        }

    def labels(self) -> dict[str, int]:
        """Returns how many items each label has, by label."""
        return dict(
            self._file.execute(
                "SELECT label, count(*) FROM items WHERE label IS NOT NULL"
                " GROUP BY label ORDER BY label"
            )
        )

    def told(self, ids: collections.abc.Iterable[int]) -> list[Told]:
        """Returns what is told of each id, all of them there."""
        statement = "SELECT name, label, digest, code FROM items WHERE id = ?"
        return [self._file.execute(statement, [key])[0] for key in ids]

    def check(self) -> None:
        """Reads all of the file.

        Raises:
            ValueError: If some of it is damaged.
        """
        self._file.check()
        for kind, table in ((Item, "items"), (Picture, "pictures")):
            columns = ", ".join((*kind._fields, "checksum"))
            for *values, checksum in self._file.rows(
                f"SELECT {columns} FROM {table}"
            ):
                kept = kind(*values)
                if kept.checksum() != checksum:
                    raise self._file.damaged(
                        f"another content of {kept[0]!r} in {table}"
                    )
