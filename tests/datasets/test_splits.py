import hashlib
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hashnet_tf as hn
from hashnet_tf.datasets.splits import (
    Draw,
    Drawing,
    draw_parts,
    draw_per_class,
)
from hashnet_tf.datasets.usual_drawings import usual_drawing


def split(labels, in_test, query_per_class, train_per_class, seed):
    drawing = usual_drawing(
        labels, in_test is not None, query_per_class, train_per_class
    )
    parts = draw_parts(labels, in_test, drawing, seed)
    return *parts, drawing.text(seed)


@st.composite
def cases(draw):
    """Labels of classes with at least 4 images, half of them in a test part."""
    sizes = draw(st.lists(st.integers(4, 9), min_size=2, max_size=4))
    ids = draw(st.permutations(range(0, 50, 10)))
    labels = [ids[k] for k, size in enumerate(sizes) for _ in range(size)]
    in_test = [i % 2 == 0 for size in sizes for i in range(size)]
    unlabelled = draw(st.integers(0, 5))
    order = draw(st.permutations(range(len(labels) + unlabelled)))
    labels = np.array(labels + [-1] * unlabelled)[order]
    in_test = np.array(in_test + [True] * unlabelled)[order]
    return (
        labels,
        draw(st.sampled_from([None, in_test])),
        draw(st.sampled_from([None, 1, 2])),
        draw(st.sampled_from([None, 1, 2])),
        draw(st.integers(0, 2**32)),
    )


def per_class(labels):
    ids, counts = np.unique(labels, return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(cases())
def test_is_disjoint_and_complete_and_as_asked(case):
    labels, in_test, query_per_class, train_per_class, _ = case
    train, query, database, _ = split(*case)
    known = set(labels[labels >= 0].tolist())
    for part in (train, query, database):
        assert (np.diff(part) > 0).all()
    assert not set(query) & set(database)
    assert sorted([*query, *database]) == [*range(len(labels))]
    assert set(train) <= set(database)

    rest = set(database)
    if in_test is not None:
        tested = set(np.flatnonzero(in_test))
        assert set(query) <= tested
        rest -= tested
    if train_per_class is None:
        assert set(train) == rest
    else:
        assert set(train) <= rest
        drawn = dict.fromkeys(known, train_per_class)
        assert per_class(labels[train]) == drawn

    if query_per_class is not None:
        assert per_class(labels[query]) == dict.fromkeys(known, query_per_class)
    elif in_test is not None:
        assert set(query) == tested
    else:
        # A tenth of fewer than ten, which is one all the same.
        assert per_class(labels[query]) == dict.fromkeys(known, 1)

    for one, other in zip(split(*case), split(*case), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_tenth_of_the_smallest_class():
    labels = np.repeat([3, 1, -1], [40, 25, 5])
    _, query, _, protocol = split(labels, None, None, None, seed=0)
    assert per_class(labels[query]) == {1: 2, 3: 2}
    assert protocol == (
        "Queries: 2 a class; database: the rest; training images: all of it;"
        " seed 0."
    )


@pytest.mark.parametrize(
    "in_test, query_per_class, train_per_class, expected",
    [
        (None, 3, 4, "Queries: 3 a class; .* 4 a class of it; seed 9."),
        (
            True,
            3,
            None,
            "Queries: 3 a class of the test part; .* all of it but",
        ),
        (
            True,
            None,
            4,
            "Queries: the test part; .* 4 a class of the train part;",
        ),
    ],
)
def test_protocol_tells_how(
    in_test, query_per_class, train_per_class, expected
):
    labels = np.tile([0, 1], 20)
    in_test = in_test and np.arange(40) >= 20
    *_, protocol = split(labels, in_test, query_per_class, train_per_class, 9)
    assert re.match(expected, protocol)


def test_every_candidate_can_be_drawn_and_seeds_differ():
    labels = np.repeat([0, 1], 6)
    draws = [split(labels, None, 1, 1, seed) for seed in range(60)]
    assert {i for _, query, *_ in draws for i in query} == {*range(12)}
    assert {i for train, *_ in draws for i in train} == {*range(12)}


def test_the_test_part_handed_in_is_left_as_it_is():
    in_test = np.array([True, False] * 4)
    labels = np.repeat([0, 1], 4)
    split(labels, in_test, None, 1, seed=0)
    assert in_test.tolist() == [True, False] * 4


def test_digits_are_always_split_alike():
    dataset = hn.datasets.load("digits", seed=7)
    digests = [
        hashlib.sha256(" ".join(part.names).encode()).hexdigest()[:16]
        for part in (dataset.train, dataset.query, dataset.database)
    ]
    assert digests == [
        "c2c45feb775ceb18",
        "1498097fa4ea7047",
        "224188d9b723ee97",
    ]


@pytest.mark.parametrize("count", [0, -1, 4])
def test_draw_per_class_refuses(count):
    labels = np.array([5, 5, 5, 2, 2, 2, 2, -1])
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=f"Received: {count}$"):
        draw_per_class(labels, count, rng)


def test_draw_per_class_names_the_class_that_is_too_small():
    labels = np.array([5, 5, 5, 2, 2, 2])
    candidates = np.array([True, True, False, True, True, True])
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="class 5 has 2. Received: 3"):
        draw_per_class(labels, 3, rng, candidates)


