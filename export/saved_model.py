"""The encoder as a SavedModel, for TensorFlow Serving and batch jobs."""

import json
import os
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from hashnet_tf._files import written_beside
from hashnet_tf._framings import DECODER
from hashnet_tf.datasets.pixels.decoding import decode_image
from hashnet_tf.datasets.pixels.framing import frame_image
from hashnet_tf.datasets.pixels.header import (
    FORMATS,
    JPEG_PIXELS,
    MAX_PIXELS,
    MAX_SIDE,
)
from hashnet_tf.export.freeze import (
    Outputs,
    Tensor,
    description,
    exact_bits,
    frozen_archive,
    frozen_z,
    trained_size,
)
from hashnet_tf.export.parity import (
    ParityError,
    compare_codes,
    finite_z,
    model_bits,
)
from hashnet_tf.export.saved_model_encoder import (
    DESCRIPTION,
    SavedModelEncoder,
    file_digests,
    plain_path,
    version_numbers,
)
from hashnet_tf.export.serving.warmup import (
    WARMUP_FILE,
    warmup_requests,
    write_warmup,
)
from hashnet_tf.models import HashNet
from hashnet_tf.retrieval import RetrievalReport

# Of the largest images allowed, as many at once take 1.5 GiB, and three times
# that while they are turned.
PARALLEL_DECODES = 8

IMAGES = 4
# Of z, relative to the largest: kernels sum in orders of their own.
TOLERANCE = 1e-4

IMAGE_DTYPES = ("uint8", "float32")


def decode_files(
    image_bytes: Tensor, size: tuple[int, int], framing: str = "whole"
) -> tuple[Tensor, Tensor]:
    """Decodes files to images of one size, and tells which could be.

    An error in a graph ends all of it, but for one: a `tf.data` pipeline can
    leave out the elements that raised. The files that were not left out are put
    back into their places.

    Args:
        image_bytes: String tensor `[n]`, files as `decode_image` takes them.
        size: `(height, width)`.
        framing: As in `HashNet`.

    Returns:
        `(images, ok)`: uint8 tensor `[n, height, width, 3]`, zeros where a file
        could not be decoded, and bool tensor `[n]`.

    Example:

    >>> import tensorflow as tf
    >>> from hashnet_tf.export.saved_model import decode_files
    >>> png = tf.io.encode_png(tf.zeros([2, 3, 3], tf.uint8))
    >>> images, ok = decode_files(tf.stack([png, "no image"]), (4, 4))
    >>> images.shape, ok.numpy().tolist()
    (TensorShape([2, 4, 4, 3]), [True, False])
    """
    n = tf.size(image_bytes, out_type=tf.int64)

    def decode(place, file):
        return place, frame_image(decode_image(file), size, framing)

    files = tf.data.Dataset.from_tensor_slices(image_bytes).enumerate()
    decoded = files.map(
        decode, num_parallel_calls=PARALLEL_DECODES, deterministic=False
    ).ignore_errors()
    # A row of no file's, so that there is a batch where no file is good.
    blank = tf.data.Dataset.from_tensors(
        (n, tf.zeros([*size, 3], tf.uint8)),
    )
    batch = blank.concatenate(decoded).batch(n + 1)
    options = tf.data.Options()
    # It watches for seconds what is over in milliseconds.
    options.autotune.enabled = False
    places, images = batch.with_options(options).get_single_element()
    places = places[:, None]
    shape = tf.stack([n + 1, *size, 3])
    images = tf.scatter_nd(places, images, shape)[:-1]
    ok = tf.scatter_nd(places, tf.ones_like(places[:, 0]), [n + 1])[:-1]
    return tf.ensure_shape(images, [None, *size, 3]), ok > 0


