import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn


@pytest.fixture
def cifar10(tmp_path):
    """A folder in the layout of CIFAR-10, of 3 classes and 8 + 4 images."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 8), ("test", 4)):
        for label in ("cat", "dog", "frog"):
            folder = tmp_path / "cifar10" / part / label
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "cifar10"


def test_lists_every_protocol(hashnet):
    ended = hashnet("datasets", "list")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    protocols = hn.datasets.protocols().values()
    words = ["digits", "folder:DIR", "lists:DIR", "npz:FILE", "pairs:FILE"]
    words += ["tfds:NAME", "vectors:FILE"]
    assert len(lines) == len(protocols) + len(words)
    for line, found in zip(lines, protocols, strict=False):
        assert line.startswith(f"{found.name}: {found.origin.title}; ")
    for line, word in zip(lines[-len(words) :], words, strict=True):
        assert line.startswith(f"{word}: ")


def test_describes_a_protocol_on_files(hashnet, cifar10):
    ended = hashnet("datasets", "describe", f"cifar10-50k:{cifar10}")
    assert (ended.code, ended.err) == (0, "")
    protocol = hn.datasets.protocols()["cifar10-50k"]
    for text in (
        f"cifar10-50k: {protocol.summary}.",
        protocol.origin.licence,
        protocol.origin.by_hand,
        f"Relevant: {protocol.relevant}.",
        *protocol.differences,
        # 3 classes of 8: of 24^2 pairs a third is similar.
        "192",
        "384",
        "3.0000",
        "1.5000",
        "database 50,000 24 -49,976",
        "frog 8 4 8",
    ):
        assert text in " ".join(ended.out.split())


def test_describes_what_is_not_here(hashnet, monkeypatch, tmp_path):
    from tensorflow_datasets.core import constants

    monkeypatch.setattr(constants, "DATA_DIR", str(tmp_path))
    ended = hashnet("datasets", "describe", "imagenet100")
    assert ended.code == 2
    assert "Relevant: images of the same class. R of MAP@R: 1000." in ended.out
    assert "imagenet100 cannot be read: TensorFlow Datasets has" in ended.err


def test_checks_a_good_set(hashnet, cifar10):
    exif = Image.Exif()
    for i, value in enumerate([1, 6, 3]):
        exif[0x0112] = value
        path = cifar10 / "train" / "dog" / f"{i}.png"
        Image.open(path).copy().save(path, exif=exif)
    ended = hashnet("datasets", "check", f"cifar10-50k:{cifar10}")
    assert (ended.code, ended.err) == (0, "")
    # Each of them trains and is in the database, and counts once.
    assert "\nTurned upright by their EXIF tag: 2 images\n" in ended.out
    assert "Difference: train: expected 50,000, found 24, -49,976" in ended.out
    assert "Problem" not in ended.out
    assert ended.out.endswith(
        "can be read; parts share none but those that may be:"
        " train-database 24\n"
    )


def test_checks_a_bad_set(hashnet, tmp_path):
    (tmp_path / "lists.json").write_text('{"data": "digits"}')
    lists = {"train": "0 1 0\n1 0 1\n", "query": "1 0 1\n2 1 0\n"}
    lists["database"] = "3 1 0\n4 0 1\n"
    for part, text in lists.items():
        (tmp_path / f"{part}.txt").write_text(text)
    ended = hashnet("datasets", "check", f"coco-lists:{tmp_path}")
    assert (ended.code, ended.err) == (1, "")
    (line,) = [
        line for line in ended.out.splitlines() if line.startswith("Problem")
    ]
    assert line == (
        "Problem: 1 of 2 train images are query images too, which"
        f" coco-lists:{tmp_path} does not allow: 1"
    )
    assert "parts share" not in ended.out


def test_check_tells_of_copies_under_another_name(hashnet, tmp_path):
    rng = np.random.default_rng(0)
    parts = {"train": 24, "test": 12}
    images = {
        f"x_{part}": rng.integers(0, 256, (count, 8, 8, 3), np.uint8)
        for part, count in parts.items()
    }
    images["x_train"][5] = images["x_test"][2]
    labels = {f"y_{part}": np.arange(n) % 3 for part, n in parts.items()}
    np.savez(tmp_path / "a.npz", **images, **labels)
    ended = hashnet("datasets", "check", f"npz:{tmp_path / 'a.npz'}")
    assert (ended.code, ended.err) == (0, "")
    assert (
        "Note: 1 of 12 query images have a byte-identical copy in database:"
        " 26 (5)\n"
    ) in ended.out
    assert "parts share none of one name but those" in ended.out


def test_takes_the_flags_of_a_training(hashnet):
    words = ["digits", "--seed=2", "--query_per_class=3", "--unseen_classes=4"]
    words.append("--validation=90")
    ended = hashnet("datasets", "describe", *words, "--imbalance=20")
    dataset = hn.datasets.load(
        "digits",
        2,
        query_per_class=3,
        validation=90,
        unseen_classes=4,
        imbalance=20,
    )
    assert ended.out == f"{hn.datasets.describe(dataset).text()}\n"


def test_prepares_lists_that_are_read_again(hashnet, cifar10, tmp_path):
    out = tmp_path / "a frozen one"
    data = f"folder:{cifar10}"
    words = [data, "--seed=3", "--train_per_class=2", f"--out={out}"]
    ended = hashnet("datasets", "prepare", *words)
    assert (ended.code, ended.err) == (0, "")
    for part in ("train", "query", "database"):
        assert f"{out / part}.txt\n" in ended.out
    assert f"Read them with '--data=lists:{out}'\n" in ended.out
    drawn = hn.datasets.load(data, 3, train_per_class=2)
    again = hn.datasets.load(f"lists:{out}")
    for part in ("train", "query", "database"):
        one, other = getattr(drawn, part), getattr(again, part)
        assert one.names == other.names
        assert one.labels.tolist() == other.labels.argmax(axis=1).tolist()


@pytest.mark.parametrize(
    "words, received",
    [
        (["list", "digits"], "list digits"),
        (["describe"], "describe None"),
        (["check"], "check None"),
        (["prepare", "digits"], "prepare, out=None"),
        (["describe", "digits", "--out=x"], "describe, out=x"),
        (["describe", "nothing"], "data='nothing'"),
        (["check", "coco", "--train_per_class=3"], "train_per_class=3"),
    ],
)
def test_refuses(fails, words, received):
    assert fails("datasets", *words).endswith(f"{received}")


def test_checks_a_set_whose_parts_share_nothing(hashnet):
    ended = hashnet("datasets", "check", "digits", "--unseen_classes=3")
    assert ended.code == 0
    assert ended.out.endswith("can be read; parts share none\n")
