import dataclasses
import itertools
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf._files import write_json
from hashnet_tf.runs import Run, train
from hashnet_tf.runs.folder import read_record


def test_all_lies_in_the_folder(tmp_path):
    run = Run(str(tmp_path / "run"))
    paths = [v for k, v in vars(run).items() if k.endswith("_path")]
    paths += [run.codes_path("query"), run.codes_path("database")]
    assert len(set(paths)) == len(paths) == 14
    assert all(path.is_relative_to(run.path) for path in paths)
    # To name a run makes nothing.
    assert not run.path.exists()


def test_other_settings_are_told(config_of, tmp_path):
    run = Run(tmp_path)
    write_json(run.config_path, config_of().as_dict())
    other = dataclasses.replace(config_of(), bits=16, weights="imagenet")
    with pytest.raises(ValueError) as error:
        train(other, tmp_path)
    assert str(error.value).endswith(
        "Received: weights='imagenet' instead of None, bits=16 instead of 12"
    )
    assert str(tmp_path) in str(error.value)
    assert run.config == config_of()


def test_data_record(tmp_path):
    run = Run(tmp_path / "run")
    assert read_record(run) is None
    part = {"digest": "d", "undecodable": []}
    record = {name: part for name in ("train", "query", "database")}
    write_json(run.data_path, record)
    assert read_record(run) == record


def test_what_is_not_there_yet(tmp_path):
    run = Run(tmp_path)
    for name, path in (
        ("config", run.config_path),
        ("model", run.model_path),
        ("encoder", run.model_path),
        ("report", run.report_path),
        ("history", run.records_path),
        ("dataset", run.config_path),
    ):
        with pytest.raises(ValueError, match=f"Received: no {path}$"):
            getattr(run, name)
    for work in (run.evaluate, run.export):
        with pytest.raises(ValueError, match=f"no {run.config_path}$"):
            work()
    for work in (run.search, run.encode):
        with pytest.raises(ValueError, match=f"no {run.model_path}$"):
            work("a.png")


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "to begin anew. Received: JSONDecodeError.*Expecting"),
        ('["not", "mine"]', r"Received: \['not', 'mine'\]"),
        ('{"name": "of another program"}', "Received: name"),
        ("{}", "Received: data=None"),
        ("", "config.json must be whole"),
    ],
)
def test_a_config_of_another_kind(text, message, config_of, tmp_path):
    run = Run(tmp_path)
    run.config_path.write_text(text)
    with pytest.raises(ValueError, match=message):
        train(config_of(), tmp_path)
    assert run.config_path.read_text() == text


def test_report(tmp_path):
    run = Run(tmp_path)
    written = {"data": "größer", "model_digest": "m", "retrieval": {}}
    run.report_path.write_text(json.dumps(written), "utf-8")
    assert run.report == written