def check_signatures(path: os.PathLike[str] | str, model: HashNet) -> None:
    """Checks that each signature gives the model's bits on some images.

    Random ones, for what can go wrong here, lost variables or another graph,
    shows on any. That images of another size are refused is checked too.

    Args:
        path: Folder of one version.
        model: `HashNet` on images.

    Raises:
        ParityError: If one does not.
    """
    encoder = SavedModelEncoder(path)
    shape = (IMAGES, *encoder.image_size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    files = [tf.io.encode_png(image).numpy() for image in images]
    outputs: dict[str, np.ndarray] = {}
    inputs = {
        "serving_default": images,
        "encode_images": images,
        "encode_bytes": [*files, b"no image"],
    }
    size = encoder.image_size
    framed = frame_image(images, size, encoder.framing).numpy()
    of_size, of_any = model_bits(model, images), model_bits(model, framed)
    for signature, values in inputs.items():
        expected = of_size if signature == "serving_default" else of_any
        outputs = encoder.run(signature, values)
        codes = outputs["codes"][:IMAGES]
        compare_codes(f"{path}, {signature},", codes, *expected, exact=True)
    if outputs["ok"].tolist() != [True] * IMAGES + [False]:
        raise ParityError(
            f"{path} does not tell images from other files: of {IMAGES} images"
            f" and one other file it gives ok={outputs['ok'].tolist()}."
        )
    _check_z(path, encoder.run("embed", images)["z"], model, images)
    _check_size_is_enforced(path, images)


def _check_z(
    path: os.PathLike[str] | str,
    z: np.ndarray,
    model: HashNet,
    images: np.ndarray,
) -> None:
    expected = finite_z(model, images)
    error = np.abs(z - expected).max()
    if not error <= TOLERANCE * np.abs(expected).max():
        raise ParityError(
            f"{path}, embed, does not give the model's z: they differ by up to"
            f" {error:g} where the largest |z| is {np.abs(expected).max():g}."
        )


def _check_size_is_enforced(
    path: os.PathLike[str] | str, images: np.ndarray
) -> None:
    # Not in the session, which compares with the declared size before it runs
    # the graph; a server does not.
    with plain_path(pathlib.Path(path)) as plain:
        loaded = tf.saved_model.load(plain)
    for name in ("serving_default", "embed"):
        signature = loaded.signatures[name]
        dtype = signature.structured_input_signature[1]["images"].dtype
        wider = tf.cast(tf.concat([images, images], axis=2), dtype)
        try:
            signature(images=wider)
        except tf.errors.InvalidArgumentError:
            continue
        raise ParityError(
            f"{path}, {name}, takes images of another size: of shape"
            f" {tuple(wider.shape)}."
        )


def to_saved_model(
    model: HashNet,
    directory: os.PathLike[str] | str,
    version: int | None = None,
    image_dtype: str = "uint8",
    report: RetrievalReport | None = None,
) -> pathlib.Path:
    """Writes the frozen encoder as a SavedModel.

    Neither tanh nor beta is in the graph: from z come exact bits, and nothing
    of Python is needed to load it. The signatures, each on n images at once:

    | signature | input | outputs |
    |---|---|---|
    | `serving_default` | `images` of the trained size | bits |
    | `encode_images` | `images`, uint8 of any one size | bits |
    | `encode_bytes` | `image_bytes`: JPEG, PNG, WebP, BMP | bits, `ok` |
    | `embed` | `images` of the trained size | `z`, float32 `[n, K]` |

    Bits are `codes`, packed uint8 `[n, ceil(K / 8)]`; the same as strings,
    `code_bytes` `[n]`, which are base64 over REST; and `signs`, int8 `[n, K]`
    of -1 and +1. Images are RGB `[n, height, width, 3]` of values in [0, 255];
    `encode_images` and `encode_bytes` frame them as at the model's own test
    (`model.framing`); where the trained size is wanted they must be framed
    already, and another size is refused. At least one image: the graphs that
    TensorFlow optimises fail on none where there is batch normalisation.

    `ok`, bool `[n]`, tells which files are images that could be decoded; codes
    and signs of the others are all zero. A file of more than 2^26 pixels, a
    JPEG in one scan of more than 2^28, is refused by its header before it is
    decoded.

    Beside the graph, `assets.extra/` holds a request for each signature, which
    TensorFlow Serving replays before it serves the version, and
    `hashnet.json`: what `description` gives, the image formats and, if there is
    one, the retrieval report.

    What was written is run before it is renamed to its place: each signature
    must give the model's bits and refuse what it does not take.

    Args:
        model: `HashNet` on images.
        directory: Folder of all versions, as TensorFlow Serving watches it.
        version: Positive int; None for the one after the highest there.
        image_dtype: Of the images of the trained size, "uint8" or "float32".
        report: `hashnet_tf.retrieval.RetrievalReport` of the model, or None.

    Returns:
        `pathlib.Path` of the folder written, `<directory>/<version>`. It is
        whole or not there.

    Raises:
        ValueError: If `version` is no positive integer or is there already,
            `image_dtype` is another, `model` is no `HashNet` on images, or
            Keras does not run on TensorFlow.
        hashnet_tf.export.ParityError: If the SavedModel does not give the
            model's bits.

    Example:

    ```python
    path = hn.export.to_saved_model(model, "encoder", version=3)
    codes = hn.export.SavedModelEncoder(path).encode_files(["cat.jpg"])
    ```
    """
    if not (isinstance(image_dtype, str) and image_dtype in IMAGE_DTYPES):
        raise ValueError(
            f"`image_dtype` must be one of {IMAGE_DTYPES}."
            f" Received: image_dtype={image_dtype!r}"
        )
    path = _new_version(pathlib.Path(directory), version)
    archive = frozen_archive(model, lambda z, _: _served_bits(z), image_dtype)
    _add_signatures(archive, model, image_dtype)
    told = {
        **description(model),
        "image_dtype": image_dtype,
        "image_bytes": {
            "formats": FORMATS,
            "decoder": DECODER,
            "max_pixels": MAX_PIXELS,
            "max_pixels_of_jpeg": JPEG_PIXELS,
            "max_side": MAX_SIDE,
        },
        "retrieval": None if report is None else report.as_dict(),
    }
    with written_beside(path) as beside:
        archive.write_out(str(beside), verbose=False)
        extra = (beside / DESCRIPTION).parent
        extra.mkdir()
        told["digests"] = file_digests(beside)
        text = json.dumps(told, indent=2)
        (beside / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        requests = warmup_requests(trained_size(model), image_dtype)
        write_warmup(extra / WARMUP_FILE, requests)
        check_signatures(beside, model)
    return path


def _new_version(directory: pathlib.Path, version: int | None) -> pathlib.Path:
    if version is None:
        version = max(version_numbers(directory), default=0) + 1
    if type(version) is not int or version < 1:
        raise ValueError(
            "`version` must be a positive integer."
            f" Received: version={version!r}"
        )
    path = directory / str(version)
    if path.exists():
        raise ValueError(
            f"`version` must be a new one: {path} is there and a version is"
            f" never overwritten. Received: version={version}"
        )
    return path


def _add_signatures(archive: Any, model: HashNet, image_dtype: str) -> None:
    size = trained_size(model)

    def encode_images(images: Tensor) -> Outputs:
        framed = frame_image(images, size, model.framing)
        return _served_bits(frozen_z(model, framed))

    def encode_bytes(image_bytes: Tensor) -> Outputs:
        # The signature's own shape is enforced by no runtime.
        files = tf.ensure_shape(image_bytes, [None])
        images, ok = decode_files(files, size, model.framing)
        return _served_bits(frozen_z(model, images), ok)

    def embed(images: Tensor) -> Outputs:
        return {"z": tf.cast(frozen_z(model, images), tf.float32)}

    any_size = tf.TensorSpec([None, None, None, 3], tf.uint8, name="images")
    files = tf.TensorSpec([None], tf.string, name="image_bytes")
    of_size = tf.TensorSpec([None, *size, 3], image_dtype, name="images")
    archive.add_endpoint("encode_images", encode_images, [any_size])
    archive.add_endpoint("encode_bytes", encode_bytes, [files])
    archive.add_endpoint("embed", embed, [of_size])


def _served_bits(z: Tensor, ok: Tensor | None = None) -> Outputs:
    bits = exact_bits(z)
    if ok is not None:
        bits = {
            name: tf.where(ok[:, None], values, tf.zeros_like(values))
            for name, values in bits.items()
        }
        bits["ok"] = ok
    byte = tf.constant([bytes([value]) for value in range(256)])
    digits = tf.gather(byte, tf.cast(bits["codes"], tf.int32))
    return {**bits, "code_bytes": tf.strings.reduce_join(digits, axis=1)}
