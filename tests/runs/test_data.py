import importlib

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf._files import write_json
from hashnet_tf.runs import Run
from hashnet_tf.runs.data import run_data

MODULE = importlib.import_module("hashnet_tf.runs.data")

PARTS = ("train", "query", "database")


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run")


@pytest.fixture
def config(config_of, make_folder):
    """Makes settings of a run on `config.folder` and gives the folder."""

    def make(**settings):
        folder = make_folder()
        settings = {
            "query_per_class": 2,
            "train_per_class": 8,
            "batch_size": 8,
            **settings,
        }
        return config_of(data=f"folder:{folder}", **settings), folder

    return make


def names(dataset):
    return {part: getattr(dataset, part).names for part in PARTS}


def test_is_the_data_set_of_the_settings(config, run):
    settings, _ = config()
    dataset, record = run_data(run, settings)
    expected = hn.datasets.load(**settings.data_source())
    assert names(dataset) == names(expected)
    assert (dataset.name, dataset.protocol) == (
        expected.name,
        expected.protocol,
    )
    assert list(record) == [*PARTS, "files"]
    assert all(record[part]["undecodable"] == [] for part in PARTS)
    assert record["files"] == {
        "found": 36,
        "used": 36,
        "refused": {},
        "passed_over": {},
    }
    assert not run.path.exists()


def test_of_a_written_record_it_is_the_same(config, run):
    settings, _ = config()
    dataset, record = run_data(run, settings)
    write_json(run.data_path, record)
    again, same = run_data(run, settings)
    assert names(again) == names(dataset)
    assert same == record


def test_a_record_of_before_has_no_account(config, run):
    settings, folder = config()
    _, record = run_data(run, settings)
    del record["files"]
    write_json(run.data_path, record)
    (folder / "note.txt").touch()
    dataset, same = run_data(run, settings)
    assert same == record
    assert dataset.account.passed_over == {".txt": 1}


def spoil(folder, dataset):
    """Spoils a query and a training image; returns their names."""
    chosen = [dataset.query.names[3], dataset.train.names[5]]
    for name in chosen:
        (folder / name).write_text("no image")
    return chosen


def test_nothing_is_decoded_where_nothing_is_left_out(config, run, monkeypatch):
    settings, _ = config()
    monkeypatch.setattr(MODULE, "refusals", None)
    run_data(run, settings)


def test_each_image_is_looked_through_once(config, run, monkeypatch):
    settings, folder = config(skip_undecodable=True, train_per_class=None)
    seen = []

    def counting(images):
        seen.extend(images.names)
        return find(images)

    find = MODULE.refusals
    monkeypatch.setattr(MODULE, "refusals", counting)
    run_data(run, settings)
    # The training images lie in the database, and are not decoded again.
    assert sorted(seen) == sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*.png")
    )


def test_files_that_are_no_images_are_left_out(config, run):
    settings, folder = config(skip_undecodable=True)
    whole = hn.datasets.load(**settings.data_source())
    query, train = spoil(folder, whole)
    dataset, record = run_data(run, settings)
    assert {part: record[part]["undecodable"] for part in PARTS} == {
        "train": [train],
        "query": [query],
        "database": [train],
    }
    reason = "not an image"
    assert record["files"]["refused"] == {train: reason, query: reason}
    assert record["files"]["used"] == 34
    for part in PARTS:
        images, kept = getattr(whole, part), getattr(dataset, part)
        left = [n for n in images.names if n not in (query, train)]
        assert kept.names == left
        labels = dict(zip(images.names, images.labels, strict=True))
        assert kept.labels.tolist() == [labels[name] for name in left]


def test_what_was_left_out_is_not_looked_for_again(
    config, run, monkeypatch, write_images
):
    settings, folder = config(skip_undecodable=True)
    spoiled = spoil(folder, hn.datasets.load(**settings.data_source()))
    dataset, record = run_data(run, settings)
    write_json(run.data_path, record)
    # Repaired since, they would be strangers to the run all the same.
    write_images(folder, spoiled)
    monkeypatch.setattr(MODULE, "refusals", None)
    again, same = run_data(run, settings)
    assert names(again) == names(dataset)
    assert same == record


def add(folder, write_images):
    write_images(folder, ["b/99.png"])


def rename(folder, write_images):
    (folder / "b" / "04.png").rename(folder / "b" / "4.png")


def relabel(folder, write_images):
    (folder / "b" / "04.png").rename(folder / "c" / "04b.png")


def test_what_is_loaded_is_taken_as_it_is(config, run, monkeypatch):
    settings, _ = config()
    loaded = run_data(Run(run.path / "other"), settings)
    monkeypatch.setattr(MODULE, "load", None)
    assert run_data(run, settings, loaded) is loaded
    write_json(run.data_path, loaded[1])
    assert run_data(run, settings, loaded) is loaded


def test_what_is_loaded_must_be_what_the_run_began_with(
    config, run, write_images
):
    settings, folder = config()
    write_json(run.data_path, run_data(run, settings)[1])
    add(folder, write_images)
    loaded = run_data(Run(run.path / "other"), settings)
    with pytest.raises(ValueError, match="Received: folder:.*database"):
        run_data(run, settings, loaded)


@pytest.mark.parametrize("change", [add, rename, relabel])
def test_a_source_that_has_changed_is_refused(
    change, config, run, write_images
):
    settings, folder = config()
    _, record = run_data(run, settings)
    write_json(run.data_path, record)
    change(folder, write_images)
    with pytest.raises(ValueError, match="Received: folder:.*database"):
        run_data(run, settings)


def test_changed_labels_are_refused(make_lists, config_of, run):
    folder, _ = make_lists()
    settings = config_of(data=f"lists:{folder}", train_per_class=None)
    _, record = run_data(run, settings)
    write_json(run.data_path, record)
    lines = (folder / "query.txt").read_text().splitlines()
    name, *labels = lines[1].split()
    lines[1] = " ".join([name, *("10"[int(label)] for label in labels)])
    (folder / "query.txt").write_text("\n".join(lines))
    with pytest.raises(ValueError, match="other names or labels in query$"):
        run_data(run, settings)


def test_a_copy_elsewhere_in_time_is_the_same(config, run, write_images):
    settings, folder = config()
    _, record = run_data(run, settings)
    write_json(run.data_path, record)
    for path in folder.rglob("*.png"):
        path.write_bytes(path.read_bytes())
    assert run_data(run, settings)[1] == record


def test_a_training_part_of_one_class_is_refused(config, run):
    settings, folder = config(skip_undecodable=True)
    dataset = hn.datasets.load(**settings.data_source())
    labels = np.asarray(dataset.train.labels)
    for i in np.flatnonzero(labels > 0):
        (folder / dataset.train.names[i]).write_text("no image")
    with pytest.raises(ValueError, match="Received: folder:.* with 1$"):
        run_data(run, settings)
