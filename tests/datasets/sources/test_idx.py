import gzip

import numpy as np
import pytest

from hashnet_tf.datasets.sources.idx import read_idx

IMAGES = "t10k-images-idx3-ubyte"
LABELS = "t10k-labels-idx1-ubyte"


@pytest.fixture
def root(stand_ins, tmp_path):
    return stand_ins.write_idx(tmp_path / "root", packed=False)


def test_pixels_and_labels_are_those_written(idx_folder, root):
    for folder in (idx_folder, root):
        pool = read_idx(str(folder))
        assert pool.images.images.shape == (42, 28, 28, 1)
        numbers = [*range(30), *range(12)]
        expected = np.array(numbers)[:, None, None, None]
        assert (pool.images.images == expected).all()
        assert pool.images.labels.tolist() == [n % 3 for n in numbers]
        assert pool.in_test.tolist() == [False] * 30 + [True] * 12
        assert pool.class_names is None and pool.notes == ()


def test_a_byte_lies_where_the_format_says(root):
    content = bytearray((root / IMAGES).read_bytes())
    # Image 5, row 3, column 7.
    content[16 + 5 * 28 * 28 + 3 * 28 + 7] = 211
    (root / IMAGES).write_bytes(content)
    images = read_idx(str(root)).images.images
    assert np.argwhere(images == 211).tolist() == [[35, 3, 7, 0]]


@pytest.mark.parametrize("place", ["", "gone"])
def test_refuses_what_is_no_folder(place):
    with pytest.raises(ValueError, match=f"Received: no folder '{place}'$"):
        read_idx(place)


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_says_what_is_missing(root, name):
    (root / name).unlink()
    message = f"idx needs .* Received: no {root / name} and no {name}.gz$"
    with pytest.raises(ValueError, match=message):
        read_idx(str(root))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08\x03",
        b"\0\0\x08\x03" + bytes(11),
        b"\0\0\x08\x01" + bytes(12),
        b"\0\0\x0d\x03" + bytes(12),
        b"<html>not found</html>",
    ],
)
def test_refuses_another_start(root, content):
    (root / IMAGES).write_bytes(content)
    message = f"{IMAGES}: must start with the bytes 0, 0, 8, 3 .* Received: b"
    with pytest.raises(ValueError, match=message):
        read_idx(str(root))


@pytest.mark.parametrize("change", [lambda x: x[:-1], lambda x: x + b"\0"])
def test_refuses_another_size(root, change):
    content = change((root / LABELS).read_bytes())
    (root / LABELS).write_bytes(content)
    message = (
        f"{LABELS}: 12 bytes must follow its 8 first. Received:"
        f" {len(content) - 8}$"
    )
    with pytest.raises(ValueError, match=message):
        read_idx(str(root))


def test_a_size_may_be_too_large_for_memory(root):
    (root / IMAGES).write_bytes(b"\0\0\x08\x03" + b"\xff" * 12)
    with pytest.raises(ValueError, match=" 4294967295 bytes .* Received: 0$"):
        read_idx(str(root))


@pytest.mark.parametrize(
    "change",
    [
        lambda packed: packed[:-9],
        lambda packed: packed[:40] + b"\xff" * 40 + packed[80:],
        lambda packed: gzip.decompress(packed),
    ],
)
def test_refuses_a_damaged_archive(stand_ins, tmp_path, change):
    root = stand_ins.write_idx(tmp_path)
    file = root / f"{IMAGES}.gz"
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(ValueError, match=f"{file}: must be .* Received: "):
        read_idx(str(root))


def test_refuses_images_without_labels(root, tmp_path):
    (root / LABELS).write_bytes(b"\0\0\x08\x01\0\0\0\x02\0\x01")
    with pytest.raises(ValueError, match="Received: 12 images and 2 labels$"):
        read_idx(str(root))


def test_refuses_parts_of_two_sizes(root):
    header = b"\0\0\x08\x03" + np.array([12, 14, 14], ">u4").tobytes()
    (root / IMAGES).write_bytes(header + bytes(12 * 14 * 14))
    message = r"one size. Received: \(28, 28\) and \(14, 14\)$"
    with pytest.raises(ValueError, match=message):
        read_idx(str(root))
