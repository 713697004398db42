"""From images to a code set on disk."""

import json
import pathlib
import shutil
import typing
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from hashnet_tf._files import (
    only_writer,
    remove_leftovers,
    write_json,
)
from hashnet_tf._output import Progress, say
from hashnet_tf.datasets import FileImages, ImageSet, Vectors, load
from hashnet_tf.datasets.batches import ordered_batches
from hashnet_tf.datasets.pixels.undecodable import (
    refusals,
    undecodable_named,
    without,
)
from hashnet_tf.datasets.sources.npz import ENDING, open_npz
from hashnet_tf.datasets.sources.vectors import open_vectors
from hashnet_tf.datasets.sources.walking import (
    ENDINGS,
    Account,
    none_in,
    walk,
)
from hashnet_tf.models import HashNet
from hashnet_tf.retrieval.codes import BIT_ORDER
from hashnet_tf.runs.code_set import (
    CodeSet,
    array_digest,
    is_taken,
    put_in_place,
    write_files,
)
from hashnet_tf.runs.encoders import (
    BATCH_SIZE,
    Encoder,
    FeatureEncoder,
    Path,
    as_encoder,
)

RAW = "codes.raw"
# What a manifest holds of a code set that is whole.
LATER = (
    "codes_digest",
    "ids_digest",
    "class_names_digest",
    "manifest_digest",
    "files",
)


def open_images(source: Mapping[str, typing.Any]) -> ImageSet:
    """Opens images, or vectors, by what a code set's manifest says of them.

    None of them is read; `hashnet_tf.datasets.decodable` leaves out those that
    are no images.

    Args:
        source: Dict with `folder`, a folder of images to any depth, without
            labels; or with `npz`, an archive of them; or with `vectors`, a file
            of these; or with `data`, `seed`, `query_per_class` and
            `train_per_class`, as `hashnet_tf.datasets.load` takes them, and
            `part`: "train", "query" or "database".

    Returns:
        `ImageSet`; images of a folder have the label -1.

    Raises:
        ValueError: If the source is not there, or a folder without images.
        OSError: If something in the folder cannot be read.

    Example:

    >>> import hashnet_tf as hn
    >>> images = hn.runs.open_images({"data": "digits", "part": "query"})
    >>> len(images)
    200
    """
    if "vectors" in source:
        return open_vectors(source["vectors"])
    if "npz" in source:
        return open_npz(source["npz"])
    if "folder" not in source:
        settings = dict(source)
        part = settings.pop("part")
        return getattr(load(**settings), part)
    return _open_folder(source["folder"])[0]


def images_of(code_set: CodeSet, indices: npt.ArrayLike) -> ImageSet:
    """Opens the images that codes were made of.

    Args:
        code_set: `CodeSet`.
        indices: Places in it.

    Returns:
        `ImageSet` of them, in that order.

    Raises:
        FileNotFoundError: If they are not there any more.
    """
    source = code_set.manifest["images"]
    if source is None:
        raise FileNotFoundError(
            "A code set must tell where its images are."
            f" Received: images={source} in its manifest"
        )
    try:
        there = open_images(source)
    except (ValueError, OSError) as error:
        raise FileNotFoundError(
            f"The images of a code set must be where they were encoded: {error}"
        ) from error
    # By name, for files that are no images may have been left out.
    places = {name: place for place, name in enumerate(there.names)}
    names = [code_set.ids[index] for index in np.asarray(indices)]
    if gone := [name for name in names if name not in places]:
        raise FileNotFoundError(
            "The images of a code set must be where they were encoded."
            f" Received: no {gone[0]} in {source}"
        )
    return there.subset([places[name] for name in names])


def _open_folder(folder: Path) -> tuple[FileImages, Account]:
    """Returns the images of a folder, and what became of all files in it."""
    root = pathlib.Path(folder)
    if not root.is_dir():
        raise ValueError(
            f"Images are needed in an existing folder. Received: {root}"
        )
    names, passed_over = walk(root)
    if not names:
        raise ValueError(
            f"A folder needs images ({', '.join(ENDINGS)}) in it, to any depth."
            f" Received: {none_in(root, passed_over)}"
        )
    images = FileImages(root, names, np.full(len(names), -1, np.int32))
    return images, Account(len(names), passed_over=dict(passed_over))


