import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_litert.tools import flatbuffer_utils

import hashnet_tf as hn
from hashnet_tf.export import litert_conversion
from hashnet_tf.export.bias_correction import with_corrected_biases

WAYS = ("dynamic", "int8")
SIZE, BITS, INPUTS, CHANNELS = 8, 24, 64, 16
# A step of int8 is 1 / 127 of the largest weight: these are all rounded off.
LARGE, SMALL = 1.0, 0.003


def shifting_weights(rng, shape):
    """Few large weights and many small ones, which int8 takes for 0."""
    weights = rng.uniform(0.5 * SMALL, SMALL, shape)
    weights *= rng.choice([-1, 1], shape[-1])
    flat = weights.reshape(-1, shape[-1])
    for channel in range(shape[-1]):
        flat[rng.integers(len(flat)), channel] = LARGE
    return weights.astype("float32")


@pytest.fixture(scope="module")
def model():
    """Layers of each kind, whose means int8 moves, with ReLU6 and without."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = given = keras.Input((SIZE, SIZE, 3), name="images")
    x = keras.layers.Rescaling(1 / 255.0)(x)
    x = keras.layers.Conv2D(INPUTS, 3, padding="same", activation="relu6")(x)
    x = keras.layers.DepthwiseConv2D(3, activation="relu6")(x)
    x = keras.layers.Conv2D(CHANNELS, 1, use_bias=False)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = hn.HashNet(keras.Model(given, x), BITS)
    for layer in model.backbone.layers[2:5]:
        kernel, *bias = layer.get_weights()
        if layer.name.startswith("conv2d") and kernel.shape[-2] == INPUTS:
            kernel = shifting_weights(rng, kernel.shape)
        layer.set_weights([kernel, *bias])
    return model


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(1)
    # Of a brightness and a pattern of their own each.
    base = rng.integers(60, 190, (160, 1, 1, 3))
    noise = rng.integers(-60, 60, (160, SIZE, SIZE, 3))
    return (base + noise).astype("uint8")


@pytest.fixture(scope="module")
def centred(model, images):
    """The model whose z have their medians at 0, as trained bits have."""
    z = np.asarray(model.logits(images, training=False))
    kernel, bias = model.hash_layer.get_weights()
    model.hash_layer.set_weights([kernel, bias - np.median(z, axis=0)])
    return model


@pytest.fixture(scope="module")
def written(centred, images, tmp_path_factory):
    """Of each way the file not corrected, corrected, and what corrects it."""
    folder = tmp_path_factory.mktemp("written")
    found = {}
    for way in WAYS:
        given = []

        def keep(*arguments, given=given):
            given.append(arguments)
            return arguments[0]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(litert_conversion, "with_corrected_biases", keep)
            before = hn.export.to_litert(
                centred, folder / f"{way}_before.tflite", way, [images]
            )
        after = hn.export.to_litert(
            centred, folder / f"{way}.tflite", way, [images]
        )
        found[way] = before, after, given[0]
    return found


def layer_outputs(content, images):
    """Returns the outputs of all layers, by a run of the whole file."""
    interpreter = Interpreter(
        model_content=bytes(content),
        experimental_op_resolver_type=(
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        ),
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    layers = [
        op["outputs"][0]
        for op in interpreter._get_ops_details()
        if op["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    ]
    details = {d["index"]: d for d in interpreter.get_tensor_details()}
    found = {i: [] for i in layers}
    for image in images:
        interpreter.set_tensor(given["index"], image[None])
        interpreter.invoke()
        for i in layers:
            values = interpreter.get_tensor(i).astype("float64")
            scale, zero = details[i]["quantization"]
            found[i].append(scale * (values - zero) if scale else values)
    return [
        (np.concatenate(values).reshape(-1, values[0].shape[-1]), scale)
        for i, values in found.items()
        for scale in [details[i]["quantization"][0]]
    ]


@pytest.mark.parametrize("way", WAYS)
def test_few_bits_move_where_many_did(way, centred, images, written):
    before, after, _ = written[way]
    shares = [
        hn.export.check_litert(path, centred, images).share
        for path in (before, after)
    ]
    assert shares[0] > 0.09 and shares[1] < 0.03


@pytest.mark.parametrize("way", WAYS)
def test_every_channel_has_the_mean_that_it_had(way, images, written):
    before, after, (_, exact, inputs, batch_size) = written[way]
    taken = inputs["images"]
    assert len(taken) == 128 and batch_size == 1
    expected = layer_outputs(exact, taken)
    shifts = []
    for path in (before, after):
        found = layer_outputs(path.read_bytes(), taken)
        assert len(found) == len(expected) == 4
        shifts.append(
            [
                np.abs(y.mean(0) - e.mean(0)).max() / e.std()
                for (y, _), (e, _) in zip(found, expected, strict=True)
            ]
        )
    assert shifts[0][-1] > 0.3
    # The last one of int8 was rounded down besides.
    assert max(shifts[1]) < 0.02


def test_dynamic_is_as_it_was_without_representative_images(
    centred, written, tmp_path
):
    path = hn.export.to_litert(centred, tmp_path / "a.tflite", "dynamic")
    for layer in range(4):
        found, expected = (
            bias_of_layer(p.read_bytes(), layer)
            for p in (path, written["dynamic"][0])
        )
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("way", WAYS)
def test_the_first_layer_by_hand(way, images, written):
    before, after, (_, exact, inputs, _) = written[way]
    (y, _), *_ = layer_outputs(exact, inputs["images"])
    (y_before, _), *_ = layer_outputs(before.read_bytes(), inputs["images"])
    old, new = (
        bias_of_layer(path.read_bytes(), 0) for path in written[way][:2]
    )
    for channel in range(INPUTS):
        follows = [0 < value < 6 for value in y[:, channel]]
        share = max(sum(follows) / len(follows), 0.1)
        change = (y[:, channel].mean() - y_before[:, channel].mean()) / share
        assert new[channel] - old[channel] == pytest.approx(change, abs=1e-4)


def bias_of_layer(content, number):
    """Returns the biases of a layer in real numbers."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    wanted = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    codes = [getattr(schema.BuiltinOperator, name) for name in wanted]
    layers = [
        operator
        for operator in graph.operators
        if model.operatorCodes[operator.opcodeIndex].builtinCode in codes
    ]
    tensor = graph.tensors[layers[number].inputs[2]]
    data = bytes(model.buffers[tensor.buffer].data)
    if tensor.type == schema.TensorType.FLOAT32:
        return np.frombuffer(data, np.float32)
    return np.frombuffer(data, np.int32) * np.asarray(tensor.quantization.scale)


def test_int8_rounds_z_down(centred, images, tmp_path):
    path = hn.export.to_litert(
        centred, tmp_path / "a.tflite", "int8", [images], z=True
    )
    z = hn.export.LiteRTEncoder(path).embed(images)
    (_, step) = layer_outputs(path.read_bytes(), images[:1])[-1]
    expected = np.asarray(centred.logits(images, training=False))
    assert np.median(expected - z) / step == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(z, step * np.rint(z / step), atol=1e-6)
    # So that as many bits turn to 1 as to 0, where rounding to the nearest
    # step has those just below 0 for 1.
    assert (z >= 0).mean() == pytest.approx((expected >= 0).mean(), abs=0.01)


def test_refuses_a_file_of_other_layers(written):
    _, _, (quantized, exact, inputs, batch_size) = written["int8"]
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(exact))
    model.subgraphs[0].operators.pop(3)
    other = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    with pytest.raises(RuntimeError, match="the layers of the exact one"):
        with_corrected_biases(quantized, other, inputs, batch_size)
