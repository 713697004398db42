import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.reproduction import shared as module
from hashnet_tf.reproduction.shared import shallow_features
from hashnet_tf.runs.networks import build_backbone


@pytest.fixture
def images():
    return hn.datasets.load("digits").query


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    monkeypatch.setattr(module, "ROWS", 64)


def test_pixels_without_weights(images, config_of, tmp_path):
    parts = list(shallow_features(config_of(), None, images, tmp_path))
    assert [len(part) for part in parts] == [64, 64, 64, 8]
    pixels = hn.datasets.pixel_array(images, (8, 8)).reshape(200, -1)
    assert parts[0].dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(parts), pixels)
    assert not list(tmp_path.iterdir())


def test_features_of_the_backbone(images, config_of, weights_file, tmp_path):
    config = config_of(weights=weights_file)
    backbone = build_backbone(config)
    parts = list(shallow_features(config, backbone, images, tmp_path))
    assert [part.shape for part in parts] == [(64, 16)] * 3 + [(8, 16)]
    pixels = hn.datasets.pixel_array(images, (8, 8))
    # In batches as they are streamed: the size of one may move a last bit.
    expected = backbone.predict(pixels, batch_size=128, verbose=0)
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-5)
    assert len(list(tmp_path.glob("*/*.npy"))) == 1