def encode_images(
    encoder: HashNet | Encoder | FeatureEncoder,
    images: ImageSet,
    folder: Path,
    source: Mapping[str, typing.Any] | None = None,
    protocol: str | None = None,
    labelled: bool = True,
    features: np.ndarray | None = None,
    class_names: list[str] | None = None,
    account: Account | None = None,
) -> CodeSet:
    """Encodes images into a code set, or goes on with one that was begun.

    Codes are appended to a file as they come, in a folder beside, so that no
    more than some batches of images are in memory and a killed run goes on
    after its last whole batch. The folder appears when all is done; meanwhile
    no other process can write it. A code set that is there is returned as it is
    if it is of the same images and labels by the same encoder, and else
    replaced once the new one is whole.

    Args:
        encoder: `HashNet` on images, or any `Encoder`.
        images: `ImageSet`.
        folder: Str or path of the code set.
        source: Where the images are from, as `open_images` takes it, or None.
        protocol: Str, how the images were drawn, or None.
        labelled: Whether the labels of `images`, where there are some, are
            kept.
        features: float32 `[n, d]` of the images in order, for an encoder that
            takes them in place of pixels (`FeatureEncoder`), or None.
        class_names: List of str, the name of each class, or None where they
            are not known.
        account: What became of all files that the images were found among, as
            `RetrievalDataset.files`, or None; the manifest keeps it.

    Returns:
        `CodeSet`.

    Raises:
        ValueError: If `folder` holds something that is no code set, an image
            cannot be decoded, or the encoder takes others. A damaged code set
            is said and made anew.
        OSError: If another process writes the code set.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     code_set = hn.runs.encode_images(model, queries, f"{folder}/q")
    ...     code_set.codes.shape
    Encoding 200 images
    (200, 2)
    """
    place = pathlib.Path(folder).absolute()
    encoder, labelled = as_encoder(encoder), labelled and images.is_labelled
    if (encoder.image_size is None) != isinstance(images, Vectors):
        takes = "images" if encoder.image_size else "vectors"
        raise ValueError(f"The encoder takes {takes}. Received: {images.unit}")
    manifest = {
        "bits": encoder.bits,
        "bit_order": BIT_ORDER,
        "model_digest": encoder.model_digest,
        "images_digest": images.fingerprint(),
        "labels_digest": array_digest(images.labels) if labelled else None,
        "protocol": protocol,
        "images": source,
        "decoder": images.decoder,
    }
    if is_taken(place):
        try:
            there = CodeSet.load(place)
        except ValueError as error:
            say(f"{error} It is made anew.")
        else:
            # One of version 0.1 has no names and no digest of its codes, and
            # is as good.
            same_names = there.class_names in (None, class_names)
            # Nor the decoder, which made no difference to pixels.
            known = _of_codes_to_come(there.manifest)
            known.setdefault("decoder", None)
            if known == manifest and same_names:
                # A kill at the very end may have left it.
                (place / RAW).unlink(missing_ok=True)
                return there
    with only_writer(place, place.with_name(f".{place.name}.lock")):
        remove_leftovers(place)
        begun = place.with_name(f"{place.name}.begun")
        with undecodable_named(images):
            _stream(encoder, images, begun, manifest, features)
        if account is not None:
            manifest["files"] = account.as_dict()
        _complete(images, begun, manifest, labelled, class_names)
        put_in_place(begun, place)
        (place / RAW).unlink()
        return CodeSet.load(place)


