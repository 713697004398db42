import dataclasses
import hashlib
import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import hashnet_tf as hn
from hashnet_tf.datasets import ArrayImages, RetrievalDataset
from hashnet_tf.datasets import imbalance as module
from hashnet_tf.datasets.held_out import hold_out_classes
from hashnet_tf.datasets.imbalance import growing_pair_counts, imbalanced
from hashnet_tf.datasets.protocol import Expected
from hashnet_tf.losses import count_pairs
from hashnet_tf.retrieval.labels import check_labels

IDS = arrays(np.int64, st.integers(3, 10), elements=st.integers(-1, 3))
ROWS = st.tuples(st.integers(3, 8), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.int8, shape, elements=st.integers(0, 1))
)


def dataset_of(labels, **settings):
    labels = np.asarray(labels)
    train = ArrayImages(np.zeros((len(labels), 2, 2), np.uint8), labels)
    return RetrievalDataset("mine", "By hand.", train, train, train, **settings)


def slow_ratio(labels):
    """|S0| / |S1| pair by pair; None without both or of one class."""
    similar = dissimilar = 0
    labels = np.asarray(labels).tolist()
    if isinstance(labels[0], int):
        labels = [i if i >= 0 else None for i in labels]
        kinds = {i for i in labels if i is not None}
    else:
        kinds = {k for row in labels for k, v in enumerate(row) if v == 1}
    for a, b in itertools.permutations(labels, 2):
        if a is None or b is None:
            continue
        if isinstance(a, int):
            similar += a == b
            dissimilar += a != b
        elif any(x == y == 1 for x, y in zip(a, b, strict=True)):
            similar += 1
        else:
            dissimilar += all(0 in both for both in zip(a, b, strict=True))
    if not similar or not dissimilar or len(kinds) < 2:
        return None
    return dissimilar / similar


def slow_rows(labels):
    if labels.ndim == 2:
        return labels.astype(int)
    width = max(labels) + 1
    return np.array(
        [[int(i == k) if i >= 0 else -1 for k in range(width)] for i in labels]
    )


def withheld_ratios(labels, seed):
    """The ratio after each count of labels withheld."""
    rows = slow_rows(labels)
    ones = [(i, k) for i, k in np.ndindex(rows.shape) if rows[i, k] == 1]
    found = [slow_ratio(rows)]
    for i, k in np.random.default_rng(seed).permutation(ones):
        rows[i, k] = -1
        found.append(slow_ratio(rows))
    return found


def thinned_ratios(labels, seed):
    """The ratio after each count of images left out."""
    rows = slow_rows(labels)
    top = max(range(rows.shape[1]), key=lambda k: (rows[:, k] == 1).sum())
    lacking = [i for i in range(len(rows)) if rows[i, top] != 1]
    left = list(range(len(rows)))
    found = [slow_ratio(rows)]
    for i in np.random.default_rng(seed).permutation(lacking):
        left.remove(i)
        found.append(slow_ratio(rows[left]))
    return found


@settings(max_examples=60, deadline=None)
@given(IDS | ROWS, st.floats(0.05, 30), st.integers(0, 5))
def test_no_other_count_is_nearer(labels, wanted, seed):
    natural = slow_ratio(labels)
    assume(natural is not None)
    curve = (withheld_ratios if wanted > natural else thinned_ratios)(
        labels, seed
    )
    curve = [ratio for ratio in curve if ratio is not None]
    if not min(curve) <= wanted <= max(curve):
        with pytest.raises(ValueError, match=f"Received: ratio={wanted}$"):
            imbalanced(dataset_of(labels), wanted, seed)
        return
    found = imbalanced(dataset_of(labels), wanted, seed).train.labels
    reached = slow_ratio(found)
    assert abs(reached - wanted) == pytest.approx(
        min(abs(ratio - wanted) for ratio in curve)
    )
    counts = count_pairs(found)
    assert reached == pytest.approx(counts.dissimilar / counts.similar)


@settings(max_examples=30, deadline=None)
@given(IDS | ROWS, st.integers(0, 5))
def test_withholding_never_lowers_the_ratio(labels, seed):
    assume(slow_ratio(labels) is not None)
    curve = withheld_ratios(labels, seed)
    curve = [math.inf if ratio is None else ratio for ratio in curve]
    assert curve == sorted(curve)


