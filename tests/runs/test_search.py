import json
import shutil

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.runs import (
    CodeSet,
    Neighbours,
    Run,
    encode_images,
    encoding,
)


@pytest.fixture(scope="module")
def asked(queries):
    return hn.datasets.pixel_array(queries.first(3), (8, 8))


@pytest.fixture(scope="module")
def found(measured, asked):
    return measured.search(asked, k=5)


def code_set(labels, ids=("p", "q", "r"), names=None):
    codes = np.zeros((len(ids), 2), np.uint8)
    return CodeSet(
        codes, list(ids), labels, {"bits": 12, "images": None}, names
    )


def neighbours(labels, names=None):
    return Neighbours(
        distances=np.array([[0, 10], [2, 3]], np.uint16),
        indices=np.array([[2, 0], [1, 2]]),
        code_set=code_set(labels, names=names),
        codes=np.zeros((2, 2), np.uint8),
        images=np.zeros((2, 8, 8, 3), np.uint8),
    )


@pytest.fixture
def drawn(monkeypatch):
    """What was handed to `plot_neighbours`."""
    calls = []

    def plot(*arguments):
        calls.append(arguments)
        return "drawn"

    monkeypatch.setattr(hn.plots, "plot_neighbours", plot)
    return calls


def test_finds_the_nearest(found, measured, asked):
    database = CodeSet.load(measured.codes_path("database"))
    codes = measured.model.encode(asked)
    np.testing.assert_array_equal(found.codes, codes)
    for row, code in enumerate(codes):
        distances = [
            sum(bin(a ^ b).count("1") for a, b in zip(code, other, strict=True))
            for other in database.codes.tolist()
        ]
        order = np.argsort(distances, kind="stable")[:5]
        assert found.indices[row].tolist() == order.tolist()
        assert found.distances[row].tolist() == [distances[i] for i in order]
    assert found.code_set.ids == database.ids


def test_searches_another_code_set(measured, asked, queries, tmp_path):
    encode_images(measured.model, queries, tmp_path / "q")
    found = measured.search(asked, k=1, codes=str(tmp_path / "q"))
    # Each finds itself, or one of the same code before it.
    np.testing.assert_array_equal(found.distances, [[0]] * 3)
    codes = found.code_set.codes
    np.testing.assert_array_equal(codes[found.indices[:, 0]], found.codes)


def test_more_than_there_are(measured, asked):
    assert measured.search(asked, k=9999).indices.shape == (3, 1597)


@pytest.mark.parametrize("k", [0, -1])
def test_refuses_to_find_none(k, measured, asked):
    with pytest.raises(ValueError, match=f"Received: k={k}$"):
        measured.search(asked, k)


def test_refuses_codes_of_another_model(
    measured, other_model, queries, asked, tmp_path
):
    encode_images(other_model, queries, tmp_path / "q")
    digest = hn.models.weights_digest(other_model)
    with pytest.raises(
        ValueError, match=f"Received: a code set of model_digest={digest}"
    ):
        measured.search(asked, codes=tmp_path / "q")


def test_refuses_what_is_not_there(measured, asked, trained, tmp_path):
    with pytest.raises(ValueError, match="Received: no .*manifest.json$"):
        trained.search(asked)
    with pytest.raises(ValueError, match="Received: no .*manifest.json$"):
        measured.search(asked, codes=tmp_path)
    shutil.copytree(measured.codes_path("database"), tmp_path / "codes")
    with pytest.raises(ValueError, match="Received: no .*model.keras$"):
        Run(tmp_path).search(asked, codes=tmp_path / "codes")


def test_table():
    expected = (
        "rank  distance  label  image\n"
        "   1         2  -      q\n"
        "   2         3  7      r"
    ).replace("-", " ")
    assert neighbours(np.array([4, -1, 7])).table(row=1) == expected
    assert neighbours(None).table().splitlines()[1:] == [
        "   1         0         r",
        "   2        10         p",
    ]


def test_label():
    assert neighbours(np.array([4, -1, 7])).label(0) == "4"
    assert neighbours(np.array([4, -1, 7])).label(1) == ""
    assert neighbours(None).label(0) == ""
    matrix = np.array([[0, 1, 1], [0, -1, 0], [1, 0, 0]])
    labels = [neighbours(matrix).label(i) for i in range(3)]
    assert labels == ["1,2", "", "0"]


