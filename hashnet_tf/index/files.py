"""Image files of an index: which have changed, and their codes."""

import collections.abc
import concurrent.futures
import os
import typing

import numpy as np

from hashnet_tf._files import file_digest
from hashnet_tf._output import Progress
from hashnet_tf.datasets.pixels.pillow import image_pixels, open_image
from hashnet_tf.index._checks import SHOWN
from hashnet_tf.index.changes import Changes
from hashnet_tf.index.duplicates import perceptual_hash
from hashnet_tf.index.item_file import Item, ItemFile, Picture

if typing.TYPE_CHECKING:
    from hashnet_tf.runs import Encoder

# Files that are encoded, and lost if the process is killed, at once.
BATCH = 128

Labels = collections.abc.Mapping[str, str | None]


def add_files(
    file: ItemFile,
    encoder: "Encoder",
    labels: Labels,
    verify: bool,
    keep_features: bool,
) -> Changes:
    """Adds image files to the items, as `Index.add_files` does.

    Args:
        file: `ItemFile`.
        encoder: `hashnet_tf.runs.Encoder`.
        labels: Mapping from the absolute path of each file to its label; None
            keeps what it has.
        verify: As there.
        keep_features: As in `Index.open`.
    """
    if encoder.image_size is None:
        raise ValueError(
            "An index of vectors takes no image files. Received:"
            f" {len(labels)} of them"
        )
    names = list(labels)
    known = file.find(names)
    progress = Progress(len(names), "files")
    refused: dict[str, str] = {}
    counts = {"added": 0, "refreshed": 0, "kept": 0}
    for start in range(0, len(names), BATCH):
        found = []
        for name in names[start : start + BATCH]:
            old, label = known.get(name), labels[name]
            if label is None and old is not None:
                label = old.label
            item = _looked_at(name, label, old, verify, refused)
            found += [] if item is None else [item]
        new = [item for item in found if known.get(item.name) != item]
        new, pictures = _encoded(encoder, file, new, refused)
        if not keep_features:
            pictures = [p._replace(features=None) for p in pictures]
        if new:
            file.put_pictures(new, pictures, known)
        for item in found:
            if item.name not in refused:
                counts[_kind(known.get(item.name), item)] += 1
        progress.update(min(start + BATCH, len(names)))
    return Changes(**counts, refused=refused)


def _kind(old: Item | None, item: Item) -> str:
    if old is None:
        return "added"
    same = (old.digest, old.label) == (item.digest, item.label)
    return "kept" if same else "refreshed"


def _looked_at(
    name: str,
    label: str | None,
    known: Item | None,
    verify: bool,
    refused: dict[str, str],
) -> Item | None:
    """Returns a file as it is now, its code only if the content is known."""
    try:
        status = os.stat(name)
        seen = (status.st_size, status.st_mtime_ns, status.st_ino)
        if known is not None and not verify and known[4:] == seen:
            return known._replace(label=label)
        digest = file_digest(name)
    except OSError as error:
        refused[name] = error.strerror or str(error)
        return None
    code = b""
    if known is not None and known.digest == digest:
        code = known.code
    return Item(name, code, label, digest, *seen)


def _encoded(
    encoder: "Encoder",
    file: ItemFile,
    items: list[Item],
    refused: dict[str, str],
) -> tuple[list[Item], list[Picture]]:
    """Returns items with their codes, and pictures that were not known.

    Those that are no images are refused.
    """
    codes = {item.digest: item.code for item in items if item.code}
    unknown = {item.digest for item in items} - set(codes)
    alike = file.alike(digest for digest in unknown if digest is not None)
    codes |= {digest: item.code for digest, item in alike.items()}
    # Of each content one.
    first = {
        item.digest: item.name for item in items if item.digest not in codes
    }
    with concurrent.futures.ThreadPoolExecutor() as pool:
        read = list(pool.map(lambda n: _read(encoder, n), first.values()))
    wrong, right = {}, {}
    for digest, found in zip(first, read, strict=True):
        (wrong if isinstance(found, str) else right)[digest] = found
    pictures = []
    if right:
        pixels = np.stack([pixels for pixels, _ in right.values()])
        new, features = codes_and_features(encoder, pixels)
        for digest, code, values in zip(right, new, features, strict=True):
            codes[digest] = code.tobytes()
            kept = None
            if values is not None:
                kept = values.astype(np.float16).tobytes()
            pictures.append(Picture(digest or "", right[digest][1], kept))
    refused |= {i.name: wrong[i.digest] for i in items if i.digest in wrong}
    done = [
        item._replace(code=codes[item.digest])
        for item in items
        if item.digest in codes
    ]
    return done, pictures


