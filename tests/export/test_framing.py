"""Whatever takes images of another size frames them as the model was tested."""

import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.framing import frame_image
from hashnet_tf.export.freeze import description

RNG = np.random.default_rng(3)
LARGE = RNG.integers(0, 256, (40, 30, 45, 3), np.uint8)


@pytest.fixture(scope="module", params=["paper", "modern"])
def framed(request, models):
    """`models["12"]` with another framing."""
    model = hn.HashNet(models["12"].backbone, 12, framing=request.param)
    model.hash_layer.set_weights(models["12"].hash_layer.get_weights())
    return model


def test_a_saved_model_frames_images_and_files(framed, models, tmp_path):
    path = hn.export.to_saved_model(framed, tmp_path)
    encoder = hn.export.load_encoder(path)
    assert encoder.framing == framed.framing
    pixels = frame_image(LARGE, encoder.image_size, framed.framing).numpy()
    expected = framed.encode(pixels)
    warped = frame_image(LARGE, encoder.image_size).numpy()
    assert (models["12"].encode(warped) != expected).any()
    files = [tf.io.encode_png(image).numpy() for image in LARGE]
    for signature, values in {
        "serving_default": pixels,
        "encode_images": LARGE,
        "encode_bytes": files,
    }.items():
        codes = encoder.run(signature, values)["codes"]
        np.testing.assert_array_equal(codes, expected)


def test_a_litert_file_tells_how_to_frame(framed, tmp_path):
    path = hn.export.to_litert(framed, tmp_path / "encoder.tflite")
    encoder = hn.export.LiteRTEncoder(path)
    assert encoder.framing == framed.framing
    images = hn.datasets.ArrayImages(LARGE, np.zeros(len(LARGE), int))
    code_set = hn.runs.encode_images(encoder, images, tmp_path / "codes")
    pixels = frame_image(LARGE, encoder.image_size, framed.framing)
    np.testing.assert_array_equal(code_set.codes, framed.encode(pixels))


def test_the_description_tells_it_too(framed, models):
    told, other = description(framed), description(models["12"])
    assert told["framing"] == framed.framing
    assert other["framing"] == "whole"
    assert told["preprocessing"] != other["preprocessing"]
    # The same weights give a file other bits.
    assert told["model_digest"] != other["model_digest"]
