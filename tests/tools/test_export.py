import dataclasses
import json
import re
import shutil

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf._files import only_writer
from hashnet_tf.export import (
    from_run,
    model_card,
    parity,
    saved_model,
    web_file,
)
from hashnet_tf.export.formats import Bound
from hashnet_tf.export.from_run import exported_version
from hashnet_tf.export.saved_model_encoder import DESCRIPTION
from hashnet_tf.runs import CodeSet, Run

WAYS = ["none", "float16", "dynamic", "int8"]


@pytest.fixture(scope="module")
def run(measured, tmp_path_factory):
    """A copy of the measured run, for exports of its own."""
    path = tmp_path_factory.mktemp("export") / "run"
    shutil.copytree(measured[0].path, path)
    return Run(path)


@pytest.fixture(scope="module")
def exported(hashnet, run):
    """How an export of everything ended."""
    return hashnet(
        "export",
        f"--workdir={run.path}",
        f"--quantize={','.join(WAYS)}",
        "--serving=digits",
        "--at=100",
    )


def rows(text):
    """For each artefact `(MB, moved, compared, MAP)` as it was printed."""
    found = re.findall(
        r"^(\S+) +([\d.]+) +([\d,]+) of ([\d,]+) \([\d.]+% \+- [\d.]+%\) +"
        r"(?:-|\S+ to \S+) +([\d.]+) \+- [\d.]+ +\d+$",
        text,
        re.M,
    )
    return {
        name: (
            float(size),
            int(moved.replace(",", "")),
            int(compared.replace(",", "")),
            float(map_),
        )
        for name, size, moved, compared, map_ in found
    }


def queries(run):
    dataset = hn.datasets.load(**run.config.data_source())
    return dataset, hn.datasets.pixel_array(dataset.query, (8, 8))


@pytest.mark.slow
def test_prints_a_row_for_each_artefact(exported, run):
    assert (exported.code, exported.err) == (0, "")
    table = rows(exported.out)
    names = ["", "_float16", "_dynamic", "_int8"]
    files = [f"encoder{name}.tflite" for name in [*names, "_web"]]
    assert list(table) == ["saved_model/1", *files]
    report = run.report["retrieval"]
    _, pixels = queries(run)
    for name, (size, moved, compared, map_) in table.items():
        encoder = hn.export.load_encoder(run.export_path / name)
        differ = encoder.encode(pixels) ^ run.model.encode(pixels)
        # 200 queries of 12 bits.
        assert (moved, compared) == (np.bitwise_count(differ).sum(), 2400)
        path = run.export_path / name
        if path.is_file():
            assert size == pytest.approx(path.stat().st_size / 1e6, abs=5e-3)
        assert map_ == pytest.approx(report["map"], abs=0.01)
    for name in ("saved_model/1", "encoder.tflite", "encoder_web.tflite"):
        assert table[name][1] == 0
        assert table[name][3] == pytest.approx(report["map"], abs=5e-5)
    assert f"Keras{' ' * 10}" in exported.out


@pytest.mark.slow
def test_the_saved_model_carries_the_report(exported, run):
    encoder = hn.export.load_encoder(run.export_path / "saved_model")
    assert encoder.description["retrieval"] == run.report["retrieval"]


@pytest.mark.slow
def test_the_card_tells_of_each_file(exported, run, hashnet):
    folder = run.export_path
    told = json.loads((folder / "model_card.json").read_text("utf-8"))
    assert list(told["files"]) == list(rows(exported.out))
    for name, (_, moved, compared, map_) in rows(exported.out).items():
        row = told["files"][name]
        assert (row["bits_moved"], row["bits_compared"]) == (moved, compared)
        assert row["map"] == pytest.approx(map_, abs=5e-5)
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    report = run.report
    assert f"{report['retrieval']['map']:.4f} (tie-aware)" in card
    assert run.dataset.protocol in card and report["model_digest"] in card
    assert "The files themselves: yours to say." in card
    # Another export keeps the rows of what is there, and no others.
    (folder / "encoder_float16.tflite").unlink()
    words = ["--format=litert", "--queries=9", "--database=30", "--at=100"]
    assert hashnet("export", f"--workdir={run.path}", *words).code == 0
    told = json.loads((folder / "model_card.json").read_text("utf-8"))
    assert set(told["files"]) == {
        "saved_model/1",
        "encoder.tflite",
        "encoder_dynamic.tflite",
        "encoder_int8.tflite",
        "encoder_web.tflite",
    }
    assert told["files"]["encoder.tflite"]["bits_compared"] == 9 * 12


