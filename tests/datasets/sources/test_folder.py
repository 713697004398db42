import os

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.datasets.sources.reading import read_pool


@pytest.fixture
def make(tmp_path, write_image):
    """Function that writes images below a new folder and returns it."""

    def make(*names):
        for name in names:
            write_image(tmp_path / "root" / name, 0)
        return tmp_path / "root"

    return make


def load(root, **options):
    return hn.datasets.load(f"folder:{root}", **options)


def everything(dataset):
    return sorted(dataset.query.names + dataset.database.names)


def test_class_folders(make):
    names = [f"{kind}/{i}.png" for kind in ("dog", "cat") for i in range(4)]
    dataset = load(make(*names), train_per_class=1)
    assert dataset.class_names == ["cat", "dog"]
    assert everything(dataset) == sorted(names)
    assert len(dataset.query) == 2 and len(dataset.train) == 2
    for part in (dataset.train, dataset.query, dataset.database):
        assert [dataset.class_names[label] for label in part.labels] == [
            name.split("/")[0] for name in part.names
        ]


def test_train_and_test(make):
    names = [
        f"{part}/{kind}/{i}.png"
        for part in ("train", "test")
        for kind in ("dog", "cat")
        for i in range(3)
    ]
    # Beside them nothing counts.
    root = make(*names, "val/dog/1.png", "loose.png")
    dataset = load(root)
    assert dataset.query.names == sorted(n for n in names if "test" in n)
    assert dataset.database.names == sorted(n for n in names if "train" in n)
    assert dataset.train.names == dataset.database.names
    assert dataset.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    one_a_class = load(root, query_per_class=1)
    assert len(one_a_class.query) == 2
    assert everything(one_a_class) == sorted(names)
    assert not any("test" in name for name in one_a_class.train.names)


@pytest.mark.parametrize("kind", ["train", "test"])
def test_a_class_may_be_called_like_a_part(make, kind):
    names = [f"{kind}/1.png", f"{kind}/deep/2.png", "bus/1.png", "bus/2.png"]
    dataset = load(make(*names))
    assert dataset.class_names == sorted(["bus", kind])
    assert everything(dataset) == sorted(names)


def test_names_of_all_kinds(make, values_of):
    names = [
        "a b/with  blanks.png",
        "a b/UPPER.PNG",
        "a b/Photo.JPG",
        "a b/x.jpeg",
        "a b/deep/deeper/x.bmp",
        "été/日本語.webp",
        "été/no-break\u00a0blank.png",
        "été/quote'\".png",
    ]
    root = make(*names)
    dataset = load(root)
    assert dataset.class_names == ["a b", "été"]
    assert everything(dataset) == sorted(names)
    assert values_of(dataset.database) == [0] * 6


def test_what_is_no_image_is_left_alone(make, values_of):
    names = ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]
    root = make(*names, ".git/1.png", "a/.cache/1.png", "loose.png")
    for file in (".DS_Store", "a/.DS_Store", "a/._1.png", "b/.hidden.jpg"):
        (root / file).write_bytes(b"\0\5\26\7")
    (root / "a" / "notes.txt").write_text("text")
    (root / "b" / "folder.jpg").mkdir()
    dataset = load(root)
    assert dataset.class_names == ["a", "b"]
    assert everything(dataset) == names
    assert values_of(dataset.database) == [0, 0]


def test_a_hidden_folder_above_hides_nothing(make):
    root = make("a/1.png", "a/2.png", "b/1.png", "b/2.png")
    hidden = root.rename(root.with_name(".root"))
    assert len(load(hidden).database) == 2


def test_links_count_as_what_they_lead_to(make):
    root = make("a/1.png", "a/2.png", "b/1.png", "b/2.png")
    (root / "c").symlink_to(root / "a")
    dataset = load(root)
    assert dataset.class_names == ["a", "b", "c"]
    assert {"c/1.png", "c/2.png"} <= set(everything(dataset))


