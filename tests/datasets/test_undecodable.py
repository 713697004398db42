import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.datasets import FileImages, decodable, find_undecodable

GOOD = ["0.jpg", "1.png", "2.bmp", "3.webp"]
BAD = ["text.jpg", "cut.jpg", "empty.jpg", "moving.gif", "cut.png"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_image):
    folder = tmp_path_factory.mktemp("images")
    for i, name in enumerate(GOOD):
        write_image(folder / name, i, size=(40, 40))
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    for name in ("cut.jpg", "cut.png"):
        Image.fromarray(noise).save(folder / name)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    (folder / "text.jpg").write_text("no image")
    (folder / "empty.jpg").touch()
    frames = [Image.fromarray(noise).quantize(9)] * 2
    frames[0].save(
        folder / "moving.gif", save_all=True, append_images=frames[1:]
    )
    return folder


def mixed(folder, origins=None):
    names = [*BAD[:2], *GOOD[:2], *BAD[2:], "gone.png", *GOOD[2:]]
    return FileImages(folder, names, np.arange(10) % 2, origins)


def test_finds_the_bad_and_no_other(folder):
    assert find_undecodable(mixed(folder)) == [0, 1, 4, 5, 6, 7]
    good = FileImages(folder, GOOD, [0, 1, 0, 1])
    assert find_undecodable(good) == []
    assert decodable(good) == (good, [])


@pytest.mark.parametrize("name", BAD)
def test_each_is_an_error_that_names_file_and_line(folder, name):
    origins = ["train.txt:4", "train.txt:5"]
    images = FileImages(folder, ["0.jpg", name], [0, 1], origins)
    with pytest.raises(ValueError) as error:
        decodable(images)
    assert str(error.value) == (
        "1 of 2 images cannot be decoded (they can be left out with"
        f" skip_undecodable). Received: train.txt:5: {folder / name}"
    )


def test_skips_and_tells_what(folder):
    lines = [f"train.txt:{n}" for n in range(1, 11)]
    images, skipped = decodable(mixed(folder, lines), skip=True)
    assert images.names == GOOD
    assert images.labels.tolist() == [0, 1, 0, 1]
    assert [images.where(i).split(":")[1] for i in range(4)] == [
        "3",
        "4",
        "9",
        "10",
    ]
    assert skipped == [
        f"train.txt:{line}: {folder / name}"
        for line, name in [
            (1, "text.jpg"),
            (2, "cut.jpg"),
            (5, "empty.jpg"),
            (6, "moving.gif"),
            (7, "cut.png"),
            (8, "gone.png"),
        ]
    ]


def test_nothing_left_is_an_error_even_so(folder):
    images = FileImages(folder, BAD, [0] * 5)
    with pytest.raises(ValueError, match="5 of 5 images .*/text.jpg$"):
        decodable(images, skip=True)


def test_no_files_have_none(folder):
    images = FileImages(folder, [], np.zeros(0, np.int32))
    assert decodable(images) == (images, [])


@pytest.mark.parametrize("kind", ["npz", "tfds"])
def test_what_is_no_file_is_taken_as_it_is(sources, kind):
    images = hn.datasets.load(sources[kind][0]).query
    assert find_undecodable(images) == []
    assert decodable(images, skip=True) == (images, [])
