import functools

import pytest

from hashnet_tf.plots import (
    plot_by_bits,
    plot_distances,
    plot_precision_at,
    plot_precision_recall,
)

PLOTS = [
    (plot_precision_recall, "recall", [0.05, 0.1, 1.0]),
    (plot_precision_at, "N", [100, 200, 1000]),
    (
        functools.partial(plot_by_bits, measure="precision"),
        "bits",
        [16, 32, 48],
    ),
]
PLOT_NAMES = ["precision_recall", "precision_at", "by_bits"]
each_plot = pytest.mark.parametrize("plot, x, places", PLOTS, ids=PLOT_NAMES)


@each_plot
def test_the_table_holds_the_numbers(
    tmp_path, plot, x, places, assert_painted, table
):
    first = dict(zip(places, [0.1 + 0.2, 1.0, 0.0], strict=True))
    # In another order and over other places.
    second = {places[2]: 1 / 3, places[0]: 2 / 3}
    path = tmp_path / "new" / "a.png"
    assert plot({"HashNet": first, "ITQ, PCA": second}, str(path)) == path
    assert_painted(path, 6.4, 4.2)
    header, *lines = table(path)
    assert header == ["name", x, "precision"]
    read = {}
    for name, place, value in lines:
        read.setdefault(name, {})[type(places[0])(place)] = float(value)
    assert read == {"HashNet": first, "ITQ, PCA": second}
    assert len(lines) == 5


@each_plot
def test_the_first_curve_is_strongest(tmp_path, drawn, plot, x, places):
    values = dict(zip(places[::-1], [0.25, 0.5, 0.75], strict=True))
    plot({"c": values, "a": values, "b": values}, tmp_path / "a.png")
    (axes,) = drawn[0].axes
    first, *others = axes.lines
    for line in axes.lines:
        assert line.get_xdata().tolist() == places
        assert line.get_ydata().tolist() == [0.75, 0.5, 0.25]
    for line in others:
        assert first.get_linewidth() > line.get_linewidth()
        assert first.get_zorder() > line.get_zorder()
    assert len({line.get_color() for line in axes.lines}) == 3
    (legend,) = axes.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["c", "a", "b"]
    assert axes.get_ylim() == (0, 1)


@each_plot
def test_what_was_published_is_dashed(tmp_path, drawn, plot, x, places, table):
    ours, theirs = {places[0]: 0.5}, {places[0]: 0.25, places[1]: 0.75}
    path = tmp_path / "a.png"
    plot({"a": ours}, path, {"a (paper)": theirs})
    (axes,) = drawn[0].axes
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--"]
    assert axes.lines[1].get_ydata().tolist() == [0.25, 0.75]
    names = [line[0] for line in table(path)]
    assert names == ["name", "a", "a (paper)", "a (paper)"]


@each_plot
@pytest.mark.parametrize(
    "published, message",
    [
        ({"a": {1: 1}}, "Received: a in both"),
        ({"b": {1: 1.5}}, "Received: precision=1.5 in 'b' at 1"),
        ({"b": {}}, "Received: points={'b': 0}"),
    ],
)
def test_refuses_what_was_published(
    tmp_path, plot, x, places, published, message
):
    with pytest.raises(ValueError, match=f"{message}$"):
        plot({"a": {1: 1}}, tmp_path / "a.png", published)


def test_bits_are_the_ticks(tmp_path, drawn, table):
    lines = {"a": {48: 0.5, 16: 0.5}, "b": {64: 0.5}}
    path = tmp_path / "a.png"
    plot_by_bits(lines, path, {"c": {32: 0.5}}, measure="MAP")
    (axes,) = drawn[0].axes
    assert axes.get_xticks().tolist() == [16, 32, 48, 64]
    assert axes.get_ylabel() == "MAP"
    assert table(path)[0] == ["name", "bits", "MAP"]


