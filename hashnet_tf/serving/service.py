"""What answers have in common: the index, its pictures, what is counted."""

import asyncio
import collections.abc
import os
import typing

import numpy.typing as npt
from starlette.requests import ClientDisconnect, Request

from hashnet_tf.index import Index
from hashnet_tf.serving import questions
from hashnet_tf.serving.answers import Groups
from hashnet_tf.serving.metrics import Metrics
from hashnet_tf.serving.owner import IndexOwner
from hashnet_tf.serving.refusal import Refusal
from hashnet_tf.serving.thumbnails import Thumbnails
from hashnet_tf.serving.uploads import (
    TYPES,
    VECTOR_TYPES,
    check_type,
    decoded,
    read_body,
    read_vector,
)
from hashnet_tf.serving.workers import Workers

T = typing.TypeVar("T")
P = typing.ParamSpec("P")
# Pictures that are decoded at once; the largest fill most of a gigabyte each.
DECODED = 2
# Bodies that are in memory at once; the others wait in their sockets.
HELD = 8


class Service:
    """An index that is served.

    Args:
        path: Str or path of it.

    Attributes:
        metrics: `Metrics`.

    Raises:
        FileNotFoundError: If there is no index.
        ValueError: If the file is none, or damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.metrics: Metrics = Metrics()
        self._owner = IndexOwner(path)
        # In a thread of its own, or searches would wait for it.
        self._slow_owner = IndexOwner(path)
        self._duplicates = questions.Duplicates()
        self._thumbnails = Thumbnails()
        self._decoding = Workers(DECODED)
        # A page asks for dozens, and no search should wait for them.
        self._drawing = Workers(DECODED)
        self._bodies = asyncio.Semaphore(HELD)

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

        Raises:
            Refusal: If the index cannot do it.
        """
        try:
            return await self._owner.ask(function, *values, **named)
        except (ValueError, OSError) as error:
            raise _refusal(error) from error

    async def duplicates(self, radius: int, offset: int, limit: int) -> Groups:
        """Returns some groups of duplicates, as `Duplicates.groups`."""
        try:
            return await self._slow_owner.ask(
                self._groups, radius, offset, limit
            )
        except (ValueError, OSError) as error:
            raise _refusal(error) from error

    def _groups(
        self, index: Index, radius: int, offset: int, limit: int
    ) -> Groups:
        return self._duplicates.groups(index, radius, offset, limit)

    async def sent_query(self, request: Request) -> npt.NDArray:
        """Returns the image, or the vector, that is the body of a request.

        Args:
            request: Starlette's.

        Returns:
            uint8 `[height, width, 3]`, as the encoder takes it, or float32
            `[d]`.

        Raises:
            Refusal: If there is no encoder, or it is no image, or too large, or
                no vector.
        """
        size, framing = await self.ask(questions.picture_form)
        types = VECTOR_TYPES if size is None else TYPES
        check_type(request.headers.get("content-type"), types)
        async with self._bodies:
            try:
                content = await read_body(request.stream())
            except ClientDisconnect as error:
                raise Refusal(
                    400,
                    "A body must be sent to its end. Received: some of it",
                ) from error
            if size is None:
                return read_vector(content)
            return await _done(self._decoding, decoded, content, size, framing)

    async def thumbnail(self, number: int) -> bytes:
        """Returns a small JPEG of an item.

        Args:
            number: Int, its id.

        Raises:
            Refusal: If there is no such item, or its file has gone.
        """
        entry = await self.ask(questions.entry_of, number)
        made = await _done(self._drawing, self._thumbnails.of, entry)
        if made is None:
            raise Refusal(
                404,
                "An item must be an image file that is there."
                f" Received: {entry.name}",
            )
        return made

    def close(self) -> None:
        """Ends its threads; what takes seconds is not waited for."""
        self._decoding.close()
        self._drawing.close()
        self._owner.close()
        self._slow_owner.close()


async def _done(
    workers: Workers,
    function: collections.abc.Callable[P, T],
    *values: P.args,
    **named: P.kwargs,
) -> T:
    """Returns what a function returns in a thread of some workers."""
    return await asyncio.wrap_future(workers.submit(function, *values, **named))


def _refusal(error: ValueError | OSError) -> Refusal:
    """Returns why an index cannot do what it is asked for."""
    # It is busy or cannot be read, or it lacks something, such as an encoder.
    return Refusal(503 if isinstance(error, OSError) else 409, str(error))
