"""Random damage: each input ends in what is right, or in a clear line."""

import contextlib
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn

pytestmark = pytest.mark.slow


def photograph(seed, size=(23, 17)):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (*size[::-1], 3), np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("ending", ["JPEG", "PNG", "WebP", "BMP"])
def test_images(ending, fuzz, mutate):
    import tensorflow as tf

    from hashnet_tf.datasets.pixels.decoding import decode_image

    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if ending == "BMP" else {"exif": exif}
    file = io.BytesIO()
    photograph(0).save(file, ending, **options)
    content = file.getvalue()
    decode = tf.function(
        decode_image, input_signature=[tf.TensorSpec([], tf.string)]
    )

    def make(rng):
        return mutate["bytes"](content, rng)

    def check(pixels, given):
        height, width, channels = pixels.shape
        assert channels == 3 and pixels.dtype == tf.uint8
        try:
            with Image.open(io.BytesIO(given)) as image:
                size = image.size
        except Exception:
            return
        # Turned or not: where both read a damaged tag is not one answer.
        assert {height, width} == set(size)

    fuzz(f"{ending} files", 1500, make, decode, check, [tf.errors.OpError])


def test_lists(fuzz, mutate, tmp_path):
    for i in range(8):
        photograph(i).save(tmp_path / f"{i}.png")
    lines = [f"{i}.png {i % 2} {1 - i % 2} 0\n" for i in range(8)]
    parts = {"train": lines[:4], "query": lines[4:6], "database": lines[:4]}
    for part, some in parts.items():
        (tmp_path / f"{part}.txt").write_text("".join(some))
    chosen = tmp_path / "query.txt"
    content = chosen.read_bytes()

    def make(rng):
        return mutate["bytes"](content, rng)

    def call(given):
        chosen.write_bytes(given)
        return hn.datasets.load(f"lists:{tmp_path}")

    def check(dataset, given):
        given = given.removeprefix(b"\xef\xbb\xbf")
        rows = [line.split() for line in given.split(b"\n") if line.strip()]
        names = [row[0].decode() for row in rows]
        labels = [[int(mark) for mark in row[1:]] for row in rows]
        told = dataset.remarks
        if not told:
            assert dataset.query.names == names
        assert dataset.query.labels.tolist() == labels
        assert set(np.unique(labels)) <= {0, 1}

    fuzz("list files", 400, make, call, check)


def test_lists_json(fuzz, mutate, tmp_path):
    digits = hn.datasets.load("digits")
    hn.datasets.write_lists(digits, tmp_path / "lists", "digits")
    path = tmp_path / "lists" / "lists.json"
    content = path.read_bytes()
    whole = hn.datasets.load(f"lists:{tmp_path / 'lists'}")

    def make(rng):
        return mutate["json"](content, rng)

    def call(given):
        path.write_bytes(given)
        return hn.datasets.load(f"lists:{tmp_path / 'lists'}")

    def check(dataset, given):
        for part in ("train", "query", "database"):
            of_part = getattr(dataset, part)
            there = getattr(whole, part)
            assert of_part.identities() == there.identities()
            assert np.array_equal(of_part.labels, there.labels)

    fuzz("lists.json", 60, make, call, check)


@pytest.mark.parametrize("compressed", [False, True])
def test_npz(compressed, fuzz, mutate, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (300, 6, 5, 3), np.uint8)
    labels = np.arange(300) % 3
    path = tmp_path / "a.npz"
    save = np.savez_compressed if compressed else np.savez
    save(path, images=images, labels=labels)
    content = path.read_bytes()

    def make(rng):
        return mutate["bytes"](content, rng)

    def call(given):
        path.write_bytes(given)
        return hn.datasets.load(f"npz:{path}", query_per_class=10)

    def check(dataset, given):
        for part in (dataset.query, dataset.database):
            pixels = [images[int(name)] for name in part.names]
            assert np.array_equal(part.images, pixels)
            assert part.labels.tolist() == [int(n) % 3 for n in part.names]

    fuzz(f"npz files, compressed {compressed}", 400, make, call, check)


