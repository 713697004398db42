"""Files of pairs."""

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.datasets.sources import read_pool
from hashnet_tf.datasets.sources.pairs import read_pairs

NAMES = ["a", "b", "c", "d", "e, f"]


@pytest.fixture
def written(tmp_path):
    def write(text, name="p.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\nc,d\n", [[0, 1, 1], [2, 3, 1]]),
        ("query,item\na,b\nc,d\n", [[0, 1, 1], [2, 3, 1]]),
        ("\ufeffone,two,s\r\na,b,1\r\n\r\nc,d,1.0", [[0, 1, 1], [2, 3, 1]]),
        ('a,"e, f"\nc,d\n', [[0, 4, 1], [2, 3, 1]]),
        (
            "a,b,.5\na,c,0.49\na,d,0\nb,c,-1\nc,d,1\n",
            [[0, 1, 1], [0, 2, 0], [0, 3, 0], [1, 2, -1], [2, 3, 1]],
        ),
        ("a,b\na,b\n", [[0, 1, 1], [0, 1, 1]]),
    ],
)
def test_what_is_read(written, text, rows):
    given = read_pairs(written(text), NAMES)
    assert given.rows.tolist() == rows
    assert len(given.notes) == ("two" in text or "item" in text)
    tabs = text.replace('"e, f"', "e; f").replace(",", "\t")
    names = [name.replace(",", ";") for name in NAMES]
    assert read_pairs(written(tabs, "p.tsv"), names).rows.tolist() == rows


def test_pairs_with_oneself_are_counted(written):
    given = read_pairs(written("a,a\na,b\nc,d\nb,b\n"), NAMES)
    assert given.rows.tolist() == [[0, 1, 1], [2, 3, 1]]
    assert given.notes == (
        "2 of 4 pairs are of an item with itself and left out",
    )
    assert read_pairs(written("x,y\na,b\nc,d\n"), NAMES).notes == (
        "'x, y' was taken for the names of the columns",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least two pairs must be similar.*0 of 0"),
        ("a,b\n", "at least two.*1 of 1"),
        ("a,b,0\nc,d,1\n", "at least two.*1 of 2"),
        ("a,b\nc,x\ny,x\n", "such as 'a'.*3 that are not.*'x' in row 2"),
        # A header is told by naming no item, and there is one.
        ("x,y\nx,y\na,b\n", "2 that are not, the first 'x' in row 2"),
        ("a,b\nc\n", r"two names.*\['c'\] in row 2"),
        ("a,b,1,9\n", "two names.*in row 1"),
        ("a,b\nc,d,2\n", "from 0 to 1, or -1.*'2' in row 2"),
        ("a,b\nc,d,x\n", "from 0 to 1.*'x' in row 2"),
        ("a,b\nc,d,nan\n", "from 0 to 1.*'nan' in row 2"),
        ("a,b\nc,d,\n", "from 0 to 1.*'' in row 2"),
        ('a,b\nc,"d\n', "text in UTF-8"),
    ],
)
def test_what_is_refused(written, text, message):
    with pytest.raises(ValueError, match=rf"pairs:.*p\.csv: .*{message}"):
        read_pairs(written(text), NAMES)


def test_other_files_are_refused(written, tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.csv, \.tsv.*p\.txt"):
        read_pairs(written("a,b", "p.txt"), NAMES)
    with pytest.raises(ValueError, match="existing file.*Received: pairs:"):
        read_pairs(str(tmp_path / "none.csv"), NAMES)
    latin = tmp_path / "l.csv"
    latin.write_bytes("ä,b".encode("latin-1"))
    with pytest.raises(ValueError, match="UTF-8"):
        read_pairs(str(latin), NAMES)


def test_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")

    def write(**columns):
        path = tmp_path / "p.parquet"
        parquet.write_table(pyarrow.table(columns), path)
        return str(path)

    path = write(click=["a", "c"], on=["b", "d"])
    assert read_pairs(path, NAMES).rows.tolist() == [[0, 1, 1], [2, 3, 1]]
    # Of vectors without ids the numbers of the rows are their names.
    path = write(one=[0, 2, 0], other=[1, 1, 2], s=[1.0, 0.2, 1.0])
    rows = read_pairs(path, ["0", "1", "2"]).rows.tolist()
    assert rows == [[0, 1, 1], [2, 1, 0], [0, 2, 1]]
    with pytest.raises(ValueError, match="two names.*None.*row 2"):
        read_pairs(write(a=["a", None], b=["b", "c"]), NAMES)
    broken = tmp_path / "b.parquet"
    broken.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="cannot be read"):
        read_pairs(str(broken), NAMES)


