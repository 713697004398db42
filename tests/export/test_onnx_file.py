import sys

import keras
import numpy as np
import pytest

import hashnet_tf as hn

onnx = pytest.importorskip("onnx", reason="needs the extra [onnx]")
pytest.importorskip("tf2onnx", reason="needs the extra [onnx]")


@pytest.mark.parametrize("name", ["12", "48", "zero"])
def test_no_bit_moves(name, models, onnx_files, images):
    model = models[name]
    report = hn.export.check_onnx(onnx_files[name], model, images)
    assert (report.bits_compared, report.bits_moved) == (70 * model.bits, 0)


def test_it_is_onnx_of_standard_operators(onnx_files):
    model = onnx.load(onnx_files["48"])
    onnx.checker.check_model(model, full_check=True)
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    shapes = {
        tensor.name: [d.dim_value for d in tensor.type.tensor_type.shape.dim]
        for tensor in [*model.graph.input, *model.graph.output]
    }
    # Zero is of any size.
    assert shapes == {
        "images": [0, 16, 20, 3],
        "codes": [0, 6],
        "signs": [0, 48],
    }
    assert "Tanh" not in {node.op_type for node in model.graph.node}


def test_one_of_other_weights_is_found(models, onnx_files, images):
    with pytest.raises(hn.export.ParityError, match="12.onnx does not give"):
        hn.export.check_onnx(onnx_files["12"], models["other"], images)


def test_a_wrong_file_is_not_left_behind(models, tmp_path, monkeypatch):
    from hashnet_tf.export import onnx_file

    monkeypatch.setattr(
        onnx_file,
        "exact_bits",
        lambda z: hn.export.freeze.exact_bits(-z),
    )
    (tmp_path / "a.onnx").write_text("of before")
    with pytest.raises(hn.export.ParityError, match="does not give the model"):
        hn.export.to_onnx(models["12"], tmp_path / "a.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["a.onnx"]
    assert (tmp_path / "a.onnx").read_text() == "of before"


def test_refuses_a_folder(models, tmp_path):
    with pytest.raises(ValueError, match="must be a file to write"):
        hn.export.to_onnx(models["12"], tmp_path)


@pytest.mark.parametrize("missing", ["tf2onnx", "onnx", "onnxruntime"])
def test_names_the_extra(missing, models, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    told = rf"needs {missing}: pip install 'hashnet_tf\[onnx\]'"
    with pytest.raises(ImportError, match=told):
        hn.export.to_onnx(models["12"], tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_gelu_of_which_onnx_has_no_operator(tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,), name="features")
    x = keras.layers.Dense(32, activation="gelu")(inputs)
    x = keras.layers.Dense(16, activation="gelu")(x)
    model = hn.HashNet(keras.Model(inputs, x), 12)
    given = np.random.default_rng(0).normal(size=(500, 8)) * 3
    path = hn.export.to_onnx(model, tmp_path / "a.onnx")
    assert hn.export.check_onnx(path, model, given).bits_moved == 0


@pytest.mark.parametrize(
    "layer, shape",
    [
        (keras.layers.Conv1D(8, 3, groups=4), (20, 4)),
        (
            keras.layers.Conv2D(8, 3, strides=2, padding="same", groups=2),
            (9, 12, 4),
        ),
    ],
    ids=["Conv1D", "Conv2D"],
)
def test_grouped_convolutions_which_keras_has_xla_compile(
    layer, shape, tmp_path
):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape, name="x")
    features = keras.layers.Flatten()(layer(inputs))
    model = hn.HashNet(keras.Model(inputs, features), 12)
    given = np.random.default_rng(0).normal(size=(200, *shape))
    path = hn.export.to_onnx(model, tmp_path / "a.onnx")
    assert hn.export.check_onnx(path, model, given).bits_moved == 0
    found = onnx.load(path).graph.node
    (conv,) = [node for node in found if node.op_type == "Conv"]
    (group,) = [a.i for a in conv.attribute if a.name == "group"]
    assert group == layer.groups


def test_it_is_small(models, onnx_files):
    weights = sum(np.size(w) for w in models["48"].get_weights())
    assert onnx_files["48"].stat().st_size < 4 * weights + 2**14
