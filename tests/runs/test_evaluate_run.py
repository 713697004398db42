import json

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.runs import CodeSet, RunDirectory, evaluate_run


def test_report_is_what_evaluate_says_of_the_codes(measured):
    query, database = (
        CodeSet.load(measured.codes_path(part))
        for part in ("query", "database")
    )
    report = hn.retrieval.evaluate(
        query.codes, database.codes, query.labels, database.labels, 12, at=100
    )
    dataset = hn.datasets.load(**measured.config().data_source())
    assert json.loads(measured.report_path.read_text("utf-8")) == {
        "data": "digits",
        "protocol": dataset.protocol,
        "training_images": 200,
        "model_digest": hn.models.weights_digest(measured.model()),
        "undecodable": {"query": [], "database": []},
        "retrieval": report.as_dict(),
    }
    assert (report.queries, report.database, report.at) == (200, 1597, 100)


def test_codes_are_the_models_of_each_part(measured):
    dataset = hn.datasets.load(**measured.config().data_source())
    model = measured.model()
    for part in ("query", "database"):
        images = getattr(dataset, part)
        code_set = CodeSet.load(measured.codes_path(part))
        pixels = hn.datasets.pixel_array(images, (8, 8))
        np.testing.assert_array_equal(code_set.codes, model.encode(pixels))
        np.testing.assert_array_equal(code_set.labels, images.labels)
        assert code_set.ids == images.names
        assert code_set.manifest["protocol"] == dataset.protocol
        assert code_set.manifest["images"] == {
            **measured.config().data_source(),
            "part": part,
        }


def test_measured_again_the_codes_are_not_made_again(measured):
    codes = [
        path
        for part in ("query", "database")
        for path in measured.codes_path(part).iterdir()
    ]
    times = [path.stat().st_mtime_ns for path in codes]
    report = evaluate_run(str(measured.path), at=50)
    assert [path.stat().st_mtime_ns for path in codes] == times
    assert measured.report()["retrieval"] == report.as_dict()
    assert report.at == 50
    evaluate_run(measured.path, at=100)


@pytest.mark.parametrize("at", [0, -1])
def test_refuses_ranks_that_are_none(at, measured):
    before = measured.report_path.read_bytes()
    with pytest.raises(ValueError, match=f"Received: at={at}"):
        evaluate_run(measured.path, at)
    assert measured.report_path.read_bytes() == before


def test_needs_a_trained_run(config_of, tmp_path):
    with pytest.raises(ValueError, match="Received: no .*config.json$"):
        evaluate_run(tmp_path)
    RunDirectory(tmp_path).write_settings(config_of())
    with pytest.raises(ValueError, match="Received: no .*model.keras$"):
        evaluate_run(tmp_path)
    assert not (tmp_path / "codes").exists()
