"""Image files to pixels without TensorFlow, which takes seconds to load.

The pixels are those that `decode_image` and `frame_image` give, by Pillow and
NumPy: the decoders are the same libraries, and the resizing here adds in the
order of TensorFlow's.
"""

import collections.abc
import concurrent.futures
import functools
import io
import os
import pathlib
import struct

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from hashnet_tf._framings import (
    JPEG_RATIO,
    MAX_PIXELS,
    MAX_SIDE,
    check_framing,
    uncropped_size,
)

_FORMATS = ("PNG", "WEBP", "BMP")
# Of many that are refused.
SHOWN = 5
# Of small pictures, some kilobytes each.
QUALITY = 80

Path = os.PathLike[str] | str
Pixels = npt.NDArray[np.uint8]


def open_image(
    source: Path | bytes, least_side: int | None = None
) -> Image.Image:
    """Decodes an image file, upright.

    Args:
        source: Path of a JPEG, PNG, WebP or BMP file that is no animation, or
            its bytes.
        least_side: Int, to decode a JPEG faster and at a half, a quarter or an
            eighth of its size, each side of as many pixels at least; None for
            all that it has.

    Returns:
        `PIL.Image.Image` in RGB, transparency dropped, as
        `hashnet_tf.datasets.pixels.decoding.decode_image` gives it.

    Raises:
        ValueError: If it is no such image, damaged or too large.
        OSError: If the file cannot be read.

    Example:

    >>> import io
    >>> from PIL import Image
    >>> from hashnet_tf.datasets.pixels.pillow import open_image
    >>> file = io.BytesIO()
    >>> Image.new("L", (4, 3)).save(file, "PNG")
    >>> open_image(file.getvalue()).size
    (4, 3)
    """
    content = source
    if not isinstance(content, bytes):
        content = pathlib.Path(content).read_bytes()
    try:
        with _opened(content) as image:
            _check_size(image)
            if least_side is not None and isinstance(image, JpegImageFile):
                image.draft(None, (least_side, least_side))
            coloured = _in_colour(image)
            # In its place, or a large one would be there once more.
            ImageOps.exif_transpose(coloured, in_place=True)
            return coloured
    except Image.UnidentifiedImageError as error:
        raise ValueError(
            "An image must be a JPEG, PNG, WebP or BMP file."
            f" Received: {len(content):,} bytes that are none"
        ) from error
    # What Pillow's readers raise of content that is damaged.
    except (
        OSError,
        SyntaxError,
        EOFError,
        struct.error,
        Image.DecompressionBombError,
    ) as error:
        raise ValueError(
            "An image must be whole and of a size that can be decoded."
            f" Received: {len(content):,} bytes ({error})"
        ) from error


def small_jpeg(source: Path | bytes | Image.Image, side: int) -> bytes:
    """Returns a small picture of an image file, upright.

    What a file tells of camera and place stays in the file.

    Args:
        source: As `open_image` takes it, or what it gave.
        side: Int, most pixels of the longer side; none is made larger.

    Returns:
        Bytes of a JPEG.

    Raises:
        ValueError: As `open_image`.
        OSError: As `open_image`.

    Example:

    >>> from PIL import Image
    >>> from hashnet_tf.datasets.pixels.pillow import open_image, small_jpeg
    >>> open_image(small_jpeg(Image.new("RGB", (60, 40)), 30)).size
    (30, 20)
    """
    image = source
    if not isinstance(image, Image.Image):
        image = open_image(image, least_side=side)
    image.thumbnail((side, side))
    image.info.clear()
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, exif=b"")
    return out.getvalue()


