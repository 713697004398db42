"""The encoder as a SavedModel, for TensorFlow Serving and batch jobs."""

import json
import os
import pathlib
from typing import Any

import numpy as np
import tensorflow as tf

from hashnet_tf._files import written_beside
from hashnet_tf.export.encoder_inputs import Batch, first_of
from hashnet_tf.export.freeze import (
    Outputs,
    Tensor,
    description,
    frozen_archive,
    frozen_z,
    inputs_of,
    packed,
    tensor_specs,
)
from hashnet_tf.export.image_signatures import more_signatures
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
from hashnet_tf.export.serving.warmup import WARMUP_FILE, write_warmup
from hashnet_tf.models import HashNet
from hashnet_tf.retrieval import RetrievalReport

FEW = 4
# Of z, relative to the largest: kernels sum in orders of their own.
TOLERANCE = 1e-4

IMAGE_DTYPES = ("uint8", "float32")


def check_signatures(
    path: os.PathLike[str] | str, model: HashNet, samples: Batch | None = None
) -> None:
    """Checks that each signature gives the model's bits on some inputs.

    Random ones, for what can go wrong here, lost variables or another graph,
    shows on any. That inputs of another size are refused is checked too.

    Args:
        path: Folder of one version.
        model: `HashNet`.
        samples: Arrays by the names of the inputs, or None for random ones.

    Raises:
        ParityError: If one does not.
    """
    encoder = SavedModelEncoder(path)
    inputs = encoder.inputs
    some = {name: x[:FEW] for name, x in inputs.some(samples).items()}
    given = inputs.packed(some)
    expected = model_bits(model, given)
    for signature in ("serving_default", "serve"):
        codes = encoder.run(signature, some)["codes"]
        compare_codes(f"{path}, {signature},", codes, *expected, exact=True)
    more_signatures(model, inputs).check(path, encoder, some)
    _check_z(path, encoder.run("embed", some)["z"], model, given)
    _check_size_is_enforced(path, some)


def _check_z(
    path: os.PathLike[str] | str, z: np.ndarray, model: HashNet, given: Any
) -> None:
    expected = finite_z(model, given)
    error = np.abs(z - expected).max()
    if not error <= TOLERANCE * np.abs(expected).max():
        raise ParityError(
            f"{path}, embed, does not give the model's z: they differ by up to"
            f" {error:g} where the largest |z| is {np.abs(expected).max():g}."
        )


def _check_size_is_enforced(path: os.PathLike[str] | str, some: Batch) -> None:
    # Not in the session, which compares with the declared size before it runs
    # the graph; a server does not.
    with plain_path(pathlib.Path(path)) as plain:
        loaded = tf.saved_model.load(plain)
    for signature in ("serving_default", "embed"):
        run = loaded.signatures[signature]
        taken = run.structured_input_signature[1]
        given = {
            name: tf.cast(some[name], spec.dtype)
            if spec.dtype != tf.string
            else tf.constant(some[name])
            for name, spec in taken.items()
        }
        for name, spec in taken.items():
            fixed = [k for k, size in enumerate(spec.shape) if k and size]
            if not fixed:
                continue
            # Of images the width.
            axis = fixed[len(fixed) // 2]
            wider = tf.concat([given[name], given[name]], axis)
            try:
                run(**{**given, name: wider})
            except tf.errors.InvalidArgumentError:
                continue
            raise ParityError(
                f"{path}, {signature}, takes {name} of another size: of shape"
                f" {tuple(wider.shape)}."
            )


def to_saved_model(
    model: HashNet,
    directory: os.PathLike[str] | str,
    version: int | None = None,
    image_dtype: str = "uint8",
    report: RetrievalReport | None = None,
    samples: Any = None,
) -> pathlib.Path:
    """Writes the frozen encoder as a SavedModel.

    Neither tanh nor beta is in the graph: from z come exact bits, and nothing
    of Python is needed to load it. The signatures of a model on RGB images of
    one known size, each on n images at once:

    | signature | input | outputs |
    |---|---|---|
    | `serving_default` | `images` of the trained size | bits |
    | `encode_images` | `images`, uint8 of any one size | bits, strings |
    | `encode_bytes` | `image_bytes`: files | bits, strings, `ok` |
    | `embed` | `images` of the trained size | `z`, float32 `[n, K]` |

    Bits are `codes`, packed uint8 `[n, ceil(K / 8)]`, and `signs`, int8
    `[n, K]` of -1 and +1. Strings are the codes again, `code_bytes` `[n]`,
    which are base64 over REST. `serving_default` gives none, for no other
    format has them, and is `serve` too: by that name tf2onnx and TensorFlow
    Lite's converter take it, though nothing tells them which. Images are RGB
    `[n, height, width, 3]` of values in [0, 255], files JPEG, PNG, WebP or BMP;
    `encode_images` and `encode_bytes` frame them as at the model's own test
    (`model.framing`); where the trained size is wanted they must be framed
    already, and another size is refused. At least one image: the graphs that
    TensorFlow optimises fail on none where there is batch normalisation.

    `ok`, bool `[n]`, tells which files are images that could be decoded; codes
    and signs of the others are all zero. A file of more than 2^26 pixels, a
    JPEG in one scan of more than 2^28, is refused by its header before it is
    decoded.

    Of any other model the signatures are `serving_default`, `serve` and
    `embed`, with an input for each of the model's, by its name: float32 for
    floats, int32 for integers, strings. Nothing is decoded or framed; other
    shapes, NaN and infinity are refused.

    Beside the graph, `assets.extra/` holds a request for each signature, which
    TensorFlow Serving replays before it serves the version, and
    `hashnet.json`: what `description` gives, of images their formats and, if
    there is one, the retrieval report.

    What was written is run before it is renamed to its place: each signature
    must give the model's bits and refuse what it does not take.

    Args:
        model: `HashNet`.
        directory: Folder of all versions, as TensorFlow Serving watches it.
        version: Positive int; None for the one after the highest there.
        image_dtype: Of RGB images of the trained size, "uint8" or "float32".
        report: `hashnet_tf.retrieval.RetrievalReport` of the model, or None.
        samples: Inputs as `model.encode` takes them, of which the first few
            are run to check what was written and are the server's first
            request; None for made-up ones, small and of 0 and 1 where they
            are integers, which a network may not take.

    Returns:
        `pathlib.Path` of the folder written, `<directory>/<version>`. It is
        whole or not there.

    Raises:
        ValueError: If `version` is no positive integer or is there already,
            `image_dtype` is another, `model` is no `HashNet`, an input has no
            name for a signature, or Keras does not run on TensorFlow.
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
    inputs = inputs_of(model, image_dtype)
    given = first_of(inputs, samples)
    more = more_signatures(model, inputs)
    archive = frozen_archive(model, image_dtype=image_dtype)

    def embed(*tensors: Tensor) -> Outputs:
        z = frozen_z(model, packed(inputs, tensors))
        return {"z": tf.cast(z, tf.float32)}

    more.add(archive)
    archive.add_endpoint("embed", embed, tensor_specs(inputs))
    told = {
        **description(model),
        **more.told(),
        "retrieval": None if report is None else report.as_dict(),
    }
    with written_beside(path) as beside:
        archive.write_out(str(beside), verbose=False)
        extra = (beside / DESCRIPTION).parent
        extra.mkdir()
        told["digests"] = file_digests(beside)
        text = json.dumps(told, indent=2)
        (beside / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        write_warmup(extra / WARMUP_FILE, more.requests(inputs.some(given)))
        check_signatures(beside, model, given)
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
