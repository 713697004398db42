import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import hashnet_tf as hn


@pytest.fixture(scope="module")
def web_file(models, tmp_path_factory):
    path = tmp_path_factory.mktemp("web") / "encoder_web.tflite"
    return hn.export.to_web(models["12"], path)


def test_it_holds_what_litert_js_knows(web_file):
    runner = Interpreter(str(web_file)).get_signature_runner("serving_default")
    told = {
        name: (tensor["dtype"], tensor["shape_signature"].tolist())
        for name, tensor in [
            *runner.get_input_details().items(),
            *runner.get_output_details().items(),
        ]
    }
    assert told == {
        "images": (np.uint8, [1, 16, 20, 3]),
        "codes": (np.uint8, [1, 2]),
    }


def test_the_bits_are_the_models(web_file, models, images):
    encoder = hn.export.load_encoder(web_file)
    assert encoder.batch_size == 1
    assert encoder.run(images).keys() == {"codes"}
    expected = models["12"].encode(images)
    np.testing.assert_array_equal(encoder.encode(images), expected)
    assert (
        encoder.model_digest == hn.runs.KerasEncoder(models["12"]).model_digest
    )
    report = hn.export.check_litert(web_file, models["12"], images)
    assert (report.bits_moved, report.bits_compared) == (0, 70 * 12)


def test_other_bits_are_found(web_file, models, images):
    with pytest.raises(hn.export.ParityError, match="must|fit|bits"):
        hn.export.check_litert(web_file, models["48"], images)


def test_vectors_go_too(tmp_path):
    features = keras.Input((8,), name="features")
    model = hn.HashNet(keras.Model(features, features), bits=12)
    path = hn.export.to_web(model, tmp_path / "vectors.tflite")
    rows = np.random.default_rng(0).normal(size=(20, 8))
    np.testing.assert_array_equal(
        hn.export.LiteRTEncoder(path).encode(rows), model.encode(rows)
    )


def test_an_axis_of_any_size_is_refused(tmp_path):
    ids = keras.Input((None, 4), name="steps")
    pooled = keras.layers.GlobalAveragePooling1D()(ids)
    model = hn.HashNet(keras.Model(ids, pooled), bits=12)
    path = tmp_path / "any.tflite"
    with pytest.raises(ValueError) as error:
        hn.export.to_web(model, path)
    assert str(error.value).endswith(
        "Received: the input 'steps' of shape [None, None, 4]"
    )
    assert not path.exists()
    with pytest.raises(ValueError, match="must be a file to write"):
        hn.export.to_web(model, tmp_path)