def _opened(content: bytes) -> Image.Image:
    file = io.BytesIO(content)
    # Named, for Pillow takes a camera's JPEG of several pictures for another
    # format, and refuses one of 200 megapixels before it could be decoded at
    # half its size.
    if content.startswith(b"\xff\xd8\xff"):
        return JpegImageFile(file)
    return Image.open(file, formats=_FORMATS)


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS and isinstance(image, JpegImageFile):
        # Of several scans the decoder keeps all coefficients, whatever the
        # ratio.
        if "progressive" not in image.info:
            halves = (-(-width // JPEG_RATIO), -(-height // JPEG_RATIO))
            image.draft("RGB", halves)
        width, height = image.size
    if image.format == "WEBP" and (frames := getattr(image, "n_frames", 1)) > 1:
        raise ValueError(
            f"An image must be no animation. Received: {frames} frames"
        )
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ValueError(
            f"An image must have at most {MAX_PIXELS:,} pixels and"
            f" {MAX_SIDE:,} a side. Received: {width:,} x {height:,}"
        )


def _in_colour(image: Image.Image) -> Image.Image:
    told = image.getexif()
    if image.mode.startswith("I"):
        # Of 16 bits the upper 8 count; Pillow cuts off what exceeds 255.
        grey = np.asarray(image, np.uint32) >> 8
        image = Image.fromarray(grey.astype(np.uint8))
    elif image.mode == "CMYK" and "adobe" not in image.info:
        # The numbers are ink, which Pillow takes for light.
        image = ImageChops.invert(image)
    # It is dropped by what is told, of which Pillow would warn.
    image.info.pop("transparency", None)
    coloured = image.convert("RGB")
    coloured.getexif().update(told)
    return coloured


def image_pixels(
    source: Path | bytes | Image.Image,
    size: tuple[int, int],
    framing: str = "whole",
) -> Pixels:
    """Decodes and frames an image as a network sees it at test.

    Args:
        source: As `open_image` takes it, or what it gave.
        size: `(height, width)` of the network.
        framing: "whole", "paper" or "modern".

    Returns:
        uint8 `[height, width, 3]`, as `frame_image` of
        `hashnet_tf.datasets.pixels.framing` gives it.

    Raises:
        ValueError: As `open_image`, or if `framing` is none of these.
        OSError: As `open_image`.

    Example:

    >>> from PIL import Image
    >>> from hashnet_tf.datasets.pixels.pillow import image_pixels
    >>> image_pixels(Image.new("RGB", (60, 40)), (14, 14), "modern").shape
    (14, 14, 3)
    """
    check_framing(framing)
    image = source if isinstance(source, Image.Image) else open_image(source)
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    within = size if framing == "whole" else uncropped_size(size)
    if framing == "modern":
        # The short side covers; the long one is rounded down.
        wide, high = width * within[0], height * within[1]
        within = (
            within[0] if wide >= high else high // width,
            wide // height if wide >= high else within[1],
        )
    top, left = ((w - s) // 2 for w, s in zip(within, size, strict=True))
    if within == (height, width):
        return pixels[top : top + size[0], left : left + size[1]]
    rows = _spans(height, within[0], top, size[0])
    columns = _spans(width, within[1], left, size[1])
    resized = _gathered(pixels, rows)
    resized = _gathered(resized.swapaxes(0, 1), columns).swapaxes(0, 1)
    return np.rint(resized).clip(0, 255).astype(np.uint8)


Spans = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


@functools.lru_cache(64)
def _spans(there: int, wanted: int, offset: int, count: int) -> Spans:
    """Returns which pixels each new one is the mean of, and their weights.

    A triangle as wide as a new pixel, or as an old one where those are wider
    (TensorFlow's ScaleAndTranslate with antialiasing), in its single precision.

    Args:
        there: Int, pixels of a side.
        wanted: Int, as many as it is resized to.
        offset: Int, the first that is returned.
        count: Int, how many are.

    Returns:
        `(first, weights)`, int64 `[count]` and float32 `[count, taps]`.
    """
    one = np.float32(1)
    scale = np.float32(wanted) / np.float32(there)
    inverse = one / scale
    translation = -np.float32(offset) * inverse
    kernel = max(inverse, one)
    centres = (np.arange(count, dtype=np.float32) + np.float32(0.5)) * inverse
    centres = (centres - translation).astype(np.float32)
    first = np.ceil(centres - kernel - np.float32(0.5)).astype(np.int64)
    last = np.floor(centres + kernel - np.float32(0.5)).astype(np.int64)
    first, last = first.clip(0, there - 1), last.clip(0, there - 1)
    places = first[:, None] + np.arange(int((last - first).max()) + 1)
    far = np.abs(places.astype(np.float32) + np.float32(0.5) - centres[:, None])
    weights = np.maximum(one - far * (one / kernel), np.float32(0))
    weights = np.where(places <= last[:, None], weights, np.float32(0))
    # Summed one after the other, as there.
    total = np.zeros(count, np.float32)
    for tap in range(weights.shape[1]):
        total += weights[:, tap]
    return first, weights * (one / total)[:, None]


def _gathered(
    pixels: Pixels | npt.NDArray[np.float32], spans: Spans
) -> npt.NDArray[np.float32]:
    """Returns the weighted sums of rows."""
    # Some rows at a time become single precision, for all of them would take
    # four times as much memory.
    first, weights = spans
    last = len(pixels) - 1
    out = np.zeros((len(first), *pixels.shape[1:]), np.float32)
    for tap in range(weights.shape[1]):
        rows = pixels[np.minimum(first + tap, last)]
        out += rows * weights[:, tap, None, None]
    return out


def check_paths(paths: collections.abc.Iterable[Path]) -> list[str]:
    """Returns the paths of files as a list, if all of them are there.

    Args:
        paths: Strs or paths.

    Raises:
        ValueError: If `paths` is one path.
        FileNotFoundError: If a file is missing.

    Example:

    >>> from hashnet_tf.datasets.pixels.pillow import check_paths
    >>> check_paths([])
    []
    """
    if isinstance(paths, (str, os.PathLike)):
        raise ValueError(
            f"`paths` must be a list of paths. Received: paths={paths!r}"
        )
    names = [os.fspath(path) for path in paths]
    if missing := [name for name in names if not os.path.isfile(name)]:
        raise FileNotFoundError(
            "`paths` must be files that are there."
            f" Received: {len(missing)} that are not, first {missing[0]}"
        )
    return names


def pixel_batches(
    paths: collections.abc.Iterable[Path],
    size: tuple[int, int],
    framing: str = "whole",
    batch_size: int = 32,
) -> collections.abc.Iterator[Pixels]:
    """Decodes and frames image files, some at a time.

    As `hashnet_tf.datasets.file_batches` does with TensorFlow.

    Args:
        paths: Paths of n JPEG, PNG, WebP or BMP files.
        size: `(height, width)` of the network.
        framing: As in `image_pixels`.
        batch_size: Positive int.

    Yields:
        uint8 arrays `[<= batch_size, height, width, 3]`, in the order of the
        paths.

    Raises:
        ValueError: If `paths` is one path, or files are no images.
        FileNotFoundError: If a file is missing; then none is decoded.
        OSError: If a file cannot be read.

    Example:

    >>> from hashnet_tf.datasets.pixels.pillow import pixel_batches
    >>> list(pixel_batches([], (16, 20)))
    []
    """
    names = check_paths(paths)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for start in range(0, len(names), batch_size):
            some = names[start : start + batch_size]
            found = list(pool.map(lambda n: _tried(n, size, framing), some))
            pixels = [each for each in found if not isinstance(each, str)]
            if len(pixels) < len(found):
                refused = [
                    f"{name} ({why})"
                    for name, why in zip(some, found, strict=True)
                    if isinstance(why, str)
                ]
                raise ValueError(
                    "`paths` must be images that can be decoded: JPEG, PNG,"
                    f" WebP or BMP. Received: {', '.join(refused[:SHOWN])}"
                )
            yield np.stack(pixels)


def _tried(name: str, size: tuple[int, int], framing: str) -> Pixels | str:
    try:
        return image_pixels(name, size, framing)
    except ValueError as error:
        return str(error)
