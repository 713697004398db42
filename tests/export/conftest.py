import shutil

import keras
import numpy as np
import pytest

import hashnet_tf as hn

# What is converted here is converted once, and copied where a test writes.


@pytest.fixture(scope="session")
def representative(images):
    """Batches for int8, which can be run through once only."""
    return lambda: (images[i : i + 16] for i in range(0, len(images), 16))


@pytest.fixture(scope="session")
def quantized_files(models, representative, tmp_path_factory):
    """Path of the LiteRT file of models["12"] for each way to quantise."""
    folder = tmp_path_factory.mktemp("quantized")
    return {
        way: hn.export.to_litert(
            models["12"],
            folder / f"{way}.tflite",
            way,
            representative() if way == "int8" else None,
        )
        for way in ("float16", "dynamic", "int8")
    }


@pytest.fixture(scope="session")
def onnx_files(models, tmp_path_factory):
    """Path of the ONNX file of each model but "other"; do not write there."""
    for module in ("tf2onnx", "onnxruntime"):
        pytest.importorskip(module, reason="needs the extra [onnx]")
    folder = tmp_path_factory.mktemp("onnx")
    return {
        name: hn.export.to_onnx(models[name], folder / f"{name}.onnx")
        for name in ("12", "48", "zero")
    }


@pytest.fixture(scope="session")
def trained_model(models):
    """models["12"] once trained: compiled, with a beta, of another framing."""
    backbone = keras.models.clone_model(models["12"].backbone)
    backbone.set_weights(models["12"].backbone.get_weights())
    model = hn.HashNet(backbone, 12, framing="modern")
    model.hash_layer.set_weights(models["12"].hash_layer.get_weights())
    model.compile(
        keras.optimizers.Adam(1e-6),
        hn.losses.WeightedPairwiseLoss(),
        # For one step, which would take long to compile.
        run_eagerly=True,
    )
    model.fit(np.zeros((8, 16, 20, 3)), np.arange(8) % 2, verbose=0)
    return model


@pytest.fixture(scope="session")
def trained_report():
    codes, labels = np.uint8([[0, 0], [255, 240]]), np.array([0, 1])
    return hn.retrieval.evaluate(codes, codes, labels, labels, 12, at=2)


@pytest.fixture(scope="session")
def trained_saved_model(trained_model, trained_report, tmp_path_factory):
    """Path of the SavedModel of `trained_model`, of float images.

    The name of its folder is a pattern.
    """
    top = tmp_path_factory.mktemp("trained")
    # Another that each of the patterns fits.
    (top / "run4b-c?").mkdir()
    folder = top / "run[48]b*c?" / "a\\b"
    # Beside what is there already, one of them no version.
    for name in ("1", "9", "notes"):
        (folder / name).mkdir(parents=True)
    return hn.export.to_saved_model(
        trained_model, folder, image_dtype="float32", report=trained_report
    )


@pytest.fixture
def copied(tmp_path):
    """Copies an artefact to a folder of the test's own."""

    def copy(path, name=None):
        to = tmp_path / (name or path.name)
        if path.is_dir():
            return shutil.copytree(path, to)
        return shutil.copyfile(path, to)

    return copy