def test_no_image_is_read(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(2):
            (tmp_path / name / f"{i}.png").touch()
    assert len(load(tmp_path).database) == 2


def test_pixels_and_class_belong_together(tmp_path, write_image, values_of):
    rng = np.random.default_rng(0)
    for kind in range(3):
        for i in range(4):
            value = 80 * kind + rng.integers(0, 80)
            write_image(tmp_path / f"c{kind}" / f"{i}.png", value)
    train = load(tmp_path).train
    assert [value // 80 for value in values_of(train)] == train.labels.tolist()


def test_refuses_what_is_no_folder(tmp_path, write_image):
    file = write_image(tmp_path / "file.png", 0)
    for place in (file, tmp_path / "gone"):
        with pytest.raises(ValueError, match=f"Received: folder:{place}$"):
            load(place)


@pytest.mark.parametrize(
    "names, message",
    [
        ([], "Received: ROOT with none"),
        ([".hidden/1.png"], "Received: ROOT with none"),
        (["a/1.txt"], r"Received: ROOT with none \(1 found"),
        (["a/1.png", "b/1.png"], "Received: folder:ROOT with no train images"),
        (["loose.png"], "Received: folder:ROOT with no train images"),
    ],
)
def test_refuses(make, names, message):
    root = make("x/1.png").parent / "other"
    root.mkdir()
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    with pytest.raises(ValueError, match=message.replace("ROOT", str(root))):
        load(root)


@pytest.mark.parametrize(
    "names, lacking",
    [
        (["loose.png"], "two class folders at least, unlike ROOT with 0"),
        (["a/1.png", "a/2.png"], "unlike ROOT with 1"),
        (["a/1.png", "b/1.txt"], "unlike ROOT/b with none (1 found"),
        (["a/1.png", "b/.1.png"], "unlike ROOT/b with none (1 found"),
        (["2019/05/1.png", "2019/06/1.png"], "unlike ROOT with 1"),
        (
            ["train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.txt"],
            "unlike ROOT/test/b with none",
        ),
        (
            ["train/a/1.png", "train/b/1.png", "test/b/1.png", "test/c/1.png"],
            "unlike ROOT with ['a', 'c'] in one of them only",
        ),
        (["train/a/1.png", "test/1.png"], "in one of them only"),
        (["train/1.png", "test/a/1.png"], "in one of them only"),
        (["train/a/1.png", "test/a/1.png"], "unlike ROOT/train with 1"),
        (["train/a/1.png", "train/b/1.png"], "unlike ROOT/train"),
        (["train/a/1.png", "val/a/1.png"], "unlike ROOT/train"),
        (["test/a/1.png", "b/1.png"], "unlike ROOT/test"),
        (["Train/a/1.png", "Test/a/1.png"], "unlike ROOT/Test"),
        (["training/a/1.png", "b/1.png"], "unlike ROOT/training"),
        (["VAL/a/1.png", "a/1.png"], "unlike ROOT/VAL"),
    ],
)
def test_any_other_tree_is_without_labels(tmp_path, names, lacking):
    root = tmp_path
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    pool = read_pool(f"folder:{root}")
    images = sorted(n for n in names if n.endswith(".png") and "/." not in n)
    assert pool.images.names == images and not pool.images.is_labelled
    assert pool.account is not None
    assert pool.account.used == len(images)
    (note,) = pool.notes
    assert note.startswith("the images are without labels: ")
    assert lacking.replace("ROOT", str(root)) in note


def test_a_data_set_without_labels(make):
    names = ["loose.png", *(f"2019/{i:02}/{i}.png" for i in range(39))]
    dataset = load(make(*names))
    assert not dataset.is_labelled and dataset.class_names is None
    assert everything(dataset) == sorted(names)
    assert len(dataset.query) == 4
    assert dataset.train.names == dataset.database.names
    assert dataset.protocol == (
        "Queries: 4; database: the rest; training images: all of it; seed 0."
    )
    # The seed draws.
    again = load(make(*names), seed=1)
    assert again.query.names != dataset.query.names
    with pytest.raises(ValueError, match="--method=itq, pca, lsh, sign. Rec"):
        _ = dataset.train.labels
    assert "without labels" in dataset.describe()
    assert hn.datasets.find_problems(dataset) == []


def test_a_test_part_without_labels_asks(make):
    names = ["train/1.png", "train/x/2.png", "test/1.png", "other.png"]
    dataset = load(make(*names))
    assert dataset.query.names == ["test/1.png"]
    assert dataset.train.names == ["other.png", "train/1.png", "train/x/2.png"]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"query_per_class": 2}, "query_per_class=2, train_per_class=None"),
        ({"train_per_class": 2}, "Without labels nothing is drawn a class"),
        ({"validation": 2}, "validation are drawn by labels"),
        ({"unseen_classes": 1}, "unseen_classes are drawn by labels"),
        (
            {"imbalance": 2.0},
            "imbalance are drawn by labels.*two class folders",
        ),
    ],
)
def test_what_needs_labels_refuses(make, settings, message):
    root = make(*(f"{i}.png" for i in range(30)))
    with pytest.raises(ValueError, match=message):
        load(root, **settings)


