import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import hashnet_tf.shallow
from hashnet_tf.shallow.hash_function import ROWS, HashFunction

N, D, CLASSES = 80, 10, 4
SMALL = {"SDH": {"anchors": 40}, "KSH": {"anchors": 20}, "BRE": {"anchors": 9}}


def rivals():
    named = {
        name: getattr(hashnet_tf.shallow, name)
        for name in hashnet_tf.shallow.__all__
    }
    return [
        kind(bits=9, **SMALL.get(name, {}))
        for name, kind in named.items()
        if issubclass(kind, HashFunction)
    ]


def data(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    labels = np.arange(N) % CLASSES
    centres = 2 * rng.normal(size=(CLASSES, D))
    return (centres[labels] + rng.normal(size=(N, D))).astype(dtype), labels


each = pytest.mark.parametrize(
    "rival", rivals(), ids=lambda r: type(r).__name__
)


@each
def test_is_a_hash_function_that_cannot_be_half_made(rival):
    assert isinstance(rival, HashFunction)
    with pytest.raises(TypeError, match="abstract"):
        HashFunction()


@each
def test_encodes_packed_codes_of_new_features(rival):
    x, labels = data()
    rival = clone(rival)
    assert rival.fit(x, labels) is rival
    codes = rival.encode(x[:33])
    assert codes.dtype == np.uint8
    assert codes.shape == (33, 2)
    assert not (codes[:, 1] & 0x7F).any()
    np.testing.assert_array_equal(rival.transform(x[:33]), codes)


@each
def test_clone_is_unfitted_and_learns_the_same(rival):
    x, labels = data()
    fitted = clone(rival).fit(x, labels)
    twin = clone(fitted)
    assert twin.get_params() == rival.get_params()
    with pytest.raises(NotFittedError):
        twin.encode(x)
    np.testing.assert_array_equal(
        twin.fit(x, labels).encode(x), fitted.encode(x)
    )


@each
def test_fits_anew_and_forgets(rival):
    x, labels = data()
    other, other_labels = data(seed=1)
    again = clone(rival).fit(other[:, :9], other_labels).fit(x, labels)
    assert again.n_features_in_ == D
    np.testing.assert_array_equal(
        again.encode(x), clone(rival).fit(x, labels).encode(x)
    )


@each
def test_ends_a_pipeline(rival):
    x, labels = data()
    steps = make_pipeline(PCA(9, random_state=0), clone(rival))
    codes = steps.fit(x, labels).transform(x)
    reduced = PCA(9, random_state=0).fit(x).transform(x)
    np.testing.assert_array_equal(
        codes, clone(rival).fit(reduced, labels).encode(reduced)
    )
    np.testing.assert_array_equal(clone(steps).fit_transform(x, labels), codes)


@each
def test_leaves_what_it_is_given_as_it_is(rival):
    x, labels = data()
    kept = x.copy(), labels.copy(), rival.get_params()
    clone(rival).fit(x, labels).encode(x)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(labels, kept[1])
    assert rival.get_params() == kept[2]


@each
def test_float32_gives_all_but_the_same_bits(rival):
    x, labels = data()
    x = x.astype(np.float32)
    single = clone(rival).fit(x, labels).encode(x)
    double = clone(rival).fit(x.astype(np.float64), labels).encode(x)
    assert np.unpackbits(single ^ double).mean() < 0.02


@each
def test_many_rows_are_encoded_as_few(rival):
    x, labels = data()
    many = np.resize(x, (ROWS + 5, D))
    fitted = clone(rival).fit(x, labels)
    codes = fitted.encode(many)
    assert codes.shape == (ROWS + 5, 2)
    wrong = np.unpackbits(codes[-N:] ^ fitted.encode(many[-N:]))
    assert wrong.mean() < 1e-3


@each
@pytest.mark.parametrize("bits", [0, -8, 8.0, None, True])
def test_refuses_bits(rival, bits):
    with pytest.raises(ValueError, match="Received: bits="):
        clone(rival).set_params(bits=bits).fit(*data())


@each
def test_refuses_features(rival):
    x, labels = data()
    for wrong, message in [
        (x[0], r"features.shape=\(10,\)"),
        (x[:0], r"features.shape=\(0, 10\)"),
        (np.full_like(x, np.nan), "NaN or infinity in 80 rows"),
    ]:
        with pytest.raises(ValueError, match=message):
            clone(rival).fit(wrong, labels)
        with pytest.raises(ValueError, match=message):
            clone(rival).fit(x, labels).encode(wrong)
    with pytest.raises(ValueError, match="the 10 dimensions that were fitted"):
        clone(rival).fit(x, labels).encode(x[:, 1:])


@each
def test_each_byte_is_a_feature(rival):
    x, labels = data()
    steps = make_pipeline(PCA(9, random_state=0), clone(rival)).fit(x, labels)
    name = type(rival).__name__.lower()
    assert steps.get_feature_names_out().tolist() == [f"{name}0", f"{name}1"]
    codes = steps.transform(x)
    found = steps.set_output(transform="default").transform(x)
    np.testing.assert_array_equal(found, codes)


def test_a_table_must_have_the_columns_that_were_fitted():
    features, _ = data()
    table = pd.DataFrame(features, columns=[f"f{i}" for i in range(D)])
    encoder = hashnet_tf.shallow.LSH(bits=12).fit(table)
    assert list(encoder.feature_names_in_) == list(table.columns)
    expected = encoder.encode(features)
    np.testing.assert_array_equal(encoder.encode(table), expected)
    turned = table[table.columns[::-1]]
    for wrong in (turned, table.rename(columns={"f0": "z"})):
        with pytest.raises(ValueError, match="feature names should match"):
            encoder.encode(wrong)
    again = turned[encoder.feature_names_in_]
    np.testing.assert_array_equal(encoder.encode(again), expected)
    encoder.fit(features)
    assert not hasattr(encoder, "feature_names_in_")


def test_a_fit_that_fails_leaves_it_as_it_was():
    features, _ = data()
    encoder = hashnet_tf.shallow.ITQ(bits=D)
    with pytest.raises(NotFittedError):
        encoder.encode(features)
    with pytest.raises(ValueError):
        encoder.fit(features[:, :2])
    with pytest.raises(NotFittedError):
        encoder.encode(features)
    expected = encoder.fit(features).encode(features)
    with pytest.raises(ValueError):
        encoder.fit(features[:, :2])
    np.testing.assert_array_equal(encoder.encode(features), expected)


def test_rankings_look_at_the_columns_too():
    features, _ = data()
    table = pd.DataFrame(features, columns=[f"f{i}" for i in range(D)])
    ranking = hashnet_tf.shallow.SignRanking().fit(table)
    kept = ranking.encode(table)
    np.testing.assert_array_equal(kept, ranking.encode(features))
    turned = table[table.columns[::-1]]
    for ask in (ranking.encode, lambda rows: ranking.distances(rows, kept)):
        with pytest.raises(ValueError, match="feature names should match"):
            ask(turned)
