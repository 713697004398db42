import os
import pathlib
import re
import tempfile

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.datasets import FileImages, decodable, find_undecodable
from hashnet_tf.datasets.pixels.header import MAX_PIXELS
from hashnet_tf.datasets.pixels.undecodable import (
    refusals,
    undecodable_named,
)

GOOD = ["0.jpg", "1.png", "2.bmp", "3.webp"]
BAD = {
    "text.jpg": "not an image",
    "cut.jpg": "Invalid JPEG data",
    "empty.jpg": "an empty file",
    "moving.gif": "a GIF, which may be an animation",
    "cut.png": "Invalid PNG data, size",
    "moving.webp": "an animated WebP",
    "scan.jpg": "a TIFF",
    "phone.jpg": "HEIC, AVIF or a film",
    "packed.bmp": "Received: bits, compression = 8 1",
    "wide.png": f"of 1 to {MAX_PIXELS} pixels",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_image):
    folder = tmp_path_factory.mktemp("images")
    for i, name in enumerate(GOOD):
        write_image(folder / name, i, size=(40, 40))
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    image = Image.fromarray(noise)
    for name in ("cut.jpg", "cut.png"):
        image.save(folder / name)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    (folder / "text.jpg").write_text("no image")
    (folder / "empty.jpg").touch()
    for name, frame in (("gif", image.quantize(9)), ("webp", image)):
        turned = [frame.rotate(90)]
        frame.save(
            folder / f"moving.{name}", save_all=True, append_images=turned
        )
    image.save(folder / "scan.jpg", "TIFF")
    (folder / "phone.jpg").write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1")
    image.quantize(9).save(folder / "packed.bmp")
    content = bytearray((folder / "packed.bmp").read_bytes())
    content[30] = 1
    (folder / "packed.bmp").write_bytes(content)
    # A header alone, that says more than is taken of any format.
    header = (folder / "1.png").read_bytes()
    size = (2**24).to_bytes(4, "big") * 2
    (folder / "wide.png").write_bytes(header[:16] + size + header[24:])
    return folder


def mixed(folder, origins=None):
    names = [*list(BAD)[:2], *GOOD[:2], *list(BAD)[2:5], *GOOD[2:]]
    return FileImages(folder, names, np.arange(9) % 2, origins)


def test_finds_the_bad_and_no_other(folder):
    assert find_undecodable(mixed(folder)) == [0, 1, 4, 5, 6]
    good = FileImages(folder, GOOD, [0, 1, 0, 1])
    assert decodable(good) == (good, [])


@pytest.fixture(scope="module")
def refused(folder):
    """What is told of each bad file behind a good one, by its name."""
    images = FileImages(folder, ["0.jpg", *BAD], [0] * (1 + len(BAD)))
    found = refusals(images)
    assert list(found) == list(range(1, 1 + len(BAD)))
    return dict(zip(BAD, found.values(), strict=True))


@pytest.mark.parametrize("name", BAD)
def test_the_reason_of_each_is_told(refused, name):
    assert BAD[name] in refused[name]
    assert "{{" not in refused[name] and "Op:" not in refused[name]


def test_is_an_error_that_names_file_line_and_reason(folder):
    origins = ["train.txt:4", "train.txt:5"]
    images = FileImages(folder, ["0.jpg", "text.jpg"], [0, 1], origins)
    with pytest.raises(ValueError) as error:
        decodable(images)
    told, _, received = str(error.value).partition(" Received: ")
    assert told.startswith("1 of 2 images cannot be decoded; mend them")
    assert "--skip_undecodable" in told
    assert received == f"train.txt:5: {folder / 'text.jpg'} (not an image)"


def test_names_the_first_ones_and_counts_the_rest(folder):
    names = list(BAD)
    images = FileImages(folder, names, [0] * len(names))
    # Where nothing would be left, to skip them is an error.
    with pytest.raises(ValueError, match="^10 of 10 images") as error:
        decodable(images, skip=True)
    received = str(error.value).partition(" Received: ")[2]
    assert all(f"{folder / name} (" in received for name in names[:5])
    assert not any(name in received for name in names[5:])
    assert received.endswith(f") and {len(names) - 5} more")


def test_skips_and_tells_what(folder):
    lines = [f"train.txt:{n}" for n in range(1, 10)]
    images, skipped = decodable(mixed(folder, lines), skip=True)
    assert images.names == GOOD
    assert images.labels.tolist() == [0, 1, 1, 0]
    assert [images.where(i).split(":")[1] for i in range(4)] == [
        "3",
        "4",
        "8",
        "9",
    ]
    assert skipped == [
        f"train.txt:{line}: {folder / name}"
        for line, name in [
            (1, "text.jpg"),
            (2, "cut.jpg"),
            (5, "empty.jpg"),
            (6, "moving.gif"),
            (7, "cut.png"),
        ]
    ]


def test_what_is_not_there_is_no_undecodable_image(folder):
    images = FileImages(folder, ["0.jpg", "gone.png", "text.jpg"], [0, 1, 0])
    message = re.escape(
        "Received: 1 of 3 that are not,"
        f" {folder / 'gone.png'} (No such file or directory)"
    )
    with pytest.raises(OSError, match=message):
        decodable(images, skip=True)


def test_what_may_not_be_read_is_no_undecodable_image(write_image):
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    write_image(folder / "0.png", 1).chmod(0)
    images = FileImages(folder, ["0.png"], [0])
    is_root = os.getuid() == 0
    if is_root:
        os.setresuid(65534, 65534, 0)
    try:
        with pytest.raises(OSError, match=r"/0.png \(Permission denied\)$"):
            refusals(images)
    finally:
        if is_root:
            os.setresuid(0, 0, 0)
        (folder / "0.png").unlink()
        folder.rmdir()


def test_a_block_that_fails_names_the_file_that_is_gone(folder):
    images = FileImages(folder, ["0.jpg", "gone.png"], [0, 1])
    with (
        pytest.raises(OSError, match=r"/gone.png \(No such file"),
        undecodable_named(images),
    ):
        list(images.encoded())


def test_no_files_have_none(folder):
    images = FileImages(folder, [], np.zeros(0, np.int32))
    assert decodable(images) == (images, [])


@pytest.mark.parametrize("kind", ["npz", "tfds"])
def test_what_is_no_file_is_taken_as_it_is(sources, kind):
    images = hn.datasets.load(sources[kind][0]).query
    assert decodable(images, skip=True) == (images, [])
