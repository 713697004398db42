"""An index and the one thread that may use it."""

import asyncio
import collections.abc
import concurrent.futures
import os
import queue
import threading
import typing

from hashnet_tf.index import Index

T = typing.TypeVar("T")
P = typing.ParamSpec("P")
# Seconds that an answer may take once the end is asked for. To compare a
# hundred thousand pictures takes minutes.
LAST = 3.0


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
        self._work: queue.SimpleQueue[
            collections.abc.Callable[[], None] | None
        ] = queue.SimpleQueue()
        # The process may end while it still answers: nothing is written.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        try:
            self._index = self._asked(Index.open, path).result()
        except BaseException:
            self._work.put(None)
            raise

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            # Else it would hold what it was asked with until the next.
            del work

    def _asked(
        self,
        function: collections.abc.Callable[P, T],
        *values: P.args,
        **named: P.kwargs,
    ) -> "concurrent.futures.Future[T]":
        future: concurrent.futures.Future[T] = concurrent.futures.Future()

        def work() -> None:
            # Of one who has gone nothing need be found.
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*values, **named))
            except BaseException as error:
                future.set_exception(error)

        self._work.put(work)
        return future

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
            self._asked(function, self._index, *values, **named)
        )

    def close(self) -> None:
        """Closes the index; an answer that takes seconds is not waited for."""
        self._asked(self._index.close)
        self._work.put(None)
        self._thread.join(LAST)
