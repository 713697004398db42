import pytest

import hashnet_tf as hn
from hashnet_tf.export.signatures import signatures_of

IMAGES = ("images", "uint8", "[n, 16, 20, 3]")
BITS = [("codes", "uint8", "[n, 2]"), ("signs", "int8", "[n, 12]")]
STRINGS = [("code_bytes", "string", "[n]"), *BITS]


def told(path):
    """All that is told of a file, as plain tuples."""
    return [
        (
            signature.names,
            *(
                [(port.name, port.dtype, port.shape) for port in ports]
                for ports in (signature.takes, signature.gives)
            ),
        )
        for signature in signatures_of(path)
    ]


def test_of_a_saved_model(saved_models):
    assert told(saved_models["12"]) == [
        (("serving_default", "serve"), [IMAGES], BITS),
        (("embed",), [IMAGES], [("z", "float32", "[n, 12]")]),
        (
            ("encode_bytes",),
            [("image_bytes", "string", "[n]")],
            [*STRINGS[:2], ("ok", "bool", "[n]"), STRINGS[2]],
        ),
        (
            ("encode_images",),
            [("images", "uint8", "[n, any, any, 3]")],
            STRINGS,
        ),
    ]


def test_of_a_litert_file(litert_files):
    wanted = [(("serving_default",), [IMAGES], BITS)]
    assert told(litert_files["12"]) == wanted


def test_of_an_onnx_file(onnx_files):
    assert told(str(onnx_files["12"])) == [((), [IMAGES], BITS)]


@pytest.mark.parametrize("z", [True, False])
def test_of_a_litert_file_with_z(z, models, tmp_path):
    path = hn.export.to_litert(models["12"], tmp_path / "a.tflite", z=z)
    ((_, _, gives),) = told(path)
    assert (("z", "float32", "[n, 12]") in gives) == z
