"""An index whose hash layer is learned from its own pictures."""

import keras
import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.index import files, fitting
from hashnet_tf.index.fitting import Fit, learn_map
from hashnet_tf.shallow import ITQ

BITS = 12


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    return hn.export.backbone_encoder("small_cnn", None, 16, BITS)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Forty pictures of four kinds, ten of each, in folders by kind."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for kind in "abcd":
        middle = rng.integers(0, 256, (4, 4, 3))
        (root / kind).mkdir()
        for number in range(10):
            tiles = (middle + rng.integers(-25, 26, (4, 4, 3))).clip(0, 255)
            image = Image.fromarray(tiles.astype("uint8")).resize((24, 20))
            image.save(root / kind / f"{number}.png")
    return root


@pytest.fixture
def index(tmp_path, encoder, photos):
    found = hn.index.find_pictures([photos])
    path = tmp_path / "a.index"
    with hn.Index.open(path, encoder=encoder, fit=True) as index:
        changes = index.add_files(found.paths, found.labels)
        assert (changes.added, changes.refused) == (40, {})
        yield index


def kept(index):
    return {name: index.item(name).code for name in index}


def features_of(index, encoder):
    names = index.names()
    pixels = [
        hn.datasets.pixels.pillow.image_pixels(name, (16, 16)) for name in names
    ]
    return names, encoder.run(np.stack(pixels))["features"]


def test_features_are_halves_already(index, encoder):
    _, features = features_of(index, encoder)
    assert (features == features.astype(np.float16)).all()


def test_codes_are_those_of_itq(index, encoder):
    assert index.fit == Fit(40, 0)
    names, features = features_of(index, encoder)
    # In the order that it is fitted in.
    order = np.argsort([index.item(name).digest for name in names])
    itq = ITQ(BITS).fit(features[order])
    codes = itq.encode(features)
    told = [index.item(name).code for name in names]
    assert told == [code.tobytes() for code in codes]
    assert len(set(kept(index).values())) > 4


def test_is_enough_to_search_with(index, photos, tmp_path):
    index.copy(tmp_path / "b.index")
    asked = photos / "b" / "3.png"
    with hn.Index.open(tmp_path / "b.index") as other:
        hits = other.search(asked, k=10)
        assert hits == index.search(asked, k=10)
        assert hits[0].name == str(asked) and hits[0].distance == 0
        assert hits[0].similarity == pytest.approx(1, abs=1e-5)
        assert [hit.label for hit in hits].count("b") >= 9
        # By codes alone the order is that of the distances.
        found = other.search(asked, k=40, rerank=0)
        assert [h.distance for h in found] == sorted(h.distance for h in found)
        assert {hit.similarity for hit in found} == {None}
        assert other.like(str(asked), k=3) == hits[1:4]
        with pytest.raises(ValueError, match="must be there. Received: no"):
            other.like("no")


def test_the_written_encoder_has_the_codes(index, tmp_path):
    path = index.write_encoder(tmp_path / "encoder.tflite")
    encoder = hn.export.load_encoder(path)
    names = index.names()
    codes = encoder.encode_files(names)
    assert [index.item(name).code for name in names] == [
        code.tobytes() for code in codes
    ]
    assert index.stat()["encoder"] == encoder.model_digest


def test_refit_learns_from_what_has_come(tmp_path, encoder, photos):
    first = hn.index.find_pictures([photos / "a"])
    path = tmp_path / "a.index"
    with hn.Index.open(path, encoder=encoder, fit=True) as index:
        index.add_files(first.paths)
        assert index.fit == Fit(10, BITS - 9)
        assert "3 are random" in index.fit.text(BITS)
        assert index.outgrown() is None
        before, digest = kept(index), index.stat()["encoder"]
        with hn.Index.open(path) as reader:
            reader.search(first.paths[0])
            index.add_files(hn.index.find_pictures([photos]).paths)
            assert "from 10 pictures, and there are 40" in index.outgrown()
            assert {n: kept(index)[n] for n in before} == before
            assert index.refit() == Fit(40, 0)
            assert index.outgrown() is None
            assert {n: kept(index)[n] for n in before} != before
            assert index.stat()["encoder"] != digest
            # Who has it open sees the new codes and the new encoder.
            assert reader.search(first.paths[0]) == index.search(first.paths[0])
        index.check()
        assert index.refit() == Fit(40, 0)