def test_labels_are_shown_by_name(drawn, monkeypatch):
    names = ["a class of a name that is long", "cat", "dog"]
    found = neighbours(np.array([-1, 0, 2]), names)
    assert [found.label(i) for i in range(3)] == ["", names[0], "dog"]
    assert found.table().splitlines() == [
        "rank  distance  label  image",
        "   1         0  dog    r",
        "   2        10         p",
    ]
    # The column is as wide as the widest of its labels.
    assert found.table(1).splitlines()[:2] == [
        f"rank  distance  label{' ' * 25}  image",
        f"   1         2  {names[0]}  q",
    ]
    matrix = neighbours(np.array([[0, 1, 1], [0, 0, 0], [1, 0, 0]]), names)
    assert matrix.label(0) == "cat,dog"
    digits = hn.datasets.load("digits").query
    monkeypatch.setattr(encoding, "images_of", lambda *_: digits.first(3))
    found.draw("a.png")
    assert drawn[0][3] == [["0 dog", "10"], ["2 a class of a na…", "3 dog"]]


def test_draw_shows_what_was_found(found, asked, queries, drawn):
    assert found.draw("a.png", queries.labels[:3]) == "drawn"
    ((images, rows, right, titles, path),) = drawn
    np.testing.assert_array_equal(images, asked)
    assert path == "a.png"
    digits = hn.datasets.load("digits", train_per_class=20).database
    pixels = hn.datasets.pixel_array(digits, (8, 8))
    for row in range(3):
        # The names of the digits' classes are "0" to "9".
        assert titles[row] == [
            f"{distance} {digits.labels[index]}"
            for distance, index in zip(
                found.distances[row], found.indices[row], strict=True
            )
        ]
        for column, index in enumerate(found.indices[row]):
            np.testing.assert_array_equal(rows[row][column], pixels[index])
            same = digits.labels[index] == queries.labels[row]
            assert right[row][column] == same


def test_draw_shows_the_first_of_many(measured, asked, drawn):
    found = measured.search(asked, k=100)
    assert found.indices.shape == (3, 100)
    found.draw("found.png")
    ((_, images, _, titles, _),) = drawn
    assert [len(row) for row in images] == [24] * 3
    expected = [[str(d) for d in row[:24]] for row in found.distances]
    assert [[t.split()[0] for t in row] for row in titles] == expected


def test_draw_judges_by_a_shared_label(queries, drawn, monkeypatch):
    hits = Neighbours(
        distances=np.array([[0, 1]], np.uint16),
        indices=np.array([[1, 0]]),
        code_set=code_set(np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1]])),
        codes=np.zeros((1, 2), np.uint8),
        images=hn.datasets.pixel_array(queries.first(1), (8, 8)),
    )
    hits.code_set.ids[:] = queries.names[:3]
    hits.code_set.manifest["images"] = {"data": "digits", "part": "query"}
    hits.draw("a.png", np.array([[0, 1, 0]]))
    assert drawn[0][2].tolist() == [[False, True]]
    hits.draw("a.png")
    assert drawn[1][2] is None
    assert drawn[1][3] == [["0", "1"]]


def test_draw_writes_a_picture(found, asked, tmp_path):
    path = found.draw(tmp_path / "new" / "a.png")
    assert path == tmp_path / "new" / "a.png"
    assert np.asarray(Image.open(path).convert("L")).std() > 5


def folder_of_codes(model, folder, place, names):
    images = hn.datasets.FileImages(folder, names, [-1] * len(names))
    return encode_images(
        model, images, place, {"folder": str(folder)}, labelled=False
    )


def test_draw_finds_images_by_name(
    measured, make_folder, drawn, tmp_path, asked
):
    folder = make_folder()
    names = [f"{c}/{i:02}.png" for c in "abc" for i in range(12)]
    # As if the first were no image and left out; it lies there still.
    (folder / names[0]).write_text("no image")
    place = tmp_path / "codes"
    folder_of_codes(measured.model, folder, place, names[1:])
    found = measured.search(asked, k=4, codes=place)
    found.draw("a.png")
    for row, indices in zip(drawn[0][1], found.indices, strict=True):
        for image, index in zip(row, indices, strict=True):
            file = Image.open(folder / found.code_set.ids[index])
            np.testing.assert_array_equal(image, np.asarray(file))


def test_draw_tells_what_has_gone(
    measured, make_folder, drawn, tmp_path, asked
):
    folder = make_folder()
    names = [f"a/{i:02}.png" for i in range(12)]
    place = tmp_path / "codes"
    folder_of_codes(measured.model, folder, place, names)
    found = measured.search(asked, k=1, codes=place)
    gone = found.code_set.ids[found.indices[0, 0]]
    (folder / gone).unlink()
    message = f"Received: no {gone} in .*{folder}"
    with pytest.raises(FileNotFoundError, match=message):
        found.draw("a.png")
    shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError, match=f"Received: {folder}$"):
        found.draw("a.png")
    manifest = json.loads((place / "manifest.json").read_text())
    # As version 0.1 wrote it.
    del manifest["manifest_digest"]
    manifest["images"] = None
    (place / "manifest.json").write_text(json.dumps(manifest))
    found = measured.search(asked, k=1, codes=place)
    with pytest.raises(FileNotFoundError, match="Received: images=None"):
        found.draw("a.png")
    assert not drawn
