import numpy as np
import pytest
import tensorflow as tf

import hashnet_tf as hn


@pytest.mark.parametrize("name", ["12", "48"])
@pytest.mark.parametrize("n", [0, 1, 32, 70])
def test_encodes_any_number_of_images(name, n, models, litert_files, images):
    encoder = hn.export.LiteRTEncoder(litert_files[name])
    assert encoder.bits == int(name)
    assert encoder.image_size == (16, 20)
    assert encoder.float32
    codes = encoder.encode(images[:n])
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes, models[name].encode(images[:n]))


@pytest.mark.parametrize(
    "wrong, message",
    [
        (np.zeros((2, 20, 20, 3), np.uint8), r"images.shape=\(2, 20, 20, 3\)"),
        (np.zeros((16, 20, 3), np.uint8), r"images.shape=\(16, 20, 3\)"),
        (np.zeros((2, 16, 20, 3)), "images.dtype=float64"),
    ],
)
def test_refuses_other_images(wrong, message, litert_files):
    encoder = hn.export.LiteRTEncoder(str(litert_files["12"]))
    with pytest.raises(ValueError, match=message):
        encoder.encode(wrong)


def test_refuses_a_file_of_something_else(tmp_path):
    double = tf.function(lambda x: 2 * x, [tf.TensorSpec([1], tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [double.get_concrete_function()], double
    )
    path = tmp_path / "double.tflite"
    path.write_bytes(converter.convert())
    with pytest.raises(ValueError, match="Received: .*double.tflite"):
        hn.export.LiteRTEncoder(path)
