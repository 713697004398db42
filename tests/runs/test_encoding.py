import importlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf._framings import DECODER
from hashnet_tf.runs import (
    CodeSet,
    encode_folder,
    encode_images,
    open_images,
)

MODULE = importlib.import_module("hashnet_tf.runs.encoding")

FILES = ["codes.npy", "ids.json", "labels.npy", "manifest.json"]
SOURCE = {"data": "digits", "part": "query"}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Batches of 32, of which the 200 queries make 7."""
    monkeypatch.setattr(MODULE, "BATCH_SIZE", 32)


@pytest.fixture
def encoding(monkeypatch, killed):
    """Counts the batches that are encoded; kills after `allowed` of them."""

    class Encoding:
        batches = 0
        allowed = None

    encode = hn.HashNet.encode

    def counting(self, *arguments, **options):
        if Encoding.batches == Encoding.allowed:
            raise killed
        Encoding.batches += 1
        return encode(self, *arguments, **options)

    monkeypatch.setattr(hn.HashNet, "encode", counting)
    return Encoding


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_content(model, queries, tmp_path, capsys):
    folder = tmp_path / "new" / "codes"
    returned = encode_images(model, queries, folder, SOURCE, "as drawn")
    pixels = hn.datasets.pixel_array(queries, (8, 8))
    codes = np.packbits(model.predict(pixels, verbose=0) >= 0, axis=1)
    for code_set in (returned, CodeSet.load(folder)):
        np.testing.assert_array_equal(code_set.codes, codes)
        assert code_set.ids == queries.names
        np.testing.assert_array_equal(code_set.labels, queries.labels)
        assert code_set.bits == 12
    assert {
        name: returned.manifest[name]
        for name in ("bits", "bit_order", "protocol", "images")
    } == {
        "bits": 12,
        "bit_order": "big",
        "protocol": "as drawn",
        "images": SOURCE,
    }
    digest = hn.models.weights_digest(model)
    assert returned.manifest["model_digest"] == digest
    # Nothing else is left, in the folder or beside it.
    assert sorted(contents(folder)) == FILES
    assert os.listdir(folder.parent) == ["codes"]
    assert "Encoding 200 images\n" in capsys.readouterr().out


def test_what_is_encoded_is_on_disk_before_the_next_batch(queries, tmp_path):
    sizes = []

    class Encoder:
        bits, image_size, framing, model_digest = 16, (8, 8), "whole", "d"

        def encode(self, images):
            (raw,) = tmp_path.glob("q*/codes.raw")
            sizes.append(raw.stat().st_size)
            return np.zeros((len(images), 2), np.uint8)

    encode_images(Encoder(), queries, tmp_path / "q")
    # A process that is killed loses one batch, not what a buffer holds.
    assert sizes == [64 * i for i in range(7)]


@pytest.mark.parametrize("name", ["codes.npy", "labels.npy"])
def test_a_changed_one_is_told_and_made_anew(
    name, model, queries, tmp_path, capsys
):
    folder = tmp_path / "q"
    whole = encode_images(model, queries, folder)
    expected = np.array(whole.codes)
    changed = np.array(np.load(folder / name))
    changed[100:] = 0
    np.save(folder / name, changed)
    with pytest.raises(ValueError, match="of another digest"):
        CodeSet.load(folder)
    capsys.readouterr()
    again = encode_images(model, queries, folder)
    assert "It is made anew." in capsys.readouterr().out
    np.testing.assert_array_equal(again.codes, expected)
    np.testing.assert_array_equal(CodeSet.load(folder).labels, queries.labels)


class Zeros:
    """An encoder to zeros that does something before each batch."""

    bits, image_size, framing, model_digest = 16, (8, 8), "whole", "d"

    def __init__(self, meanwhile=lambda: None, rows=1.0):
        self.meanwhile, self.rows = meanwhile, rows

    def encode(self, images):
        self.meanwhile()
        return np.zeros((int(self.rows * len(images)), 2), np.uint8)


def test_a_second_writer_is_refused_and_damages_nothing(
    model, queries, tmp_path
):
    refused = []

    def second():
        with pytest.raises(OSError, match=f"process {os.getpid()} writes") as e:
            encode_images(model, queries, tmp_path / "q")
        refused.append(str(e.value))

    there = encode_images(Zeros(second), queries, tmp_path / "q")
    assert there.codes.shape == (200, 2) and not there.codes.any()
    assert len(refused) == 7
    assert refused[0].startswith(f"{tmp_path / 'q'} must be written by one")
    assert os.listdir(tmp_path) == ["q"]
    # Its turn has come.
    assert encode_images(model, queries, tmp_path / "q").codes.any()


HOLDS = """
import sys
from hashnet_tf._files import only_writer

