import keras
import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.models.backbones import alexnet


@pytest.fixture(scope="module")
def network():
    """AlexNet for the smallest images that it takes."""
    keras.utils.set_random_seed(0)
    return alexnet((67, 67, 3))


@pytest.mark.slow
def test_parameters_of_caffenet_down_to_fc7():
    # Kernel height * width * channels it sees * channels it makes + biases;
    # a convolution in two groups sees half the channels.
    convolutions = (
        (11 * 11 * 3 * 96 + 96)
        + (5 * 5 * 48 * 256 + 256)
        + (3 * 3 * 256 * 384 + 384)
        + (3 * 3 * 192 * 384 + 384)
        + (3 * 3 * 192 * 256 + 256)
    )
    # Sides: (227 - 11) / 4 + 1 = 55, pooled by 3 in steps of 2 to 27, 13, 6.
    dense = (6 * 6 * 256 * 4096 + 4096) + (4096 * 4096 + 4096)
    assert convolutions + dense == 56_868_224
    model = alexnet((227, 227, 3))
    assert model.count_params() == 56_868_224
    assert model.output_shape == (None, 4096)
    sides = [model.get_layer(f"conv{k}").output.shape[1] for k in range(1, 6)]
    assert sides == [55, 27, 13, 13, 13]


def test_layers_stand_as_in_caffenet(network):
    names = [layer.name for layer in network.layers]
    order = (
        "conv1 pool1 norm1 conv2 pool2 norm2 conv3 conv4 conv5 pool5"
        " fc6 drop_fc6 fc7 drop_fc7"
    )
    kept = [name for name in names if name in order.split()]
    assert kept == order.split()
    biases = {
        name: set(network.get_layer(name).get_weights()[1].tolist())
        for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")
    }
    assert biases == {
        **dict.fromkeys(("conv1", "conv3"), {0.0}),
        **dict.fromkeys(("conv2", "conv4", "conv5", "fc6", "fc7"), {1.0}),
    }


@pytest.mark.parametrize("name, channels", [("conv2", 96), ("conv4", 384)])
def test_a_group_sees_only_its_half_of_the_channels(name, channels, network):
    layer = network.get_layer(name)
    x = np.random.default_rng(0).normal(size=(1, 6, 6, channels))
    changed = x.copy()
    changed[..., : channels // 2] += 1.0
    before, after = np.asarray(layer(x)), np.asarray(layer(changed))
    half = before.shape[-1] // 2
    assert (before[..., :half] != after[..., :half]).any()
    np.testing.assert_array_equal(before[..., half:], after[..., half:])


def test_takes_rgb_and_subtracts_the_blue_green_red_mean(network):
    image = np.random.default_rng(1).uniform(0, 255, (1, 67, 67, 3))
    kernel, bias = network.get_layer("conv1").get_weights()
    blue_green_red = image[..., ::-1] - [104.0, 117.0, 123.0]
    # The value at the top left, and one 4 pixels further down.
    expected = [
        np.maximum(
            np.tensordot(blue_green_red[0, y : y + 11, :11], kernel, 3) + bias,
            0,
        )
        for y in (0, 4)
    ]
    first = keras.Model(network.inputs, network.get_layer("conv1").output)
    found = first.predict(image, verbose=0)[0, :2, 0]
    assert np.std(expected) > 1
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_normalises_over_neighbouring_channels(network):
    pooled, normalised = keras.Model(
        network.inputs,
        [network.get_layer("pool1").output, network.get_layer("norm1").output],
    ).predict(255 * np.ones((1, 67, 67, 3)), verbose=0)
    a = pooled[0, 3, 3].astype("float64")
    expected = [
        a[c] / (1 + 1e-4 / 5 * np.sum(a[max(c - 2, 0) : c + 3] ** 2)) ** 0.75
        for c in range(96)
    ]
    assert np.max(a / np.maximum(expected, 1e-9)) > 1.01
    np.testing.assert_allclose(normalised[0, 3, 3], expected, rtol=1e-5)


def test_dropout_works_in_training_only(network):
    image = np.full((1, 67, 67, 3), 128.0)
    one, other = network(image), network(image)
    np.testing.assert_array_equal(one, other)
    # fc7 is about 1 throughout, so that every zero was dropped.
    assert (np.asarray(one) > 0).mean() > 0.9
    zeros = (np.asarray(network(image, training=True)) == 0).mean()
    assert 0.4 < zeros < 0.65


@pytest.mark.slow
def test_trains_and_round_trips(network):
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (4, 67, 67, 3)).astype("uint8")
    model = hn.HashNet(network, bits=12)
    twin = hn.HashNet.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    twin.compile("sgd", hn.losses.WeightedPairwiseLoss())
    np.testing.assert_array_equal(twin.encode(images), model.encode(images))
    twin.fit(images, np.array([0, 0, 1, 1]), verbose=0)
    moved = [
        weight.path
        for old, weight in zip(
            model.trainable_weights, twin.trainable_weights, strict=True
        )
        if (old.numpy() != weight.numpy()).any()
    ]
    # The gradient reaches through all groups and normalisations.
    assert len(moved) == len(model.trainable_weights) == 16


@pytest.mark.parametrize("shape", [(66, 67, 3), (227, 66, 3)])
def test_refuses_images_too_small_for_its_poolings(shape):
    with pytest.raises(ValueError, match="Received: image_shape="):
        alexnet(shape)
