import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image
from sklearn.datasets import load_sample_images

import hashnet_tf as hn
from hashnet_tf.export import litert, litert_conversion
from hashnet_tf.export._litert_file import read_metadata
from hashnet_tf.export.freeze import description

STRANGER = pathlib.Path(__file__).with_name("run_image_embedder.py")


def embed(path, images):
    run = Interpreter(model_path=str(path)).get_signature_runner(
        "serving_default"
    )
    return np.concatenate([run(images=i[None])["embedding"] for i in images])


@pytest.fixture(scope="module")
def files(models, tmp_path_factory):
    """Path of the embedder of two of the models."""
    folder = tmp_path_factory.mktemp("embedders")
    return {
        name: hn.export.to_image_embedder(models[name], folder / name)
        for name in ("12", "zero")
    }


@pytest.mark.parametrize("name", ["12", "zero"])
def test_gives_the_models_bits_as_floats(name, files, models, images):
    embedding = embed(files[name], images)
    assert embedding.dtype == np.float32
    np.testing.assert_array_equal(
        embedding, hn.retrieval.unpack(models[name].encode(images), 12)
    )


def test_quantized_floats_are_exact(models, images, tmp_path):
    path = hn.export.to_image_embedder(
        models["12"], tmp_path / "a.tflite", "int8", [images]
    )
    embedding = embed(path, images)
    assert set(np.unique(embedding)) == {-1.0, 1.0}
    moved = (embedding > 0) != (
        hn.retrieval.unpack(models["12"].encode(images), 12) > 0
    )
    assert moved.mean() < 0.02


def test_takes_one_image_and_gives_one_output(files):
    interpreter = Interpreter(model_path=str(files["12"]))
    (given,), (found,) = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    assert given["dtype"] == np.uint8
    assert given["shape_signature"].tolist() == [1, 16, 20, 3]
    assert found["dtype"] == np.float32
    assert found["shape_signature"].tolist() == [1, 12]


def test_tells_what_it_is(files, models):
    assert read_metadata(files["12"].read_bytes()) == {
        **description(models["12"]),
        "quantize": None,
    }
    # But it is no encoder, which gives packed codes.
    with pytest.raises(ValueError, match="LiteRT encoder"):
        hn.export.LiteRTEncoder(files["12"])


def test_refuses_what_to_litert_refuses(models, images, tmp_path):
    path = tmp_path / "a.tflite"
    with pytest.raises(ValueError, match="quantize='int4'"):
        hn.export.to_image_embedder(models["12"], path, "int4")
    with pytest.raises(ValueError, match="Received: 0 images"):
        hn.export.to_image_embedder(models["12"], path, "int8")
    with pytest.raises(ValueError, match="quantize='float16'"):
        hn.export.to_image_embedder(models["12"], path, "float16", [images])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_fails_is_not_left_behind(models, tmp_path, monkeypatch):
    monkeypatch.setattr(
        litert_conversion, "exact_bits", lambda z: {"signs": tf.sign(z) * 2}
    )
    with pytest.raises(hn.export.ParityError, match=r"\[-2.0, 2.0\]"):
        hn.export.to_image_embedder(models["12"], tmp_path / "a.tflite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("quantize", [None, "float16"])
def test_other_bits_are_found_where_all_are_promised(
    quantize, files, models, tmp_path, monkeypatch
):
    content = files["zero"].read_bytes()
    monkeypatch.setattr(litert, "litert_content", lambda *_: content)
    path = tmp_path / "a.tflite"
    if quantize is None:
        with pytest.raises(hn.export.ParityError, match="the model's bits"):
            hn.export.to_image_embedder(models["12"], path, quantize)
        assert not path.exists()
    else:
        hn.export.to_image_embedder(models["12"], path, quantize)
        assert path.exists()


@pytest.fixture(scope="module")
def photographs():
    """uint8 `[n, 16, 20, 3]`, two photographs cut up."""
    tiles = []
    for photograph in load_sample_images().images:
        shrunk = Image.fromarray(photograph).resize((240, 144))
        pixels = np.asarray(shrunk).reshape(9, 16, 12, 20, 3)
        tiles.append(pixels.swapaxes(1, 2).reshape(-1, 16, 20, 3))
    return np.concatenate(tiles)


@pytest.fixture(scope="module")
def python_with_mediapipe(tmp_path_factory):
    """Path of the Python of a virtual environment with mediapipe."""
    folder = tmp_path_factory.mktemp("mediapipe")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    installed = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "mediapipe"],
        capture_output=True,
        text=True,
    )
    if installed.returncode:
        reason = installed.stderr.strip().splitlines()[-1:]
        pytest.skip(f"pip cannot install mediapipe: {reason}")
    return python


@pytest.mark.slow
@pytest.mark.parametrize("quantize", [None, "int8"])
def test_mediapipe_gives_the_codes(
    quantize, models, photographs, python_with_mediapipe, tmp_path
):
    model = models["48"]
    expected = hn.retrieval.unpack(model.encode(photographs), 48)
    assert 0.2 < (expected > 0).mean() < 0.8
    path = hn.export.to_image_embedder(
        model,
        tmp_path / "embedder.tflite",
        quantize,
        [photographs] if quantize == "int8" else None,
    )
    (tmp_path / "images").mkdir()
    for i, pixels in enumerate(photographs):
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i:03}.png")
    subprocess.run(
        [
            str(python_with_mediapipe),
            str(STRANGER),
            str(path),
            str(tmp_path / "images"),
            str(tmp_path / "embeddings.json"),
        ],
        check=True,
        cwd=tmp_path,
    )
    found = json.loads((tmp_path / "embeddings.json").read_text())
    found = np.array([found[name] for name in sorted(found)])
    assert found.shape == expected.shape
    assert set(np.unique(found)) == {-1.0, 1.0}
    if quantize is None:
        np.testing.assert_array_equal(found, expected)
    else:
        # MediaPipe brings a runtime of its own: not even the bits of this one
        # are promised there.
        assert (found != expected).mean() < 0.02
