import json

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.datasets.sources.vectors import read_vectors, scaling_notes

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 8)).astype("float32")
LABELS = np.arange(60) % 3
NAMES = np.array(["pear", "apple", "quince"])[LABELS]
IDS = [f"item/{i:02}" for i in range(60)]


def write(path, vectors=ROWS, labels=None, ids=None):
    """Writes a .npy file and what stands beside it."""
    np.save(path, vectors)
    for name, values in (("labels", labels), ("ids", ids)):
        if values is not None:
            np.save(path.with_name(f"{path.stem}_{name}.npy"), values)
    return path


def parquet(path, vectors, labels, ids):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.feather
    import pyarrow.parquet

    table = pa.table({"vector": vectors, "label": labels, "id": ids})
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, path)
    return path


def test_arrays_with_labels_and_ids_beside(tmp_path):
    pool = read_vectors(str(write(tmp_path / "x.npy", labels=NAMES, ids=IDS)))
    assert pool.class_names == ["apple", "pear", "quince"]
    assert [pool.class_names[i] for i in pool.images.labels] == NAMES.tolist()
    assert pool.images.names == IDS
    np.testing.assert_array_equal(pool.images.array(), ROWS)
    assert isinstance(pool.images._all, np.memmap)
    assert pool.notes == ()


def test_a_list_of_ids(tmp_path):
    path = write(tmp_path / "x.npy", labels=LABELS[:, None])
    path.with_name("x_ids.json").write_text(json.dumps(IDS))
    pool = read_vectors(str(path))
    assert pool.images.names == IDS
    assert pool.images.labels.tolist() == LABELS.tolist()
    assert pool.class_names is None


def test_labels_of_another_name_are_told_of(tmp_path):
    path = write(tmp_path / "x.npy")
    np.save(tmp_path / "labels.npy", LABELS)
    pool = read_vectors(str(path))
    assert not pool.images.is_labelled
    assert pool.images.names == [str(i) for i in range(60)]
    (note,) = pool.notes
    assert "not read" in note and "x_labels.npy" in note


def test_an_archive(tmp_path):
    matrix = np.eye(3, dtype=int)[LABELS]
    np.savez(tmp_path / "x.npz", vectors=ROWS, labels=matrix, ids=np.arange(60))
    pool = read_vectors(str(tmp_path / "x.npz"))
    np.testing.assert_array_equal(pool.images.labels, matrix)
    assert pool.images.names[59] == "59"


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather"])
@pytest.mark.parametrize("fixed", [False, True])
def test_columns(tmp_path, ending, fixed):
    pa = pytest.importorskip("pyarrow")
    vectors = pa.array(ROWS.tolist(), pa.list_(pa.float32()))
    if fixed:
        vectors = pa.FixedSizeListArray.from_arrays(ROWS.reshape(-1), 8)
    path = parquet(tmp_path / f"x.{ending}", vectors, NAMES.tolist(), IDS)
    pool = read_vectors(str(path))
    np.testing.assert_array_equal(pool.images.array(), ROWS)
    assert pool.images.names == IDS
    assert pool.class_names == ["apple", "pear", "quince"]


def test_a_table_without_labels(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    table = pa.table({"vector": ROWS.tolist(), "more": IDS})
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    pool = read_vectors(str(tmp_path / "x.parquet"))
    assert not pool.images.is_labelled and pool.images.names[3] == "3"


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"vectors": ROWS.tolist()}, "a column vector of lists"),
        ({"vector": [1.0, 2.0]}, "must hold lists of numbers"),
        ({"vector": [["a"], ["b"]]}, r"numbers \[n, d\]"),
        ({"vector": [[1.0, 2.0], [3.0]]}, "differ in length|all as long"),
        ({"vector": [[1.0, 2.0], [3.0, 4.0, 5.0, 6.0]]}, "differ in length"),
        ({"vector": [[1.0], None]}, "1 rows have no vector"),
        ({"vector": [[1.0], [None]]}, "differ in length|NaN"),
        (
            {"vector": [[1.0], [2.0]], "label": [1, None]},
            "column label must be known",
        ),
    ],
)
def test_other_tables_are_refused(tmp_path, columns, told):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=told):
        read_vectors(str(tmp_path / "x.parquet"))


@pytest.mark.parametrize("name", ["x.txt", "x.npy", "x.npz", "x.parquet"])
def test_what_is_no_such_file_is_refused(tmp_path, name):
    pytest.importorskip("pyarrow")
    (tmp_path / name).write_text("no vectors")
    with pytest.raises(ValueError, match=f"vectors:.*{name}"):
        read_vectors(str(tmp_path / name))


def test_no_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="existing file. Received: vectors:"):
        read_vectors(str(tmp_path / "gone.npy"))
    with pytest.raises(ValueError, match="existing file"):
        hn.datasets.load("vectors:")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_lost_values_are_counted(tmp_path, value):
    rows = ROWS.copy()
    rows[[7, 9], 2] = value
    path = write(tmp_path / "x.npy", rows)
    told = "in 2 of 60 vectors, the first of them row 7"
    with pytest.raises(ValueError, match=told):
        read_vectors(str(path))


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ({"labels": LABELS[:9]}, "60 images and 9 labels"),
        ({"labels": LABELS + 0.5}, "integers"),
        ({"labels": NAMES.reshape(20, 3)}, "one an item"),
        ({"ids": IDS[:5]}, "ids must be one a vector"),
        ({"ids": IDS[:59] + IDS[:1]}, "1 that repeat"),
        ({"ids": np.arange(60.0)}, "strings or whole numbers"),
    ],
)
def test_wrong_labels_and_ids_are_refused(tmp_path, beside, told):
    path = write(tmp_path / "x.npy", **beside)
    with pytest.raises(ValueError, match=f"vectors:.*{told}"):
        read_vectors(str(path))


def test_parts_are_drawn_as_of_images(tmp_path):
    word = f"vectors:{write(tmp_path / 'x.npy', labels=LABELS, ids=IDS)}"
    dataset = hn.datasets.load(word, query_per_class=4, held_out=0.25)
    assert [len(dataset.query), len(dataset.database)] == [12, 48]
    assert len(dataset.train) == 36
    for part in (dataset.train, dataset.query, dataset.database):
        places = [IDS.index(name) for name in part.names]
        np.testing.assert_array_equal(part.array(), ROWS[places])
        assert part.labels.tolist() == LABELS[places].tolist()
    assert set(dataset.train.names) < set(dataset.database.names)


def test_what_an_angle_would_mind_is_told():
    noise = np.random.default_rng(1).normal(size=(500, 8))
    one = hn.datasets.Vectors

    def notes(rows):
        return "; ".join(scaling_notes(one(rows, None)))

    assert notes(noise) == ""
    unit = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    assert notes(unit) == ""
    assert "an offset" in notes(unit + 1)
    huge = unit.copy()
    huge[:, 5] *= 100
    assert "column 5 has 99 % of all variance" in notes(huge)
    lengths = unit * np.geomspace(1, 50, 500)[:, None]
    assert "lengths go from" in notes(lengths)
    zeros = unit.copy()
    zeros[:3] = 0
    assert "3 of the first 500 vectors are zero" in notes(zeros)
