import keras
import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.runs import Encoder, FeatureEncoder, KerasEncoder, networks
from hashnet_tf.runs.encoders import as_encoder


@pytest.fixture(scope="module", params=[{}, {"hidden": 8, "dropout": 0.5}])
def config(request, config_of, weights_file):
    return config_of(
        freeze_backbone=True,
        weights=weights_file,
        framing="paper",
        **request.param,
    )


@pytest.fixture(scope="module")
def saved(config, tmp_path_factory):
    """A model as a run with a frozen backbone saves it, and loads it again."""
    keras.utils.set_random_seed(2)
    backbone = networks.build_backbone(config)
    head = networks.build_head(config, 16)
    head.scaled_tanh.beta.assign(3.0)
    path = tmp_path_factory.mktemp("models") / "model.keras"
    head.on_top_of(backbone).save(path)
    return keras.saving.load_model(path)


def test_is_the_model_after_its_backbone(saved, config, queries):
    backbone = networks.build_backbone(config)
    encoder = FeatureEncoder(saved, backbone)
    assert (encoder.bits, encoder.image_size) == (12, (8, 8))
    assert encoder.framing == "paper"
    assert encoder.model_digest == hn.models.weights_digest(saved)
    pixels = hn.datasets.pixel_array(queries, (8, 8), "paper")
    features = backbone.predict(pixels, batch_size=128, verbose=0)
    codes = encoder.encode(features)
    np.testing.assert_array_equal(codes, saved.encode(pixels))
    assert len(np.unique(codes, axis=0)) > 10


def test_leaves_the_model_as_it_was(saved, config, queries):
    pixels = hn.datasets.pixel_array(queries, (8, 8), "paper")
    before, digest = saved.encode(pixels), hn.models.weights_digest(saved)
    FeatureEncoder(saved, networks.build_backbone(config))
    np.testing.assert_array_equal(saved.encode(pixels), before)
    assert hn.models.weights_digest(saved) == digest


def test_refuses_another_backbone(saved, config):
    backbone = networks.build_backbone(config)
    bias = backbone.weights[-1]
    bias.assign(bias + np.eye(16)[3])
    with pytest.raises(ValueError, match="has their file changed") as error:
        FeatureEncoder(saved, backbone)
    digest = hn.models.weights_digest(saved)
    assert str(error.value).endswith(f"in place of {digest}")


@pytest.mark.slow
def test_who_is_an_encoder(measured, saved, config):
    assert isinstance(measured.encoder, Encoder)
    # Features are no images, and files hold none.
    encoder = FeatureEncoder(saved, networks.build_backbone(config))
    assert not isinstance(encoder, Encoder)
    assert not isinstance(measured.model, Encoder)


@pytest.mark.slow
def test_files_are_framed_as_in_the_training(tiny_backbone, tmp_path):
    model = hn.HashNet(tiny_backbone((8, 8, 3)), 12, framing="paper")
    encoder = KerasEncoder(model)
    rng = np.random.default_rng(0)
    paths = []
    # More than a batch, of sizes of their own.
    for i in range(130):
        image = rng.integers(0, 256, (9 + i % 3, 20, 3), dtype=np.uint8)
        paths.append(tmp_path / f"{i:03}.png")
        Image.fromarray(image).save(paths[-1])
    names = [path.name for path in paths]
    images = hn.datasets.FileImages(tmp_path, names, [-1] * 130)
    pixels = hn.datasets.pixel_array(images, (8, 8), "paper")
    # In the order given, by paths and by their names.
    given = [*map(str, paths[:64:-1]), *paths[64::-1]]
    codes = encoder.encode_files(iter(given))[::-1]
    np.testing.assert_array_equal(codes, model.encode(pixels))
    assert len(np.unique(codes, axis=0)) > 10
    assert encoder.encode_files([]).shape == (0, 2)


def test_files_that_are_no_images(model, tmp_path):
    encoder, bad = KerasEncoder(model), tmp_path / "bad.png"
    good = tmp_path / "good.png"
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(good)
    bad.write_text("no image")
    missing = tmp_path / "missing.png"
    with pytest.raises(ValueError, match=f"decoded.*Received: {bad} "):
        encoder.encode_files([good, bad])
    for path in (missing, tmp_path):
        with pytest.raises(FileNotFoundError, match=f"first {path}$"):
            encoder.encode_files([good, path])
    with pytest.raises(ValueError, match="must be a list of paths"):
        encoder.encode_files(str(good))


def test_a_keras_encoder_is_the_model(model, queries):
    encoder = KerasEncoder(model)
    assert (encoder.bits, encoder.image_size) == (model.bits, (8, 8))
    assert encoder.model_digest == hn.models.weights_digest(model)
    pixels = hn.datasets.pixel_array(queries, (8, 8))
    np.testing.assert_array_equal(encoder.encode(pixels), model.encode(pixels))


def test_an_encoder_stays_as_it_is(model):
    encoder = as_encoder(model)
    assert isinstance(encoder, KerasEncoder)
    assert as_encoder(encoder) is encoder


@pytest.mark.parametrize("channels", [1, 13])
def test_a_keras_encoder_of_other_channels(channels, tmp_path):
    inputs = keras.Input((8, 8, channels))
    features = keras.layers.GlobalAveragePooling2D()(inputs)
    model = hn.HashNet(keras.Model(inputs, features), 8, "paper")
    encoder = KerasEncoder(model)
    assert (encoder.image_size, encoder.framing) == ((8, 8), "paper")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 8, 8, channels), "uint8")
    np.testing.assert_array_equal(encoder.encode(images), model.encode(images))
    Image.fromarray(np.zeros((9, 9, 3), "uint8")).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="RGB as of every image file$"):
        encoder.encode_files([tmp_path / "a.png"])


@pytest.mark.parametrize("shape", [(None, 8, 13), (None, None, 3)])
def test_a_keras_encoder_is_of_images_of_one_size(shape):
    inputs = keras.Input(shape)
    features = keras.layers.GlobalAveragePooling2D()(inputs)
    model = hn.HashNet(keras.Model(inputs, features), 8)
    message = r"must take images .*input_shape=\(None, "
    with pytest.raises(ValueError, match=message):
        KerasEncoder(model)


def test_a_changed_hash_layer_is_in_the_features_encoder(config, queries):
    backbone = networks.build_backbone(config)
    head = networks.build_head(config, 16)
    head.hash_layer.enable_lora(2)
    b = head.hash_layer.lora_kernel_b
    b.assign(np.random.default_rng(0).normal(size=b.shape))
    model = head.on_top_of(backbone)
    pixels = hn.datasets.pixel_array(queries, (8, 8), "paper")
    features = backbone.predict(pixels, batch_size=128, verbose=0)
    np.testing.assert_array_equal(
        FeatureEncoder(model, backbone).encode(features), model.encode(pixels)
    )
