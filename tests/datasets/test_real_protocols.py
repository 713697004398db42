"""The protocols whose images the data folder holds, whole."""

import hashlib
import tarfile

import numpy as np
import pytest

import hashnet_tf as hn

pytestmark = pytest.mark.slow

# Sizes of train, query and database, and digests of their names by seed 0.
CIFAR10 = {
    "cifar10-54k": [5_000, 1_000, 54_000],
    "cifar10-59k": [5_000, 1_000, 59_000],
    "cifar10-50k": [50_000, 10_000, 50_000],
}
DIGESTS = {
    "cifar10-54k": [
        "7d93999b65ab98c8",
        "18b6f42a29e46fc8",
        "6fdf83b90f36d95d",
    ],
    "cifar10-59k": [
        "7d93999b65ab98c8",
        "18b6f42a29e46fc8",
        "d5216e6b9a2e5068",
    ],
    "cifar10-50k": [
        "b2e16ededd76db8b",
        "b5f1182a235394f0",
        "b2e16ededd76db8b",
    ],
}


@pytest.fixture(scope="module")
def unpacked(real_data, tmp_path_factory):
    """Function that unpacks an archive and returns the folder in it."""

    def unpack(archive, folder):
        if not (real_data / archive).is_file():
            pytest.skip(f"no real data: {real_data / archive} is not there")
        place = tmp_path_factory.getbasetemp()
        if not (place / folder).is_dir():
            with tarfile.open(real_data / archive) as members:
                members.extractall(place, filter="data")
        return place / folder

    return unpack


@pytest.fixture
def cifar10(unpacked):
    return unpacked("cifar10_jpeg.tar.gz", "cifar10")


@pytest.fixture
def mirflickr(unpacked):
    return unpacked("mirflickr25k_96px.tar.gz", "mirflickr25k")


def counted_one_by_one(labels):
    """|S1| and |S0| over all ordered pairs, i = j too."""
    similar = dissimilar = 0
    for row in labels:
        shared = labels == row
        if labels.ndim == 2:
            shared = (labels & row).any(axis=1)
        similar += int(shared.sum())
        dissimilar += int((~shared).sum())
    return similar, dissimilar


def check_pairs(dataset):
    similar, dissimilar = counted_one_by_one(dataset.train.labels)
    total = similar + dissimilar
    found = hn.datasets.describe(dataset)
    pairs = found.pairs_with_self
    assert (pairs.similar, pairs.dissimilar) == (similar, dissimilar)
    assert pairs.weights == (total / similar, total / dissimilar)
    text = found.text()
    for number in (
        f"{similar:,}",
        f"{dissimilar:,}",
        f"{total / similar:.4f}",
        f"{total / dissimilar:.4f}",
    ):
        assert f" {number} " in text
    assert found.differences() == []


@pytest.mark.parametrize("name", CIFAR10)
def test_cifar10(cifar10, name):
    dataset = hn.datasets.load(f"{name}:{cifar10}")
    parts = [dataset.train, dataset.query, dataset.database]
    assert [len(part) for part in parts] == CIFAR10[name]
    for part in parts:
        counts = np.bincount(part.labels)
        assert counts.tolist() == [len(part) // 10] * 10
    check_pairs(dataset)
    digests = [
        hashlib.sha256("\n".join(part.names).encode()).hexdigest()[:16]
        for part in parts
    ]
    assert digests == DIGESTS[name]


def test_cifar10_is_whole(cifar10):
    dataset = hn.datasets.load(f"cifar10-54k:{cifar10}")
    assert hn.datasets.find_problems(dataset) == []


def test_mirflickr(mirflickr):
    dataset = hn.datasets.load(f"mirflickr25k-lists:{mirflickr}")
    parts = [dataset.train, dataset.query, dataset.database]
    assert [len(part) for part in parts] == [4_000, 1_000, 20_000]
    assert sum(part.unlabelled.sum() for part in parts) == 419
    check_pairs(dataset)
    assert hn.datasets.find_problems(dataset) == []


def test_a_frozen_split_is_read_again_byte_for_byte(cifar10, tmp_path):
    dataset = hn.datasets.load(f"cifar10-59k:{cifar10}", seed=5)
    first, second = tmp_path / "first", tmp_path / "second"
    hn.datasets.write_lists(dataset, first, dataset.name)
    again = hn.datasets.load(f"lists:{first}")
    hn.datasets.write_lists(again, second, again.name)
    for file in first.iterdir():
        assert file.read_bytes() == (second / file.name).read_bytes()