# What of a run is read back, and how.
READ_BACK = {
    "config.json": lambda run: run.config,
    "data.json": lambda run: read_record(run),
    "report.json": lambda run: run.report,
    "model.keras": lambda run: run.model,
    "logs/records.jsonl": lambda run: run.history,
    "logs/g_before.npy": lambda run: run.draw(),
    "logs/g_after.npy": lambda run: run.draw(),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage, digests",
    [
        *itertools.product(["empty", "{}", "half"], [True, False]),
        # It may be read still, where no digest was kept.
        ("a byte", True),
    ],
)
@pytest.mark.parametrize("name", READ_BACK)
def test_a_damaged_file_is_named_with_what_to_do(
    name, damage, digests, measured, tmp_path
):
    run = Run(tmp_path / "run")
    shutil.copytree(measured.path, run.path)
    READ_BACK[name](Run(run.path))
    path = run.path / name
    content = bytearray(path.read_bytes())
    if damage == "a byte":
        content[len(content) // 2] ^= 1
    contents = {"empty": b"", "{}": b"{}", "half": content[:-99]}
    path.write_bytes(contents.get(damage, content))
    if not digests:
        (path.parent / "digests.json").unlink()
    with pytest.raises(ValueError) as error:
        READ_BACK[name](Run(run.path))
    told = str(error.value)
    assert told.startswith(f"{path} must be whole, as it was written; ")
    assert "anew" in told or "again" in told or "delete it" in told


@pytest.mark.parametrize("text", ["{", "[]", '{"config.json": 3}'])
def test_damaged_digests_are_named_too(text, measured, tmp_path):
    shutil.copytree(measured.path, tmp_path / "run")
    (tmp_path / "run" / "digests.json").write_text(text)
    with pytest.raises(ValueError, match="digests.json must hold digests by"):
        _ = Run(tmp_path / "run").config


def test_draws_both(measured, tmp_path):
    shutil.copytree(measured.logs_path, tmp_path / "run" / "logs")
    paths = Run(tmp_path / "run").draw()
    figures = tmp_path / "run" / "figures"
    assert paths == [figures / "training.png", figures / "code_histogram.png"]
    for path in paths:
        assert np.asarray(Image.open(path).convert("L")).std() > 5


def test_needs_a_finished_training(measured, tmp_path):
    run = Run(tmp_path)
    shutil.copytree(measured.logs_path, run.logs_path)
    run.codes_after_path.unlink()
    with pytest.raises(ValueError, match=f"no {run.codes_after_path}$"):
        Run(tmp_path).draw()


def test_history_is_what_was_recorded(measured):
    lines = measured.records_path.read_text("utf-8").splitlines()
    assert measured.history == [json.loads(line) for line in lines]
    assert [row["step"] for row in measured.history] == [0, 4, 8, 12]


def test_model_and_data_are_loaded_once(measured, monkeypatch):
    run = Run(measured.path)
    model, dataset, encoder = run.model, run.dataset, run.encoder
    monkeypatch.setattr(keras.saving, "load_model", None)
    monkeypatch.setattr("hashnet_tf.runs.data.load", None)
    assert run.model is model
    assert run.dataset is dataset
    assert run.encoder is encoder


@pytest.mark.slow
def test_one_command_opens_the_data_once(
    config_of, make_folder, tmp_path, monkeypatch
):
    loads = []

    def counting(*arguments, **options):
        loads.append(options)
        return load(*arguments, **options)

    load = hn.datasets.load
    monkeypatch.setattr("hashnet_tf.runs.data.load", counting)
    config = config_of(
        data=f"folder:{make_folder()}",
        train_per_class=None,
        batch_size=8,
        epochs=1,
    )
    run = train(config, tmp_path / "run")
    run.draw()
    run.evaluate(at=5)
    assert len(loads) == 1


@pytest.mark.slow
def test_encodes_arrays_and_files(measured, queries, tmp_path):
    first = queries.first(3)
    pixels = hn.datasets.pixel_array(first, (8, 8))
    paths = []
    for i, image in enumerate(pixels):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(image).save(paths[-1])
    expected = np.packbits(
        measured.model.predict(pixels, verbose=0) >= 0, axis=1
    )
    for given in (pixels, list(pixels), paths, list(map(str, paths))):
        np.testing.assert_array_equal(measured.encode(given), expected)
    for given in (pixels[1], paths[1], str(paths[1])):
        np.testing.assert_array_equal(measured.encode(given), expected[1:2])
    found = measured.search(paths, k=4)
    of_pixels = measured.search(pixels, k=4)
    np.testing.assert_array_equal(found.indices, of_pixels.indices)
    np.testing.assert_array_equal(found.images, pixels)


@pytest.mark.parametrize("part", ["query", "database"])
def test_a_part_is_a_code_set_with_the_names_of_the_classes(part, measured):
    there = hn.runs.CodeSet.load(measured.codes_path(part))
    assert there.class_names == [str(digit) for digit in range(10)]
    again = measured.encode_part(part)
    np.testing.assert_array_equal(again.codes, there.codes)
    assert again.manifest == there.manifest


@pytest.mark.parametrize(
    "part",
    [
        {"digest": "d", "undecodable": [[]]},
        {"digest": None, "undecodable": []},
        {"digest": "d", "undecodable": 3},
    ],
)
def test_a_record_of_something_else_is_refused(part, tmp_path):
    # Without a digest, as version 0.1 wrote it.
    run = Run(tmp_path)
    write_json(
        run.data_path, dict.fromkeys(["train", "query", "database"], part)
    )
    with pytest.raises(ValueError, match="data.json must be whole"):
        read_record(run)
