"""What an encoder takes: images of the trained size, some at a time."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from hashnet_tf._inputs import check_inputs

# Small enough for the activations of a big network on a phone or a laptop.
BATCH_SIZE = 32
FEW = 8


def check_images(
    images: npt.ArrayLike, size: tuple[int, int], name: str = "images"
) -> np.ndarray:
    """Checks that an array holds images of the trained size.

    Args:
        images: Array `[n, height, width, 3]` of uint8, or of floats that are
            whole numbers in [0, 255].
        size: `(height, width)`, the trained size.
        name: What to call the array in an error.

    Returns:
        `images` as uint8 array.

    Raises:
        ValueError: If dtype, shape or values are others.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.export.images import check_images
    >>> check_images(np.zeros((2, 16, 16, 3), "uint8"), (16, 16)).shape
    (2, 16, 16, 3)
    """
    return check_inputs(images, (None, *size, 3), name, whole=True)


def image_batches(
    images: np.ndarray, batch_size: int = BATCH_SIZE
) -> Iterator[np.ndarray]:
    """Yields `images`, an array `[n, ...]`, some at a time.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.export.images import image_batches
    >>> [len(batch) for batch in image_batches(np.zeros((40, 2)))]
    [32, 8]
    """
    for start in range(0, len(images), batch_size):
        yield images[start : start + batch_size]


def joined_codes(codes: Iterable[np.ndarray], bits: int) -> np.ndarray:
    """Returns the codes of batches as one array, though there be none.

    Args:
        codes: Iterable of uint8 arrays `[n, ceil(bits / 8)]`.
        bits: Int, K.

    Example:

    >>> from hashnet_tf.export.images import joined_codes
    >>> joined_codes([], 12).shape
    (0, 2)
    """
    none = np.zeros((0, -(-bits // 8)), dtype=np.uint8)
    return np.concatenate([none, *codes])


def some_images(
    size: tuple[int, int], images: np.ndarray | None = None
) -> np.ndarray:
    """Returns the few images that a new file is run on.

    Args:
        size: `(height, width)`.
        images: uint8 array `[n, height, width, 3]` to take the first of, or
            None for noise, which is the same each time.

    Returns:
        uint8 array `[<= 8, height, width, 3]`.

    Example:

    >>> from hashnet_tf.export.images import some_images
    >>> some_images((16, 20)).shape
    (8, 16, 20, 3)
    """
    if images is not None:
        return images[:FEW]
    noise = np.random.default_rng(0).integers(0, 256, (FEW, *size, 3))
    return noise.astype(np.uint8)