def test_a_killed_refit_changes_nothing(index, monkeypatch):
    before, told = kept(index), index.stat()
    put = index._file.put

    def killed(items):
        put(items)
        raise KeyboardInterrupt

    monkeypatch.setattr(index._file, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        index.refit()
    assert (kept(index), index.stat()) == (before, told)


def test_a_first_pass_that_was_killed_goes_on(
    tmp_path, encoder, photos, monkeypatch
):
    found = hn.index.find_pictures([photos])
    path = tmp_path / "a.index"
    monkeypatch.setattr(files, "BATCH", 16)
    with hn.Index.open(path, encoder=encoder, fit=True) as index:
        index._add_files(dict.fromkeys(found.paths[:16]), False)
        with pytest.raises(ValueError, match="has not come to its end"):
            index.search(found.paths[0])
        changes = index.add_files(found.paths)
        assert (changes.added, changes.kept) == (24, 16)
        assert index.fit == Fit(40, 0)


def test_a_sample_is_learned_from(tmp_path, encoder, photos, monkeypatch):
    monkeypatch.setattr(fitting, "SAMPLE", 20)
    paths = hn.index.find_pictures([photos]).paths
    with hn.Index.open(
        tmp_path / "a.index", encoder=encoder, fit=True
    ) as index:
        assert index.add_files(paths).added == 40
        assert index.fit == Fit(20, 0)
        assert index.outgrown() is None
        assert len(index) == 40 and index.stat()["features"] == 40


def test_features_need_not_be_kept(tmp_path, encoder, photos):
    paths = hn.index.find_pictures([photos]).paths
    path = tmp_path / "a.index"
    with hn.Index.open(
        path, encoder=encoder, fit=True, keep_features=False
    ) as index:
        index.add_files(paths[:30])
        index.add_files(paths)
        assert index.stat()["features"] == 0 and index.fit == Fit(30, 0)
        assert index.search(paths[0], k=1)[0].similarity is None
        with pytest.raises(ValueError, match="features of all"):
            index.refit()
        index.check()


def test_removed_pictures_are_forgotten(index):
    name, *_ = index.names()
    index.remove([name])
    assert index.stat()["features"] == 39


def test_copies_are_told(index, tmp_path):
    tiles = np.random.default_rng(7).integers(0, 256, (6, 8, 3), "uint8")
    image = Image.fromarray(tiles).resize((160, 120), Image.Resampling.NEAREST)
    paths = [tmp_path / "image.png", tmp_path / "copy.jpg"]
    image.save(paths[0])
    image.resize((90, 70)).save(paths[1], quality=60)
    index.add_files(paths)
    groups = index.duplicates()
    assert sorted(map(str, paths)) in [sorted(group) for group in groups]
    with pytest.raises(ValueError, match="radius"):
        index.duplicates(radius=-1)


@pytest.mark.parametrize("n, d, drawn", [(1, 4, 6), (4, 9, 3), (50, 4, 2)])
def test_what_cannot_be_learned_is_drawn(n, d, drawn):
    features = np.random.default_rng(0).normal(size=(n, d)).astype("float32")
    kernel, bias, found = learn_map(features, bits=6)
    assert (kernel.shape, bias.shape, found) == ((d, 6), (6,), drawn)
    np.testing.assert_allclose(
        (features @ kernel + bias).mean(axis=0), 0, atol=1e-5
    )


def test_what_cannot_be_fitted_is_refused(tmp_path, encoder, index):
    with pytest.raises(ValueError, match="`fit` needs an encoder that gives"):
        hn.Index.open(tmp_path / "b.index", bits=8, fit=True)
    assert not (tmp_path / "b.index").exists()
    with pytest.raises(ValueError, match="by its own encoder"):
        hn.Index.open(index.path, encoder=encoder)
    with hn.Index.open(tmp_path / "c.index", encoder=encoder) as other:
        with pytest.raises(ValueError, match="begun with fit=True"):
            other.refit()
    for wrong in (-1, 1.5):
        with pytest.raises(ValueError, match="`rerank` must be"):
            index.search(index.names()[0], rerank=wrong)
    with pytest.raises(ValueError, match=r"`kernel` must be \[128, 12\]"):
        encoder.with_hash_layer(np.ones((3, BITS)), np.zeros(BITS))