@pytest.mark.parametrize("labels", [[], [-1, -1]])
def test_split_refuses_what_has_no_labels(labels):
    labels = np.array(labels, np.int32)
    with pytest.raises(ValueError, match=f"Received: {len(labels)} images"):
        split(labels, None, None, None, seed=0)


@st.composite
def drawings(draw):
    """A matrix of labels, a test part or none, a drawing it can satisfy."""
    n, width = draw(st.integers(12, 40)), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.integers(0, 2, (n, width), np.uint8)
    in_test = draw(st.sampled_from([None, np.arange(n) % 2 == 0]))
    scopes = ["all"] if in_test is None else ["all", "train", "test"]
    query = Draw(draw(st.sampled_from(scopes)), count=draw(st.integers(1, 3)))
    database = draw(st.sampled_from(scopes[:2]))
    train_of = draw(st.sampled_from(scopes[:2]))
    train = draw(st.sampled_from([None, 1, 3]))
    drawing = Drawing(
        query,
        Draw(train_of, count=train),
        database=database,
        train_in_database=draw(st.booleans()),
    )
    return labels, in_test, drawing, draw(st.integers(0, 2**32))


@settings(max_examples=60, deadline=None)
@given(drawings())
def test_parts_of_any_drawing_are_disjoint_and_complete(case):
    labels, in_test, drawing, seed = case
    train, query, database = map(set, map(np.ndarray.tolist, draw_parts(*case)))
    everything = set(range(len(labels)))
    scopes = {"all": everything}
    if in_test is not None:
        scopes["test"] = set(np.flatnonzero(in_test))
        scopes["train"] = everything - scopes["test"]
    assert not query & (train | database)
    assert (
        len(query) == drawing.query.count and query <= scopes[drawing.query.of]
    )
    rest = scopes[drawing.database] - query
    assert database == (rest if drawing.train_in_database else rest - train)
    assert train <= rest & scopes[drawing.train.of]
    if drawing.train.count is None:
        assert train == rest & scopes[drawing.train.of]
    else:
        assert len(train) == drawing.train.count
    again = draw_parts(*case)
    for one, other in zip(draw_parts(*case), again, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 4))
def test_draws_as_many_images_of_each_label(seed, queries, trained):
    rng = np.random.default_rng(seed)
    # Of each label at least 9 images that have no other, and some of several.
    labels = np.concatenate(
        [np.repeat(np.eye(4), 9, axis=0), rng.random((30, 4)) < 0.3]
    ).astype(np.uint8)
    drawing = Drawing(Draw(per_class=queries), Draw(per_class=trained))
    train, query, database = draw_parts(labels, None, drawing, seed)
    assert len(query) == 4 * queries and len(train) == 4 * trained
    assert (labels[query].sum(axis=0) >= queries).all()
    assert (labels[train].sum(axis=0) >= trained).all()
    assert not set(query) & set(database)
    assert sorted([*query, *database]) == [*range(len(labels))]


def test_the_rarest_label_draws_first():
    # Both images of label 0 have label 1 too, which must leave them to it.
    labels = np.array([[1, 1], [1, 1], [0, 1], [0, 1], [0, 0]])
    for seed in range(20):
        rng = np.random.default_rng(seed)
        drawn = draw_per_class(labels, 2, rng)
        assert drawn.tolist() == [True, True, True, True, False]


def test_a_label_that_no_image_has_draws_none():
    labels = np.array([[1, 0], [1, 0]])
    drawn = draw_per_class(labels, 1, np.random.default_rng(0))
    assert drawn.sum() == 1


def test_refuses_what_the_source_does_not_hold():
    labels = np.repeat([0, 1], 5)
    drawing = Drawing(Draw(count=8), Draw(count=3))
    with pytest.raises(ValueError, match="Received: 2 images to draw from$"):
        draw_parts(labels, None, drawing, 0)
    drawing = Drawing(Draw("test"), Draw())
    with pytest.raises(ValueError, match="Received: a source without one$"):
        draw_parts(labels, None, drawing, 0)


