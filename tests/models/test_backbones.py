import inspect
import os
import pathlib

import h5py
import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.models.backbones import OWN, _applications, _preprocess

REPOSITORY = pathlib.Path(__file__).parents[2]
NETWORKS = sorted(set(hn.models.backbone_names()) - set(OWN))

# Of each way to treat pixels one network that is quick to build.
OF_EACH_KIND = ["DenseNet121", "MobileNetV2", "MobileNetV3Small", "VGG16"]


def own_preprocessing(name):
    """`preprocess_input` of the public module that offers the network."""
    if name.startswith("MobileNetV3"):
        # Its module offers nothing else.
        return keras.applications.mobilenet_v3.preprocess_input
    (function,) = {
        module.preprocess_input
        for _, module in inspect.getmembers(
            keras.applications, inspect.ismodule
        )
        if hasattr(module, name)
    }
    return function


def pixels(side=5):
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 255, (3, side, side, 3)).astype("float32")
    x[0, 0, 0], x[0, 0, 1] = 0, 255
    return x


def test_names_are_those_of_keras_applications_and_our_own():
    assert hn.models.backbone_names() == sorted(hn.models.backbone_names())
    for name in NETWORKS:
        assert callable(getattr(keras.applications, name))
    assert len(NETWORKS) >= 38
    assert {"ResNet50", "EfficientNetV2S", "ConvNeXtTiny"} < set(NETWORKS)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_preprocessing_is_that_of_the_networks_module(name):
    inputs = keras.Input((5, 5, 3))
    outputs = _preprocess(_applications()[name], inputs)
    model = keras.Model(inputs, keras.layers.Flatten()(outputs))
    expected = own_preprocessing(name)(pixels()).reshape(3, -1)
    found = model.predict(pixels(), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    loaded = keras.Model.from_config(model.get_config())
    np.testing.assert_array_equal(loaded.predict(pixels(), verbose=0), found)


def test_the_ways_to_treat_pixels_are_the_four_known():
    x = pixels()
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    ways = {
        "from -1 to 1": x / 127.5 - 1,
        "mean and deviation": (x / 255 - mean) / deviation,
        "blue, green, red": x[..., ::-1] - [103.939, 116.779, 123.68],
        "inside": x,
    }
    found = {}
    for name in NETWORKS:
        treated = own_preprocessing(name)(x.copy())
        (way,) = [
            way
            for way, expected in ways.items()
            if np.allclose(treated, expected, atol=1e-4)
        ]
        found.setdefault(way, set()).add(name)
    assert {"MobileNetV2", "Xception", "ResNet50V2"} < found["from -1 to 1"]
    assert {"DenseNet121"} < found["mean and deviation"]
    assert {"ResNet50", "VGG16"} < found["blue, green, red"]
    assert {"EfficientNetB0", "MobileNetV3Small"} < found["inside"]


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_EACH_KIND)
def test_networks_of_keras_applications(name):
    keras.utils.set_random_seed(0)
    model = hn.models.backbone(name, (32, 32, 3))
    (network,) = [x for x in model.layers if isinstance(x, keras.Model)]
    images = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3), "uint8")
    treated = own_preprocessing(name)(images.astype("float32"))
    expected = np.asarray(network(treated))
    assert expected.ndim == 2 and expected.std() > 0
    np.testing.assert_allclose(
        model(images), expected, rtol=1e-3, atol=1e-4 * expected.max()
    )
    assert model.output_shape == (None, expected.shape[1])


@pytest.mark.parametrize("name", ["small_cnn", "alexnet"])
def test_own_networks(name):
    model = hn.models.backbone(name, [67, 67, 3])
    assert model.name == name
    assert model.input_shape == (None, 67, 67, 3)


def test_the_pixels_themselves():
    model = hn.models.backbone("pixels", [4, 5, 3])
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 4, 5, 3)).astype("float32")
    expected = images.mean(axis=-1).reshape(2, 20) / 255
    np.testing.assert_allclose(model(images), expected, rtol=1e-5)
    assert not model.weights
    with pytest.raises(ValueError, match=r"Received: .*\(33, 32, 3\)"):
        hn.models.backbone("pixels", (33, 32, 3))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, kind", [("small_cnn", str), ("MobileNetV3Small", pathlib.Path)]
)
def test_weights_from_a_file(name, kind, tmp_path):
    keras.utils.set_random_seed(0)
    model = hn.models.backbone(name, (32, 32, 3))
    inner = [x for x in model.layers if isinstance(x, keras.Model)]
    path = tmp_path / "network.weights.h5"
    (inner[0] if inner else model).save_weights(path)
    loaded = hn.models.backbone(name, (32, 32, 3), kind(path))
    for one, other in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    another = hn.models.backbone(name, (32, 32, 3))
    assert any(
        (one.numpy() != other.numpy()).any()
        for one, other in zip(another.weights, model.weights, strict=True)
    )