class Files:
    """Files that belong together, of which one is changed at a time."""

    def __init__(self, paths, mutate):
        self._contents = {path: path.read_bytes() for path in sorted(paths)}
        self._mutate = mutate

    def make(self, rng):
        """Returns a file and what is written in place of its content."""
        path = list(self._contents)[rng.integers(len(self._contents))]
        way = "json" if path.suffix == ".json" else "bytes"
        return path, self._mutate[way](self._contents[path], rng)

    @contextlib.contextmanager
    def changed(self, given):
        path, content = given
        path.write_bytes(content)
        try:
            yield
        finally:
            path.write_bytes(self._contents[path])


def test_files_of_codes(fuzz, mutate, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "query_codes": rng.integers(0, 256, (9, 2), np.uint8),
        "database_codes": rng.integers(0, 256, (40, 2), np.uint8),
        "query_labels": np.arange(9) % 3,
        "database_labels": np.arange(40) % 3,
    }
    paths = {name: tmp_path / f"{name}.npy" for name in arrays}
    for name, path in paths.items():
        np.save(path, arrays[name])
    files = Files(paths.values(), mutate)

    def call(given):
        with files.changed(given):
            return hn.runs.evaluate_files(**paths, at=10)

    def check(report, given):
        # Other codes are codes, too: of a file without a digest no more can
        # be known than that it was measured as it is.
        assert 0 <= report.map <= 1 and np.isfinite(report.ndcg)

    fuzz("npy files of codes and labels", 400, files.make, call, check)


def test_code_sets(fuzz, mutate, measured, tmp_path):
    whole = hn.runs.CodeSet.load(measured.codes_path("query"))
    folder = tmp_path / "set"
    shutil.copytree(measured.codes_path("query"), folder)
    files = Files(folder.iterdir(), mutate)

    def call(given):
        with files.changed(given):
            return hn.runs.CodeSet.load(folder)

    def check(code_set, given):
        path, _ = given
        if path.name not in ("manifest.json", "class_names.json"):
            assert code_set.ids == whole.ids
        assert np.array_equal(code_set.codes, whole.codes)
        assert np.array_equal(code_set.labels, whole.labels)
        assert code_set.bits == whole.bits
        # What is shown of a label is text, whatever the names are.
        assert all(isinstance(code_set.label(i), str) for i in range(5))

    fuzz("files of code sets", 600, files.make, call, check)


def as_version_01_wrote_it(folder):
    """Takes the digests away, which that version did not write."""
    for path in folder.rglob("digests.json"):
        path.unlink()


