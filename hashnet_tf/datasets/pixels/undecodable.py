"""Which files of a set are no images, and why."""

import collections.abc
import contextlib
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.pixels.decoding import decode_image
from hashnet_tf.datasets.pixels.header import FORMATS, image_format
from hashnet_tf.datasets.sampling import untuned

if TYPE_CHECKING:
    from hashnet_tf.datasets.images.image_set import ImageSet

SHOWN = 5
# What files of other kinds hold, and where, as people meet them among images.
_OTHERS = (
    (0, b"GIF8", "a GIF, which may be an animation"),
    (8, b"WEBP", "an animated WebP"),
    (0, b"II*\0", "a TIFF"),
    (0, b"MM\0*", "a TIFF"),
    (4, b"ftyp", "HEIC, AVIF or a film"),
)


def _decoded_shape(encoded: tf.Tensor) -> tf.Tensor:
    # The shape is asked for so that the decoding is not optimised away.
    return tf.shape(decode_image(encoded))


def answers(
    images: "ImageSet", question: collections.abc.Callable[[tf.Tensor], Any]
) -> collections.abc.Iterator[tuple[int, Any]] | None:
    """Reads every image once and asks something of its bytes.

    Args:
        images: `ImageSet`.
        question: Function, for use in a graph, of a scalar string tensor.

    Returns:
        Iterator of `(position, answer)`, without the images that cannot be read
        or of which the question is an error; None of pixels in memory.

    Example:

    >>> import hashnet_tf as hn, tensorflow as tf
    >>> from hashnet_tf.datasets.pixels.undecodable import answers
    >>> answers(hn.datasets.load("digits").query, tf.strings.length)
    """
    stream = images.encoded()
    # The type of an element depends on the stream; this one's is a pair.
    spec: Any = stream.element_spec
    if spec[1].dtype != tf.string:
        return None
    stream = stream.map(
        lambda position, encoded: (position, question(encoded)),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    # Of a stream of pairs, as TensorFlow's stubs do not tell.
    pairs: Any = untuned(stream.ignore_errors()).as_numpy_iterator()
    return pairs


def refusals(images: "ImageSet") -> dict[int, str]:
    """Decodes every image once and tells which the decoder refuses, and why.

    Args:
        images: `ImageSet`; pixels in memory are no files and are good.

    Returns:
        Dict from position, rising, to the reason.

    Raises:
        OSError: If a file cannot be read: what it holds is not known then.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.pixels.undecodable import refusals
    >>> refusals(hn.datasets.load("digits").query)
    {}
    """
    shapes = answers(images, _decoded_shape)
    if shapes is None:
        return {}
    good = np.zeros(len(images), dtype=bool)
    for position, _ in shapes:
        good[position] = True
    return refused_of(images, np.flatnonzero(~good).tolist())


def refused_of(
    images: "ImageSet", positions: collections.abc.Iterable[int]
) -> dict[int, str]:
    """Reads and decodes some images of a set, one by one.

    Args:
        images: `ImageSet` of encoded images.
        positions: Rising ints.

    Returns:
        As `refusals`, of these.

    Raises:
        OSError: As `refusals`.
    """
    refused, unread = {}, []
    for position, encoded in _contents(images, list(positions), unread):
        try:
            decode_image(encoded)
        except tf.errors.ResourceExhaustedError:
            raise
        except tf.errors.OpError as error:
            refused[position] = _reason(encoded, error.message)
    if unread:
        raise OSError(
            f"Every file of an image must be readable. Received: {len(unread)}"
            f" of {len(images)} that are not, {_first(unread)}"
        )
    return refused


def _contents(
    images: "ImageSet", positions: list[int], unread: list[str]
) -> collections.abc.Iterator[tuple[int, bytes]]:
    """Yields `(position, bytes)`; what cannot be read goes to `unread`."""
    if not isinstance(images, FileImages):
        some = images.subset(np.array(positions, np.int64))
        for row, encoded in some.encoded():
            # Pixels in memory are no files, and good.
            if encoded.dtype == tf.string:
                yield positions[int(row)], encoded.numpy()
        return
    for position in positions:
        path = images.root / images.names[position]
        try:
            encoded = path.read_bytes()
        except OSError as error:
            unread.append(f"{images.where(position)} ({error.strerror})")
        else:
            yield position, encoded


def _reason(encoded: bytes, message: str) -> str:
    if not encoded:
        return "an empty file"
    if int(image_format(encoded)) == len(FORMATS):
        for at, mark, told in _OTHERS:
            if encoded.startswith(mark, at):
                return told
        return "not an image"
    # An assertion tells its values as Python writes them; an operation sets
    # its own name before and behind what it says.
    message = message.partition("Summarized data: ")[2] or message
    message = re.sub(r"\bb'([^']*)'", r"\1", message)
    message = re.sub(r"{{.*?}}|\[Op:.*", "", message, flags=re.DOTALL)
    return " ".join(message.split())


def _first(texts: list[str]) -> str:
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more


def named(
    images: "ImageSet", refused: collections.abc.Mapping[int, str]
) -> str:
    """Returns the first refused images, and the decoder's reasons, as text.

    Args:
        images: `ImageSet`.
        refused: Dict of `refusals`.
    """
    return _first([f"{images.where(i)} ({why})" for i, why in refused.items()])


def find_undecodable(images: "ImageSet") -> list[int]:
    """Decodes every image once and returns which could not be.

    Args:
        images: `ImageSet`; pixels in memory are no files and are good.

    Returns:
        Sorted list of positions.

    Raises:
        OSError: If a file cannot be read.

    Example:

    >>> import hashnet_tf as hn
    >>> hn.datasets.find_undecodable(hn.datasets.load("digits").query)
    []
    """
    return list(refusals(images))


def decodable(
    images: "ImageSet", skip: bool = False
) -> tuple["ImageSet", list[str]]:
    """Returns `images` less those that are no images.

    Args:
        images: `ImageSet`.
        skip: Whether to leave undecodable files out; otherwise one is an
            error.

    Returns:
        `(images, skipped)`: the set, and a list of str that name what was left
        out.

    Raises:
        ValueError: If a file is no image and `skip` is not set, or if none
            is one.
        OSError: If a file cannot be read, whether `skip` is set or not.

    Example:

    >>> import hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> hn.datasets.decodable(queries)[1]
    []
    """
    refused = refusals(images)
    if not skip:
        refuse_undecodable(images, refused)
    return without(images, refused), [images.where(i) for i in refused]


def without(
    images: "ImageSet", refused: collections.abc.Mapping[int, str]
) -> "ImageSet":
    """Returns a set less what the decoder refuses.

    Args:
        images: `ImageSet`.
        refused: Dict of `refusals`.

    Returns:
        `ImageSet`, `images` itself where nothing is refused.

    Raises:
        ValueError: If nothing would be left.
    """
    if not refused:
        return images
    if len(refused) == len(images):
        refuse_undecodable(images, refused)
    return images.subset(np.setdiff1d(np.arange(len(images)), list(refused)))


def refuse_undecodable(
    images: "ImageSet", refused: collections.abc.Mapping[int, str]
) -> None:
    """Raises a ValueError that names the first of some undecodable images.

    Args:
        images: `ImageSet`.
        refused: Dict of `refusals`; none is no error.
    """
    if refused:
        raise ValueError(
            f"{len(refused)} of {len(images)} images cannot be decoded; mend"
            " them, or leave such out with --skip_undecodable (`hashnet train`"
            f" of a new run, `hashnet encode --images`). Received:"
            f" {named(images, refused)}"
        )


@contextlib.contextmanager
def undecodable_named(images: "ImageSet") -> collections.abc.Iterator[None]:
    """Names the image where reading a stream of images fails.

    TensorFlow's own error tells what is wrong with the bytes, but not whose
    they are. Only then are the images looked through.

    Args:
        images: `ImageSet` that the block reads.

    Raises:
        ValueError: If the block fails and an image cannot be decoded; any
            other error is as it was.
        OSError: If it fails and a file cannot be read.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.pixels.undecodable import undecodable_named
    >>> queries = hn.datasets.load("digits").query
    >>> with undecodable_named(queries):
    ...     batch = next(iter(hn.datasets.ordered_batches(queries, (8, 8))))
    """
    try:
        yield
    except tf.errors.OpError as error:
        try:
            refuse_undecodable(images, refusals(images))
        except (ValueError, OSError) as told:
            raise told from error
        raise