@pytest.mark.slow
def test_the_real_weights_of_mobilenet_v2():
    default = REPOSITORY.parent / "shared" / "data"
    path = (
        pathlib.Path(os.environ.get("HASHNET_TF_DATA", default))
        / "weights"
        / "mobilenet_v2_imagenet_no_top.weights.h5"
    )
    if not path.is_file():
        pytest.skip(f"no weights: {path} (HASHNET_TF_DATA) is not there")
    model = hn.models.backbone("MobileNetV2", (96, 96, 3), path)
    (network,) = [x for x in model.layers if isinstance(x, keras.Model)]
    stored = []
    with h5py.File(path) as file:
        file.visititems(
            lambda _, item: (
                stored.append(item[()])
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    # Each stored array is somewhere in the network, and nothing else is.
    assert len(stored) == len(network.weights)
    sums = sorted(float(np.sum(x, dtype="float64")) for x in stored)
    found = [np.sum(w.numpy(), dtype="float64") for w in network.weights]
    np.testing.assert_array_equal(np.sort(found), sums)
    plain = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(96, 96, 3), pooling="avg"
    )
    plain.load_weights(path)
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), "uint8")
    expected = np.asarray(plain(images / np.float32(127.5) - 1))
    assert expected.std() > 0.1
    np.testing.assert_allclose(model(images), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["mobilenetv2", "ResNet51", "", "preprocess"])
def test_refuses_an_unknown_name(name):
    with pytest.raises(
        ValueError, match=f"MobileNetV2.*Received: name='{name}'"
    ):
        hn.models.backbone(name, (32, 32, 3))


@pytest.mark.parametrize("name", ["small_cnn", "alexnet", "MobileNetV2"])
@pytest.mark.parametrize("weights", ["imagenot", "none/such.weights.h5"])
def test_refuses_weights_that_are_neither_file_nor_name(name, weights):
    with pytest.raises(ValueError, match=f"Received: .*weights='{weights}'"):
        hn.models.backbone(name, (67, 67, 3), weights)


def test_refuses_the_name_of_weights_that_our_own_do_not_have():
    with pytest.raises(ValueError, match="Received: weights='imagenet'"):
        hn.models.backbone("small_cnn", (32, 32, 3), "imagenet")


def test_without_a_network_a_file_of_weights_is_advised(tmp_path, monkeypatch):
    def offline(**_):
        # Nobody listens there.
        keras.utils.get_file(
            "w.h5", "http://127.0.0.1:9/w.h5", cache_dir=tmp_path
        )

    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    message = "or be the path of a file of weights.*weights='imagenet'.*refused"
    with pytest.raises(OSError, match=message):
        hn.models.backbone("MobileNetV2", (32, 32, 3), "imagenet")


@pytest.fixture(params=["text", "other network", "other ending", "cut off"])
def wrong_file(request, tmp_path):
    path = tmp_path / "wrong.weights.h5"
    if request.param == "text":
        path.write_text("no weights")
    elif request.param == "other ending":
        path = tmp_path / "wrong.npz"
        np.savez(path, weights=np.zeros(3))
    else:
        inputs = keras.Input((32, 32, 3))
        outputs = keras.layers.Conv2D(4, 3)(inputs)
        keras.Model(inputs, outputs).save_weights(path)
    if request.param == "cut off":
        path.write_bytes(path.read_bytes()[:1000])
    return path


# Keras warns of each layer that it misses before it raises.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
@pytest.mark.parametrize("name", ["small_cnn", "MobileNetV3Small"])
def test_refuses_a_file_of_other_weights(name, wrong_file):
    message = f"of {name} without its top: .*Received: weights='{wrong_file}'"
    with pytest.raises(ValueError, match=f"(?s){message}"):
        hn.models.backbone(name, (32, 32, 3), wrong_file)


def test_refuses_an_image_too_small_for_the_network():
    message = r"Received: image_shape=\(31, 31, 3\), weights='None'"
    with pytest.raises(ValueError, match=message):
        hn.models.backbone("MobileNetV2", (31, 31, 3))


