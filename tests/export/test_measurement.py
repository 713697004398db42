import dataclasses
import itertools

import numpy as np
import pytest

import hashnet_tf as hn
from hashnet_tf.export import Measurement, ParityReport, measurement
from hashnet_tf.export.formats import FORMATS, Bound, ExportFormat


class Flipped:
    """An encoder with some bits of the model's codes turned over."""

    def __init__(self, model, mask, quantize):
        self.model, self.mask, self.quantize = model, mask, quantize
        self.encoded = []

    def encode(self, images):
        self.encoded.append(len(images))
        return self.model.encode(images) ^ np.uint8(self.mask)


@pytest.fixture(scope="module")
def labels(images):
    # By the tint, so that codes tell something of them.
    return (images.mean(axis=(1, 2)) > 128) @ np.array([4, 2, 1])


@pytest.fixture(scope="module")
def reference(models, images, labels):
    return hn.export.Reference(
        models["12"], images[:20], images, labels[:20], labels, at=30
    )


def tie_aware_map(query, database, query_labels, database_labels, at):
    return hn.retrieval.evaluate(
        query, database, query_labels, database_labels, 12, at=at
    ).map


def test_map_of_the_models_codes(reference, models, images, labels):
    codes = models["12"].encode(images)
    expected = tie_aware_map(codes[:20], codes, labels[:20], labels, 30)
    assert reference.map == pytest.approx(expected)
    assert 0.2 < expected < 0.99


def test_measures_each_artefact(reference, models, images, labels, tmp_path):
    model, path = models["12"], tmp_path / "a.tflite"
    path.write_bytes(b"x" * 123)
    folder = tmp_path / "1"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"x" * 10)
    (folder / "variables" / "data").write_bytes(b"x" * 20)
    encoders = {
        path: Flipped(model, [0b11000000, 0b00010000], "int8"),
        folder: Flipped(model, [0, 0], None),
    }
    moved, same = hn.export.measure_encoders(encoders, reference)
    assert moved.bytes == 123 and same.bytes == 30
    assert moved.quantize == "int8" and same.quantize is None
    assert moved.parity.artefact == str(path)
    assert moved.parity.bits_compared == 240
    assert moved.parity.bits_moved == 60
    size = np.abs(model.logits(images[:20], training=False))[:, [0, 1, 11]]
    assert moved.parity.largest_moved_z == pytest.approx(size.max(), rel=1e-4)
    assert moved.parity.median_moved_z == pytest.approx(
        np.median(size), rel=1e-4
    )
    # Bits turned over in queries and database alike leave the distances.
    assert moved.map == pytest.approx(reference.map)
    assert same.parity.bits_moved == 0
    assert same.map == same.map_before == moved.map_before == reference.map


class Coarse:
    """An encoder of the first bit alone, the others 0."""

    quantize = "int8"

    def __init__(self, model):
        self.model = model

    def encode(self, images):
        return self.model.encode(images) & np.uint8([0b10000000, 0])


def test_map_is_of_the_artefacts_own_codes(
    reference, models, images, labels, tmp_path
):
    path = tmp_path / "a.tflite"
    path.write_text("")
    coarse = Coarse(models["12"])
    (found,) = hn.export.measure_encoders({path: coarse}, reference)
    codes = coarse.encode(images)
    expected = tie_aware_map(codes[:20], codes, labels[:20], labels, 30)
    assert found.map == pytest.approx(expected)
    assert found.map < found.map_before == reference.map


def test_a_database_in_batches(reference, models, images, labels):
    batches = [images[:50], images[50:]]
    streamed = hn.export.Reference(
        models["12"], images[:20], batches, labels[:20], labels, at=30
    )
    assert streamed.map == reference.map


def test_codes_are_made_once(reference, models, tmp_path):
    path = tmp_path / "a.tflite"
    path.write_text("")
    encoder = Flipped(models["12"], [0, 0], None)
    hn.export.measure_encoders({path: encoder}, reference)
    # The queries; the database, by 32; and five rounds of queries for time.
    assert encoder.encoded == [20, 32, 32, 6, *[20] * 5]


def test_time_is_the_median_of_turns(monkeypatch):
    """With a clock that only the encoders move."""
    clock, turns = [0.0], []

    class Slow:
        def __init__(self, name, seconds):
            self.name, self.seconds = name, itertools.cycle(seconds)

        def encode(self, images):
            turns.append(self.name)
            clock[0] += next(self.seconds)

    monkeypatch.setattr(measurement.time, "perf_counter", lambda: clock[0])
    times = measurement._milliseconds(
        [Slow("a", [9.0, 1.0, 1.0, 2.0, 1.0]), Slow("b", [4.0])],
        np.zeros((10, 1)),
    )
    assert times == [pytest.approx(100.0), pytest.approx(400.0)]
    assert turns == ["a", "b"] * 5


