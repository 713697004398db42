import pytest

from hashnet_tf.datasets.splits import Draw, Drawing


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
        ({"count": 3, "per_class": 2}, "count=3, per_class=2"),
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