def test_a_card_names_no_folders(photo_run_settings):
    """Nor does it claim to know what it cannot."""
    run, told = photo_run_settings
    assert told["data"] == "folder:photographs"
    assert told["weights"] == "mine.weights.h5"
    assert "ask who made it" in told["weights_licence"]
    assert told["retrieval"] is None and told["expectation"] is None


@pytest.fixture
def photo_run_settings(run, tmp_path, monkeypatch):
    config = dataclasses.replace(
        run.config,
        data=f"folder:{tmp_path}/photographs",
        weights=str(tmp_path / "mine.weights.h5"),
    )
    copy = Run(tmp_path / "run")
    known = {"dataset": run.dataset, "model": run.model, "config": config}
    for name, value in known.items():
        monkeypatch.setattr(Run, name, value)
    return copy, model_card._told(copy)


@pytest.mark.slow
def test_the_bundle_serves_it_by_name(exported, run):
    text = (run.export_path / "serving" / "models.config").read_text()
    assert 'name: "digits"' in text and "versions: 1" in text
    assert exported.out.endswith("serving/README.md\n")


def test_one_export_at_a_time(run, fails):
    with only_writer(run.export_path):
        line = fails("export", f"--workdir={run.path}")
    assert f"{run.export_path} must be written by one process" in line


@pytest.mark.slow
def test_one_format_and_flags_of_the_files(run, hashnet):
    ended = hashnet(
        "export",
        f"--workdir={run.path}",
        "--format=litert",
        "--z",
        "--batch_size=4",
        "--queries=9",
        "--database=30",
    )
    assert ended.code == 0
    assert "on 9 queries, MAP among 30 of the database" in ended.out
    assert list(rows(ended.out)) == ["encoder.tflite"]
    encoder = hn.export.LiteRTEncoder(run.export_path / "encoder.tflite")
    assert encoder.batch_size == 4
    _, pixels = queries(run)
    z = run.model.logits(pixels[:9], training=False)
    np.testing.assert_allclose(encoder.embed(pixels[:9]), z, atol=1e-4)


@pytest.mark.slow
def test_other_bits_end_with_1_and_leave_no_file(
    exported, run, fails, monkeypatch
):
    def moved(model, images):
        codes, size = bits(model, images)
        return codes ^ 128, size

    bits = parity.model_bits
    folder = run.export_path / "saved_model"
    before = sorted(folder.iterdir())
    to_saved_model = hn.export.to_saved_model

    def unchecked(*arguments, **options):
        path = to_saved_model(*arguments, **options)
        monkeypatch.setattr(parity, "model_bits", moved)
        return path

    monkeypatch.setattr(saved_model, "to_saved_model", unchecked)
    line = fails(
        "export", f"--workdir={run.path}", "--format=saved_model", code=1
    )
    # The first bit of either byte, but where z is within rounding of 0.
    _, pixels = queries(run)
    size = np.abs(run.model.logits(pixels, training=False))
    wrong = (size[:, [0, 8]] > parity.TOLERANCE * size.max()).sum()
    assert f"the model's bits: {wrong} of 2400 differ" in line
    assert sorted(folder.iterdir()) == before


@pytest.mark.slow
def test_a_bound_that_is_broken_ends_with_1(run, fails, monkeypatch):
    litert = hn.export.FORMATS["litert"]
    bounds = {**litert.bounds, "int8": Bound(-1.0)}
    strict = dataclasses.replace(litert, bounds=bounds)
    monkeypatch.setitem(hn.export.FORMATS, "litert", strict)
    words = ["--format=litert", "--quantize=none,int8", "--at=100"]
    line = fails("export", f"--workdir={run.path}", *words, code=1)
    aside = run.export_path / "refused" / "encoder_int8.tflite"
    assert f"It was put aside as {aside}." in line
    assert hn.export.LiteRTEncoder(aside).quantize == "int8"
    assert (run.export_path / "encoder.tflite").exists()
    assert not (run.export_path / ".unmeasured").exists()


def test_a_format_that_takes_no_such_network_takes_nothing_with_it(
    run, fails, monkeypatch
):
    def cannot(*arguments, **options):
        raise ValueError("`model` must be another.")

    monkeypatch.setattr(web_file, "to_web", cannot)
    words = ["--queries=9", "--database=30", "--at=100"]
    for names in ("web,litert", "web"):
        there = run.export_path / "encoder.tflite"
        there.unlink(missing_ok=True)
        code = 1 if "litert" in names else 2
        line = fails(
            *("export", f"--workdir={run.path}", f"--format={names}"),
            *words,
            code=code,
        )
        assert line.endswith("`model` must be another.")
        assert ("encoder_web.tflite was not written" in line) == (code == 1)
        assert there.exists() == (code == 1)


