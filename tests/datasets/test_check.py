import dataclasses
import io
import pathlib

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st

import hashnet_tf as hn
from hashnet_tf.datasets import ArrayImages, FileImages, RetrievalDataset
from hashnet_tf.datasets.check import (
    find_copies,
    find_problems,
    shared_counts,
    shared_images,
)

NAMES = st.lists(st.sampled_from("abcdefgh"), max_size=12)


@pytest.fixture
def pets(tmp_path, write_image):
    """A data set of 12 good images whose parts share none."""
    names = [f"{i}.png" for i in range(12)]
    for i, name in enumerate(names):
        write_image(tmp_path / name, i)
    images = FileImages(tmp_path, names, [0, 1] * 6)
    return RetrievalDataset(
        "pets",
        "By hand.",
        images.subset([0, 1, 2, 3]),
        images.subset([4, 5]),
        images.subset([6, 7, 8, 9, 10, 11]),
        overlaps=(),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "one, other",
    [("train", "query"), ("train", "database"), ("query", "database")],
)
def test_shared_images_are_a_problem_unless_allowed(pets, one, other):
    images = getattr(pets, one)
    shared = dataclasses.replace(pets, **{other: images})
    (problem,) = find_problems(shared)
    count = len(images)
    assert problem == (
        f"{count} of {count} {one} images are {other} images too, which pets"
        f" does not allow: {', '.join(images.names)}"
    )
    allowed = dataclasses.replace(shared, overlaps=(f"{one}-{other}",))
    assert find_problems(allowed) == []


def test_shows_the_first_ten():
    names = [f"{i:02}.png" for i in range(12)]
    images = ArrayImages(np.zeros((12, 4, 4), np.uint8), [0, 1] * 6, names)
    dataset = RetrievalDataset(
        "pets", "", images, images, images, overlaps=("train-database",)
    )
    problems = find_problems(dataset)
    assert len(problems) == 2
    for problem in problems:
        assert problem.startswith("12 of 12 ")
        assert problem.endswith(": " + ", ".join(names[:10]) + ", ...")


def test_finds_what_is_missing_and_what_is_no_image(pets):
    root = pets.query.root
    (root / "4.png").unlink()
    (root / "7.png").write_bytes(b"no image")
    (root / "10.png").write_bytes((root / "10.png").read_bytes()[:40])
    assert find_problems(pets) == [
        "1 of 2 query images are not there: 4.png",
        "2 of 6 database images cannot be decoded: 7.png (not an image),"
        " 10.png (Invalid PNG. Failed to initialize decoder.)",
    ]


def test_counts_of_the_whole_part_and_each_image_once(pets):
    root = pets.train.root
    (root / "1.png").write_bytes(b"no image")
    (root / "9.png").write_bytes(b"no image")
    names = ["0.png", "1.png", "8.png", "9.png", "9.png"]
    found = dataclasses.replace(
        pets,
        database=FileImages(root, names, [0, 1, 0, 1, 1]),
        overlaps=("train-database",),
    )
    assert find_problems(found) == [
        "1 of 4 train images cannot be decoded: 1.png (not an image)",
        "1 of 5 database images cannot be decoded: 9.png (not an image)",
    ]


def test_finds_an_image_with_two_labels():
    pixels = np.arange(12, dtype=np.uint8).repeat(16).reshape(12, 4, 4)

    def listed(places, labels):
        # In memory, for to read files takes longer than all of this.
        return ArrayImages(pixels[places], labels, [f"{i}" for i in places])

    found = RetrievalDataset(
        "pets",
        "By hand.",
        listed([0, 1, 0, 2], [[1, 0], [0, 1], [1, 1], [1, -1]]),
        listed([4], [[0, 1]]),
        listed([1, 2], [[1, 0], [1, 1]]),
        overlaps=("train-database",),
    )
    # That of 2 was unknown in part.
    assert find_problems(found) == [
        "2 images are listed again with other labels: 0, 1"
    ]
    ids = listed([0, 1, 0], [0, 1, -1])
    assert find_problems(dataclasses.replace(found, train=ids)) == []
    ids = listed([0, 1, 0], [0, 1, 1])
    (problem,) = find_problems(dataclasses.replace(found, train=ids))
    assert problem.endswith("with other labels: 0")


