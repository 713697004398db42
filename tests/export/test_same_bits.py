"""The same bytes of every runtime on real photographs, zeros included."""

import importlib.util
import os
import pathlib
import tarfile
import tempfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from runtimes import c_session

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.decoding import decode_image, resize_image
from hashnet_tf.export.images import image_batches

HERE = pathlib.Path(__file__)
DATA = pathlib.Path(
    os.environ.get("HASHNET_TF_DATA", HERE.parents[3] / "shared" / "data")
)
PHOTOGRAPHS = DATA / "mirflickr25k_96px.tar.gz"
IMAGENET = DATA / "weights" / "mobilenet_v2_imagenet_no_top.weights.h5"
N = 256
SIZES = {"small_cnn": 32, "alexnet": 227, "MobileNetV2": 96}
# Of the small one all kinds; AlexNet takes minutes for each.
LENGTHS = {
    "small_cnn": (12, 48, 64, 128),
    "alexnet": (48,),
    "MobileNetV2": (12, 64),
}
# What z is, exactly, in the first units: zeros and subnormals of either sign,
# the smallest and nearly the largest among them. All of them are bit 1.
ZEROS = np.float32([0.0, -0.0, 1e-40, -1e-40, 1e-45, -1.1e-38])
# Of the extra [onnx], which not everybody has.
HAS_ONNX = all(map(importlib.util.find_spec, ("tf2onnx", "onnxruntime")))
# Of the largest |z|: ten times and more what float32 leaves between runtimes.
ROUNDING = 1e-5


@pytest.fixture(scope="module")
def photographs():
    """The first images of the archive, tensors `[96, 96, 3]`."""
    if not PHOTOGRAPHS.is_file():
        pytest.skip(
            f"no real data: {PHOTOGRAPHS} (HASHNET_TF_DATA) is not there"
        )
    found = []
    with tarfile.open(PHOTOGRAPHS, "r|gz") as members:
        for member in members:
            if member.name.endswith(".jpg"):
                found.append(decode_image(members.extractfile(member).read()))
            if len(found) == N:
                break
    return found


def hashnet(name, bits, images):
    """Returns a HashNet of known zeros and balanced bits, and its z.

    z is computed here, float64 `[n, bits]`, from the backbone's features.
    """
    keras.utils.set_random_seed(bits)
    weights = IMAGENET if name == "MobileNetV2" and IMAGENET.is_file() else None
    backbone = hn.models.backbone(name, images.shape[1:], weights)
    model = hn.HashNet(backbone, bits)
    kernel, _ = model.hash_layer.get_weights()
    kernel[:, : len(ZEROS)] = 0
    features = np.concatenate(
        [backbone.predict_on_batch(batch) for batch in image_batches(images)]
    ).astype(np.float64)
    unbiased = features @ kernel.astype(np.float64)
    bias = np.float32([-_widest_gap(column) for column in unbiased.T])
    bias[: len(ZEROS)] = ZEROS
    model.hash_layer.set_weights([kernel, bias])
    return model, unbiased + bias.astype(np.float64)


def _widest_gap(values):
    """Returns the middle of the widest gap about the median of `values`."""
    middle = np.sort(values)[len(values) // 3 : 2 * len(values) // 3]
    at = np.argmax(np.diff(middle))
    return (middle[at] + middle[at + 1]) / 2


def in_python(path, images):
    encode = tf.saved_model.load(str(path)).signatures["serving_default"]
    codes = [
        encode(images=tf.constant(batch))["codes"].numpy()
        for batch in image_batches(images)
    ]
    return np.concatenate(codes)


def in_c(path, images):
    with c_session.opened() as encode:
        return encode(path, image_batches(images))


def in_plain_litert(path, images):
    """Runs LiteRT's own kernels, which alone leave a subnormal z what it is."""
    interpreter = Interpreter(
        model_path=str(path),
        experimental_op_resolver_type=(
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
    )
    encode = interpreter.get_signature_runner("serving_default")
    codes = [encode(images=batch)["codes"] for batch in image_batches(images)]
    return np.concatenate(codes)


@pytest.fixture
def folder():
    # Not tmp_path, of which three runs are kept: AlexNet takes 0.7 GB.
    with tempfile.TemporaryDirectory() as folder:
        yield pathlib.Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, bits",
    [
        pytest.param(name, bits, id=f"{name}{bits}")
        for name in SIZES
        for bits in LENGTHS[name]
    ],
)
def test_every_runtime_gives_the_same_bytes(name, bits, photographs, folder):
    size = (SIZES[name], SIZES[name])
    images = np.stack([resize_image(image, size) for image in photographs])
    model, z = hashnet(name, bits, images)
    ordinary = z[:, len(ZEROS) :]
    assert np.abs(ordinary).min() > ROUNDING * np.abs(ordinary).max()
    expected = z >= 0
    expected[:, : len(ZEROS)] = True
    balance = expected[:, len(ZEROS) :].mean(axis=0)
    assert (balance > 0.3).all() and (balance < 0.7).all()
    saved_model = hn.export.to_saved_model(model, folder / "saved_model")
    litert = hn.export.to_litert(model, folder / "encoder.tflite")
    codes = {
        "Keras": model.encode(images, batch_size=32),
        "SavedModel in Python": in_python(saved_model, images),
        "SavedModel in C": in_c(saved_model, images),
        "LiteRT": hn.export.LiteRTEncoder(litert).encode(images),
        "LiteRT without XNNPACK": in_plain_litert(litert, images),
    }
    if HAS_ONNX:
        onnx = hn.export.to_onnx(model, folder / "encoder.onnx")
        codes["ONNX Runtime"] = hn.export.OnnxEncoder(onnx).encode(images)
    expected = np.packbits(expected, axis=1)
    for runtime, found in codes.items():
        np.testing.assert_array_equal(found, expected, err_msg=runtime)