@pytest.mark.slow
def test_a_killed_export_leaves_what_was_there(run, hashnet, monkeypatch):
    words = ["export", f"--workdir={run.path}", "--queries=9"]
    words += ["--database=30", "--at=100", "--quantize=none,int8"]
    hashnet(*words)

    def listed():
        return sorted(
            (path.relative_to(run.export_path), path.stat().st_mtime_ns)
            for path in run.export_path.rglob("*")
            if path.is_file()
        )

    before = listed()

    def killed(*arguments):
        # Both are written by now.
        unmeasured = run.export_path / ".unmeasured"
        assert (unmeasured / "encoder_int8.tflite").is_file()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(from_run, "measure_encoders", killed)
        with pytest.raises(KeyboardInterrupt):
            run.export(quantize=[None, "int8"])
    assert listed() == before
    # Of one that had no time to tidy up.
    litter = run.export_path / ".unmeasured" / "saved_model" / "1"
    litter.mkdir(parents=True)
    (litter / "half").write_text("")
    hashnet(*words)
    assert not litter.exists()


@pytest.mark.slow
def test_a_bound_of_ones_own(run, hashnet, monkeypatch):
    litert = hn.export.FORMATS["litert"]
    bounds = {**litert.bounds, "int8": Bound(-1.0, 1.0)}
    strict = dataclasses.replace(litert, bounds=bounds)
    monkeypatch.setitem(hn.export.FORMATS, "litert", strict)
    words = ["--format=litert", "--quantize=int8", "--queries=9"]
    words += ["--database=30", "--allow=int8:1"]
    ended = hashnet("export", f"--workdir={run.path}", *words)
    assert (ended.code, ended.err) == (0, "")
    assert list(rows(ended.out)) == ["encoder_int8.tflite"]


def test_a_bound_that_is_no_share(run, fails):
    for word, received in {
        "int8:5": "int8:5.0",
        "none:0.1": "none:0.1",
        "int8:much": "int8:much",
        "0.1": "0.1",
    }.items():
        line = fails("export", f"--workdir={run.path}", f"--allow={word}")
        assert f"Received: {received}" in line


@pytest.mark.slow
def test_what_is_exported_is_served_and_not_made_again(
    run, hashnet, fails, monkeypatch, tmp_path
):
    copy = Run(tmp_path / "run")
    shutil.copytree(run.path, copy.path)
    shutil.rmtree(copy.export_path, ignore_errors=True)
    words = ["export", f"--workdir={copy.path}", "--serving=a"]
    words += ["--queries=9", "--database=30", "--at=100"]
    # A broken bound of another artefact is no reason not to serve.
    litert = hn.export.FORMATS["litert"]
    bounds = {**litert.bounds, "int8": Bound(-1.0)}
    strict = dataclasses.replace(litert, bounds=bounds)
    with monkeypatch.context() as patch:
        patch.setitem(hn.export.FORMATS, "litert", strict)
        fails(*words, "--quantize=int8", code=1)
    config = copy.export_path / "serving" / "models.config"
    assert "versions: 1" in config.read_text()
    config.unlink()
    monkeypatch.setattr(Run, "export", None)
    for flags in ([], ["--format=saved_model"]):
        ended = hashnet(*words, *flags)
        assert ended.code == 0
        assert "saved_model/1 is of this run's model" in ended.out
    assert "versions: 1" in config.read_text()
    # Another model's, or for other images, is not it.
    assert exported_version(copy) == copy.export_path / "saved_model" / "1"
    assert exported_version(copy, "float32") is None
    written = copy.export_path / "saved_model" / "1" / DESCRIPTION
    written.write_text("{}")
    assert exported_version(copy) is None


