"""The first run of a SavedModel, before anyone else sees it."""

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.framing import frame_image
from hashnet_tf.export.parity import (
    ParityError,
    compare_codes,
    finite_z,
    model_bits,
)
from hashnet_tf.export.saved_model_encoder import SavedModelEncoder

IMAGES = 4
# Of z, relative to the largest: kernels sum in orders of their own.
TOLERANCE = 1e-4


def check_signatures(path, model):
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


def _check_z(path, z, model, images):
    expected = finite_z(model, images)
    error = np.abs(z - expected).max()
    if not error <= TOLERANCE * np.abs(expected).max():
        raise ParityError(
            f"{path}, embed, does not give the model's z: they differ by up to"
            f" {error:g} where the largest |z| is {np.abs(expected).max():g}."
        )


def _check_size_is_enforced(path, images):
    # Not in the session, which compares with the declared size before it runs
    # the graph; a server does not.
    loaded = tf.saved_model.load(str(path))
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
