import json
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


def test_parts_are_as_listed(make, values_of):
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
    assert dataset.notes == [
        "1 of 1 query images find nothing relevant, for no database image has"
        " their labels (2)"
    ]
    assert dataset.database.where(1) == (
        f"{root}/database.txt:2: {root}/one.png"
    )
    assert values_of(dataset.database) == [120, 0]


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


def test_names_of_all_kinds(make, write_image, values_of):
    # Of these blanks str.split would make two words.
    names = ["日本/語.png", "no-break\u00a0blank.png", "wide\u3000blank.png"]
    root = make("\n".join(f"{n} {i % 2} 1 0" for i, n in enumerate(names)))
    for name in names:
        write_image(root / name, 9)
    dataset = load(root)
    assert dataset.train.names == names
    assert values_of(dataset.train) == [9, 9, 9]


def test_test_txt_is_read_where_there_is_no_query_txt(make):
    root = make(query=None)
    (root / "test.txt").write_text("deep/two.jpg 0 1 0\n")
    dataset = load(root)
    assert dataset.query.names == ["deep/two.jpg"]
    assert dataset.query.where(0).startswith(f"{root}/test.txt:1: ")
    make()
    assert load(root).query.names == ["three.png"]


def test_a_training_label_may_be_unknown(make):
    root = make(train="one.png 1 0 -1\ndeep/two.jpg 0 1 0\n")
    labels = load(root).train.labels
    assert labels.dtype == np.int8
    assert labels.tolist() == [[1, 0, -1], [0, 1, 0]]


@pytest.mark.parametrize("part", ["query", "database"])
def test_another_label_may_not_be_unknown(make, part):
    root = make(**{part: "one.png 1 0 0\nthree.png 1 0 -1\n"})
    message = f"{root}/{part}.txt:2: .* 'three.png 1 0 -1'$"
    with pytest.raises(ValueError, match=message):
        load(root)


@pytest.mark.parametrize(
    "prefix",
    ["/home/somebody/images/", "../nus_wide/images/", "./data/coco/", "x/"],
)
def test_takes_a_foreign_beginning_off(make, prefix, values_of):
    root = make(
        train="one.png 1 0 0\ndeep/two.jpg 0 1 1\n",
        query=f"{prefix}three.png 0 0 1\n{prefix}deep/two.jpg 0 1 0\n",
        database=f"{prefix}deep/two.jpg 1 1 0\none.png 1 0 0\n",
    )
    dataset = load(root)
    assert dataset.train.names == ["one.png", "deep/two.jpg"]
    assert dataset.query.names == ["three.png", "deep/two.jpg"]
    assert dataset.database.names == ["deep/two.jpg", "one.png"]
    assert dataset.notes[:2] == [
        f"2 of 2 paths of query.txt are read without their beginning {prefix}",
        f"1 of 2 paths of database.txt are read without their beginning"
        f" {prefix}",
    ]
    assert dataset.notes[0] in dataset.describe()
    assert values_of(dataset.query) == [80, 40]


@pytest.mark.parametrize(
    "line, received",
    [
        # A beginning of its own, and what lies outside even without it.
        ("/home/another/images/three.png", "/home/another/images/three.png"),
        ("/home/one//etc/passwd", "/home/one//etc/passwd"),
        ("/home/one/../three.png", "/home/one/../three.png"),
        ("/home/one/gone.png", "LINE: ROOT/gone.png"),
    ],
)
def test_no_other_beginning_is_taken_off(make, line, received):
    root = make(train=f"/home/one/one.png 1 0 0\n{line} 0 1 0\n")
    received = received.replace("LINE", f"{root}/train.txt:2")
    received = received.replace("ROOT", str(root))
    with pytest.raises(ValueError, match=f"Received: {received}$"):
        load(root)


def test_a_beginning_that_leads_nowhere_is_not_taken_off(make):
    for line, received in (
        ("/home/one/gone.png", "/home/one/gone.png"),
        ("../../gone.png", "../../gone.png"),
        ("deep/gone.png", "ROOT/train.txt:1: ROOT/deep/gone.png"),
    ):
        root = make(train=f"{line} 1 0 0\none.png 0 1 0\n")
        received = re.escape(received.replace("ROOT", str(root)))
        with pytest.raises(ValueError, match=f"Received: {received}$"):
            load(root)


def test_a_secret_beside_the_folder_is_not_read(make, write_image):
    root = make(train="../secret.png 1 0 0\none.png 0 1 0\n")
    write_image(root.parent / "secret.png", 7)
    with pytest.raises(ValueError, match=r"Received: \.\./secret.png$"):
        load(root)


@pytest.mark.parametrize("relative", [True, False])
def test_images_may_lie_elsewhere(make, tmp_path, relative, values_of):
    root = make()
    lists = tmp_path / "lists"
    lists.mkdir()
    for part in ("train", "query", "database"):
        (root / f"{part}.txt").rename(lists / f"{part}.txt")
    said = {
        "images": "../root" if relative else str(root),
        "classes": ["cat", "dog", "owl"],
        "protocol": "Drawn by hand.",
        "at": 7,
        "overlaps": ["train-query"],
    }
    (lists / "lists.json").write_text(json.dumps(said))
    dataset = load(lists)
    assert dataset.name == f"lists:{lists}"
    assert dataset.train.names == ["one.png", "deep/two.jpg"]
    assert dataset.class_names == ["cat", "dog", "owl"]
    assert dataset.protocol == "Drawn by hand."
    assert dataset.at == 7
    assert dataset.overlaps == ("train-query",)
    assert values_of(dataset.query) == [80]