def test_a_protocol_needs_labels(make):
    root = make(*(f"{i}.png" for i in range(30)))
    with pytest.raises(ValueError, match="Labels are needed"):
        hn.datasets.load(f"cifar10-54k:{root}")


def test_refuses_more_than_a_class_has(make):
    root = make("a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png")
    with pytest.raises(ValueError, match="class b has 2. Received: 3$"):
        load(root, query_per_class=3)
    with pytest.raises(ValueError, match="class b has 1. Received: 2$"):
        load(root, query_per_class=1, train_per_class=2)


def test_refuses_a_name_that_is_no_utf8(make):
    root = make("a/1.png", "a/2.png", "b/1.png", "b/2.png")
    os.rename(root / "b" / "2.png", os.fsencode(root / "b") + b"/caf\xe9.png")
    with pytest.raises(ValueError, match=r"Received: '.*/b/caf\\udce9.png'$"):
        load(root)


def test_a_class_of_one_image_is_told(make):
    root = make("a/1.png", "a/2.png", "b/1.png", "b/2.png", "owl/1.png")
    assert load(root).notes == [
        "1 of 3 query images find nothing relevant, for no database image has"
        " their labels (owl)"
    ]


def test_names_that_look_alike_are_told(make):
    names = ["caf\u00e9", "cafe\u0301"]
    root = make(*(f"{name}/{i}.png" for name in names for i in range(2)))
    assert load(root).notes == [
        "class folders look alike and are of other characters:"
        " 'cafe\\u0301', 'caf\\xe9'"
    ]
    parts = make()
    (parts / "train").mkdir()
    (parts / "test").mkdir()
    for part, name in zip(["train", "test"], names, strict=True):
        (parts / name).rename(parts / part / name)
    (note,) = read_pool(f"folder:{parts}").notes
    message = r"with ['cafe\u0301', 'caf\xe9'] in one of them only"
    assert note.endswith(message)


def test_tells_what_lies_beside_the_classes(make):
    names = [f"{c}/{i}.png" for c in "ab" for i in range(2)]
    dataset = load(make(*names, "x.jpg", "y.png"))
    assert dataset.notes == [
        "2 images beside the class folders are left alone (x.jpg, y.png)"
    ]
    assert dataset.account.passed_over == {"images beside the class folders": 2}


def test_a_link_brings_no_images_of_another_class(make):
    root = make("a/1.png", "a/2.png", "b/1.png", "b/2.png")
    (root / "a" / "up").symlink_to(root)
    (root / "a" / "side").symlink_to(root / "b")
    dataset = load(root)
    assert everything(dataset) == ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]
    assert dataset.account.passed_over == {"folders met again": 2}


def test_a_folder_is_looked_at_a_few_times_however_many_there_are(
    make, monkeypatch
):
    root = make(*(f"{c:02}/{i}.png" for c in range(40) for i in range(2)))
    asked = []
    stat = os.stat

    def counted(path, **options):
        asked.append(path)
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", counted)
    read_pool(f"folder:{root}")
    assert len(asked) < 5 * 40