@pytest.fixture
def photographs(tmp_path):
    """Twelve pictures, and a file of pairs that names nine of them."""
    (tmp_path / "shop").mkdir()
    for number in range(12):
        pixels = np.full((8, 8, 3), 20 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / "shop" / f"{number}.png")
    path = tmp_path / "same.csv"
    rows = [(0, 1), (1, 2), (3, 4), (5, 6), (7, 8), (3, 8)]
    path.write_text("".join(f"shop/{a}.png,shop/{b}.png\n" for a, b in rows))
    return path


def test_images_that_are_named(photographs):
    pool = read_pool(f"pairs:{photographs}")
    assert pool.images.names == [f"shop/{n}.png" for n in range(9)]
    assert not pool.images.is_labelled
    assert pool.pairs.tolist()[:2] == [[0, 1, 1], [1, 2, 1]]
    full = photographs.with_name("full.csv")
    folder = photographs.parent
    full.write_text(
        photographs.read_text().replace("shop", str(folder / "shop"))
    )
    pool = read_pool(f"pairs:{full}")
    assert pool.images.missing() == []


def test_missing_images_are_counted(photographs):
    text = photographs.read_text()
    photographs.write_text(f"first,second\n{text}shop/0.png,shop/99.png\n")
    with pytest.raises(
        ValueError, match=r"1 of 10 that are no file, the first 'shop/99.png'"
    ):
        hn.datasets.load(f"pairs:{photographs}")


def test_parts_of_pairs(photographs):
    dataset = hn.datasets.load(f"pairs:{photographs}", seed=1)
    assert dataset.is_labelled and not dataset.train.is_labelled
    (asks,) = dataset.query.names
    assert asks not in dataset.train.names + dataset.database.names
    assert len(dataset.database) == 8
    wanted = {
        name
        for row in photographs.read_text().split()
        if asks in (pair := row.split(","))
        for name in pair
    } - {asks}
    found = [
        name
        for name, label in zip(
            dataset.database.names, dataset.database.labels, strict=True
        )
        if label[0]
    ]
    assert set(found) == wanted
    named = [
        [dataset.train.names[row] for row in pair[:2]] for pair in dataset.pairs
    ]
    assert named == [
        row.split(",")
        for row in photographs.read_text().split()
        if asks not in row.split(",")
    ]
    assert f"{len(named)} pairs ({len(named)} similar)" in dataset.describe()


def test_pairs_of_another_source(photographs):
    folder = photographs.parent
    names = "".join(f"{a}.png,{b}.png\n" for a, b in [(0, 1), (2, 3), (4, 5)])
    pairs = folder / "names.csv"
    pairs.write_text(names)
    dataset = hn.datasets.load(f"folder:{folder / 'shop'}", pairs=str(pairs))
    assert len(dataset.pairs) == 2 and len(dataset.train) == 4
    # What no pair names is found all the same.
    assert len(dataset.database) == 11
    with pytest.raises(ValueError, match="Pairs are given once"):
        hn.datasets.load(f"pairs:{photographs}", pairs=str(pairs))
    with pytest.raises(ValueError, match="nothing is drawn a class"):
        hn.datasets.load(f"pairs:{photographs}", query_per_class=1)
    with pytest.raises(ValueError, match="drawn by labels.*pairs"):
        hn.datasets.load(f"pairs:{photographs}", validation=1)


def test_too_few_pairs_are_left(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.eye(4))
    pairs = tmp_path / "p.csv"
    pairs.write_text("0,1\n2,3\n")
    with pytest.raises(ValueError, match="Two pairs.*besides.*2 pairs"):
        hn.datasets.load(f"vectors:{path}", pairs=str(pairs))


def test_pairs_beside_labels(tmp_path):
    """What labels say is measured; what pairs say is trained by."""
    path = tmp_path / "x.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.normal(size=(60, 4)))
    np.save(tmp_path / "x_labels.npy", np.arange(60) % 3)
    pairs = tmp_path / "p.csv"
    rows = rng.integers(0, 60, (100, 2))
    rows = rows[rows[:, 0] != rows[:, 1]]
    pairs.write_text("".join(f"{a},{b}\n" for a, b in rows))
    dataset = hn.datasets.load(f"vectors:{path}", pairs=str(pairs))
    plain = hn.datasets.load(f"vectors:{path}")
    assert dataset.train.names == plain.train.names
    assert dataset.query.labels.tolist() == plain.query.labels.tolist()
    there = {name: row for row, name in enumerate(plain.train.names)}
    assert dataset.pairs.tolist() == [
        [there[str(a)], there[str(b)], 1]
        for a, b in rows
        if str(a) in there and str(b) in there
    ]
    assert f"of {len(rows)} pairs are of training" in dataset.protocol