def test_lists_may_name_the_images_of_another_source(tmp_path):
    rows = {
        "train": "5 1 0\n3 0 1\n1 -1 0\n",
        "query": "1796 0 1\n",
        "database": "0 1 0\n1 0 1\n5 1 1\n",
    }
    for part, text in rows.items():
        (tmp_path / f"{part}.txt").write_text(text)
    (tmp_path / "lists.json").write_text('{"data": "digits"}')
    dataset = load(tmp_path)
    pool = hn.datasets.load("digits")
    everything = dict(
        zip(
            pool.query.names + pool.database.names,
            np.concatenate([pool.query.images, pool.database.images]),
            strict=True,
        )
    )
    for part, names in (
        ("train", ["5", "3", "1"]),
        ("query", ["1796"]),
        ("database", ["0", "1", "5"]),
    ):
        images = getattr(dataset, part)
        assert images.names == names
        for name, image in zip(names, images.images, strict=True):
            assert np.array_equal(image, everything[name])
    assert dataset.train.labels.tolist() == [[1, 0], [0, 1], [-1, 0]]
    # Ten names of digits do not name two labels.
    assert dataset.class_names is None
    (tmp_path / "query.txt").write_text("3 0 1\n1797 0 1\n-1 0 1\n")
    message = "^2 of the 3 images .* of digits. Received: .*query.txt:2: 1797$"
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def test_a_streamed_source_keeps_its_order(sources, tmp_path, values_of):
    word, value_of = sources["tfds"]
    names = ["train+test#2", "train+test#7", "train+test#33"]
    text = "".join(f"{name} {i % 2} 1\n" for i, name in enumerate(names))
    for part in ("train", "query", "database"):
        (tmp_path / f"{part}.txt").write_text(text)
    (tmp_path / "lists.json").write_text(json.dumps({"data": word}))
    train = load(tmp_path).train
    assert train.names == names
    assert values_of(train) == [value_of[name] for name in names]
    text = "".join(text.splitlines(keepends=True)[::-1])
    (tmp_path / "database.txt").write_text(text)
    with pytest.raises(ValueError, match="database.txt: .*must rise"):
        load(tmp_path)


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"data": "digit"}', "Received: data='digit'"),
        ('{"data": "lists:."}', "Received: data='lists:.'"),
        ('{"classes": ["a", "b"]}', "name the 3 labels .*Received: 2 classes"),
        ('{"images": "gone"}', "Received: ROOT/gone$"),
        ("{", "Expecting property name"),
    ],
)
def test_refuses_lists_json_and_names_it(make, text, message):
    root = make()
    (root / "lists.json").write_text(text)
    message = f"^{root}/lists.json: .*" + message.replace("ROOT", str(root))
    with pytest.raises(ValueError, match=message):
        load(root)


def test_a_link_may_lead_outside(make, tmp_path, write_image, values_of):
    root = make(query="link/far.png 1 0 0\n")
    write_image(tmp_path / "elsewhere" / "far.png", 200)
    (root / "link").symlink_to(tmp_path / "elsewhere")
    assert values_of(load(root).query) == [200]


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
        ("four.png 1 -2 0", "labels 0 or 1. Received: 'four.png 1 -2 0'"),
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
    if part == "train":
        message = message.replace("0 or 1", "0, 1 or -1")
    with pytest.raises(ValueError, match=message) as error:
        load(root)
    assert f"{place}: " in str(error.value)


def test_width_is_that_of_the_first_list(make):
    root = make(query="three.png 0 1\n")
    message = re.escape(f"{root}/query.txt:1: ") + ".* 3. Received: 2$"
    with pytest.raises(ValueError, match=message):
        load(root)


def test_counts_missing_images_of_all_lists_and_names_ten(make):
    gone = [f"{i}.png" for i in range(11)]
    text = "".join(f"{name} 1 0 0\n" for name in ["four.png", *gone])
    root = make(database=text, query="three.png 0 0 1\nb.png 0 0 1\n")
    with pytest.raises(ValueError) as error:
        load(root)
    told = [f"{root}/query.txt:2: {root}/b.png"]
    told += [
        f"{root}/database.txt:{i + 2}: {root}/{name}"
        for i, name in enumerate(gone[:9])
    ]
    assert str(error.value) == (
        "12 of the 16 listed images are not there. Received:"
        f" {', '.join(told)}, ..."
    )


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


def test_class_ids_are_no_rows_of_labels(make):
    root = make(train="one.png 0\ndeep/two.jpg 1\n")
    message = f"^{root}/train.txt:1: .* class id is no such row.*'one.png 0'$"
    with pytest.raises(ValueError, match=message):
        load(root)


def test_paths_with_backslashes(make):
    root = make(train="deep\\two.jpg 0 1 1\none.png 1 0 0\n")
    dataset = load(root)
    assert dataset.train.names == ["deep/two.jpg", "one.png"]
    assert dataset.notes[0] == (
        "backslashes in the paths of train.txt are read as slashes"
    )
    (root / "deep\\two.jpg").write_bytes((root / "one.png").read_bytes())
    assert load(root).train.names[0] == "deep\\two.jpg"