def test_only_the_training_part_changes():
    digits = hn.datasets.load("digits")
    for ratio in (3, 50):
        found = imbalanced(digits, ratio, seed=1)
        assert found.query is digits.query
        assert found.database is digits.database
        assert found.train is not digits.train
        assert found.notes == digits.notes


def test_withholds_own_labels_alone():
    digits = hn.datasets.load("digits")
    found = imbalanced(digits, 50, seed=1)
    assert found.train.names == digits.train.names
    assert not found.train.unlabelled.any()
    rows, ids = found.train.labels.copy(), digits.train.labels
    assert rows.dtype == np.int8 and rows.shape == (1000, 10)
    own = rows[np.arange(1000), ids]
    assert set(own) == {1, -1}
    rows[np.arange(1000), ids] = 0
    assert not rows.any()
    assert f"with {(own == -1).sum()} of 1000 training" in found.protocol


def test_an_image_without_a_class_stays_unknown_to_all():
    labels = [0, 0, 0, 1, 1, 1, -1]
    found = imbalanced(dataset_of(labels), 4, seed=0).train.labels
    assert found[-1].tolist() == [-1, -1]
    counts = count_pairs(found)
    assert counts.dissimilar == count_pairs(labels).dissimilar == 18
    assert counts.similar == 4


def test_leaves_out_none_of_the_most_frequent():
    rows = np.array([[1, 0], [1, 0], [0, 1], [1, 1], [0, 1], [0, 0]] * 5)
    rows[4, 0] = 1
    dataset = dataset_of(rows)
    natural = slow_ratio(rows)
    found = imbalanced(dataset, natural / 2, seed=2)
    kept = [int(name) for name in found.train.names]
    assert kept == sorted(kept)
    assert {i for i in range(30) if rows[i, 0]} < set(kept)
    assert found.train.labels.tolist() == rows[kept].tolist()
    assert f"with {30 - len(kept)} of 30 training images" in found.protocol


def test_class_ids_stay_where_images_are_left_out():
    found = imbalanced(hn.datasets.load("digits"), 4, seed=0).train
    assert found.labels.dtype == np.int32
    sizes = np.bincount(found.labels)
    assert sizes.max() == 100 and (sizes == 100).sum() == 1


def test_protocol_says_all():
    found = imbalanced(dataset_of([0, 0, 1, 1, 2, 2], at=9), 6, seed=4)
    assert found.at == 9
    assert found.protocol == (
        "By hand. Imbalance of the training pairs, |S0| / |S1|: 4 by nature, 6"
        " wanted, 6 reached with 1 of 6 training labels withheld; seed 4."
    )
    found = imbalanced(dataset_of([0, 0, 0, 1, 1]), 1.1, seed=4)
    assert found.protocol == (
        "By hand. Imbalance of the training pairs, |S0| / |S1|: 1.5 by nature,"
        " 1.1 wanted, 1 reached with 1 of 5 training images left out, none of"
        " them with label 0, the most frequent; seed 4."
    )


def test_the_natural_ratio_changes_nothing():
    dataset = dataset_of([0, 0, 1, 1])
    found = imbalanced(dataset, 2, seed=0)
    assert found.train.names == dataset.train.names
    assert found.train.labels.tolist() == [0, 0, 1, 1]
    assert "2 reached with 0 of 4 training images left out" in found.protocol


def test_the_order_stays():
    digits = hn.datasets.load("digits")
    high = imbalanced(digits, 40, seed=7).train
    low = imbalanced(digits, 5, seed=7).train
    content = high.labels.tobytes() + " ".join(low.names).encode()
    assert hashlib.sha256(content).hexdigest()[:16] == "22c5c7a881e63f37"
    assert imbalanced(digits, 5, seed=8).train.names != low.names


def test_expects_no_more_what_was_of_the_training_images():
    expected = Expected(train=4, query=4, labels=2, similar_weight=3.0)
    found = imbalanced(dataset_of([0, 0, 1, 1], expected=expected), 4, seed=0)
    assert found.expected == Expected(query=4, labels=2)


@pytest.mark.parametrize("ratio", [0, -1, math.inf, math.nan])
def test_refuses_what_is_no_ratio(ratio):
    with pytest.raises(ValueError, match=f"Received: ratio={ratio}$"):
        imbalanced(dataset_of([0, 0, 1, 1]), ratio, seed=0)


