import json

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.retrieval import RetrievalReport


def test_prints_and_writes_the_report(measured):
    run, ended = measured
    assert (ended.code, ended.err) == (0, "")
    written = run.report
    report = RetrievalReport.from_dict(written["retrieval"])
    assert report.at == 100
    assert written["protocol"] in ended.out
    assert report.table() in ended.out
    assert f"Written to {run.report_path}\n" in ended.out
    for name in ("precision_recall", "precision_at"):
        for ending in ("png", "csv"):
            assert (run.figures_path / f"{name}.{ending}").stat().st_size > 0


def test_the_protocol_says_the_rank(trained, hashnet, monkeypatch):
    run, _ = trained
    asked = []

    def evaluate(run, **options):
        asked.append((run.path, options))
        raise ValueError

    monkeypatch.setattr(hn.runs.Run, "evaluate", evaluate)
    hashnet("evaluate", f"--workdir={run.path}")
    hashnet("evaluate", f"--workdir={run.path}", "--features=shared")
    usual = {"at": None, "empty_ball": "zero", "features": None}
    assert asked == [
        (run.path, usual),
        (run.path, {**usual, "features": "shared"}),
    ]


@pytest.mark.parametrize("at", [0, -3])
def test_bad_input(at, measured, fails):
    run, _ = measured
    line = fails("evaluate", f"--workdir={run.path}", f"--at={at}")
    assert line.endswith(f"Received: at={at}")


def test_before_training(fails, flags, trained, tmp_path):
    run, _ = trained
    (tmp_path / "config.json").write_text(run.config_path.read_text())
    line = fails("evaluate", f"--workdir={tmp_path}")
    assert "hashnet train" in line
    assert line.endswith(f"Received: no {tmp_path / 'model.keras'}")