with only_writer(sys.argv[1], sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_that_writes_is_waited_for(model, queries, tmp_path):
    place, lock = tmp_path / "q", tmp_path / ".q.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(place), str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        child.stdout.readline()
        with pytest.raises(OSError, match=f"process {child.pid} writes there"):
            encode_images(model, queries, place)
        child.kill()
    assert len(encode_images(model, queries, place).codes) == 200
    assert os.listdir(tmp_path) == ["q"]


@pytest.mark.parametrize("rows", [0.5, 2])
def test_a_code_set_without_a_code_of_each_image_is_not_put_in_place(
    rows, model, queries, tmp_path
):
    with pytest.raises(ValueError, match="must hold 200 codes") as error:
        encode_images(Zeros(rows=rows), queries, tmp_path / "q")
    assert str(error.value).endswith(f"Received: {200 * rows:g}")
    assert os.listdir(tmp_path) == ["q.begun"]


@pytest.mark.parametrize("kept", ["manifest.json", "codes.npy"])
def test_a_kill_while_an_old_one_is_replaced(
    kept, model, other_model, queries, tmp_path, killed, monkeypatch
):
    encode_images(other_model, queries, tmp_path / "q")

    rmtree = shutil.rmtree

    def half(folder, ignore_errors=False):
        if ignore_errors:
            return rmtree(folder, ignore_errors)
        for path in folder.iterdir():
            if path.name != kept:
                path.unlink()
        raise killed

    with monkeypatch.context() as patch:
        patch.setattr(MODULE.shutil, "rmtree", half)
        with pytest.raises(killed):
            encode_images(model, queries, tmp_path / "q")
    new = CodeSet.load(tmp_path / "q")
    assert new.manifest["model_digest"] == hn.models.weights_digest(model)
    encode_images(other_model, queries, tmp_path / "q")
    assert os.listdir(tmp_path) == ["q"]


def test_without_labels(model, queries, tmp_path):
    code_set = encode_images(model, queries, tmp_path / "q", labelled=False)
    assert code_set.labels is None
    assert code_set.manifest["labels_digest"] is None
    assert code_set.manifest["images"] is None
    assert "labels.npy" not in contents(tmp_path / "q")


def test_a_kill_before_the_last_step_costs_no_batch(
    model, queries, encoding, tmp_path, killed, monkeypatch
):
    def kill(*arguments):
        raise killed

    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "put_in_place", kill)
        with pytest.raises(killed):
            encode_images(model, queries, tmp_path / "q")
    assert encoding.batches == 7 and not (tmp_path / "q").exists()
    there = encode_images(model, queries, tmp_path / "q")
    assert encoding.batches == 7 and len(there.codes) == 200


def test_names_of_classes(model, queries, encoding, tmp_path):
    folder, names = tmp_path / "q", list("abcdefghij")
    encode_images(model, queries, folder)
    # Names make no other codes: as version 0.1 wrote it, it stays.
    there = encode_images(model, queries, folder, class_names=names)
    assert there.class_names is None
    assert encoding.batches == 7
    new = encode_images(model, queries, tmp_path / "n", class_names=names)
    assert new.class_names == CodeSet.load(tmp_path / "n").class_names == names
    digest = there.manifest["codes_digest"]
    assert new.manifest["codes_digest"] == digest
    other = [*names[:9], "k"]
    renamed = encode_images(model, queries, tmp_path / "n", class_names=other)
    assert renamed.class_names == other


def test_an_image_that_cannot_be_decoded(model, make_folder, tmp_path):
    folder = make_folder()
    (folder / "b" / "05.png").write_text("no image")
    with pytest.raises(ValueError, match=f"{folder / 'b' / '05.png'} "):
        encode_folder(model, folder, tmp_path / "codes")
    assert not (tmp_path / "codes").exists()
    there = encode_folder(model, folder, tmp_path / "codes", True)
    assert len(there.ids) == 35 and "b/05.png" not in there.ids


