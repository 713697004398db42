"""Threads that keep no process from ending."""

import collections.abc
import concurrent.futures
import contextlib
import queue
import threading
import typing

T = typing.TypeVar("T")
P = typing.ParamSpec("P")
_Task = tuple[
    "concurrent.futures.Future[typing.Any]",
    collections.abc.Callable[[], None],
]


class Workers:
    """Some threads that share what is to be done.

    Not `ThreadPoolExecutor`: Python waits for its threads at the end of the
    process, however long they take. Nothing is written here, so these may be
    left at any time.

    Args:
        count: Int >= 1, how many threads.

    Example:

    >>> from hashnet_tf.serving.workers import Workers
    >>> workers = Workers(2)
    >>> workers.submit(len, "abc").result()
    3
    >>> workers.close()
    """

    def __init__(self, count: int) -> None:
        self._work: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, daemon=True)
            for _ in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            future, function = work
            # Of one who has gone nothing need be found.
            if future.set_running_or_notify_cancel():
                function()
            # Else it would hold what it was asked with until the next.
            del work, future, function

    def submit(
        self,
        function: collections.abc.Callable[P, T],
        *values: P.args,
        **named: P.kwargs,
    ) -> "concurrent.futures.Future[T]":
        """Returns the future of what a function returns in one of the threads.

        Args:
            function: It is called with some values.
            *values: What it is given.
            **named: The same, by name.
        """
        future: concurrent.futures.Future[T] = concurrent.futures.Future()

        def work() -> None:
            try:
                future.set_result(function(*values, **named))
            except BaseException as error:
                future.set_exception(error)

        self._work.put((future, work))
        return future

    def close(self) -> None:
        """Ends them once they have done what they are at, and no more."""
        with contextlib.suppress(queue.Empty):
            while True:
                if (work := self._work.get_nowait()) is not None:
                    work[0].cancel()
        self.end()

    def end(self, seconds: float = 0) -> None:
        """Ends them once all is done.

        Args:
            seconds: Float, how long each is waited for.
        """
        for _ in self._threads:
            self._work.put(None)
        if seconds:
            for thread in self._threads:
                thread.join(seconds)
