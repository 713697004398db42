"""Near duplicates: a hash of what a picture looks like, and groups by it.

The learned code tells what is shown, so two pictures of one class may share it.
The hash here tells how it is shown.
"""

import typing

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps

from hashnet_tf.retrieval.codes import Codes, check_codes
from hashnet_tf.retrieval.hamming import code_words, word_distances
from hashnet_tf.retrieval.neighbors import check_radius

# Frequencies a side. Their 121 bits are the most that fill two words of 64.
FREQUENCIES = 11
# Pixels a side that imagehash transforms; the frequencies are a quarter of it.
SIDE = 4 * FREQUENCIES
# Grey levels. Where a picture spans no more, JPEG turns half of its bits.
FLAT = 2
# Levels of a channel. Flat colours 12 apart are then about `RADIUS` bits apart,
# and such as a re-encoding makes, which are 1 or 2 apart, 2 to 4.
COLOR_WIDTH = 16
# Of photographs of MIRFlickr one pair in ten million is within it, as
# benchmarks/duplicates.py tells, and half of these are true duplicates.
RADIUS = 24


class DuplicateGroup(typing.NamedTuple):
    """Pictures that are near duplicates of the first among them.

    Attributes:
        positions: int64 `[m]`, rows of the hashes, m >= 2: the first, then
            the others, the nearest to it first, equally near ones by row.
        distances: uint16 `[m]`, in bits from the first, beginning with 0.
    """

    positions: npt.NDArray[np.int64]
    distances: npt.NDArray[np.uint16]


def perceptual_hash(image: Image.Image | npt.NDArray[np.uint8]) -> bytes:
    """Hashes what a picture looks like, whatever its size and its encoding.

    The pHash of `imagehash`: the picture in grey of 44 x 44 pixels, its
    discrete cosine transform, and of each of the 11 x 11 lowest frequencies
    whether it is above their median ("Implementation and Benchmarking of
    Perceptual Image Hash Functions", Zauner, 2010, section 3.1.1). 121 bits,
    packed, and seven zeros.

    A picture of one grey has no such frequencies. One that spans at most 2 of
    255 levels gets 121 bits of its mean colour instead, sgn(cos(<w, c> + b))
    with fixed w of a normal and b of a uniform distribution ("Locality-
    sensitive binary codes from shift-invariant kernels", Raginsky and
    Lazebnik, NIPS 2009, Eq. 5 without a random threshold): near for colours
    that the eye holds for one, and for others as far as by chance.

    Args:
        image: `PIL.Image.Image`, turned upright as its EXIF says, or uint8
            `[height, width, 3]`, a picture as it was decoded, of any size; a
            thumbnail gives almost, but not quite, the hash of the picture.

    Returns:
        16 bytes.

    Raises:
        ImportError: If `imagehash` is not installed.
        ValueError: If an array is not uint8 `[height, width, 3]` or is empty.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.index import perceptual_hash
    >>> tiles = np.random.default_rng(0).integers(0, 256, (6, 8, 3), "uint8")
    >>> image = tiles.repeat(20, axis=0).repeat(20, axis=1)
    >>> smaller = image[::2, ::2]
    >>> hashes = [perceptual_hash(image), perceptual_hash(smaller)]
    >>> words = np.frombuffer(b"".join(hashes), "uint8").reshape(2, 16)
    >>> int(np.bitwise_count(words[0] ^ words[1]).sum()) <= 24
    True
    """
    try:
        import imagehash
    except ImportError as error:
        raise ImportError(
            "A perceptual hash needs imagehash: pip install imagehash"
        ) from error

    thumbnail = _upright(image).resize(
        (SIDE, SIDE),
        Image.Resampling.LANCZOS,
        # Whole blocks are averaged first, which takes a quarter of the time.
        reducing_gap=3.0,
    )
    darkest, brightest = typing.cast(
        tuple[int, int], thumbnail.convert("L").getextrema()
    )
    if brightest - darkest <= FLAT:
        bits = _color_bits(np.asarray(thumbnail).mean(axis=(0, 1)))
    else:
        bits = imagehash.phash(thumbnail, hash_size=FREQUENCIES).hash
    return np.packbits(bits).tobytes()


