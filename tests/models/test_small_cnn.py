import numpy as np
import pytest

from hashnet_tf.models.backbones import small_cnn


def test_its_parameters():
    # Two convolutions a block without bias; four numbers a channel, two of
    # them trained, for each normalisation.
    channels = [3, 32, 32, 64, 64, 128, 128]
    kernels = sum(
        9 * before * after
        for before, after in zip(channels, channels[1:], strict=False)
    )
    model = small_cnn((16, 16, 3))
    assert model.count_params() == kernels + 4 * sum(channels[1:])
    trained = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert trained == kernels + 2 * sum(channels[1:])


@pytest.mark.parametrize("side", [8, 9, 16, 31, 64])
def test_sides(side):
    model = small_cnn((side, side, 3))
    assert model.output_shape == (None, 128)
    sides = [
        layer.output.shape[1]
        for layer in model.layers
        if layer.name.startswith("max_pooling")
    ]
    # All but the last block halve, rounding up.
    assert sides == [-(-side // 2), -(-side // 4)]


def test_takes_pixels_from_0_to_255():
    model = small_cnn((8, 8, 3))
    (scaling,) = [x for x in model.layers if x.name.startswith("rescaling")]
    found = scaling(np.array([0.0, 127.5, 255.0]))
    np.testing.assert_allclose(found, [-1.0, 0.0, 1.0], atol=1e-6)
    image = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3))
    np.testing.assert_array_equal(
        model.predict(image.astype("uint8"), verbose=0),
        model.predict(image.astype("float32"), verbose=0),
    )
