"""One SQLite file: its transactions, and what it says when it fails."""

import collections.abc
import contextlib
import os
import pathlib
import sqlite3
import typing

from hashnet_tf._files import written_beside

# By these SQLite tells a file of an index from another database.
APPLICATION, FORMAT = 0x48736E74, 1
# Seconds that a second writer waits for the first.
WAIT = 60.0
# Features of a picture, some kilobytes, fill such pages well.
PAGE = 8192

Path = str | os.PathLike[str]
Values = collections.abc.Sequence[typing.Any]


class Database:
    """A SQLite file of a schema, begun where there is none.

    A change is a transaction: a process that is killed has made it or not. Many
    processes may read while one writes; a second writer waits for the first.

    Args:
        path: Str or path of the file.
        schema: Str, statements, each ended by a semicolon.
        begin: Function that notes what a new file holds, within the transaction
            that begins it; None to open one that is there.

    Attributes:
        path: `pathlib.Path`.

    Raises:
        FileNotFoundError: If there is no file and `begin` is None.
        ValueError: If the file is none of an index, or damaged.

    Example:

    >>> import pathlib, tempfile
    >>> from hashnet_tf.index._database import Database
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.index")
    ...     file = Database(path, "CREATE TABLE a (b TEXT);", lambda _: None)
    ...     with file.changing():
    ...         _ = file.execute("INSERT INTO a VALUES (?)", ["c"])
    ...     print(file.value("SELECT b FROM a"))
    ...     file.close()
    c
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        begin: "collections.abc.Callable[[Database], None] | None",
    ) -> None:
        self.path = pathlib.Path(path)
        if begin is None and not self.path.is_file():
            raise FileNotFoundError(
                "There must be an index, or `bits` or `encoder` to begin one."
                f" Received: {self.path}"
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Transactions begin where they are said to, not by themselves.
        with self._understood():
            self._connection = sqlite3.connect(
                self.path, timeout=WAIT, isolation_level=None
            )
        try:
            if begin is not None and self._is_empty():
                self._begin(schema, begin)
            self._check_kind()
            # With WAL no commit is lost but by a loss of power.
            self.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            self._connection.close()
            raise

    def _begin(
        self, schema: str, begin: "collections.abc.Callable[[Database], None]"
    ) -> None:
        self.execute(f"PRAGMA page_size = {PAGE}")
        # Readers go on while one writes. Kept in the file.
        self.execute("PRAGMA journal_mode = WAL")
        with self.changing():
            # Another may have begun it while this one waited.
            if self._is_empty():
                for statement in schema.split(";")[:-1]:
                    self.execute(statement)
                begin(self)
                self.execute(f"PRAGMA application_id = {APPLICATION}")
                self.execute(f"PRAGMA user_version = {FORMAT}")

    def _check_kind(self) -> None:
        kind = self.value("PRAGMA application_id")
        version = self.value("PRAGMA user_version")
        if (kind, version) != (APPLICATION, FORMAT):
            raise ValueError(
                "An index must be a file that this version wrote. Received:"
                f" {self.path} of kind {kind:#x}, format {version}"
            )

    def _is_empty(self) -> bool:
        return not self.value("SELECT count(*) FROM sqlite_master")

    def execute(self, statement: str, values: Values = ()) -> list[typing.Any]:
        """Executes a statement and returns all of its rows."""
        with self._understood():
            return self._connection.execute(statement, values).fetchall()

    def execute_many(
        self, statement: str, rows: collections.abc.Iterable[Values]
    ) -> None:
        """Executes a statement with each of some values."""
        with self._understood():
            self._connection.executemany(statement, rows)

    def rows(
        self, statement: str, values: Values = ()
    ) -> collections.abc.Iterator[typing.Any]:
        """Iterates over the rows of a statement, one in memory at a time."""
        with self._understood():
            yield from self._connection.execute(statement, values)

    def value(self, statement: str, values: Values = ()) -> typing.Any:
        """Returns the first value of the first row, None where there is none.

        Args:
            statement: Str, of SQL.
            values: Those of its places.
        """
        rows = self.execute(statement, values)
        return rows[0][0] if rows else None

    @contextlib.contextmanager
    def changing(self) -> collections.abc.Iterator[None]:
        """Makes all changes of the block or, if it raises, none of them.

        Raises:
            TimeoutError: If another process writes for longer than a minute.
        """
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def reading(self) -> collections.abc.Iterator[None]:
        """Shows the block one state, whatever others write meanwhile."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def version(self) -> tuple[int, int]:
        """Returns what is another once this or another process has written."""
        others = self.value("PRAGMA data_version")
        return others, self._connection.total_changes

    def copy(self, path: Path) -> None:
        """Writes the file into another one, whole or not at all."""
        with written_beside(path) as beside:
            other = sqlite3.connect(beside)
            try:
                with self._understood():
                    self._connection.backup(other)
                # One file alone, which may be sent elsewhere.
                other.execute("PRAGMA journal_mode = DELETE")
            finally:
                other.close()

    def check(self) -> None:
        """Lets SQLite look through all of the file.

        Raises:
            ValueError: If it finds a fault.
        """
        if (found := self.value("PRAGMA integrity_check")) != "ok":
            raise self.damaged(found)

    def damaged(self, what: str) -> ValueError:
        """Returns the error of a file that holds something else."""
        return ValueError(
            "An index must be a whole file that this package wrote."
            f" Received: {self.path} with {what}"
        )

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

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
            raise self.damaged(str(error)) from error