def encode_folder(
    encoder: HashNet | Encoder,
    images: Path,
    folder: Path,
    skip_undecodable: bool = False,
) -> CodeSet:
    """Encodes all images of a folder, to any depth, without labels.

    Or those of an .npz archive, with the labels that it has.

    Args:
        encoder: `HashNet` on images, or any `Encoder`.
        images: Str or path of the folder of images, or of an .npz archive, as
            "npz:FILE" reads it.
        folder: Str or path of the code set, as in `encode_images`.
        skip_undecodable: Whether to leave out files that are no images, and to
            print their names; otherwise one is an error.

    Returns:
        `CodeSet`.

    Raises:
        ValueError: If there are no images, a file is no image, or as
            `encode_images`.

    Example:

    ```python
    hn.runs.encode_folder(hn.runs.Run("runs/cats").encoder, "photos", "codes")
    ```
    """
    path = pathlib.Path(images).resolve()
    if path.suffix.lower() == ENDING and path.is_file():
        source = {"npz": str(path)}
        return encode_images(encoder, open_images(source), folder, source)
    source = {"folder": str(path)}
    found, account = _open_folder(source["folder"])
    if skip_undecodable:
        refused = refusals(found)
        for place, reason in refused.items():
            say(f"left out: {found.where(place)} ({reason})")
        if refused:
            say(f"{len(refused)} undecodable images are left out")
        account = account.refusing(
            {found.names[place]: reason for place, reason in refused.items()}
        )
        found = without(found, refused)
    say(f"Files: {account.text()}")
    return encode_images(
        encoder, found, folder, source, labelled=False, account=account
    )


def _stream(
    encoder: Encoder | FeatureEncoder,
    images: ImageSet,
    begun: pathlib.Path,
    manifest: dict[str, typing.Any],
    features: np.ndarray | None,
) -> None:
    """Appends what is missing of the raw codes in `begun`."""
    # It has a digest if all was encoded and only the last step is missing.
    if _of_codes_to_come(_manifest_of(begun)) != manifest:
        shutil.rmtree(begun, ignore_errors=True)
        begun.mkdir(parents=True)
        write_json(begun / "manifest.json", manifest)
    width = -(-encoder.bits // 8)
    raw = begun / RAW
    done = raw.stat().st_size // width if raw.exists() else 0
    if done > len(images):
        done = 0
    if done < len(images):
        # In the batches of an unbroken run, whose size may move a last digit.
        done -= done % BATCH_SIZE
    with raw.open("ab") as file:
        file.truncate(done * width)
        if done < len(images):
            say(
                f"Encoding {len(images):,} {images.unit}"
                + (f", {done:,} of them done before" if done else "")
            )
            progress = Progress(len(images), images.unit, done)
            for batch in _batches(encoder, images, features, done):
                file.write(encoder.encode(batch).tobytes())
                file.flush()
                done += len(batch)
                progress.update(done)


def _batches(
    encoder: Encoder | FeatureEncoder,
    images: ImageSet,
    features: np.ndarray | None,
    done: int,
) -> Iterable[np.ndarray]:
    """Returns an iterable of what the encoder takes, after `done` images."""
    if features is None and isinstance(images, Vectors):
        return images.batches(BATCH_SIZE, done)
    if features is None:
        assert encoder.image_size is not None
        rest = images.subset(np.arange(done, len(images)))
        return ordered_batches(
            rest, encoder.image_size, BATCH_SIZE, encoder.framing
        ).as_numpy_iterator()
    return (
        features[start : start + BATCH_SIZE]
        for start in range(done, len(images), BATCH_SIZE)
    )


def _of_codes_to_come(
    manifest: dict[str, typing.Any] | None,
) -> dict[str, typing.Any]:
    """Returns of a manifest what decides which codes they are."""
    return {k: v for k, v in (manifest or {}).items() if k not in LATER}


def _manifest_of(folder: pathlib.Path) -> dict[str, typing.Any] | None:
    path = folder / "manifest.json"
    if not path.is_file():
        return None
    return json.loads(path.read_text(encoding="utf-8"))


def _complete(
    images: ImageSet,
    begun: pathlib.Path,
    manifest: dict[str, typing.Any],
    labelled: bool,
    class_names: list[str] | None,
) -> None:
    width = -(-manifest["bits"] // 8)
    codes = np.fromfile(begun / RAW, dtype=np.uint8)
    if codes.size != len(images) * width:
        raise ValueError(
            f"{begun / RAW} must hold {len(images)} codes; delete {begun} to"
            f" begin anew. Received: {codes.size / width:g}"
        )
    write_files(
        begun,
        codes.reshape(-1, width),
        images.names,
        images.labels if labelled else None,
        manifest,
        class_names,
    )