def test_indexes(fuzz, mutate, tmp_path):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (50, 6), np.uint8)
    index = hn.retrieval.HammingIndex(48)
    index.add(codes, rng.permutation(10**6)[:50])
    path = tmp_path / "a.index"
    index.save(path)
    content = path.read_bytes()
    right = index.search(codes[:5], 7)

    def make(rng):
        return mutate["bytes"](content, rng)

    def call(given):
        path.write_bytes(given)
        return hn.retrieval.HammingIndex.load(path).search(codes[:5], 7)

    def check(found, given):
        assert all(map(np.array_equal, found, right))

    fuzz("index files", 600, make, call, check)


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(
    "name",
    ["config.json", "data.json", "report.json", "logs/records.jsonl"],
)
def test_files_of_a_run(name, sealed, fuzz, mutate, measured, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(measured.path, folder)
    if not sealed:
        as_version_01_wrote_it(folder)
    path = folder / name
    content = path.read_bytes()
    first = content.splitlines()[0]
    whole = hn.runs.Run(measured.path)

    def make(rng):
        if name.endswith("jsonl"):
            return mutate["json"](first, rng) + content[len(first) :]
        return mutate["json"](content, rng)

    def call(given):
        path.write_bytes(given)
        run = hn.runs.Run(folder)
        if name == "config.json":
            return run.config
        if name == "report.json":
            return run.report
        if name == "data.json":
            return run.dataset
        return run.history

    def check(value, given):
        if name == "config.json":
            again = hn.runs.TrainingConfig(**value.as_dict())
            assert again == value and value.bits > 0
        elif name == "data.json":
            assert value.query.names == whole.dataset.query.names
        elif name == "report.json":
            # Without a digest a figure may be any.
            assert not sealed or value == whole.report
            assert {"model_digest", "retrieval"} <= set(value)
        else:
            for record in value:
                assert all(isinstance(v, (int, float)) for v in record.values())

    kind = f"{name}, with a digest: {sealed}"
    fuzz(kind, 60 if name == "data.json" else 300, make, call, check)


@pytest.mark.parametrize("sealed", [True, False])
def test_model_files(sealed, fuzz, mutate, measured, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(measured.path, folder)
    if not sealed:
        as_version_01_wrote_it(folder)
    path = folder / "model.keras"
    content = path.read_bytes()
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    codes = measured.encode(images)

    def make(rng):
        return mutate["bytes"](content, rng)

    def call(given):
        path.write_bytes(given)
        return hn.runs.Run(folder).encode(images)

    def check(value, given):
        assert np.array_equal(value, codes)

    fuzz(f"model.keras, with a digest: {sealed}", 60, make, call, check)


@pytest.mark.parametrize("kind", ["litert", "saved_model"])
def test_exported_files(
    kind, fuzz, mutate, litert_files, saved_models, images, tmp_path
):
    there = {"litert": litert_files, "saved_model": saved_models}[kind]["12"]
    place = tmp_path / "encoder.tflite"
    if kind == "saved_model":
        place = tmp_path / "1"
        shutil.copytree(there, place)
        paths = [
            place / name
            for name in ("saved_model.pb", "assets.extra/hashnet.json")
        ]
        paths += (place / "variables").iterdir()
    else:
        shutil.copy(there, place)
        paths = [place]
    files = Files(paths, mutate)
    codes = hn.export.load_encoder(there).encode(images)

    def call(given):
        with files.changed(given):
            return hn.export.load_encoder(place).encode(images)

    def check(value, given):
        assert np.array_equal(value, codes)

    fuzz(f"files of {kind}", 150, files.make, call, check)


SHAPES = [(6,), (6, 1), (6, 2), (6, 3), (5,), (0,), (6, 2, 2), ()]


def make_labels(rng):
    """Returns labels of six items, or something that is none."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    kind = rng.integers(8)
    if kind == 0:
        return rng.integers(-1, 3, shape)
    if kind == 1:
        return rng.integers(0, 2, shape).astype(rng.choice(list("?BbefdQ")))
    if kind == 2:
        return rng.integers(0, 4, shape) + rng.choice([2**24, 2**40, -(2**40)])
    if kind == 3:
        return rng.random(shape)
    if kind == 4:
        return np.where(rng.random(shape) < 0.2, np.nan, 1.0)
    if kind == 5:
        return rng.integers(0, 3, shape).astype(str)
    if kind == 6:
        return rng.integers(0, 3, shape).astype(object)
    return rng.choice([np.inf, -np.inf, 1e300, -0.0, 5.0], shape)


def sets_of(row):
    """Returns the labels of a row that are known, and those that may be."""
    row = [float(x) for x in row]
    named = {k for k, x in enumerate(row) if x >= 0.5}
    mixed = not named and abs(sum(row) - 1) < 0.01 and min(row) >= 0
    if mixed and max(row) - min(row) > 1e-3:
        named = {k for k, x in enumerate(row) if x > max(row) - 1e-3}
    return named, named | {k for k, x in enumerate(row) if x < 0}


def pair_is_known(one, other):
    """Tells whether two rows surely share a label, or surely none."""
    (named, may), (other_named, other_may) = sets_of(one), sets_of(other)
    return bool(named & other_named) or not may & other_may


def similar(labels):
    """Returns `[6, 6]` by a loop: do two items share a label?"""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    n = len(labels)
    if labels.ndim == 1:
        known = [[int(x)] if x >= 0 else [] for x in labels]
    else:
        known = [sets_of(row)[0] for row in labels]
    return np.array(
        [
            [bool(set(known[i]) & set(known[j])) for j in range(n)]
            for i in range(n)
        ]
    )


def test_labels_of_metrics(fuzz):
    codes = np.random.default_rng(0).integers(0, 256, (6, 2), np.uint8)

    def call(labels):
        return hn.retrieval.precision_within_radius(
            codes, codes, labels, labels, radius=16
        )

    def check(value, labels):
        # A ball of all bits holds all items.
        assert value == pytest.approx(similar(labels).mean())

    fuzz("labels of metrics", 3000, make_labels, call, check)


def test_labels_of_the_loss(fuzz):
    import keras

    g = np.tanh(np.random.default_rng(0).normal(size=(6, 4))).astype("float32")
    loss = hn.losses.WeightedPairwiseLoss(alpha=0.5, class_weights=None)

    def call(labels):
        return float(keras.ops.convert_to_numpy(loss(labels, g)))

    def check(value, labels):
        relevant = similar(labels).astype(float)
        if labels.ndim == 1 or labels.shape[1] == 1:
            sure = labels.reshape(-1) >= 0
            known = sure[:, None] & sure[None, :]
        else:
            known = np.array(
                [[pair_is_known(a, b) for b in labels] for a in labels]
            )
        theta = 0.5 * g.astype(float) @ g.T
        rows = np.logaddexp(0, theta) - relevant * theta
        pairs = known & ~np.eye(6, dtype=bool)
        wanted = rows[pairs].mean() if pairs.any() else 0.0
        assert value == pytest.approx(wanted, rel=1e-4)

    fuzz("labels of the loss", 600, make_labels, call, check)


def test_command_lines(fuzz, measured, tmp_path, odd, monkeypatch):
    from hashnet_tf.tools import main

    monkeypatch.chdir(tmp_path)
    photograph(0).save("a.png")
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    run, codes = measured.path, measured.codes_path("query")
    images = tmp_path / "images"
    images.mkdir()
    photograph(1).save(images / "b.png")
    words = [
        *("a.png", "bad.jpg", "missing", str(run), str(codes), str(images)),
        *(f"--workdir={p}" for p in (run, "missing", tmp_path, "")),
        *(f"--codes={p}" for p in (codes, run, "missing")),
        *(f"--query_codes={p}" for p in (codes, run, "a.png")),
        *(f"--database_codes={p}" for p in (codes, "missing")),
        *(f"--images={p}" for p in (images, "missing", "a.png", codes)),
        *("--part=query", "--part=x", "--out=out", "--out=a.png/b"),
        *("--k=0", "--k=-1", "--k=3", "--k=999999999999999999999", "--k=x"),
        *("--at=0", "--at=5", "--bits=0", "--bits=7", "--skip_undecodable"),
        *("--figure=f.png", "--figure=missing/f.png", "--figure=a.png/f.png"),
        *(f"--data={w}" for w in ("digits", "npz:a.png", "folder:", "x:y")),
        *("--quantize=int3", "--format=x", "--epochs=0", "--batch_size=1e9"),
        *("--model=a.png", f"--model={run}", "--recipe=x", "--recipe=a.png"),
        *("--oops", "--", "-", "", "\0", "日本", "--quiet", "--verbose"),
        *("list", "describe", "check", "folder:missing", "lists:a.png"),
    ]
    # A training or an export by chance is another test's.
    names = ["evaluate", "encode", "search", "datasets", "train", "export"]

    def make(rng):
        name = names[rng.integers(len(names))]
        some = rng.integers(0, len(words), rng.integers(0, 6))
        chosen = [words[i] for i in some]
        if name in ("train", "export"):
            chosen.append("--epochs=0" if name == "train" else "--format=x")
        return [name, *chosen]

    def call(given):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main.run(main.parse(["hashnet", *given]))
            except SystemExit as exit:
                code = exit.code
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        return code, out.getvalue(), err.getvalue()

    def check(ended, given):
        code, out, err = ended
        assert code in (0, 2), ended
        assert err.count("\n") == (1 if code else 0), ended
        assert "Traceback" not in out + err

    fuzz("command lines", 300, make, call, check)
    assert json.loads((run / "report.json").read_text()) == measured.report