@pytest.mark.parametrize("ratio", [0.1, 500])
def test_tells_what_can_be_reached(ratio):
    dataset = dataset_of([0] * 5 + [1] * 4)
    message = r"\|S0\| / \|S1\| from (.*) to (.*)\. Received: ratio="
    with pytest.raises(ValueError, match=message) as error:
        imbalanced(dataset, ratio, seed=3)
    least, most = re.search(message, str(error.value)).groups()
    labels = dataset.train.labels
    assert float(least) == pytest.approx(
        min(r for r in thinned_ratios(labels, 3) if r is not None)
    )
    assert float(most) == pytest.approx(
        max(r for r in withheld_ratios(labels, 3) if r is not None)
    )
    # Both ends can be reached; the texts are rounded.
    for end in (float(least) * 1.00001, float(most) * 0.99999):
        assert imbalanced(dataset, end, seed=3)


@pytest.mark.parametrize(
    "labels, ratio", [([0, 1, 2], "inf"), ([[1, 1], [1, 0]], "0")]
)
def test_refuses_pairs_of_one_kind(labels, ratio):
    with pytest.raises(ValueError, match=rf"\|S0\| / \|S1\| = {ratio}$"):
        imbalanced(dataset_of(labels), 3, seed=0)


def test_nothing_else_takes_withheld_labels():
    found = imbalanced(hn.datasets.load("digits"), 50, seed=0)
    with pytest.raises(ValueError, match="only 0 and 1 where it is a matrix"):
        check_labels(found.train.labels)
    message = "has one label, which is known. .* the train image"
    with pytest.raises(ValueError, match=message):
        hold_out_classes(found, 2, seed=0)
    # The other order goes.
    found = imbalanced(
        hold_out_classes(hn.datasets.load("digits"), 2, 0), 30, seed=0
    )
    assert "Unseen classes" in found.protocol


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "lists", "npz of parts", "tfds"])
@pytest.mark.parametrize("ratio", [1.7, 4])
def test_every_source(sources, kind, ratio):
    word, value_of = sources[kind]
    dataset = hn.datasets.load(word)
    found = imbalanced(dataset, ratio, seed=0).train
    assert count_pairs(found.labels).weights[0] == pytest.approx(
        1 + ratio, rel=0.1
    )
    (batch,) = hn.datasets.ordered_batches(found, (2, 2))
    wanted = [value_of[name] for name in found.names]
    # JPEG is near.
    assert np.abs(batch[:, 0, 0, 0].numpy().astype(int) - wanted).max() < 3


@pytest.mark.slow
def test_a_run_trains_on_withheld_labels(tmp_path, config_of):
    config = config_of(imbalance=20, epochs=4, class_weights="dataset")
    run = hn.runs.train(config, tmp_path)
    _, *rows = hn.runs.read_records(run.records_path)
    losses = [row["loss"] for row in rows]
    # At g = 0 it is 2 log 2.
    assert losses[-1] < losses[0] and losses[-1] < 2 * math.log(2)


def test_is_a_data_set_of_its_own():
    dataset = dataset_of([0, 0, 1, 1])
    before = dataset.train.labels.copy()
    found = imbalanced(dataset, 4, seed=0)
    assert np.array_equal(dataset.train.labels, before)
    assert (
        dataclasses.replace(found, train=dataset.train, protocol="By hand.")
        == dataset
    )


ROWS_PARTLY_UNKNOWN = st.tuples(st.integers(0, 9), st.integers(2, 4)).flatmap(
    lambda shape: arrays(np.int8, shape, elements=st.integers(-1, 1))
)


@settings(max_examples=50, deadline=None)
@given(ROWS_PARTLY_UNKNOWN)
def test_at_every_size_what_count_pairs_counts(rows):
    similar, dissimilar = growing_pair_counts(rows)
    assert len(similar) == len(dissimilar) == len(rows) + 1
    for k in range(len(rows) + 1):
        counts = count_pairs(rows[:k])
        assert similar[k] == counts.similar
        assert dissimilar[k] == counts.dissimilar


def test_blocks_change_nothing(monkeypatch):
    rows = np.random.default_rng(0).integers(-1, 2, (23, 3))
    whole = growing_pair_counts(rows)
    monkeypatch.setattr(module, "BLOCK_PAIRS", 23 * 5)
    assert np.array_equal(growing_pair_counts(rows), whole)
