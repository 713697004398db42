import numpy as np
import pytest
from sklearn.datasets import load_digits

import hashnet_tf as hn

SCANS = load_digits()


def test_parts_by_default():
    dataset = hn.datasets.load("digits")
    assert np.bincount(dataset.train.labels).tolist() == [100] * 10
    assert np.bincount(dataset.query.labels).tolist() == [20] * 10
    assert len(dataset.database) == 1797 - 200
    assert dataset.class_names == list("0123456789")
    assert dataset.notes == []


def test_images_are_the_scans_stretched_to_bytes():
    dataset = hn.datasets.load("digits", query_per_class=2)
    assert len(dataset.query) == 20
    images = dataset.query.encoded().as_numpy_iterator()
    for (position, image), name in zip(
        images, dataset.query.names, strict=True
    ):
        scan = SCANS.images[int(name)]
        assert dataset.query.labels[position] == SCANS.target[int(name)]
        expected = [[round(level * 255 / 16) for level in row] for row in scan]
        np.testing.assert_array_equal(image, np.stack([expected] * 3, -1))


def test_takes_no_place():
    with pytest.raises(ValueError, match="Received: digits:here"):
        hn.datasets.load("digits:here")