@pytest.mark.slow
def test_a_folder_for_browsers(run, hashnet, fails, tmp_path):
    from hashnet_tf.export import web

    npm, site = tmp_path / "npm", tmp_path / "site"
    for file in web._runtime_files(npm / "@litertjs").values():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(file.name)
    words = [f"--workdir={run.path}", f"--web={site}", f"--litertjs={npm}"]
    words += ["--format=web", "--queries=9", "--database=30", "--at=100"]
    ended = hashnet("export", *words, "--web_thumbnails")
    assert (ended.code, ended.err) == (0, "")
    assert list(rows(ended.out)) == ["encoder_web.tflite"]
    assert ended.out.endswith(f"http.server --directory {site}\n")
    database = CodeSet.load(run.codes_path("database"))
    told = json.loads((site / "codes.json").read_text())
    assert told["names"] == database.ids
    assert len(list((site / "thumbnails").iterdir())) == len(database.ids)
    # Another format does not leave the browsers' out.
    words[3] = "--format=litert"
    codes = run.codes_path("query")
    ended = hashnet("export", *words, f"--web_codes={codes}")
    assert list(rows(ended.out)) == ["encoder.tflite", "encoder_web.tflite"]
    told = json.loads((site / "codes.json").read_text())
    assert told["names"] == CodeSet.load(codes).ids


def test_flags_of_a_folder_that_is_not_asked_for(run, fails):
    line = fails("export", f"--workdir={run.path}", "--web_thumbnails")
    assert line.endswith(
        "--web_thumbnails is for --web=DIR. Received: web=None"
    )


@pytest.mark.parametrize(
    "word, received",
    [
        ("--format=keras", "Received: keras"),
        ("--format=", "Received: "),
        ("--quantize=none,int4", "Received: int4"),
    ],
)
def test_refuses_what_it_does_not_know(word, received, run, fails):
    line = fails("export", f"--workdir={run.path}", word)
    assert received in line


def test_refuses_to_measure_on_nothing(run, fails):
    line = fails("export", f"--workdir={run.path}", "--queries=0")
    assert line.endswith("Received: queries=0, database=5000")


@pytest.mark.slow
@pytest.mark.parametrize("artefact", ["saved_model", "encoder_int8.tflite"])
def test_an_artefact_encodes_and_searches(
    artefact, exported, run, hashnet, fails, photos, tmp_path
):
    if not (run.export_path / artefact).exists():
        words = ["--format=litert", "--quantize=int8", "--at=100"]
        hashnet("export", f"--workdir={run.path}", *words)
    model = f"--model={run.export_path / artefact}"
    out = tmp_path / "codes"
    ended = hashnet("encode", model, f"--images={photos}", f"--out={out}")
    assert (ended.code, ended.err) == (0, "")
    assert f"{model} --codes={out}" in ended.out
    code_set = CodeSet.load(out)
    encoder = hn.export.load_encoder(run.export_path / artefact)
    assert isinstance(encoder, hn.runs.Encoder)
    images, _ = hn.datasets.decodable(
        hn.runs.open_images({"folder": str(photos)})
    )
    pixels = hn.datasets.pixel_array(images, (8, 8))
    np.testing.assert_array_equal(code_set.codes, encoder.encode(pixels))
    assert code_set.model_digest == encoder.model_digest
    asked = photos / "a" / "06.png"
    found = hashnet("search", asked, model, f"--codes={out}", "--k=40")
    assert found.code == 0
    assert re.search(r"^ +\d+ +0 +a/06.png$", found.out, re.M)
    # The run's network makes the SavedModel's bits, and no int8 file's.
    words = ["search", asked, f"--workdir={run.path}", f"--codes={out}"]
    if artefact == "saved_model":
        assert hashnet(*words).code == 0
    else:
        assert "must be of one encoder" in fails(*words)


@pytest.mark.slow
def test_a_part_by_an_artefact(exported, run, hashnet, tmp_path):
    out = tmp_path / "query"
    ended = hashnet(
        "encode",
        f"--workdir={run.path}",
        f"--model={run.export_path / 'saved_model'}",
        "--part=query",
        f"--out={out}",
    )
    assert ended.code == 0
    there = CodeSet.load(run.codes_path("query"))
    np.testing.assert_array_equal(CodeSet.load(out).codes, there.codes)
    assert CodeSet.load(out).manifest == there.manifest


def test_what_is_needed(fails, tmp_path, photos):
    out = f"--out={tmp_path / 'codes'}"
    line = fails("encode", out, f"--images={photos}")
    assert line.endswith("Received: workdir=None, model=None")
    line = fails("encode", out, "--part=query", "--model=a.tflite")
    assert line.endswith("Received: workdir=None, model=a.tflite")
    line = fails("encode", out, f"--images={photos}", f"--model={tmp_path}/a")
    assert line.endswith(f"Received: no {tmp_path}/a")
    line = fails("search", photos / "a" / "06.png", "--model=a.tflite")
    assert line.endswith("workdir=None, model=a.tflite, codes=None")
