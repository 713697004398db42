import re

import numpy as np
import pytest

import hashnet_tf as hn

NAMES = ["one.png", "deep/two.jpg", "three.png", "four.png"]


@pytest.fixture
def make(tmp_path, write_image):
    """Function that writes the lists, as str or bytes, and returns DIR."""
    root = tmp_path / "root"
    for value, name in enumerate(NAMES):
        write_image(root / name, 40 * value)

    def make(
        train="one.png 1 0 0\ndeep/two.jpg 0 1 1\n",
        query="three.png 0 0 1\n",
        database="four.png 1 1 0\none.png 1 0 0\n",
    ):
        lists = {"train": train, "query": query, "database": database}
        for part, text in lists.items():
            if text is not None:
                content = text if isinstance(text, bytes) else text.encode()
                (root / f"{part}.txt").write_bytes(content)
        return root

    return make


def load(root, **options):
    return hn.datasets.load(f"lists:{root}", **options)


def test_parts_are_as_listed(make):
    root = make()
    dataset = load(root)
    assert dataset.train.names == ["one.png", "deep/two.jpg"]
    assert dataset.query.names == ["three.png"]
    assert dataset.database.names == ["four.png", "one.png"]
    assert dataset.train.labels.dtype == np.uint8
    assert dataset.train.labels.tolist() == [[1, 0, 0], [0, 1, 1]]
    assert dataset.query.labels.tolist() == [[0, 0, 1]]
    assert dataset.database.labels.tolist() == [[1, 1, 0], [1, 0, 0]]
    assert dataset.class_names is None
    assert dataset.notes == []
    assert dataset.database.where(1) == (
        f"{root}/database.txt:2: {root}/one.png"
    )
    (batch,) = hn.datasets.ordered_batches(dataset.database, (2, 2))
    assert batch[:, 0, 0, 0].numpy().tolist() == [120, 0]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_draws_nothing(make, seed):
    dataset = load(make(), seed=seed)
    assert dataset.train.names == ["one.png", "deep/two.jpg"]


@pytest.mark.parametrize(
    "text",
    [
        "one.png 1 0 0\r\ndeep/two.jpg 0 1 1\r\n",
        "one.png 1 0 0\ndeep/two.jpg 0 1 1",
        "\ufeffone.png 1 0 0\ndeep/two.jpg 0 1 1\n",
        "\ufeff\r\none.png 1 0 0\r\ndeep/two.jpg 0 1 1\r\n",
        "one.png\t1\t0\t0\n\n   \n\tdeep/two.jpg   0  1 1 \t\n\n",
    ],
)
def test_line_ends_blanks_and_byte_order_marks(make, text):
    dataset = load(make(train=text))
    assert dataset.train.names == ["one.png", "deep/two.jpg"]
    assert dataset.train.labels.tolist() == [[1, 0, 0], [0, 1, 1]]
    wanted = text.lstrip("\ufeff").split("\n")
    line = 1 + next(i for i, row in enumerate(wanted) if "two" in row)
    assert f"train.txt:{line}: " in dataset.train.where(1)


def test_names_of_all_kinds(make, write_image):
    # Of these blanks str.split would make two words.
    names = ["日本/語.png", "no-break\u00a0blank.png", "wide\u3000blank.png"]
    root = make("\n".join(f"{n} {i % 2} 1 0" for i, n in enumerate(names)))
    for name in names:
        write_image(root / name, 9)
    dataset = load(root)
    assert dataset.train.names == names
    (batch,) = hn.datasets.ordered_batches(dataset.train, (2, 2))
    assert (batch.numpy() == 9).all()


def test_a_link_may_lead_outside(make, tmp_path, write_image):
    root = make(query="link/far.png 1 0 0\n")
    write_image(tmp_path / "elsewhere" / "far.png", 200)
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (batch,) = hn.datasets.ordered_batches(load(root).query, (2, 2))
    assert (batch.numpy() == 200).all()


def test_counts_unlabelled_repeated_and_shared(make):
    root = make(
        train="one.png 1 0 0\n./one.png 1 0 0\nfour.png 0 1 0\n",
        query="one.png 1 0 0\nthree.png 0 0 0\n",
        database="three.png 0 0 0\nthree.png 0 1 0\none.png 1 0 0\n",
    )
    dataset = load(root)
    assert dataset.notes == [
        "1 of 3 train images repeat another",
        "1 of 2 query images have no label",
        "1 of 3 database images have no label",
        "1 of 3 database images repeat another",
        "1 of 2 query images are train images too",
        "2 of 2 query images are database images too",
    ]
    assert all(note in dataset.describe() for note in dataset.notes)