@pytest.mark.parametrize(
    "drawing, text",
    [
        (
            Drawing(Draw(), Draw()),
            "Queries: all images; database: the rest; training images: all of"
            " it; seed 4.",
        ),
        (
            Drawing(Draw("test", 7), Draw("train", None, 2)),
            "Queries: 7 of the test part; database: the rest; training images:"
            " 2 a class of the train part; seed 4.",
        ),
        (
            Drawing(Draw("test"), Draw("train")),
            "Queries: the test part; database: the rest; training images: all"
            " of it but the test part; seed 4.",
        ),
        (
            Drawing(Draw("test"), Draw(count=9), database="train"),
            "Queries: the test part; database: the train part; training"
            " images: 9 of it; seed 4.",
        ),
        (
            Drawing(Draw(count=3), Draw(), database="train"),
            "Queries: 3; database: the train part less the queries; training"
            " images: all of it; seed 4.",
        ),
        (
            Drawing(
                Draw(per_class=3),
                Draw(per_class=5),
                train_in_database=False,
                labels=21,
                labelled=True,
            ),
            "The 21 most frequent labels kept, images without a label left"
            " out; queries: 3 a class; database: the rest less the training"
            " images; training images: 5 a class; seed 4.",
        ),
        (
            Drawing(Draw(count=1), Draw(count=1), classes=100),
            "100 classes drawn; queries: 1; database: the rest; training"
            " images: 1 of it; seed 4.",
        ),
    ],
)
def test_says_how(drawing, text):
    assert drawing.text(seed=4) == text


@pytest.mark.parametrize(
    "drawing, needed",
    [
        (Drawing(Draw(), Draw()), False),
        (Drawing(Draw("test"), Draw()), True),
        (Drawing(Draw(), Draw("train")), True),
        (Drawing(Draw(), Draw(), database="train"), True),
    ],
)
def test_knows_whether_a_test_part_is_needed(drawing, needed):
    assert drawing.needs_test_part is needed


@pytest.mark.parametrize(
    "settings, received",
    [
        ({"of": "rest"}, "of='rest'"),
        ({"count": 0}, "count=0"),
        ({"count": True}, "count=True"),
        ({"per_class": 1.5}, "per_class=1.5"),
        ({"count": 3, "per_class": 2}, "count=3, per_class=2, held_out=0.0"),
    ],
)
def test_a_draw_refuses(settings, received):
    with pytest.raises(ValueError, match=f"Received: {received}$"):
        Draw(**settings)


@pytest.mark.parametrize(
    "settings, received",
    [
        ({"database": "test"}, "database='test'"),
        ({"classes": 1}, "classes=1"),
        ({"labels": "21"}, "labels='21'"),
    ],
)
def test_a_drawing_refuses(settings, received):
    with pytest.raises(ValueError, match=f"Received: {received}$"):
        Drawing(Draw(), Draw(), **settings)


def test_a_share_of_each_class_is_held_out():
    labels = np.array([0] * 50 + [1] * 10 + [2] * 2 + [3] + [-1] * 5)
    drawing = Drawing(Draw(count=1), Draw(held_out=0.2))
    train, query, database = draw_parts(labels, None, drawing, seed=1)
    rest = np.setdiff1d(np.arange(len(labels)), query)
    np.testing.assert_array_equal(database, rest)
    assert set(train) < set(database)
    held = np.setdiff1d(database, train)
    for label, least, most in (
        (0, 10, 10),
        (1, 2, 2),
        (2, 0, 1),
        (3, 0, 0),
        (-1, 1, 1),
    ):
        assert least <= (labels[held] == label).sum() <= most
    assert drawing.text(1) == (
        "Queries: 1; database: the rest; training images: all but 20 % a class"
        " of it; seed 1."
    )
    again = draw_parts(labels, None, drawing, seed=1)[0]
    np.testing.assert_array_equal(again, train)
    other = draw_parts(labels, None, drawing, seed=2)[0]
    assert train.tolist() != other.tolist()
    # Of several labels a share of all images.
    matrix = np.eye(4, dtype=int)[labels.clip(0)]
    train, query, database = draw_parts(matrix, None, drawing, seed=1)
    assert len(database) - len(train) == round(0.2 * len(database))


def test_nothing_is_held_out_where_the_number_is_given():
    labels = np.repeat([0, 1], 20)
    drawn = usual_drawing(labels, False, None, 5, held_out=0.2)
    assert drawn.train == Draw(per_class=5)
    drawn = usual_drawing(labels, True, None, None, held_out=0.2)
    assert drawn.train == Draw("train", held_out=0.2)
    for wrong in (-0.1, 1.0):
        with pytest.raises(ValueError, match=f"Received: held_out={wrong}"):
            Draw(held_out=wrong)
