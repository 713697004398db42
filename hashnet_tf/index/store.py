"""The file of an index: one SQLite database, whole at any moment."""

import collections.abc
import contextlib
import json
import os
import pathlib
import sqlite3
import typing
import zlib

import numpy as np
import numpy.typing as npt

from hashnet_tf._files import written_beside

# By these SQLite tells a file of an index from another database.
APPLICATION, FORMAT = 0x48736E74, 1
# Seconds that a second writer waits for the first.
WAIT = 60.0
# Ids are not used again: who has loaded the codes knows them by these.
SCHEMA = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
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
"""

Path = str | os.PathLike[str]


class Item(typing.NamedTuple):
    """A row of the store.

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


class Store:
    """Items by name in a file of SQLite.

    A change is a transaction: a process that is killed has made it or not. Many
    processes may read while one writes; a second writer waits for the first.

    Args:
        path: Str or path of the file.
        bits: Int, to begin a file of codes of as many bits where there is none;
            None to open one that is there.

    Attributes:
        path: `pathlib.Path`.
        bits: Int, length of the codes.

    Raises:
        FileNotFoundError: If there is no file and `bits` is None.
        ValueError: If the file is none of an index, or damaged.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.index.store import Item, Store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(pathlib.Path(folder, "a.index"), bits=8)
    ...     with store.changing():
    ...         store.put([Item("one", b"1")])
    ...     print(len(store), store.find(["one"])["one"].code)
    ...     store.close()
    1 b'1'
    """

    def __init__(self, path: Path, bits: int | None = None) -> None:
        self.path = pathlib.Path(path)
        if bits is None and not self.path.is_file():
            raise FileNotFoundError(
                "There must be an index, or `bits` or `encoder` to begin one."
                f" Received: {self.path}"
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Transactions begin where they are said to, not by themselves.
        with self._understood():
            self._database = sqlite3.connect(
                self.path, timeout=WAIT, isolation_level=None
            )
        try:
            with self._understood():
                self._begin(bits)
        except BaseException:
            self._database.close()
            raise

    def _begin(self, bits: int | None) -> None:
        if bits is not None and self._is_empty():
            # Readers go on while one writes. Kept in the file.
            self._database.execute("PRAGMA journal_mode = WAL")
            with self.changing():
                # Another may have begun it while this one waited.
                if self._is_empty():
                    for statement in SCHEMA.split(";")[:-1]:
                        self._database.execute(statement)
                    self._note("bits", str(bits))
                    self._database.execute(
                        f"PRAGMA application_id = {APPLICATION}"
                    )
                    self._database.execute(f"PRAGMA user_version = {FORMAT}")
        kind = self._value("PRAGMA application_id")
        version = self._value("PRAGMA user_version")
        if (kind, version) != (APPLICATION, FORMAT):
            raise ValueError(
                "An index must be a file that this version wrote. Received:"
                f" {self.path} of kind {kind:#x}, format {version}"
            )
        # With WAL no commit is lost but by a loss of power.
        self._database.execute("PRAGMA synchronous = NORMAL")
        self.bits = int(self._noted("bits") or 0)

    def _is_empty(self) -> bool:
        return not self._value("SELECT count(*) FROM sqlite_master")

    def _value(self, statement: str, *values: typing.Any) -> typing.Any:
        return self._database.execute(statement, values).fetchone()[0]

    @contextlib.contextmanager
    def _understood(self) -> collections.abc.Iterator[None]:
        """Says of a file that fails what was wanted and what came."""
        try:
            yield
        except sqlite3.ProgrammingError:
            # Of the caller, as one who has closed it.
            raise
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise TimeoutError(
                    f"Another process has written to {self.path} for more than"
                    f" {WAIT:.0f} s; try again when it is done"
                ) from error
            raise OSError(f"{self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise ValueError(self._damaged(str(error))) from error

    def _damaged(self, what: str) -> str:
        return (
            "An index must be a whole file that this package wrote."
            f" Received: {self.path} with {what}"
        )

    @contextlib.contextmanager
    def changing(self) -> collections.abc.Iterator[None]:
        """Makes all changes of the block or, if it raises, none of them.

        Raises:
            TimeoutError: If another process writes for longer than a minute.
        """
        with self._understood():
            self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._understood():
                self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def _noted(self, key: str) -> str | None:
        with self._understood():
            row = self._database.execute(
                "SELECT value FROM about WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else row[0]

    def _note(self, key: str, value: str) -> None:
        self._database.execute("INSERT INTO about VALUES (?, ?)", (key, value))

    @property
    def encoder(self) -> dict[str, typing.Any] | None:
        """Dict, the encoder that the codes are of, or None."""
        noted = self._noted("encoder")
        return None if noted is None else json.loads(noted)

    def check_bits(self, bits: int | None) -> None:
        """Refuses a store of other bits; None allows any.

        Raises:
            ValueError: If they differ.
        """
        if bits not in (None, self.bits):
            raise ValueError(
                f"The index must be of {bits} bits."
                f" Received: {self.path} of {self.bits} bits"
            )

    def check_encoder(self, encoder: dict[str, typing.Any]) -> None:
        """Notes the encoder of a store that is empty, and refuses another.

        Raises:
            ValueError: If the codes are of another, or it is not known of
                which.
        """
        if self.encoder is None:
            with self.changing():
                if len(self):
                    raise ValueError(
                        "An encoder can be given to an index of its own codes,"
                        f" or to an empty one. Received: {self.path}, whose"
                        " codes were given without an encoder"
                    )
                if self.encoder is None:
                    self._note("encoder", json.dumps(encoder))
        if self.encoder != encoder:
            raise ValueError(
                "An index must be asked and added to by its own encoder."
                f" Received: encoder={encoder}, {self.path} of {self.encoder}"
            )

    def __len__(self) -> int:
        with self._understood():
            return self._value("SELECT count(*) FROM items")

    def version(self) -> tuple[int, int]:
        """Returns what is another once this or another process has written."""
        with self._understood():
            others = self._value("PRAGMA data_version")
        return others, self._database.total_changes

    def names(self) -> collections.abc.Iterator[str]:
        """Iterates over all names, as they were added."""
        with self._understood():
            rows = self._database.execute("SELECT name FROM items ORDER BY id")
            for (name,) in rows:
                yield name

    def find(self, names: collections.abc.Iterable[str]) -> dict[str, Item]:
        """Returns those items that are there, by name."""
        return self._by("name", names)

    def alike(self, digests: collections.abc.Iterable[str]) -> dict[str, Item]:
        """Returns an item of each content that is there, by its digest."""
        return self._by("digest", digests)

    def _by(
        self, column: str, keys: collections.abc.Iterable[str]
    ) -> dict[str, Item]:
        columns = ", ".join(Item._fields)
        found = {}
        with self._understood():
            for key in keys:
                row = self._database.execute(
                    f"SELECT {columns} FROM items WHERE {column} = ?"
                    " ORDER BY id LIMIT 1",
                    (key,),
                ).fetchone()
                if row is not None:
                    found[key] = Item(*row)
        return found

    def put(self, items: collections.abc.Sequence[Item]) -> None:
        """Adds items; one of a name that is there takes its place.

        It keeps its id only if it has the code that was there.
        """
        columns = (*Item._fields, "checksum")
        told = ", ".join(f"{column} = excluded.{column}" for column in columns)
        with self._understood():
            self._database.executemany(
                "DELETE FROM items WHERE name = ? AND code <> ?",
                ((item.name, item.code) for item in items),
            )
            self._database.executemany(
                f"INSERT INTO items ({', '.join(columns)}) VALUES"
                f" ({', '.join('?' * len(columns))})"
                f" ON CONFLICT (name) DO UPDATE SET {told}",
                ((*item, item.checksum()) for item in items),
            )

    def drop(self, names: collections.abc.Sequence[str]) -> None:
        """Removes the items of names."""
        with self._understood():
            self._database.executemany(
                "DELETE FROM items WHERE name = ?", ((n,) for n in names)
            )

    def codes(
        self, behind: int = 0
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Returns the codes of the items whose ids are above `behind`.

        They are `(ids, codes)`, int64 `[n]` that rise and uint8 `[n, bytes]`.
        """
        width = -(-self.bits // 8)
        with self._understood():
            rows = self._database.execute(
                "SELECT id, code FROM items WHERE id > ? ORDER BY id", (behind,)
            ).fetchall()
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        joined = b"".join(row[1] for row in rows)
        if len(joined) != len(rows) * width:
            raise ValueError(self._damaged("codes of other lengths"))
        return ids, np.frombuffer(joined, np.uint8).reshape(-1, width)

    def count(self, newest: int) -> int:
        """Returns how many items have ids up to `newest`; it never grows."""
        statement = "SELECT count(*) FROM items WHERE id <= ?"
        with self._understood():
            return self._value(statement, newest)

    def counts(self) -> dict[str, typing.Any]:
        """Returns the numbers of items, of files, and of each label."""
        with self._understood():
            files = self._value(
                "SELECT count(*) FROM items WHERE digest IS NOT NULL"
            )
            labels = self._database.execute(
                "SELECT label, count(*) FROM items WHERE label IS NOT NULL"
                " GROUP BY label ORDER BY label"
            ).fetchall()
        return {"items": len(self), "files": files, "labels": dict(labels)}

    def told(
        self, ids: collections.abc.Iterable[int]
    ) -> list[tuple[str, str | None]]:
        """Returns the name and the label of each id, all of them there."""
        with self._understood():
            return [
                self._database.execute(
                    "SELECT name, label FROM items WHERE id = ?", (key,)
                ).fetchone()
                for key in ids
            ]

    @contextlib.contextmanager
    def reading(self) -> collections.abc.Iterator[None]:
        """Shows the block one state, whatever others write meanwhile."""
        with self._understood():
            self._database.execute("BEGIN")
        try:
            yield
        finally:
            self._database.execute("COMMIT")

    def copy(self, path: Path) -> None:
        """Writes the store into another file, whole or not at all."""
        with written_beside(path) as beside:
            other = sqlite3.connect(beside)
            try:
                with self._understood():
                    self._database.backup(other)
                # One file alone, which may be sent elsewhere.
                other.execute("PRAGMA journal_mode = DELETE")
            finally:
                other.close()

    def check(self) -> None:
        """Reads all of the file.

        Raises:
            ValueError: If some of it is damaged.
        """
        with self._understood():
            found = self._value("PRAGMA integrity_check")
            columns = ", ".join((*Item._fields, "checksum"))
            rows = self._database.execute(f"SELECT {columns} FROM items")
            for *values, checksum in rows if found == "ok" else ():
                item = Item(*values)
                if item.checksum() != checksum:
                    found = f"another content of {item.name!r}"
        if found != "ok":
            raise ValueError(self._damaged(found))

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
