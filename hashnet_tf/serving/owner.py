"""An index and the one thread that may use it."""

import asyncio
import collections.abc
import os
import typing

from hashnet_tf.index import Index
from hashnet_tf.serving.server import LAST
from hashnet_tf.serving.workers import Workers

T = typing.TypeVar("T")
P = typing.ParamSpec("P")


class IndexOwner:
    """Opens an index in a thread of its own and asks it there, one by one.

    A connection to SQLite and an encoder may be used by one thread only.

    Args:
        path: Str or path of the index.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If the file is no index, or damaged.

    Example:

    >>> import asyncio, pathlib, tempfile, hashnet_tf as hn
    >>> from hashnet_tf.serving.owner import IndexOwner
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.index")
    ...     hn.Index.open(path, bits=8).close()
    ...     owner = IndexOwner(path)
    ...     print(asyncio.run(owner.ask(len)))
    ...     owner.close()
    0
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._worker = Workers(1)
        try:
            self._index = self._worker.submit(Index.open, path).result()
        except BaseException:
            self._worker.end()
            raise

    async def ask(
        self,
        function: collections.abc.Callable[typing.Concatenate[Index, P], T],
        *values: P.args,
        **named: P.kwargs,
    ) -> T:
        """Returns what a function of the index and some values returns.

        Args:
            function: It is called in the thread of the index.
            *values: What it is given beside the index.
            **named: The same, by name.
        """
        return await asyncio.wrap_future(
            self._worker.submit(function, self._index, *values, **named)
        )

    def close(self) -> None:
        """Closes the index; an answer that takes seconds is not waited for."""
        self._worker.submit(self._index.close)
        self._worker.end(LAST)
