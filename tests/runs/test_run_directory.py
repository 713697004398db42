import dataclasses
import json

import pytest

from hashnet_tf.runs import RunDirectory


def test_all_lies_in_the_folder(tmp_path):
    run = RunDirectory(str(tmp_path / "run"))
    paths = [value for value in vars(run).values() if value is not run.path]
    paths += [run.codes_path("query"), run.codes_path("database")]
    assert len(set(paths)) == len(paths) == 14
    assert all(path.is_relative_to(run.path) for path in paths)
    # To name a run makes nothing.
    assert not run.path.exists()


def test_settings(config_of, tmp_path):
    run = RunDirectory(tmp_path / "new" / "run")
    config = config_of(alpha=0.5)
    run.check_settings(config)
    assert not run.path.exists()
    run.write_settings(config)
    assert run.config() == config
    run.check_settings(config_of(alpha=0.5))


def test_other_settings_are_told(config_of, tmp_path):
    run = RunDirectory(tmp_path)
    run.write_settings(config_of())
    other = dataclasses.replace(config_of(), bits=16, weights="imagenet")
    with pytest.raises(ValueError) as error:
        run.check_settings(other)
    assert str(error.value).endswith(
        "Received: weights='imagenet' instead of None, bits=16 instead of 12"
    )
    assert str(tmp_path) in str(error.value)
    assert run.config() == config_of()


def test_data_record(tmp_path):
    run = RunDirectory(tmp_path / "run")
    assert run.data_record() is None
    run.write_data_record({"train": {"digest": "d"}})
    assert run.data_record() == {"train": {"digest": "d"}}


def test_what_is_not_there_yet(tmp_path):
    run = RunDirectory(tmp_path)
    with pytest.raises(ValueError, match=f"Received: no {run.config_path}$"):
        run.config()
    with pytest.raises(ValueError, match=f"Received: no {run.model_path}$"):
        run.model()
    with pytest.raises(ValueError, match=f"Received: no {run.report_path}$"):
        run.report()


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "must be JSON. Received: Expecting"),
        ('["not", "mine"]', r"Received: \['not', 'mine'\]$"),
        ('{"name": "of another program"}', "Received: name$"),
    ],
)
def test_a_config_of_another_kind(text, message, config_of, tmp_path):
    run = RunDirectory(tmp_path)
    run.config_path.write_text(text)
    with pytest.raises(ValueError, match=message):
        run.check_settings(config_of())
    assert run.config_path.read_text() == text


def test_report(tmp_path):
    run = RunDirectory(tmp_path)
    run.report_path.write_text(json.dumps({"data": "größer"}), "utf-8")
    assert run.report() == {"data": "größer"}
