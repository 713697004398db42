"""A handful of real photographs from the archives of the data folder."""

import tarfile

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.datasets.pixels.decoding import decode_image

PER_CLASS = 4
LISTS = ("train", "query", "database")


def unpack(archive, folder, wanted):
    """Writes members below `folder`; `wanted(name)` None ends the reading."""
    if not archive.is_file():
        pytest.skip(f"no real data: {archive} is not there")
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            take = wanted(member.name)
            if take is None:
                break
            if take and member.isfile():
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(members.extractfile(member).read())


@pytest.fixture(scope="module")
def cifar10(real_data, tmp_path_factory):
    """`folder:` of the first images of its first two classes."""
    taken = {}

    def wanted(name):
        _, _, kind, file = name.split("/")
        taken.setdefault(kind, []).append(file)
        if len(taken) > 2:
            return None
        return len(taken[kind]) <= PER_CLASS

    folder = tmp_path_factory.mktemp("real")
    unpack(real_data / "cifar10_jpeg.tar.gz", folder, wanted)
    return folder / "cifar10" / "test"


@pytest.fixture(scope="module")
def mirflickr(real_data, tmp_path_factory):
    """Its lists, cut to the first dozen of its images."""
    names = {f"images/im{i}.jpg" for i in range(1, 13)}
    unread = {f"mirflickr25k/{name}" for name in names}

    def wanted(name):
        if not unread:
            return None
        if name in unread:
            unread.discard(name)
            return True
        return name.endswith(".txt")

    folder = tmp_path_factory.mktemp("real")
    unpack(real_data / "mirflickr25k_96px.tar.gz", folder, wanted)
    folder = folder / "mirflickr25k"
    lines = [
        line
        for part in LISTS
        for line in (folder / f"{part}.txt").read_text().splitlines()
        if line.split()[0] in names
    ]
    assert len(lines) == 12
    cut = dict(zip(LISTS, (lines[:5], lines[5:8], lines[8:]), strict=True))
    for part, rows in cut.items():
        (folder / f"{part}.txt").write_text("\n".join(rows) + "\n")
    return folder


def assert_decoded_as_by_pil(images, size):
    encoded = images.encoded().as_numpy_iterator()
    for (_, content), name in zip(encoded, images.names, strict=True):
        with Image.open(images.root / name) as image:
            expected = np.asarray(image.convert("RGB"))
        assert expected.shape == (*size, 3)
        np.testing.assert_array_equal(decode_image(content), expected)


def test_cifar10_loads_as_a_folder(cifar10):
    dataset = hn.datasets.load(f"folder:{cifar10}", query_per_class=1)
    assert len(dataset.class_names) == 2
    assert len(dataset.query) == 2
    assert np.bincount(dataset.train.labels).tolist() == [3, 3]
    assert hn.datasets.decodable(dataset.database) == (dataset.database, [])
    assert_decoded_as_by_pil(dataset.database, (32, 32))


def test_mirflickr_loads_as_lists(mirflickr):
    dataset = hn.datasets.load(f"lists:{mirflickr}")
    sizes = [len(getattr(dataset, part)) for part in LISTS]
    assert sizes == [5, 3, 4]
    for part in (dataset.train, dataset.query, dataset.database):
        assert part.labels.shape == (len(part), 38)
        assert_decoded_as_by_pil(part, (96, 96))
    assert hn.datasets.find_undecodable(dataset.train) == []
    text = (mirflickr / "train.txt").read_text()
    rows = [line.split()[1:] for line in text.splitlines()]
    assert dataset.train.labels.tolist() == [[*map(int, row)] for row in rows]
    assert not any("too" in note for note in dataset.notes)


def test_a_cut_photograph_is_found(cifar10, tmp_path):
    name = sorted(cifar10.rglob("*.jpg"))[0]
    content = name.read_bytes()
    (tmp_path / "whole.jpg").write_bytes(content)
    (tmp_path / "cut.jpg").write_bytes(content[: 2 * len(content) // 3])
    images = hn.datasets.FileImages(tmp_path, ["whole.jpg", "cut.jpg"], [0, 1])
    assert hn.datasets.find_undecodable(images) == [1]