def _read(encoder: "Encoder", name: str) -> tuple[np.ndarray, bytes] | str:
    """Returns the pixels and the perceptual hash of a file, or why not."""
    assert encoder.image_size is not None
    try:
        image = open_image(name)
        pixels = image_pixels(image, encoder.image_size, encoder.framing)
        return pixels, perceptual_hash(image)
    except (ValueError, OSError) as error:
        return str(error)


def codes_and_features(
    encoder: "Encoder", pixels: np.ndarray
) -> tuple[np.ndarray, collections.abc.Sequence[np.ndarray | None]]:
    """Encodes images.

    Args:
        encoder: `hashnet_tf.runs.Encoder`; a LiteRT file may give features.
        pixels: uint8 `[n, height, width, 3]`.

    Returns:
        Codes, uint8 `[n, bytes]`, and of each image float32 `[d]`, or None
        where the encoder has no features.
    """
    if getattr(encoder, "features", None):
        outputs = typing.cast(typing.Any, encoder).run(pixels)
        return outputs["codes"], list(outputs["features"])
    return encoder.encode(pixels), [None] * len(pixels)


def z_of(encoder: "Encoder", pixels: np.ndarray) -> np.ndarray:
    """Encodes images, or vectors, as z, which is not bits yet.

    Args:
        encoder: `hashnet_tf.runs.Encoder`; a LiteRT file may give z.
        pixels: uint8 `[n, height, width, 3]`, or real `[n, d]`.

    Returns:
        float32 `[n, bits]`.

    Raises:
        ValueError: If it gives none.
    """
    if not getattr(encoder, "has_z", False):
        raise ValueError(
            "To rank by z an index needs an encoder that gives it, a LiteRT"
            " file of `to_litert` with z=True; of another, ask `search_z` with"
            f" z. Received: {type(encoder).__name__} that gives none"
        )
    return typing.cast(typing.Any, encoder).embed(pixels)


def within(names: collections.abc.Iterable[str], path: str) -> list[str]:
    """Returns those of some names that are a path or lie below it.

    Args:
        names: Strs.
        path: Str, absolute.

    Example:

    >>> from hashnet_tf.index.files import within
    >>> within(["/a/b.jpg", "/a/c/d.jpg", "/ab.jpg"], "/a")
    ['/a/b.jpg', '/a/c/d.jpg']
    """
    below = os.path.join(path, "")
    return [name for name in names if name == path or name.startswith(below)]


def all_within(
    names: collections.abc.Iterable[str],
    paths: collections.abc.Iterable[str | os.PathLike[str]],
) -> list[str]:
    """Returns those of some names that are paths or lie below them, each once.

    Args:
        names: Strs.
        paths: Strs or paths.

    Raises:
        ValueError: If there is none of one of the paths.

    Example:

    >>> from hashnet_tf.index.files import all_within
    >>> all_within(["/a/b.jpg", "/c/d.jpg", "/e.jpg"], ["/c", "/e.jpg"])
    ['/c/d.jpg', '/e.jpg']
    """
    names = list(names)
    given = [os.path.abspath(path) for path in paths]
    found = {path: within(names, path) for path in given}
    if empty := [path for path, some in found.items() if not some]:
        raise ValueError(
            "The index must have something of each path."
            f" Received: none of {', '.join(empty[:SHOWN])}"
        )
    return list(dict.fromkeys(n for some in found.values() for n in some))