def test_distances_of_similar_and_dissimilar_pairs(tmp_path, drawn, table):
    path = tmp_path / "a.png"
    pairs = {"a": ([6, 2, 0], [1, 1, 2]), "b": ([1, 0, 0], [0, 0, 5])}
    assert plot_distances(pairs, path) == path
    (axes,) = drawn[0].axes
    styles = [line.get_linestyle() for line in axes.lines]
    assert styles == ["-", "-", "--", "--"]
    colors = [line.get_color() for line in axes.lines]
    assert colors[:2] == colors[2:] and colors[0] != colors[1]
    header, *lines = table(path)
    assert header == ["name", "distance", "share"]
    read = {}
    for name, distance, share in lines:
        read.setdefault(name, []).append((int(distance), float(share)))
    assert read == {
        "a, similar": [(0, 0.75), (1, 0.25), (2, 0.0)],
        "b, similar": [(0, 1.0), (1, 0.0), (2, 0.0)],
        "a, dissimilar": [(0, 0.25), (1, 0.25), (2, 0.5)],
        "b, dissimilar": [(0, 0.0), (1, 0.0), (2, 1.0)],
    }


def test_refuses_no_pair_of_a_kind(tmp_path):
    with pytest.raises(ValueError, match="Received: no dissimilar pair of 'a'"):
        plot_distances({"a": ([1, 0], [0, 0])}, tmp_path / "a.png")


def test_the_ranges_hold_nothing_but_what_can_be(tmp_path, drawn):
    plot_precision_recall({"a": {0.5: 0.5}}, tmp_path / "a.png")
    plot_precision_at({"a": {300: 0.5}}, tmp_path / "b.png")
    assert drawn[0].axes[0].get_xlim() == (0, 1)
    left, right = drawn[1].axes[0].get_xlim()
    assert left == 0 and 300 <= right < 400


def test_names_are_shown_as_they_are(tmp_path, drawn):
    names = [r"_a $\x$ 50%", "a name of so many letters that it is wrapped"]
    plot_precision_at({name: {1: 0.5} for name in names}, tmp_path / "a.png")
    (legend,) = drawn[0].legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert [text.replace("\n", " ") for text in texts] == names
    assert max(len(line) for line in texts[1].split("\n")) <= 22
    # Room for the curves is left beside the legend.
    assert drawn[0].axes[0].get_position().width > 0.5


def test_a_long_legend_is_not_cut(tmp_path, drawn):
    names = [f"method {i} of the many that were compared" for i in range(12)]
    plot_precision_at({name: {1: 0.5} for name in names}, tmp_path / "a.png")
    (figure,) = drawn
    (legend,) = figure.legends
    box = legend.get_window_extent()
    width, height = figure.get_size_inches() * figure.dpi
    assert 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height


def test_many_points_have_no_markers(tmp_path, drawn):
    line = {n: 0.5 for n in range(1, 31)}
    plot_precision_at({"a": line, "b": {**line, 31: 0.5}}, tmp_path / "a.png")
    few, many = drawn[0].axes[0].lines
    assert (few.get_marker(), many.get_marker()) == ("o", "None")


@each_plot
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_refuses_a_value(tmp_path, plot, x, places, value):
    with pytest.raises(
        ValueError,
        match=f"Received: precision={value} in 'b' at {places[1]}$",
    ):
        plot({"a": {1: 1}, "b": {places[1]: value}}, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "plot, place, message",
    [
        (plot_precision_recall, 1.5, "recall=1.5 in 'a'"),
        (plot_precision_recall, -0.5, "recall=-0.5 in 'a'"),
        (plot_precision_recall, float("nan"), "recall=nan in 'a'"),
        (plot_precision_at, 0, "N=0 in 'a'"),
        (plot_precision_at, float("inf"), "N=inf in 'a'"),
        (plot_by_bits, 0, "bits=0 in 'a'"),
    ],
)
def test_refuses_a_place(tmp_path, plot, place, message):
    with pytest.raises(ValueError, match=f"Received: {message}$"):
        plot({"a": {place: 0.5}}, tmp_path / "a.png")


@each_plot
@pytest.mark.parametrize(
    "wrong, points", [({}, "{}"), ({"a": {1: 1}, "b": {}}, "{'a': 1, 'b': 0}")]
)
def test_refuses_no_curve(tmp_path, plot, x, places, wrong, points):
    with pytest.raises(ValueError, match=f"Received: points={points}$"):
        plot(wrong, tmp_path / "a.png")
