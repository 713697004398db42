"""An index and the one thread that may use it."""

import asyncio
import collections.abc
import concurrent.futures
import os
import typing

from hashnet_tf.index import Index

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
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        try:
            self._index = self._thread.submit(Index.open, path).result()
        except BaseException:
            self._thread.shutdown()
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
        future = self._thread.submit(function, self._index, *values, **named)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Closes the index, once it has answered what was asked."""
        self._thread.submit(self._index.close).result()
        self._thread.shutdown()