def test_what_is_no_image_is_told_and_kept_in_the_manifest(
    model, encoding, make_folder, tmp_path, capsys
):
    folder = make_folder()
    for name in ("a/note.txt", "b/Thumbs.db", ".DS_Store"):
        (folder / name).touch()
    there = encode_folder(model, folder, tmp_path / "codes")
    told = "36 images used, 3 passed over (hidden files 1, .txt 1, .db 1)"
    assert f"Files: 39 found: {told}\n" in capsys.readouterr().out
    assert there.manifest["files"]["passed_over"] == {
        "hidden files": 1,
        ".txt": 1,
        ".db": 1,
    }
    # It decides of no code: what is there is not made again.
    batches = encoding.batches
    (folder / "a" / "note.txt").unlink()
    again = encode_folder(model, folder, tmp_path / "codes")
    assert encoding.batches == batches
    assert again.manifest == there.manifest


def test_a_matrix_of_labels(model, queries, tmp_path):
    matrix = np.eye(10, dtype=np.uint8)[queries.labels]
    images = hn.datasets.ArrayImages(queries.images, matrix)
    code_set = encode_images(model, images, tmp_path / "q")
    np.testing.assert_array_equal(code_set.labels, matrix)


@pytest.mark.parametrize("more", [0, 33])
def test_goes_on_after_the_last_whole_batch(
    more, model, queries, encoding, tmp_path, killed, capsys
):
    encode_images(model, queries, tmp_path / "unbroken")
    assert encoding.batches == 7
    encoding.batches, encoding.allowed = 0, 3
    folder = tmp_path / "broken"
    with pytest.raises(killed):
        encode_images(model, queries, folder)
    assert not folder.exists()
    # What a kill amid a write leaves of the next batch.
    (raw,) = tmp_path.glob("broken*/codes.raw")
    assert raw.stat().st_size == 3 * 32 * 2
    with raw.open("ab") as file:
        file.write(bytes(more))
    encoding.batches, encoding.allowed = 0, None
    capsys.readouterr()
    encode_images(model, queries, folder)
    assert encoding.batches == 4
    assert "Encoding 200 images, 96 of them done" in capsys.readouterr().out
    assert contents(folder) == contents(tmp_path / "unbroken")
    assert sorted(os.listdir(tmp_path)) == ["broken", "unbroken"]


def test_a_kill_at_the_very_end_costs_nothing(
    model, queries, encoding, tmp_path, monkeypatch, killed
):
    encode_images(model, queries, tmp_path / "unbroken")

    def complete(*_):
        raise killed

    with monkeypatch.context() as patch:
        patch.setattr(MODULE, "_complete", complete)
        with pytest.raises(killed):
            encode_images(model, queries, tmp_path / "broken")
    encoding.batches = 0
    encode_images(model, queries, tmp_path / "broken")
    assert encoding.batches == 0
    assert contents(tmp_path / "broken") == contents(tmp_path / "unbroken")


def test_what_was_begun_by_another_model_is_not_gone_on_with(
    model, other_model, queries, encoding, tmp_path, killed
):
    encoding.allowed = 3
    with pytest.raises(killed):
        encode_images(other_model, queries, tmp_path / "q")
    encoding.batches, encoding.allowed = 0, None
    code_set = encode_images(model, queries, tmp_path / "q")
    assert encoding.batches == 7
    digest = hn.models.weights_digest(model)
    assert code_set.manifest["model_digest"] == digest


def test_what_is_there_is_not_made_again(model, queries, encoding, tmp_path):
    folder = tmp_path / "q"
    first = encode_images(model, queries, folder, SOURCE)
    times = {p: p.stat().st_mtime_ns for p in [folder, *folder.iterdir()]}
    encoding.batches = 0
    again = encode_images(model, queries, str(folder), dict(SOURCE))
    assert encoding.batches == 0
    assert {p: p.stat().st_mtime_ns for p in times} == times
    np.testing.assert_array_equal(first.codes, again.codes)