def normalisations(model):
    """Returns the weights of batch normalisation, and all the others."""
    inside, others = [], []
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            inside += layer.weights
    names = {id(weight) for weight in inside}
    others = [w for w in model.trainable_weights if id(w) not in names]
    return inside, others


def values(weights):
    return [weight.numpy() for weight in weights]


def fit_changes(model, images):
    """Returns which normalisation weights, and which others, a fit changes."""
    inside, others = normalisations(model)
    before = values(inside), values(others)
    model.compile("sgd", hn.losses.WeightedPairwiseLoss())
    model.fit(images, np.arange(len(images)) % 3, batch_size=7, verbose=0)
    return [
        [bool((a != b).any()) for a, b in zip(old, values(new), strict=True)]
        for old, new in zip(before, (inside, others), strict=True)
    ]


# A MobileNet with random statistics gives features of 0, and its gradients
# end at the hash layer.
@pytest.mark.slow
@pytest.mark.parametrize(
    "name, layers, which", [("small_cnn", 6, all), ("MobileNet", 27, any)]
)
def test_frozen_batch_normalisation(name, layers, which, tmp_path):
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(2).integers(0, 256, (21, 32, 32, 3), "uint8")
    backbone = hn.models.backbone(name, (32, 32, 3))
    assert hn.models.freeze_batch_normalization(backbone) == layers
    model = hn.HashNet(backbone, bits=12)
    rng = np.random.default_rng(3)
    for weight in normalisations(model)[0]:
        weight.assign(rng.uniform(0.8, 1.2, weight.shape))
    # Training uses these, not the statistics of the batch.
    np.testing.assert_array_equal(
        model.logits(images, training=True),
        model.logits(images, training=False),
    )
    model.save(tmp_path / "model.keras")
    for whole in (model, keras.saving.load_model(tmp_path / "model.keras")):
        inside, others = fit_changes(whole, images)
        assert len(inside) == 4 * layers and not any(inside)
        assert len(others) > layers and which(others)


@pytest.mark.slow
def test_without_freezing_batch_normalisation_moves():
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(2).integers(0, 256, (21, 32, 32, 3), "uint8")
    model = hn.HashNet(hn.models.backbone("small_cnn", (32, 32, 3)), bits=12)
    inside, _ = fit_changes(model, images)
    assert len(inside) == 24 and all(inside)


def test_a_whole_hashnet_is_frozen_too():
    model = hn.HashNet(hn.models.backbone("small_cnn", (32, 32, 3)), bits=12)
    trainable = len(model.trainable_weights)
    assert hn.models.freeze_batch_normalization(model) == 6
    assert len(model.trainable_weights) == trainable - 2 * 6


# Keras tells that it was made for one channel or three.
OTHER_CHANNELS = pytest.mark.filterwarnings("ignore:This model usually expects")


@OTHER_CHANNELS
@pytest.mark.parametrize("name", ["small_cnn", "pixels", "MobileNetV2"])
def test_other_channels(name):
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 13), "uint8")
    model = hn.models.backbone(name, images.shape[1:])
    found = np.asarray(model(images))
    if name == "pixels":
        expected = images.mean(axis=-1).reshape(2, -1) / 255
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    if name == "MobileNetV2":
        (network,) = [x for x in model.layers if isinstance(x, keras.Model)]
        expected = network(images / np.float32(127.5) - 1)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert found.std() > 0


@OTHER_CHANNELS
def test_a_network_that_scales_inside_does_so_once():
    model = hn.models.backbone("MobileNetV3Small", (32, 32, 13))
    rescaling = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.Rescaling)
    ]
    assert [layer.scale for layer in rescaling] == [1 / 127.5]


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_what_is_of_rgb_refuses_other_channels(tmp_path):
    with pytest.raises(ValueError, match=r"Received: image_shape=\(67, 67, 4"):
        hn.models.backbone("alexnet", (67, 67, 4))
    with pytest.raises(ValueError, match="must have 3 channels.*imagenet"):
        hn.models.backbone("MobileNetV2", (32, 32, 13), "imagenet")
    path = tmp_path / "rgb.weights.h5"
    hn.models.backbone("small_cnn", (16, 16, 3)).save_weights(path)
    with pytest.raises(ValueError, match="(?s)weights file of small_cnn.*13"):
        hn.models.backbone("small_cnn", (16, 16, 13), path)