def test_a_query_behind_a_link_is_the_same_image(make):
    root = make(query="alias.png 1 0 0\n")
    (root / "alias.png").symlink_to(root / "four.png")
    assert load(root).notes == ["1 of 1 query images are database images too"]


def test_refuses_what_is_no_folder(make):
    root = make()
    for place in (root / "one.png", root / "gone"):
        with pytest.raises(ValueError, match=f"Received: lists:{place}$"):
            load(place)


@pytest.mark.parametrize("part", ["train", "query", "database"])
def test_refuses_a_missing_list(make, part):
    root = make(**{part: None})
    with pytest.raises(ValueError, match=f"Received: no {root}/{part}.txt$"):
        load(root)


@pytest.mark.parametrize("part", ["train", "query", "database"])
@pytest.mark.parametrize("text", ["", "\n \r\n\n", "\ufeff"])
def test_refuses_an_empty_list(make, part, text):
    root = make(**{part: text})
    with pytest.raises(ValueError, match=f"Received: {root}/{part}.txt$"):
        load(root)


GOOD = "one.png 1 0 0\n\n"


@pytest.mark.parametrize(
    "line, message",
    [
        ("four.png", "labels 0 or 1. Received: 'four.png'"),
        ("four.png 1 2 0", "labels 0 or 1. Received: 'four.png 1 2 0'"),
        ("four.png 1 -1 0", "labels 0 or 1. Received: 'four.png 1 -1 0'"),
        ("four.png 1 01 0", "labels 0 or 1. Received: 'four.png 1 01 0'"),
        ("four.png 1.0 0 0", "labels 0 or 1. Received: 'four.png 1.0 0 0'"),
        ("four.png,1,0,0", "labels 0 or 1. Received: 'four.png,1,0,0'"),
        ("my four.png 1 0 0", "a path without blanks .* 'my four.png 1 0 0'"),
        ("four.png 1 0", "the same number of labels, 3. Received: 2"),
        ("four.png 1 0 0 0", "the same number of labels, 3. Received: 4"),
        ("/etc/four.png 1 0 0", "Received: /etc/four.png"),
        ("../four.png 1 0 0", r"Received: \.\./four.png"),
        ("deep/../../four.png 1 0 0", r"Received: deep/\.\./\.\./four.png"),
        (b"caf\xe9.png 1 0 0", r"must be UTF-8. Received: 'caf\\\\xe9.png'"),
        ("four.png 1 0 0".encode("utf-16"), "must be UTF-8. Received: "),
        ("gone.png 1 0 0", "Received: LINE: ROOT/gone.png$"),
        ("deep 1 0 0", "Received: LINE: ROOT/deep$"),
        (r"deep\two.jpg 1 0 0", "Received: LINE: ROOT/deep.two.jpg$"),
    ],
)
@pytest.mark.parametrize("part", ["train", "query", "database"])
def test_refuses_a_line_and_names_it(make, part, line, message):
    line = line if isinstance(line, bytes) else line.encode()
    root = make(**{part: GOOD.encode() + line + b"\n" + GOOD.encode()})
    place = f"{root}/{part}.txt:3"
    message = message.replace("LINE", place).replace("ROOT", str(root))
    with pytest.raises(ValueError, match=message) as error:
        load(root)
    assert f"{place}: " in str(error.value)


def test_width_is_that_of_the_first_list(make):
    root = make(query="three.png 0 1\n")
    message = re.escape(f"{root}/query.txt:1: ") + ".* 3. Received: 2$"
    with pytest.raises(ValueError, match=message):
        load(root)


def test_counts_missing_images_and_names_the_first(make):
    root = make(database="four.png 1 0 0\na.png 1 0 0\nb.png 1 0 0\n")
    with pytest.raises(ValueError, match="^2 of the 3 images .*:2: .*a.png$"):
        load(root)


def test_refuses_one_class_or_none(make):
    root = make(train="one.png 0 1 0\nfour.png 0 1 0\n")
    with pytest.raises(ValueError, match=f"Received: lists:{root} with 1$"):
        load(root)
    root = make(train="one.png 0 0 0\n")
    with pytest.raises(ValueError, match=f"Received: lists:{root} with 0$"):
        load(root)


@pytest.mark.parametrize("option", ["query_per_class", "train_per_class"])
def test_refuses_to_draw(make, option):
    with pytest.raises(ValueError, match=f"Received: .*{option}=3"):
        load(make(), **{option: 3})
