"""The commands on vectors, one behind the other."""

import numpy as np
import pytest

import hashnet_tf as hn

CLASSES = 3
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, CLASSES, 240)
ROWS = RNG.normal(size=(CLASSES, 6))[LABELS] + 0.4 * RNG.normal(size=(240, 6))
NAMES = np.array(["pear", "plum", "quince"])[LABELS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Vectors with names of classes, and some that ask."""
    folder = tmp_path_factory.mktemp("vectors")
    np.save(folder / "x.npy", ROWS)
    np.save(folder / "x_labels.npy", NAMES)
    np.save(folder / "q.npy", ROWS[:2])
    return folder


@pytest.fixture(scope="module")
def trained(hashnet, folder):
    ended = hashnet(
        "train",
        f"--workdir={folder / 'run'}",
        f"--data=vectors:{folder / 'x.npy'}",
        "--bits=16",
        "--epochs=20",
        "--batch_size=32",
        "--learning_rate=1e-3",
    )
    assert ended.code == 0, ended
    return folder / "run"


@pytest.fixture(scope="module")
def exported(hashnet, trained):
    """The run, measured and exported, and what export printed."""
    measured = hashnet("evaluate", f"--workdir={trained}", "--at=20")
    assert measured.code == 0, measured
    ended = hashnet(
        "export",
        f"--workdir={trained}",
        "--quantize=none,int8",
        "--serving=fruit",
        "--allow=int8:0.2,dynamic:0.2,float16:0.2",
    )
    assert ended.code == 0, ended
    return trained, measured.out, ended.out


def test_it_is_measured_in_words(exported):
    _, measured, _ = exported
    first = measured.splitlines()[2]
    assert first.startswith("Of the 10 vectors shown for a new one, ")
    assert "are of its class" in first and "Worst: " in first
    assert "queries.png" not in measured


def test_every_format_has_its_bits(exported):
    run, _, told = exported
    for name in ("saved_model/1", "encoder.tflite"):
        (line,) = [row for row in told.splitlines() if row.startswith(name)]
        assert " 0 of " in line
    model = hn.runs.Run(run).model
    for path in ("encoder.tflite", "saved_model/1"):
        encoder = hn.export.load_encoder(run / "export" / path)
        assert encoder.image_size is None
        np.testing.assert_array_equal(encoder.encode(ROWS), model.encode(ROWS))
    readme = (run / "export" / "serving" / "README.md").read_text()
    assert "| `vectors` | float32 | [n, 6] |" in readme
    assert "encode_bytes" not in readme


def test_an_onnx_file_is_written_where_it_is_named(hashnet, exported, folder):
    for module in ("tf2onnx", "onnxruntime"):
        pytest.importorskip(module, reason="needs the extra [onnx]")
    run, _, _ = exported
    path = run / "export" / "encoder.onnx"
    assert not path.exists()
    ended = hashnet("export", f"--workdir={run}", "--format=onnx")
    assert ended.code == 0, ended
    (line,) = [
        row for row in ended.out.splitlines() if row.startswith(path.name)
    ]
    assert " 0 of " in line
    words = f"--vectors={folder / 'x.npy'}", f"--out={folder / 'by_onnx'}"
    ended = hashnet("encode", f"--model={path}", *words)
    assert ended.code == 0, ended
    found = hn.runs.CodeSet.load(folder / "by_onnx").codes
    expected = hn.runs.Run(run).model.encode(ROWS)
    np.testing.assert_array_equal(found, expected)


def test_the_file_is_encoded_and_asked(hashnet, exported, folder):
    run, _, _ = exported
    codes = f"--codes={folder / 'codes'}"
    vectors = f"--vectors={folder / 'x.npy'}"
    out = f"--out={folder / 'codes'}"
    ended = hashnet("encode", f"--workdir={run}", vectors, out)
    assert ended.code == 0 and "hashnet search FILE" in ended.out
    by_file = hn.runs.CodeSet.load(folder / "codes")
    assert by_file.class_names == ["pear", "plum", "quince"]
    for words in (
        (f"--workdir={run}",),
        (f"--model={run / 'export' / 'encoder.tflite'}",),
    ):
        ended = hashnet("search", folder / "q.npy", *words, codes, "--k=2")
        assert ended.code == 0, ended
        lines = ended.out.splitlines()
        assert lines[0] == "Query 0:" and lines[4] == "Query 1:"
        for place, row in enumerate((lines[2], lines[6])):
            assert row.split()[1:3] == ["0", NAMES[place]]


def test_what_vectors_have_not_is_refused(fails, exported, folder, tmp_path):
    run, _, _ = exported
    figure = f"--figure={tmp_path / 'a.png'}"
    workdir = f"--workdir={run}"
    line = fails("search", folder / "q.npy", workdir, figure)
    assert line.endswith("Received: vectors, which have no looks")
    line = fails(
        "train",
        f"--workdir={tmp_path / 'no'}",
        f"--data=vectors:{folder / 'q.npy'}",
    )
    assert "2 vectors without labels" in line or "1 vectors" in line


def test_codes_and_vectors_of_other_programs(hashnet, folder, tmp_path):
    np.save(tmp_path / "codes.npy", hn.retrieval.pack(ROWS - ROWS.mean(axis=0)))
    files = [
        f"--{part}_{kind}={path}"
        for part in ("query", "database")
        for kind, path in (
            ("codes", tmp_path / "codes.npy"),
            ("vectors", folder / "x.npy"),
        )
    ]
    ended = hashnet(
        "evaluate", *files, "--bits=6", f"--out={tmp_path / 'report'}"
    )
    assert ended.code == 0, ended
    assert "re-ranked by features" in ended.out
    assert (tmp_path / "report" / "figures" / "neighbors.png").is_file()
