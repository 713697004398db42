import re

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.tools import export


@pytest.fixture(scope="module")
def exported(hashnet, trained):
    """The run after an export without and one with int8, and both ends."""
    run, _ = trained
    plain = hashnet("export", f"--workdir={run.path}")
    int8 = hashnet("export", f"--workdir={run.path}", "--quantize=int8")
    return run, plain, int8


def moved(text):
    """For each artefact the bits moved and compared, as it was printed."""
    found = re.findall(r"^(.*): ([\d,]+) of ([\d,]+) bits differ", text, re.M)
    return {
        path: (int(a.replace(",", "")), int(b.replace(",", "")))
        for path, a, b in found
    }


def test_both_artefacts_give_the_models_bits(exported):
    run, ended, _ = exported
    assert ended.code == 0
    # 200 queries of 12 bits.
    assert moved(ended.out) == {
        str(run.export_path / "saved_model" / "1"): (0, 2400),
        str(run.export_path / "encoder.tflite"): (0, 2400),
    }


def test_the_files_encode(exported):
    run, _, _ = exported
    dataset = hn.datasets.load(**run.config().data_source())
    pixels = hn.datasets.pixel_array(dataset.query, (8, 8))
    encoder = hn.export.LiteRTEncoder(run.export_path / "encoder.tflite")
    expected = run.model().encode(pixels)
    np.testing.assert_array_equal(encoder.encode(pixels), expected)


def test_quantized_bits_are_counted(exported):
    run, _, ended = exported
    assert ended.code == 0
    path = run.export_path / "encoder_int8.tflite"
    counts = moved(ended.out)
    assert counts[str(run.export_path / "saved_model" / "2")] == (0, 2400)
    dataset = hn.datasets.load(**run.config().data_source())
    pixels = hn.datasets.pixel_array(dataset.query, (8, 8))
    codes = hn.export.LiteRTEncoder(path).encode(pixels)
    differ = np.unpackbits(codes ^ run.model().encode(pixels)).sum()
    assert counts[str(path)] == (differ, 2400)
    # Ranges taken from other images than those it is for would move most.
    assert differ < 0.1 * 2400


def test_no_version_is_overwritten(exported):
    run, _, _ = exported
    folder = run.export_path / "saved_model"
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2"]


@pytest.mark.parametrize(
    "names, version",
    [
        ([], 1),
        (["1"], 2),
        (["2", "9", "10"], 11),
        (["notes", ".12.3", "1.5"], 1),
    ],
)
def test_the_next_version(names, version, tmp_path):
    for name in names:
        (tmp_path / name).mkdir()
    assert export._next_version(tmp_path) == version
    assert export._next_version(tmp_path / "missing") == 1


def test_other_bits_end_with_1(exported, fails, monkeypatch):
    run, _, _ = exported

    def to_saved_model(model, directory, version):
        return run.export_path / "saved_model" / "1"

    def check(path, model, images):
        raise hn.export.ParityError(f"{path} does not give the model's bits.")

    monkeypatch.setattr(hn.export, "to_saved_model", to_saved_model)
    monkeypatch.setattr(hn.export, "check_saved_model", check)
    line = fails("export", f"--workdir={run.path}", code=1)
    assert line.endswith("saved_model/1 does not give the model's bits.")