def test_litert_files_beside_the_model(
    reference, litert_files, quantized_files
):
    int8 = quantized_files["int8"]
    encoders = {
        path: hn.export.LiteRTEncoder(path)
        for path in (litert_files["12"], int8)
    }
    found = hn.export.measure_encoders(encoders, reference)
    assert [m.quantize for m in found] == [None, "int8"]
    assert found[0].parity.bits_moved == 0
    assert found[0].map == reference.map
    assert found[1].bytes == int8.stat().st_size
    assert all(m.milliseconds > 0 for m in found)


def test_an_artefact_that_promises_the_bits_must_give_them(
    reference, models, tmp_path
):
    encoders = {tmp_path / "a": Flipped(models["12"], [128, 0], None)}
    with pytest.raises(hn.export.ParityError, match="20 of 240"):
        hn.export.measure_encoders(encoders, reference)


def test_refuses_images_of_another_size(models, images, labels):
    wrong = np.zeros((70, 20, 16, 3), np.uint8)
    for query, database, name in (
        (wrong, images, "query"),
        (images, wrong, "database"),
        (images, [images[:9], wrong], "database"),
    ):
        with pytest.raises(ValueError, match=f"Received: {name}.shape"):
            hn.export.Reference(
                models["12"], query, database, labels, labels, at=30
            )


def measured(quantize, moved, map_, path="encoder.tflite"):
    """Of 10,000 bits and a MAP of .7 before."""
    parity = ParityReport(str(path), 10_000, moved, 0.1)
    return Measurement(parity, quantize, 1000, map_, 0.7, 1.0)


@pytest.mark.parametrize(
    "quantize, moved",
    [(None, 0), ("float16", 50), ("dynamic", 200), ("int8", 300)],
)
# What ranks better than the model itself does no harm.
@pytest.mark.parametrize("map_", [0.6901, 0.7, 0.75])
def test_within(quantize, moved, map_):
    assert hn.export.broken_bounds(measured(quantize, moved, map_)) == []


@pytest.mark.parametrize(
    "quantize, moved, sentence",
    [
        ("float16", 51, "0.51% of the bits moved, where float16 may move 0.5%"),
        ("dynamic", 201, "2.01% of the bits moved, where dynamic may move 2%"),
        ("int8", 9000, "90.00% of the bits moved, where int8 may move 3%"),
    ],
)
def test_too_many_bits(quantize, moved, sentence):
    broken = hn.export.broken_bounds(measured(quantize, moved, 0.7))
    assert broken == [sentence]


def test_a_bound_of_ones_own():
    within, beyond = (measured("int8", moved, 0.7) for moved in (500, 501))
    allow = {"int8": 0.05, "dynamic": 0.2}
    assert hn.export.broken_bounds(within, allow) == []
    (broken,) = hn.export.broken_bounds(beyond, allow)
    assert broken == "5.01% of the bits moved, where int8 may move 5%"
    # That of another way says nothing of it.
    assert hn.export.broken_bounds(measured("float16", 51, 0.7), allow)
    # None: of bits that are promised none may move, whatever is allowed.
    assert not hn.export.broken_bounds(measured(None, 0, 0.7), allow)


def test_a_lower_map():
    (broken,) = hn.export.broken_bounds(measured("int8", 0, 0.689))
    assert broken == "MAP fell by 0.0110, where it may by 0.01"


def test_both():
    assert len(hn.export.broken_bounds(measured("int8", 400, 0.5))) == 2


def test_the_bounds_are_of_the_format(tmp_path, monkeypatch):
    toy = ExportFormat("Toy", "", "", "", bounds={"int8": Bound(0.1)})
    monkeypatch.setitem(FORMATS, "toy", dataclasses.replace(toy, suffix=".toy"))
    path = tmp_path / "encoder.toy"
    # Within the format's own bound, and beyond that of LiteRT.
    assert not hn.export.broken_bounds(measured("int8", 1000, 0.7, path))
    (broken,) = hn.export.broken_bounds(measured("int8", 1001, 0.7, path))
    assert "int8 may move 10%" in broken


def test_errors_are_over_items(reference, models, images, labels, tmp_path):
    path = tmp_path / "a.tflite"
    path.write_text("")
    coarse = Coarse(models["12"])
    (found,) = hn.export.measure_encoders({path: coarse}, reference)
    differ = coarse.encode(images[:20]) ^ models["12"].encode(images[:20])
    each = np.unpackbits(differ, axis=1, count=12).mean(axis=1)
    assert found.parity.error == pytest.approx(2 * each.std(ddof=1) / 20**0.5)
    scores = []
    for encode in (coarse.encode, models["12"].encode):
        codes = encode(images)
        scores.append(
            [
                tie_aware_map(codes[[i]], codes, labels[[i]], labels, 30)
                for i in range(20)
            ]
        )
    apart = np.subtract(*scores)
    assert found.map_error == pytest.approx(2 * apart.std(ddof=1) / 20**0.5)
    assert found.map - found.map_before == pytest.approx(apart.mean())