@pytest.mark.slow
def test_reads_a_prepared_set_of_tfds(prepare_tfds):
    good = tf.io.encode_jpeg(np.zeros((4, 4, 3), np.uint8)).numpy()
    bad = good[: len(good) // 3]
    # As files, which TFDS takes as they are.
    rows = [(io.BytesIO(good), i % 3) for i in range(11)]
    rows.append((io.BytesIO(bad), 2))
    name = prepare_tfds(
        "broken_jpegs",
        {"train": rows},
        disable_shuffling=True,
        image=tfds.features.Image(encoding_format="jpeg"),
    )
    dataset = hn.datasets.load(f"tfds:{name}")
    (problem,) = find_problems(dataset)
    reason = f"Invalid JPEG data, size {len(bad)}"
    assert problem.endswith(f"cannot be decoded: train#11 ({reason})")


def test_takes_arrays():
    rng = np.random.default_rng(0)
    images = ArrayImages(rng.integers(0, 256, (6, 4, 4), np.uint8), [0, 1] * 3)
    dataset = RetrievalDataset(
        "mine", "", images.subset([0, 1]), images.subset([1]), images
    )
    assert find_problems(dataset) == [
        "1 of 2 train images are query images too, which mine does not allow:"
        " 1",
        "1 of 1 query images are database images too, which mine does not"
        " allow: 1",
    ]


@settings(max_examples=50, deadline=None)
@given(NAMES, NAMES)
def test_finds_each_image_of_the_other_part(one, other):
    images = [
        FileImages("root", names, [0] * len(names)) for names in (one, other)
    ]
    expected = [
        i for i, name in enumerate(one) if any(name == there for there in other)
    ]
    assert shared_images(*images) == expected


def test_two_names_of_one_file_are_one_image(tmp_path, write_image):
    write_image(tmp_path / "a.png", 3)
    (tmp_path / "b.png").symlink_to("a.png")
    one = FileImages(tmp_path, ["b.png", "c.png"], [0, 1])
    other = FileImages(tmp_path, ["d.png", "a.png"], [0, 1])
    assert shared_images(one, other) == [0]


def test_counts_what_each_pair_of_parts_shares():
    parts = {"train": "aab", "query": "acd", "database": "dcx"}
    parts = {
        part: FileImages("root", list(names), range(3))
        for part, names in parts.items()
    }
    dataset = RetrievalDataset("mine", "", **parts)
    assert shared_counts(dataset) == {"train-query": 2, "query-database": 2}


def test_copies_of_queries_are_found_by_their_bytes(pets):
    root = pets.train.root
    names = ["copy.png", "5.png", "6.png"]
    (root / "copy.png").write_bytes((root / "4.png").read_bytes())
    found = dataclasses.replace(
        pets,
        query=FileImages(root, ["4.png", "5.png"], [0, 1]),
        database=FileImages(root, names, [0, 1, 0]),
    )
    # The other one is itself there, of which another sentence tells.
    assert find_copies(found) == [
        "1 of 2 query images have a byte-identical copy in database: 4.png"
        " (copy.png)"
    ]
    (root / "copy.png").write_bytes((root / "4.png").read_bytes() + b"x")
    assert find_copies(found) == []


def test_copies_in_arrays_are_of_any_set():
    pixels = np.arange(6, dtype=np.uint8).repeat(16).reshape(6, 4, 4)
    images = ArrayImages(pixels, [0, 1] * 3)
    other = ArrayImages(pixels[:2], [0, 1], ["a", "b"])
    dataset = RetrievalDataset(
        "mine", "", images.subset([3, 4]), images.subset([1, 2]), other
    )
    assert find_copies(dataset) == [
        "1 of 2 query images have a byte-identical copy in database: 1 (b)"
    ]


def test_contents_of_a_stream_are_not_known(sources):
    assert find_copies(hn.datasets.load(sources["tfds"][0])) is None


def test_what_may_not_be_read_is_a_problem(pets, monkeypatch):
    def read_bytes(path):
        raise PermissionError(13, "Permission denied", str(path))

    bad = pets.query.root / "4.png"
    bad.write_text("no image")
    # Of root no file is kept.
    monkeypatch.setattr(pathlib.Path, "read_bytes", read_bytes)
    assert find_problems(pets) == [
        "Every file of an image must be readable. Received: 1 of 2 that are"
        f" not, {bad} (Permission denied)"
    ]