def test_another_models_is_replaced_when_the_new_is_whole(
    model, other_model, queries, encoding, tmp_path, killed
):
    folder = tmp_path / "q"
    old = np.array(encode_images(other_model, queries, folder).codes)
    encoding.batches, encoding.allowed = 0, 6
    with pytest.raises(killed):
        encode_images(model, queries, folder)
    np.testing.assert_array_equal(CodeSet.load(folder).codes, old)
    encoding.allowed = None
    new = encode_images(model, queries, folder).codes
    assert encoding.batches == 7
    assert (new != old).any()
    np.testing.assert_array_equal(CodeSet.load(folder).codes, new)
    assert os.listdir(tmp_path) == ["q"]


def retouched(images):
    pixels = images.images.copy()
    pixels[0] = 255 - pixels[0]
    return hn.datasets.ArrayImages(pixels, images.labels, images.names)


def relabelled(images):
    return hn.datasets.ArrayImages(
        images.images, 9 - images.labels, images.names
    )


@pytest.mark.parametrize(
    "change", [lambda images: images.first(50), retouched, relabelled]
)
def test_of_other_images_or_labels_it_is_made_again(
    change, model, queries, tmp_path
):
    encode_images(model, queries, tmp_path / "q")
    images = change(queries)
    code_set = encode_images(model, images, tmp_path / "q")
    pixels = hn.datasets.pixel_array(images, (8, 8))
    np.testing.assert_array_equal(code_set.codes, model.encode(pixels))
    np.testing.assert_array_equal(code_set.labels, images.labels)
    assert code_set.ids == images.names


def test_what_is_no_code_set_is_left_alone(model, queries, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "1.jpg").write_text("mine")
    file = tmp_path / "file"
    file.write_text("mine")
    for place in (folder, file):
        with pytest.raises(ValueError, match=f"Received: folder={place}$"):
            encode_images(model, queries, place)
    assert contents(folder) == {"1.jpg": b"mine"}
    assert file.read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["file", "photos"]


def test_a_damaged_one_is_made_anew(model, queries, tmp_path, capsys):
    whole = encode_images(model, queries, tmp_path / "q")
    (tmp_path / "q" / "ids.json").write_text("[]")
    again = encode_images(model, queries, tmp_path / "q")
    assert "must be whole" in capsys.readouterr().out
    assert again.ids == whole.ids == queries.names


def test_an_empty_folder_is_taken(model, queries, tmp_path, monkeypatch):
    folder = tmp_path / "q"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(encode_images(model, queries, "q").ids) == 200
    assert sorted(contents(folder)) == FILES


def test_of_features_it_goes_on_too(queries, tmp_path, killed):
    features = np.random.default_rng(0).normal(size=(200, 16))
    given = []

    class Signs:
        bits, image_size, framing = 16, (8, 8), "whole"
        model_digest = "signs"

        def encode(self, batch):
            if len(given) == 3:
                given.append(None)
                raise killed
            given.append(batch)
            return np.packbits(batch >= 0, axis=1)

    folder = tmp_path / "codes"
    with pytest.raises(killed):
        encode_images(Signs(), queries, folder, features=features)
    code_set = encode_images(Signs(), queries, folder, features=features)
    expected = np.packbits(features >= 0, axis=1)
    np.testing.assert_array_equal(code_set.codes, expected)
    # Three of the first call, and the other four of the second.
    seen = [batch for batch in given if batch is not None]
    assert [len(batch) for batch in seen] == [32] * 6 + [8]
    np.testing.assert_array_equal(np.concatenate(seen), features)


@pytest.mark.parametrize("part", ["train", "query", "database"])
def test_a_part_of_a_data_set(part, config_of):
    source = config_of(seed=3).data_source()
    images = open_images({**source, "part": part})
    expected = getattr(hn.datasets.load(**source), part)
    assert images.names == expected.names
    np.testing.assert_array_equal(images.images, expected.images)


def test_a_folder_to_any_depth(make_folder, tmp_path):
    folder = make_folder()
    (folder / "a" / "note.txt").write_text("no image")
    source = {"folder": str(folder)}
    images = open_images(source)
    assert images.names == [f"{c}/{i:02}.png" for c in "abc" for i in range(12)]
    assert images.labels.tolist() == [-1] * 36
    assert images.unlabelled.all()
    assert source == {"folder": str(folder)}


def test_no_image_is_read(make_folder):
    folder = make_folder()
    (folder / "a" / "00.png").write_text("no image")
    assert len(open_images({"folder": folder})) == 36


