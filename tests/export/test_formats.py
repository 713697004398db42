"""The registry of formats, and that a new one needs no more than its line."""

import argparse
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf._files import write_json
from hashnet_tf.export.formats import (
    FORMATS,
    Bound,
    ExportFormat,
    format_of,
    usual_formats,
    ways_to_quantize,
)
from hashnet_tf.models import weights_digest
from hashnet_tf.tools import export

# Everything that a format is, in one file: here the network itself, of which
# "coarse" keeps the first bit of each byte alone.
TOY = """
import json
import pathlib
import shutil

import keras

import hashnet_tf as hn


def to_toy(model, path, quantize=None):
    path.mkdir(parents=True, exist_ok=True)
    model.save(path / "model.keras")
    (path / "told.json").write_text(json.dumps(quantize))
    return path


def to_reported(model, path, report):
    told = None if report is None else report.as_dict()
    (to_toy(model, path) / "report.json").write_text(json.dumps(told))
    return path


class ToyEncoder:
    def __init__(self, path):
        self.model = keras.models.load_model(path / "model.keras")
        self.quantize = json.loads((path / "told.json").read_text())

    def encode(self, images):
        codes = self.model.encode(images)
        return codes & 128 if self.quantize == "coarse" else codes


def check_toy(path, model, images):
    encoder = ToyEncoder(path)
    if encoder.quantize is None:
        if (encoder.encode(images) != model.encode(images)).any():
            raise hn.export.ParityError(f"{path} gives other bits.")
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A format in one file of its own, registered by one line."""
    (tmp_path / "toy_format.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path)
    toy = ExportFormat(
        title="Toy",
        write="toy_format:to_toy",
        check="toy_format:check_toy",
        open="toy_format:ToyEncoder",
        options=("quantize",),
        suffix=".toy",
        bounds={None: None, "coarse": Bound(1.0, 1.0)},
    )
    monkeypatch.setitem(FORMATS, "toy", toy)
    yield toy
    sys.modules.pop("toy_format", None)


@pytest.fixture(scope="module")
def run(config_of, tiny_backbone, tmp_path_factory):
    """Folder of a run whose network is as it was before the first step.

    A format writes whatever network there is: no training is needed.
    """
    run = hn.runs.Run(tmp_path_factory.mktemp("run") / "digits")
    config = config_of()
    _, record = run.load_data(config)
    run.path.mkdir()
    write_json(run.config_path, config.as_dict(), seal=True)
    write_json(run.data_path, record, seal=True)
    hn.HashNet(tiny_backbone((8, 8, 3)), 12).save(run.model_path)
    return run.path


def export_toy(run, **options):
    return hn.export.export_run(
        run,
        ["toy"],
        [None, "coarse", "float16"],
        at=20,
        queries=30,
        database=50,
        **options,
    )


@pytest.mark.slow
def test_a_format_of_one_file_and_one_line_is_exported(toy, run):
    report = export_toy(run)
    assert report.broken == []
    exact, coarse = report.measurements
    assert exact.parity.artefact == str(run / "export" / "encoder.toy")
    assert coarse.parity.artefact == str(run / "export" / "encoder_coarse.toy")
    assert (exact.quantize, coarse.quantize) == (None, "coarse")
    assert exact.parity.bits_moved == 0 and exact.map == report.map
    # All ones but the first of each byte are lost.
    assert 0 < coarse.parity.bits_moved <= 10 * 30
    assert exact.bytes > 1000 and exact.milliseconds > 0
    encoder = hn.export.load_encoder(run / "export" / "encoder_coarse.toy")
    assert encoder.quantize == "coarse"
    for measurement in report.measurements:
        assert f"{measurement.parity.bits_moved} of 360" in report.table()


def test_its_bound_is_kept(toy, run, monkeypatch, tmp_path):
    strict = dataclasses.replace(
        toy, bounds={None: None, "coarse": Bound(0.0)}, suffix=".strict"
    )
    monkeypatch.setitem(FORMATS, "toy", strict)
    (broken,) = export_toy(run).broken
    assert broken.startswith("encoder_coarse.strict: ")
    assert "coarse may move 0%" in broken
    assert (run / "export" / "encoder.strict").is_dir()
    assert not (run / "export" / "encoder_coarse.strict").exists()
    assert (run / "export" / "refused" / "encoder_coarse.strict").is_dir()
    # A folder is replaced as a file is.
    (run / "export" / "encoder.strict" / "old").write_text("")
    export_toy(run)
    assert not (run / "export" / "encoder.strict" / "old").exists()


def test_a_report_is_carried_if_it_is_of_the_model(
    toy, run, tmp_path, monkeypatch
):
    reported = dataclasses.replace(
        toy,
        write="toy_format:to_reported",
        options=("report",),
        bounds={None: None},
    )
    monkeypatch.setitem(FORMATS, "toy", reported)
    there = tmp_path / "run"
    shutil.copytree(run, there, ignore=shutil.ignore_patterns("export"))
    codes, labels = np.uint8([[0, 0], [255, 240]]), np.array([0, 1])
    report = hn.retrieval.evaluate(codes, codes, labels, labels, 12, at=2)
    own = weights_digest(hn.runs.Run(run).model)
    wanted = json.loads(json.dumps(report.as_dict()))
    for digest, carried in ((own, wanted), ("of another", None)):
        written = {"model_digest": digest, "retrieval": report.as_dict()}
        write_json(hn.runs.Run(there).report_path, written, seal=True)
        hn.export.export_run(there, ["toy"], queries=9, database=30)
        told = there / "export" / "encoder.toy" / "report.json"
        assert json.loads(told.read_text()) == carried


def test_it_is_among_the_choices(toy):
    assert "coarse" in ways_to_quantize()
    parser = argparse.ArgumentParser()
    export.add_arguments(parser)
    chosen = parser.parse_args(
        ["--workdir=x", "--format=toy", "--quantize=none,coarse"]
    )
    assert chosen.format == ["toy"]
    assert chosen.quantize == ["none", "coarse"]
    assert "saved_model,litert,web,onnx,toy" in parser.format_help()


@pytest.mark.parametrize(
    "formats, quantize, received",
    [
        ([], [None], "formats=()"),
        (["litert", "keras"], [None], "formats=('litert', 'keras')"),
        (["litert"], [None, "int4"], "quantize=(None, 'int4')"),
    ],
)
def test_refuses_what_is_not_registered(formats, quantize, received, tmp_path):
    with pytest.raises(ValueError) as error:
        hn.export.export_run(tmp_path, formats, quantize)
    assert str(error.value).endswith(f"Received: {received}")


def test_every_function_is_there():
    for kind in FORMATS.values():
        for role in ("write", "check", "open"):
            assert callable(kind.function(role))
        assert None in kind.bounds and kind.bounds[None] is None
        assert ("quantize" in kind.options) == (len(kind.bounds) > 1)


def test_an_extra_is_one_of_setup_py():
    setup = (pathlib.Path(__file__).parents[2] / "setup.py").read_text()
    extras = {kind.extra for kind in FORMATS.values()} - {""}
    assert all(f'"{extra}": ' in setup for extra in extras)
    # What nobody asked for needs none.
    assert not [n for n in usual_formats() if FORMATS[n].extra]


def test_names_in_a_run(tmp_path):
    assert FORMATS["saved_model"].file_name("saved_model") == "saved_model"
    assert FORMATS["litert"].file_name("litert") == "encoder.tflite"
    assert (
        FORMATS["litert"].file_name("litert", "int8") == "encoder_int8.tflite"
    )
    assert format_of(tmp_path) is FORMATS["saved_model"]
    assert FORMATS["web"].file_name("web") == "encoder_web.tflite"
    assert format_of(tmp_path / "a.tflite") is FORMATS["litert"]
    # Of the two suffixes that fit, the longer.
    assert format_of(tmp_path / "encoder_web.tflite") is FORMATS["web"]
    assert FORMATS["onnx"].file_name("onnx") == "encoder.onnx"
    assert format_of(tmp_path / "a.onnx") is FORMATS["onnx"]
    assert format_of(tmp_path / "a") is FORMATS["litert"]


def test_formats_are_listed_without_tensorflow():
    code = (
        "import sys; from hashnet_tf.export.formats import ways_to_quantize;"
        " ways_to_quantize(); import hashnet_tf.export as e; e.FORMATS;"
        " sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
