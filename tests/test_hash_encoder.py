import pickle
import random
import re

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import hashnet_tf as hn
from hashnet_tf._estimator_checks import read_labels

N, D, CLASSES = 240, 12, 4


def data(seed=0, n=N):
    """Vectors of four classes around one offset, and their classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % CLASSES
    centres = 2 * np.random.default_rng(9).normal(size=(CLASSES, D))
    x = 30 + centres[labels] + rng.normal(size=(n, D))
    return x.astype(np.float32), labels


X, Y = data()


def small(**settings):
    """Trained in no time, and well enough for these."""
    usual = dict(bits=12, hidden=16, epochs=25, batch_size=32)
    return hn.HashEncoder(**{**usual, "learning_rate": 0.01, **settings})


@pytest.fixture(scope="module")
def fitted():
    return small().fit(*data())


@pytest.fixture
def eagerly():
    """To trace each of many networks takes longer than to train it."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def by_loop(codes, labels):
    """MAP of each row among the others, ties by the mean of all orders."""
    bits = np.unpackbits(codes, axis=1)
    found = []
    for row in range(len(codes)):
        others = np.arange(len(codes)) != row
        distances = (bits[others] != bits[row]).sum(axis=1)
        relevant = labels[others] == labels[row]
        if labels[row] < 0 or not relevant.any():
            continue
        # A random order of ties a hundred times is near their mean.
        rng = np.random.default_rng(row)
        precisions = []
        for _ in range(100):
            order = np.lexsort([rng.random(len(distances)), distances])
            hits = relevant[order]
            precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
            precisions.append(precision[hits].mean())
        found.append(np.mean(precisions))
    return np.mean(found)


def test_learns_from_labels(fitted):
    x, labels = data(seed=1)
    codes = fitted.encode(x)
    assert codes.dtype == np.uint8 and codes.shape == (N, 2)
    assert fitted.score(x, labels) > 0.95
    assert fitted.hashnet_.bits == 12
    # LSH of the same bits tells what is easy.
    easy = small(method="lsh").fit(x).score(x, labels)
    assert easy < 0.8


def test_bits_are_columns(fitted):
    x, _ = data()
    bits = fitted.transform(x)
    assert bits.dtype == np.uint8 and bits.shape == (N, 12)
    np.testing.assert_array_equal(np.packbits(bits, axis=1), fitted.encode(x))
    z = fitted.hashnet_.logits(x).numpy()
    np.testing.assert_array_equal(bits, z >= 0)


def test_score_is_map_of_each_among_the_others(fitted):
    x, labels = data(seed=2, n=40)
    x += np.random.default_rng(0).normal(size=x.shape)
    labels = labels.copy()
    labels[[3, 5]] = -1
    labels[7] = 9
    expected = by_loop(fitted.encode(x), labels)
    assert expected < 0.95
    assert fitted.score(x, labels) == pytest.approx(expected, abs=0.01)


def test_the_network_standardises_what_it_is_given():
    x, labels = data()
    x, asking = x.astype(float), data(seed=1)[0].astype(float)
    for part in (x, asking):
        part *= 1e-3
        part[:, 3] *= 1e6
        part[:, 4] += 50
    encoder = small().fit(x, labels)
    assert encoder.score(asking, labels) > 0.95
    given = encoder.hashnet_.backbone.get_layer("standardized")(
        x.astype("float32")
    )
    np.testing.assert_allclose(np.mean(given, axis=0), 0, atol=0.05)
    np.testing.assert_allclose(np.std(given, axis=0), 1, atol=0.05)
    assert not given.dtype == "float64"


def test_the_same_again_and_nothing_else_is_moved():
    x, labels = data()
    keras.utils.set_random_seed(5)
    before = random.getstate(), np.random.get_state()[1].copy()
    kept = x.copy(), labels.copy()
    one = small(epochs=2).fit(x, labels)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])
    other = small(epochs=2).fit(x, labels)
    np.testing.assert_array_equal(one.transform(x), other.transform(x))
    third = small(epochs=2, random_state=1).fit(x, labels)
    assert (third.transform(x) != one.transform(x)).any()
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(labels, kept[1])


@pytest.mark.parametrize("method", ["itq", "pca", "lsh"])
def test_maps_need_no_labels(method):
    x, labels = data()
    encoder = hn.HashEncoder(bits=8, method=method).fit(x)
    estimator = hn.methods.METHODS[method].estimator(8, 0)
    np.testing.assert_array_equal(encoder.encode(x), estimator.fit(x).encode(x))
    assert (encoder.n_steps_, len(encoder.validation_losses_)) == (0, 0)
    # A pipeline hands labels on to all.
    again = clone(encoder).fit(x, labels)
    np.testing.assert_array_equal(again.encode(x), encoder.encode(x))


def test_signs_are_as_many_as_features():
    x, _ = data()
    encoder = hn.HashEncoder(bits=D, method="sign").fit(x)
    np.testing.assert_array_equal(encoder.transform(x), x >= x.mean(axis=0))
    with pytest.raises(ValueError, match="Received: bits=64"):
        hn.HashEncoder(method="sign").fit(x)


