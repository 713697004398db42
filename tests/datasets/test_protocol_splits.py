"""Each protocol on labels of full size, without the images."""

import functools
import hashlib

import numpy as np
import pytest

from hashnet_tf.datasets.held_out import narrowed
from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.protocol import protocols
from hashnet_tf.datasets.sources.pool import Pool
from hashnet_tf.datasets.splits import draw_parts


def classes(sizes, test_sizes):
    """A pool of classes of these sizes, and what of them is a test part."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    tested = np.repeat(np.arange(len(sizes)), test_sizes)
    in_test = np.arange(len(labels) + len(tested)) >= len(labels)
    return pool(np.concatenate([labels, tested]), in_test)


def several(n, width, unlabelled):
    """A pool of n images, some without any of the labels."""
    places = np.arange(n * width, dtype=np.uint64).reshape(n, width)
    # A generator of one line, that no release of numpy can change.
    mixed = (places * np.uint64(6364136223846793005) >> np.uint64(33)) % 97
    labels = (mixed < np.arange(width) % 9 + 1).astype(np.uint8)
    labels[:, 0] |= ~labels.any(axis=1)
    labels[:unlabelled] = 0
    return pool(labels, None)


def pool(labels, in_test):
    names = [f"{i:06}.jpg" for i in range(len(labels))]
    return Pool(FileImages("root", names, labels), in_test)


@pytest.fixture(scope="module")
def pools():
    thousand = np.full(1000, 1300)
    return {
        "CIFAR-10": classes([5000] * 10, [1000] * 10),
        "Fashion-MNIST": classes([6000] * 10, [1000] * 10),
        "ImageNet-100": classes(thousand // 5, thousand // 26),
        "MIRFLICKR-25000": several(25_000, 38, 419),
        "MS COCO 2014": several(123_287, 80, 123_287 - 122_218),
        "NUS-WIDE": several(269_648, 81, 269_648 - 209_347),
    }


@pytest.fixture(scope="module")
def drawn(pools):
    """Function from a name and a seed to what is kept, and its parts."""

    @functools.cache
    def drawn(name, seed):
        protocol = protocols()[name]
        kept = narrowed(pools[protocol.origin.title], protocol.drawing, seed)
        parts = draw_parts(
            kept.images.labels, kept.in_test, protocol.drawing, seed
        )
        return kept, [[kept.images.names[i] for i in part] for part in parts]

    return drawn


def digest(names):
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


# Of train, query and database by seed 0.
DIGESTS = {
    "cifar10-54k": [
        "e102d4c552df5a8e",
        "3f4548a8296658ba",
        "dc9c5f97959f65fc",
    ],
    "cifar10-59k": [
        "e102d4c552df5a8e",
        "3f4548a8296658ba",
        "13e984f13d2f17f5",
    ],
    "cifar10-50k": [
        "75d217748f168025",
        "ee03bfaae371e39b",
        "75d217748f168025",
    ],
    "coco": [
        "dd87394b52acac62",
        "fba9604ddf854deb",
        "f3e005802113186d",
    ],
    "fashion-mnist": [
        "849c3a74382f5600",
        "3b08aff3e835cba0",
        "aba4d558ce346b81",
    ],
    "imagenet100": [
        "57453efef05d69cd",
        "f6c535695d4ce825",
        "5291c322e6ef4aa4",
    ],
    "imagenet100-130": [
        "552981d9e5dda95c",
        "f6c535695d4ce825",
        "5291c322e6ef4aa4",
    ],
    "mirflickr25k": [
        "bc7e329f811b8537",
        "7e8c76aa1b136cea",
        "eea716597f2136cf",
    ],
    "nuswide81": [
        "765699bf402bd08f",
        "db3417a3fb327fe4",
        "fc0d80eeb001ae54",
    ],
    "nuswide21": [
        "7f36d904d44a5189",
        "5624c4074c1905c5",
        "d3ffdbf4bdad1839",
    ],
}


@pytest.mark.parametrize("name", DIGESTS)
def test_every_machine_draws_the_same_images(drawn, name):
    _, parts = drawn(name, seed=0)
    assert [digest(part) for part in parts] == DIGESTS[name]
    _, others = drawn(name, seed=1)
    assert others[0] != parts[0] or name == "cifar10-50k"


@pytest.mark.parametrize("name", DIGESTS)
def test_has_the_sizes_that_a_full_copy_should_have(drawn, name):
    kept, (train, query, database) = drawn(name, seed=0)
    expected = protocols()[name].expected
    assert len(train) == expected.train
    assert len(query) == expected.query
    labels = kept.images.labels
    width = labels.shape[1] if labels.ndim == 2 else labels.max() + 1
    assert width == expected.labels
    # Their sizes are of photographs that do not lie here.
    if not name.startswith(("imagenet", "nuswide21")):
        assert len(database) == expected.database


@pytest.mark.parametrize("name", DIGESTS)
def test_parts_share_what_the_protocol_allows(drawn, name):
    _, (train, query, database) = drawn(name, seed=0)
    overlaps = protocols()[name].overlaps
    assert not set(query) & {*train, *database}
    assert bool(set(train) & set(database)) == ("train-database" in overlaps)


def test_every_drawn_protocol_is_here():
    assert set(DIGESTS) == {
        name
        for name, protocol in protocols().items()
        if protocol.drawing is not None
    }
