"""What is sent: how large it may be, of which type, and what it holds."""

import asyncio
import collections.abc
import json

import numpy as np
import numpy.typing as npt
from PIL import Image

from hashnet_tf.datasets.pixels.pillow import image_pixels, open_image
from hashnet_tf.serving.refusal import Refusal

# Bytes of a body; a JPEG of 50 megapixels has fewer.
LARGEST = 32 * 2**20
# Seconds in which it must have come: few are received at once, so that one who
# sends slowly keeps others waiting.
PATIENCE = 60.0
# Of a larger one so many are received before the connection is closed.
PASSED = 8 * LARGEST
TYPES = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/bmp",
    "application/octet-stream",
)
# Of an index of vectors.
VECTOR_TYPES = ("application/json",)


def check_type(
    content_type: str | None, types: collections.abc.Collection[str] = TYPES
) -> None:
    """Refuses a body that does not say that it is what is asked with.

    A page of another site cannot send one that does without being asked by the
    browser first.

    Args:
        content_type: Str, the header, or None.
        types: Strs, what it may be; an image without.

    Raises:
        Refusal: If it is none of `types`.

    Example:

    >>> from hashnet_tf.serving.uploads import check_type
    >>> check_type("image/jpeg")
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in types:
        raise Refusal(
            415,
            f"The header Content-Type must be one of {', '.join(types)}."
            f" Received: {kind[:100] or 'none'}",
        )


async def read_body(stream: collections.abc.AsyncIterator[bytes]) -> bytes:
    """Reads a body, and keeps no more of it than is allowed.

    Args:
        stream: Its pieces.

    Raises:
        Refusal: If it has more than `LARGEST` bytes, or takes longer than
            `PATIENCE` to come.

    Example:

    >>> import asyncio
    >>> from hashnet_tf.serving.uploads import read_body
    >>> async def pieces():
    ...     yield b"a"
    ...     yield b"b"
    >>> asyncio.run(read_body(pieces()))
    b'ab'
    """
    try:
        async with asyncio.timeout(PATIENCE):
            return await _all_of(stream)
    except TimeoutError as error:
        raise Refusal(
            408,
            f"A body must be sent within {PATIENCE:g} seconds."
            " Received: some of it",
        ) from error


async def _all_of(stream: collections.abc.AsyncIterator[bytes]) -> bytes:
    content, length = bytearray(), 0
    async for piece in stream:
        length += len(piece)
        if length <= LARGEST:
            content += piece
        else:
            content.clear()
        # Who still sends would not read a refusal, so some more is let go by.
        if length > PASSED:
            break
    if length > LARGEST:
        raise Refusal(
            413,
            f"A body may have {LARGEST:,} bytes at most. Received: more",
        )
    return bytes(content)


def decoded(
    content: bytes, size: tuple[int, int], framing: str
) -> npt.NDArray[np.uint8]:
    """Decodes and frames an image that was sent.

    Args:
        content: Bytes.
        size: `(height, width)` of the encoder.
        framing: Its framing.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        Refusal: If it is no JPEG, PNG, WebP or BMP file, or one that is
            damaged, an animation or of too many pixels.
    """
    try:
        return image_pixels(open_image(content), size, framing)
    except ValueError as error:
        unknown = isinstance(error.__cause__, Image.UnidentifiedImageError)
        raise Refusal(415 if unknown else 422, str(error)) from error
    except MemoryError as error:
        raise Refusal(
            422,
            "An image must fit into memory."
            f" Received: {len(content):,} bytes that do not",
        ) from error


def read_vector(content: bytes) -> npt.NDArray[np.float32]:
    """Reads a vector that was sent, `{"vector": [0.5, ...]}`.

    Args:
        content: Bytes, JSON.

    Returns:
        float32 `[d]`.

    Raises:
        Refusal: If it is something else, or a value is no finite float32.

    Example:

    >>> from hashnet_tf.serving.uploads import read_vector
    >>> read_vector(b'{"vector": [0.5, 2]}').tolist()
    [0.5, 2.0]
    """
    vector = None
    try:
        told = json.loads(content)
        if isinstance(told, dict) and isinstance(told.get("vector"), list):
            given = np.asarray(told["vector"])
            if given.ndim == 1 and given.dtype.kind in "fi":
                with np.errstate(over="ignore"):
                    vector = given.astype(np.float32)
    except (ValueError, RecursionError):
        # No JSON, lists of several lengths, or numbers beyond any.
        pass
    if vector is None or not np.isfinite(vector).all():
        raise Refusal(
            422,
            'A vector must be JSON, {"vector": [0.5, ...]}, of finite numbers.'
            f" Received: {content[:60]!r}",
        )
    return vector
