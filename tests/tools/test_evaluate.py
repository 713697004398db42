import pytest

import hashnet_tf as hn


def test_prints_and_writes_the_report(measured):
    run, ended = measured
    assert (ended.code, ended.err) == (0, "")
    written = run.report()
    report = hn.retrieval.RetrievalReport(**written["retrieval"])
    assert report.at == 100
    assert written["protocol"] in ended.out
    assert report.table() in ended.out
    assert ended.out.endswith(f"Written to {run.report_path}\n")


def test_the_default_rank_is_the_papers(trained, hashnet, monkeypatch):
    run, _ = trained
    asked = []

    def evaluate_run(workdir, at):
        asked.append((workdir, at))
        raise ValueError

    monkeypatch.setattr(hn.runs, "evaluate_run", evaluate_run)
    hashnet("evaluate", f"--workdir={run.path}")
    assert asked == [(str(run.path), 5000)]


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