def clicks(labels, count=300):
    rng = np.random.default_rng(3)
    first = rng.integers(0, len(labels), count)
    steps = CLASSES * rng.integers(1, len(labels) // CLASSES, count)
    return np.stack([first, (first + steps) % len(labels)], axis=1)


@pytest.mark.parametrize("with_similarity", [False, True])
def test_learns_from_pairs(with_similarity):
    x, labels = data()
    pairs = clicks(labels)
    if with_similarity:
        others = np.random.default_rng(4).integers(0, N, (200, 2))
        alike = labels[others[:, 0]] == labels[others[:, 1]]
        pairs = np.concatenate(
            [
                np.column_stack([pairs, np.ones(len(pairs), int)]),
                np.column_stack([others, alike]),
            ]
        )
    encoder = small().fit(x, pairs=pairs)
    asking, its_labels = data(seed=1)
    assert encoder.score(asking, its_labels) > 0.9


@pytest.mark.parametrize("method", ["csq", "hashnet", "greedyhash"])
def test_other_methods_train_too(method):
    x, labels = data()
    encoder = small(method=method).fit(x, labels)
    assert encoder.score(*data(seed=1)) > 0.9
    assert type(encoder.hashnet_) is hn.HashNet
    assert not hasattr(encoder.hashnet_, "optimizer")


@pytest.mark.parametrize(
    "same",
    [
        Y.astype(float),
        Y + 10**12,
        np.array(["cat", "dog", "eel", "fox"])[Y],
        np.array(list("abcd"), object)[Y],
        pd.Series(3 * Y),
        Y % 4 == 1,
    ],
)
def test_labels_of_any_kind(same):
    found = read_labels(same, N, "hashnet-r")
    assert found.dtype == np.int64
    expected = Y == 1 if found.max() == 1 else Y
    np.testing.assert_array_equal(found, expected)
    some = np.where(Y == 2, -5, Y)
    left = read_labels(some, N, "hashnet-r")
    np.testing.assert_array_equal(left, np.array([0, 1, -1, 2])[Y])


def test_labels_of_several_columns():
    rows = np.eye(CLASSES, dtype=int)[Y]
    for given in (rows, rows.astype(float), csr_matrix(rows)):
        np.testing.assert_array_equal(read_labels(given, N, "csq"), rows)
    with pytest.warns(DataConversionWarning):
        np.testing.assert_array_equal(read_labels(Y[:, None], N, "csq"), Y)
    encoder = small().fit(X, rows)
    assert encoder.score(X, rows) == encoder.score(X, Y) > 0.95


def test_unlabelled_rows_are_not_trained_on():
    x, labels = data()
    some = np.where(np.arange(N) % 3 == 0, -1, labels)
    moved = x.copy()
    # Within what standardises them.
    moved[some < 0] = moved[some < 0][::-1]
    settings = dict(epochs=2, validation_fraction=None, batch_size=N)
    one, other = (small(**settings).fit(part, some) for part in (x, moved))
    for a, b in zip(
        one.hashnet_.get_weights(), other.hashnet_.get_weights(), strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_stops_where_others_gain_no_more_and_keeps_the_best(monkeypatch):
    x, labels = data(n=600)
    # Nothing can be learned of these, so that soon others lose by it.
    labels = np.random.default_rng(0).permutation(labels)
    monkeypatch.setattr("hashnet_tf._head_training.EVERY", 5)
    settings = dict(epochs=40, batch_size=100, hidden=64)
    encoder = small(**settings).fit(x, labels)
    losses = encoder.validation_losses_
    assert encoder.n_steps_ == 5 * (1 + losses.argmin())
    assert 3 < len(losses) < 40
    whole = small(**settings, validation_fraction=None).fit(x, labels)
    assert (whole.n_steps_, len(whole.validation_losses_)) == (240, 0)
    # Of so few, none is held out.
    assert small(epochs=1).fit(*data()).n_steps_ == N // 32


def test_a_loss_that_is_no_number_ends_it():
    x, labels = data()
    with pytest.raises(ValueError, match="Received: loss=nan by step"):
        small(learning_rate=1e30, epochs=50).fit(x, labels)


def test_tells_how_far_it_has_come(capsys):
    small(epochs=1).fit(*data())
    assert capsys.readouterr().out == ""
    small(epochs=1, verbose=True).fit(*data())
    assert "Trained 7 of at most 7 steps" in capsys.readouterr().out


def test_follows_scikit_learn(fitted):
    x, labels = data()
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        twin.encode(x)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.encode(x), fitted.encode(x))
    names = fitted.get_feature_names_out()
    assert names.tolist() == [f"hashencoder{i}" for i in range(12)]
    table = clone(fitted).set_output(transform="pandas").fit(x, labels)
    assert table.transform(x).columns.tolist() == names.tolist()


def test_a_table_must_have_the_columns_that_were_fitted():
    x, labels = data()
    table = pd.DataFrame(x, columns=[f"f{i}" for i in range(D)])
    encoder = small(epochs=1).fit(table, labels)
    np.testing.assert_array_equal(encoder.feature_names_in_, table.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        encoder.encode(table[table.columns[::-1]])


def test_ends_a_pipeline_and_is_searched():
    x, labels = data()
    steps = make_pipeline(PCA(8, random_state=0), small())
    codes = steps.fit(x, labels).transform(x)
    assert codes.shape == (N, 12)
    grid = {"hashencoder__bits": [np.int64(1), np.int64(16)]}
    search = GridSearchCV(steps, grid, cv=2, refit=False).fit(x, labels)
    assert search.best_params_ == {"hashencoder__bits": 16}
    assert search.best_score_ > 0.8


def test_reads_a_memory_map(tmp_path):
    x, labels = data()
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    one, other = (small(epochs=1).fit(part, labels) for part in (mapped, x))
    np.testing.assert_array_equal(one.encode(mapped), other.encode(x))


def test_tells_of_features_that_float32_loses():
    x, labels = data()
    x[:, 5] += 1e7
    with pytest.warns(UserWarning, match="float32 tells.*feature 5 of mean 1e"):
        small(epochs=1).fit(x, labels)


def test_a_feature_of_one_value_says_nothing(fitted):
    x, labels = data()
    wide = np.insert(x, 3, 7, axis=1)
    encoder = small().fit(wide, labels)
    assert encoder.score(wide, labels) > 0.95
    # Elsewhere it may vary, and is no more than another.
    given = encoder.hashnet_.backbone.get_layer("standardized")(wide + 1)
    assert abs(np.asarray(given)[:, 3]).max() < 100
    with pytest.raises(ValueError, match="240 that are one"):
        small().fit(np.ones((N, 5)), labels)


@pytest.mark.parametrize(
    "settings, given, received",
    [
        ({"bits": 0}, {"y": Y}, "bits=0"),
        ({"bits": 2.5}, {"y": Y}, "bits=2.5"),
        ({"method": "sdh"}, {"y": Y}, "method='sdh'"),
        ({"batch_size": 1}, {"y": Y}, "batch_size=1"),
        ({"epochs": 0}, {"y": Y}, "epochs=0"),
        ({"dropout": 1.0}, {"y": Y}, "dropout=1.0"),
        (
            {"validation_fraction": 1},
            {"y": Y},
            "validation_fraction=1",
        ),
        ({}, {}, "y=None"),
        ({}, {"y": np.zeros(N, int)}, "one class"),
        ({}, {"y": np.where(Y > 0, -1, 1)}, "one class"),
        ({}, {"y": Y[:-1]}, "y.shape=(239,)"),
        ({}, {"y": Y + 0.5}, "y of 'continuous', y.dtype=float64"),
        ({}, {"y": Y, "pairs": [[0, 1], [2, 3]]}, "both"),
        ({}, {"pairs": [[0, 1]]}, "pairs.shape=(1, 2)"),
        ({}, {"pairs": [[0, 1], [2, N]]}, f"{N}"),
        ({}, {"pairs": [[0, 1], [-1, 2]]}, "-1"),
        ({}, {"pairs": [[0, 1, 2], [1, 2, 1]]}, "2"),
        ({}, {"pairs": [[0, 1.5], [1, 2]]}, "pairs.dtype=float64"),
        ({}, {"pairs": [[0, 1], [0, 2]]}, "2 pairs"),
        ({"method": "csq"}, {"pairs": [[0, 1], [2, 3]]}, "method='csq'"),
        ({"method": "itq"}, {"pairs": [[0, 1]]}, "pairs of shape (1, 2)"),
    ],
)
def test_refuses(settings, given, received):
    with pytest.raises(ValueError, match=re.escape(f"Received: {received}")):
        small(**settings).fit(X, **given)


def test_refuses_vectors(fitted):
    wrong = X.copy()
    wrong[2, 3] = np.nan
    for ask in (lambda: small().fit(wrong, Y), lambda: fitted.encode(wrong)):
        with pytest.raises(ValueError, match="contains NaN"):
            ask()
    with pytest.raises(ValueError, match="is expecting 12 features"):
        fitted.encode(X[:, :5])
    with pytest.raises(ValueError, match="none of whose labels another has"):
        fitted.score(X, np.where(np.arange(N) < 3, np.arange(N), -1))
    with pytest.raises(ValueError, match="none that is known"):
        fitted.score(X, np.full(N, -1))


def test_is_exported(fitted, tmp_path):
    codes = fitted.encode(X)
    for path in (
        fitted.to_litert(tmp_path / "encoder.tflite"),
        fitted.to_saved_model(tmp_path / "encoder"),
    ):
        encoder = hn.export.load_encoder(path)
        np.testing.assert_array_equal(encoder.encode(X), codes)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("settings", [{}, {"method": "lsh", "bits": 2}])
def test_scikit_learn_finds_an_estimator(settings, eagerly):
    # None is left out: all that it checks is kept.
    check_estimator(small(epochs=1, **settings), on_skip=None)