def test_images_that_are_not_there(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(ValueError, match=f"Received: {missing}$"):
        open_images({"folder": missing})
    (tmp_path / "note.txt").write_text("no image")
    told = rf"Received: {tmp_path} with none \(1 found: .*\(\.txt 1\)\)$"
    with pytest.raises(ValueError, match=told):
        open_images({"folder": tmp_path})
    with pytest.raises(ValueError, match="Received: data='other'$"):
        open_images({"data": "other", "part": "query"})


# What later versions say of the files beside it, and of itself.
DIGESTS = ("codes_digest", "ids_digest", "manifest_digest")


def as_of_version_01(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    for name in ("decoder", *DIGESTS):
        del manifest[name]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_of_pixels_what_version_01_made_is_as_good(
    model, queries, encoding, tmp_path
):
    first = encode_images(model, queries, tmp_path / "q")
    assert first.manifest["decoder"] is None
    as_of_version_01(tmp_path / "q")
    encoding.batches = 0
    again = encode_images(model, queries, tmp_path / "q")
    assert (encoding.batches, again.decoder) == (0, None)


@pytest.mark.slow
def test_of_files_what_version_01_made_is_made_anew(
    model, make_folder, encoding, tmp_path
):
    folder = make_folder()
    first = encode_folder(model, folder, tmp_path / "c")
    assert first.manifest["decoder"] == DECODER
    as_of_version_01(tmp_path / "c")
    old = CodeSet.load(tmp_path / "c")
    assert old.decoder == 1
    # Asked with pixels it is not refused, nor beside others as old.
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    assert len(hn.runs.search_images(model, pixels, old).indices) == 1
    old.check_decoder(old.decoder)
    told = f"^Codes .* Received: .*decoder=1 beside {DECODER}$"
    with pytest.raises(ValueError, match=told):
        hn.runs.search_images(model, folder / "b" / "05.png", old)
    encoding.batches = 0
    new = encode_folder(model, folder, tmp_path / "c")
    assert (encoding.batches, new.decoder) == (2, DECODER)
    hn.runs.search_images(model, folder / "b" / "05.png", new)


@pytest.mark.slow
def test_a_photograph_and_its_copy_stored_turned_have_one_code(model, tmp_path):
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 6
    for i in range(8):
        # Smooth, as a photograph is, or a JPEG of it would be another.
        coarse = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8))
        upright = coarse.resize((48, 64), Image.Resampling.BICUBIC)
        lying = upright.transpose(Image.Transpose.ROTATE_90)
        for name, image, options in (
            ("upright", upright, {}),
            ("lying", lying, {"exif": exif}),
        ):
            (tmp_path / name).mkdir(exist_ok=True)
            image.save(tmp_path / name / f"{i}.png", **options)
            image.save(tmp_path / name / f"{i}.jpg", quality=100, **options)
    # Both in one go, as a pipeline of files is traced anew each time.
    both = encode_folder(model, tmp_path, tmp_path / "codes")
    lying, upright = (
        {
            name: code.tobytes()
            for name, code in zip(both.ids, both.codes, strict=True)
            if name.startswith(kind) and name.endswith("png")
        }
        for kind in ("lying", "upright")
    )
    assert [*upright.values()] == [*lying.values()]
    assert len(upright) == 8 and len(set(upright.values())) > 1
    # Rounded in another direction, which moves a value by some units.
    files = [
        tmp_path / name / f"{i}.jpg"
        for name in ("upright", "lying")
        for i in range(8)
    ]
    pixels = np.concatenate([*hn.datasets.file_batches(files, (8, 8))])
    one, other = np.split(pixels.astype(int), 2)
    assert np.abs(one - other).max() <= 2


def test_code_sets_of_two_decoders_are_not_compared(
    model, queries, make_folder, tmp_path
):
    pixels = encode_images(model, queries, tmp_path / "q")
    images = hn.datasets.load(f"folder:{make_folder()}").database
    new = encode_images(model, images, tmp_path / "d")
    as_of_version_01(tmp_path / "d")
    old = CodeSet.load(tmp_path / "d")
    with pytest.raises(ValueError, match="decoder=2 beside 1$"):
        hn.runs.evaluate_code_sets(new, old)
    for other in (old, new):
        hn.runs.evaluate_code_sets(pixels, other)