def _color_bits(color: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    # The one generator whose numbers numpy promises never to change.
    random = np.random.RandomState(0)
    scaled = color @ random.normal(size=(3, FREQUENCIES**2)) / COLOR_WIDTH
    return np.cos(scaled + random.uniform(0, 2 * np.pi, scaled.shape)) > 0


def _upright(image: Image.Image | npt.NDArray[np.uint8]) -> Image.Image:
    if isinstance(image, Image.Image):
        # Either makes a copy, which of 12 megapixels takes longest of all.
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            image = ImageOps.exif_transpose(image)
        return image if image.mode == "RGB" else image.convert("RGB")
    image = np.asarray(image)
    if (
        image.ndim != 3
        or image.shape[2] != 3
        or image.dtype != np.uint8
        or not image.size
    ):
        raise ValueError(
            "`image` must be a PIL image or uint8 [height, width, 3], not"
            f" empty. Received: image.shape={image.shape},"
            f" image.dtype={image.dtype}"
        )
    return Image.fromarray(image)


def duplicate_groups(
    hashes: Codes, radius: int = RADIUS
) -> list[DuplicateGroup]:
    """Groups pictures that look alike, each around one that all are like.

    Exact: every hash is compared with every other. The one with the most
    others within the radius, of equals the first, takes these into its group;
    so goes on the next that is in none, and what is left alone is in none. So
    whoever keeps the first of each group and all that are in none keeps
    something within the radius of every picture, and no two that are. A chain
    A, B, C of which A and C are unlike is one group around B; a longer one is
    several, where connected components would hold pictures unlike any other
    but their neighbours in the chain.

    The time grows with the square of the number of different hashes, the memory
    with the number alone, even if all are alike.

    Args:
        hashes: uint8 `[n, bytes]`, those of `perceptual_hash` or any others of
            one length.
        radius: Int >= 0, in bits; a picture at this distance counts.

    Returns:
        List of `DuplicateGroup`, the largest first, equally large ones by the
        row of their first.

    Raises:
        ValueError: If the hashes are not uint8 `[n, bytes]` or `radius` is no
            integer >= 0.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.index import duplicate_groups
    >>> hashes = np.array([[0b0001], [0b0111], [0b11110000], [0b0011]], "uint8")
    >>> for group in duplicate_groups(hashes, radius=1):
    ...     print(group.positions.tolist(), group.distances.tolist())
    [3, 0, 1] [0, 1, 1]
    """
    hashes = check_codes(hashes, name="hashes")
    check_radius(radius)
    if not len(hashes):
        return []
    # Equal ones, of which there may be many, are compared once.
    distinct, first, inverse, counts = np.unique(
        hashes,
        axis=0,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    rows = np.split(np.argsort(inverse, kind="stable"), np.cumsum(counts)[:-1])
    words = code_words(distinct)
    alike = _count_alike(words, counts, radius)
    # Only these can be in a group, mostly few; in the order in which they may
    # begin one.
    order = np.lexsort((first, -alike))
    order = order[alike[order] > 1]
    words = np.ascontiguousarray(words[:, order])
    taken = np.zeros(len(order), np.bool_)
    groups = []
    for place in range(len(order)):
        if taken[place]:
            continue
        near = word_distances(words[:, place], words[:, place:])
        # All before have begun a group or been taken into one.
        found = np.flatnonzero((near <= radius) & ~taken[place:])
        taken[place + found] = True
        near, found = near[found].astype(np.uint16), order[place + found]
        positions = np.concatenate([rows[item] for item in found])
        if len(positions) > 1:
            near = np.repeat(near, counts[found])
            by = np.lexsort((positions, near))
            groups.append(DuplicateGroup(positions[by], near[by]))
    groups.sort(key=lambda group: (-len(group.positions), group.positions[0]))
    return groups


def _count_alike(
    words: npt.NDArray[np.uint64], counts: npt.NDArray[np.int64], radius: int
) -> npt.NDArray[np.int64]:
    """Counts the hashes within the radius of each, itself among them."""
    alike = counts.copy()
    for item in range(words.shape[1] - 1):
        near = word_distances(words[:, item], words[:, item + 1 :])
        found = item + 1 + np.flatnonzero(near <= radius)
        if len(found):
            alike[item] += counts[found].sum()
            alike[found] += counts[item]
    return alike
