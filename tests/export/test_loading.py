import pytest

from hashnet_tf.export import (
    LiteRTEncoder,
    OnnxEncoder,
    SavedModelEncoder,
    load_encoder,
)


def test_opens_each_kind(saved_models, litert_files):
    assert isinstance(load_encoder(litert_files["12"]), LiteRTEncoder)
    assert isinstance(load_encoder(str(saved_models["12"])), SavedModelEncoder)


def test_opens_an_onnx_file(onnx_files):
    assert isinstance(load_encoder(onnx_files["12"]), OnnxEncoder)


def test_of_all_versions_the_highest(saved_models, copied, tmp_path):
    for version, name in [(2, "12"), (10, "48"), (9, "12")]:
        copied(saved_models[name], str(version))
    assert load_encoder(tmp_path).bits == 48


def test_refuses_what_is_no_encoder(tmp_path):
    with pytest.raises(ValueError, match=f"Received: no {tmp_path}/none$"):
        load_encoder(tmp_path / "none")
    with pytest.raises(ValueError, match=f"Received: {tmp_path}$"):
        load_encoder(tmp_path)
    (tmp_path / "a.tflite").write_text("no model")
    with pytest.raises(ValueError, match="Received: .*a.tflite"):
        load_encoder(tmp_path / "a.tflite")