@pytest.fixture
def arrays(tmp_path):
    """Codes and labels of any other program, and the flags that name them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 150)
    signs = rng.choice([-1, 1], size=(3, 12))[labels]
    signs *= rng.choice([-1, 1], p=[0.1, 0.9], size=signs.shape)
    codes = hn.retrieval.pack(signs)
    values = {
        "query_codes": codes[:20],
        "database_codes": codes[20:],
        "query_labels": labels[:20],
        "database_labels": labels[20:],
    }
    for name, value in values.items():
        np.save(tmp_path / f"{name}.npy", value)
    return values, {n: f"--{n}={tmp_path / n}.npy" for n in values}


def test_any_four_files(arrays, hashnet, tmp_path):
    values, flags = arrays
    out = tmp_path / "out"
    words = [*flags.values(), "--bits=12", "--at=50", f"--out={out}"]
    ended = hashnet("evaluate", *words, "--preset=deephash")
    assert (ended.code, ended.err) == (0, "")
    expected = hn.retrieval.evaluate(*values.values(), bits=12, at=50)
    assert expected.table("deephash") in ended.out
    assert "thuml" not in ended.out
    written = json.loads((out / "report.json").read_text())
    assert RetrievalReport.from_dict(written["retrieval"]) == expected
    assert written["files"]["query_codes"].endswith("query_codes.npy")
    assert (out / "figures" / "precision_recall.png").exists()


def test_the_rule_for_empty_balls_is_a_flag(arrays, hashnet, tmp_path):
    values, flags = arrays
    words = [*flags.values(), "--bits=12", f"--out={tmp_path / 'out'}"]
    ended = hashnet("evaluate", *words, "--empty_ball=skip")
    assert ended.code == 0
    assert "mean over the queries whose ball is not empty" in ended.out


def test_three_files_are_not_enough(arrays, fails, tmp_path):
    flags = arrays[1]
    del flags["database_labels"]
    line = fails("evaluate", *flags.values(), f"--out={tmp_path}")
    assert line.endswith("files query_codes, database_codes, query_labels")


def test_a_run_or_files_but_not_both(arrays, fails, tmp_path):
    words = [*arrays[1].values(), f"--out={tmp_path}", f"--workdir={tmp_path}"]
    assert "Either --workdir is needed, or --query" in fails("evaluate", *words)
    assert "Received: workdir=None" in fails("evaluate")


@pytest.mark.parametrize("flag", ["--bits=12", "--out=there"])
def test_what_is_for_files_is_refused_with_a_run(flag, fails, tmp_path):
    line = fails("evaluate", f"--workdir={tmp_path}", flag)
    assert "is not for the measuring of a run. Received: " in line


@pytest.mark.parametrize(
    "flag", ["--data_at=there", "--so_far", "--features=there"]
)
def test_what_is_for_runs_is_refused_with_files(flag, arrays, fails, tmp_path):
    out = f"--out={tmp_path / 'out'}"
    line = fails("evaluate", *arrays[1].values(), out, flag)
    assert "is not for the measuring of files. Received: " in line
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_array(arrays, fails, tmp_path):
    (tmp_path / "query_codes.npy").write_text("codes")
    line = fails("evaluate", *arrays[1].values(), f"--out={tmp_path / 'out'}")
    assert f"Received: {tmp_path / 'query_codes.npy'}" in line
    assert not (tmp_path / "out").exists()


@pytest.fixture
def code_sets(arrays, tmp_path):
    """The arrays as code sets, and the flags that name them."""
    folders = {}
    for part in ("query", "database"):
        folder = tmp_path / part
        folder.mkdir()
        for name in ("codes", "labels"):
            array = np.load(tmp_path / f"{part}_{name}.npy")
            np.save(folder / f"{name}.npy", array)
        ids = [str(i) for i in range(len(array))]
        (folder / "ids.json").write_text(json.dumps(ids))
        manifest = {"bits": 12, "bit_order": "big", "model_digest": "m"}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        folders[part] = folder
    flags = [f"--{part}_codes={folders[part]}" for part in folders]
    return folders, [*flags, f"--out={tmp_path / 'out'}"]


def test_bits_beside_code_sets_must_be_theirs(code_sets, fails, hashnet):
    _, flags = code_sets
    line = fails("evaluate", *flags, "--bits=10")
    assert "`bits` must be 12, as in " in line
    assert line.endswith("Received: bits=10")
    assert hashnet("evaluate", *flags, "--bits=12").code == 0


def test_code_sets_give_what_their_files_give(
    code_sets, arrays, hashnet, tmp_path
):
    ended = hashnet("evaluate", *code_sets[1], "--at=5")
    assert (ended.code, ended.err) == (0, "")
    of_files = hashnet(
        "evaluate",
        *arrays[1].values(),
        "--bits=12",
        "--at=5",
        f"--out={tmp_path / 'files'}",
    )
    assert of_files.code == 0
    reports = [
        json.loads((tmp_path / out / "report.json").read_text())
        for out in ("out", "files")
    ]
    assert reports[0]["retrieval"] == reports[1]["retrieval"]
    assert reports[0]["files"]["query_codes"] == str(tmp_path / "query")


def test_code_sets_of_two_encoders_are_refused(code_sets, fails, tmp_path):
    folders, words = code_sets
    path = folders["query"] / "manifest.json"
    path.write_text(path.read_text().replace('"m"', '"other"'))
    line = fails("evaluate", *words)
    assert "must be of one encoder" in line
    assert line.endswith("model_digest=other beside m")
    assert not (tmp_path / "out").exists()


def test_code_sets_need_labels(code_sets, fails):
    (code_sets[0]["query"] / "labels.npy").unlink()
    line = fails("evaluate", *code_sets[1])
    assert "`query` must have labels" in line


def test_a_code_set_beside_a_file_is_refused(code_sets, arrays, fails):
    words = [*code_sets[1], arrays[1]["query_labels"]]
    assert "with code sets, or these with files" in fails("evaluate", *words)
