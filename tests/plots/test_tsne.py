import numpy as np
import pytest
from PIL import Image

from hashnet_tf.plots import plot_tsne, tsne
from hashnet_tf.plots._canvas import UNKNOWN
from hashnet_tf.retrieval import pack

RNG = np.random.default_rng(0)
LABELS = np.arange(60) % 3
# Three groups of codes, each within a few bits of its own middle.
MIDDLES = RNG.choice([-1.0, 1.0], size=(3, 20))
SIGNS = MIDDLES[LABELS] * np.where(RNG.random((60, 20)) < 0.05, -1, 1)
CODES = pack(SIGNS)


@pytest.fixture
def circle(monkeypatch):
    """The signs that t-SNE would get; puts them on a circle instead."""
    calls = []

    def embed(signs, seed):
        calls.append(signs)
        angles = np.linspace(0, 6, len(signs))
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    monkeypatch.setattr(tsne, "_embed", embed)
    return calls


@pytest.fixture
def places_in(table):
    return lambda path: parsed(*table(path))


def parsed(header, *lines):
    assert header == ["index", "x", "y", "label"]
    index, x, y, label = zip(*lines, strict=True)
    places = np.array([x, y], dtype=float).T
    return np.array(index, dtype=int), places, np.array(label, dtype=int)


def test_near_codes_lie_near(tmp_path, places_in):
    path = tmp_path / "new" / "tsne.png"
    assert plot_tsne(CODES, 20, LABELS, str(path)) == path
    index, places, labels = places_in(path)
    assert index.tolist() == list(range(60))
    assert labels.tolist() == LABELS.tolist()
    away = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(away, np.inf)
    assert (labels[away.argmin(axis=1)] == labels).all()
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with Image.open(path) as image:
        assert image.size == (1110, 840)
        assert len(image.getcolors(maxcolors=2**20)) > 4


def test_the_seed_decides(tmp_path, drawn):
    tables = []
    for i, seed in enumerate([3, 3, 4]):
        path = plot_tsne(
            CODES, 20, LABELS, tmp_path / f"{i}.png", seed=seed, most=30
        )
        tables.append(path.with_suffix(".csv").read_text())
    assert tables[0] == tables[1] != tables[2]


def test_the_distances_are_those_of_hamming(monkeypatch, tmp_path, drawn):
    import sklearn.manifold

    class Fake(sklearn.manifold.TSNE):
        def fit_transform(self, X):
            settings.append((self.metric, self.random_state))
            assert set(np.unique(X)) <= {-1, 1}
            return np.zeros((len(X), 2)) + np.arange(len(X))[:, None]

    settings = []
    monkeypatch.setattr(sklearn.manifold, "TSNE", Fake)
    plot_tsne(CODES, 20, LABELS, tmp_path / "a.png", seed=5)
    assert settings == [("hamming", 5)]


@pytest.mark.parametrize(
    "bits, codes",
    [
        (1, [0, 128, 0, 128]),
        (8, [7] * 4),
        (7, [0, 2] * 20),
    ],
)
def test_codes_that_hardly_differ(tmp_path, bits, codes, places_in, drawn):
    codes = np.array(codes, np.uint8)[:, None]
    path = plot_tsne(codes, bits, np.arange(len(codes)), tmp_path / "a.png")
    assert np.isfinite(places_in(path)[1]).all()


def test_draws_some_of_many(tmp_path, circle, drawn, places_in):
    path = plot_tsne(CODES, 20, LABELS, tmp_path / "a.png", most=25)
    index, places, labels = places_in(path)
    assert len(index) == 25 and (np.diff(index) > 0).all()
    # Not the first 25, which may all be of one class.
    assert index[-1] > 40
    np.testing.assert_array_equal(circle[0], SIGNS[index])
    np.testing.assert_array_equal(labels, LABELS[index])
    angles = np.linspace(0, 6, 25)
    assert places[:, 0].tolist() == np.cos(angles).tolist()
    assert places[:, 1].tolist() == np.sin(angles).tolist()
    assert drawn[0].axes[0].get_title() == "t-SNE of 25 of 60 codes of 20 bits"


def test_most_may_be_all(tmp_path, circle, drawn):
    plot_tsne(CODES, 20, LABELS, tmp_path / "a.png", most=60)
    np.testing.assert_array_equal(circle[0], SIGNS)
    assert drawn[0].axes[0].get_title() == "t-SNE of 60 codes of 20 bits"


def test_each_class_has_its_color(tmp_path, circle, drawn, places_in):
    labels = np.array([7, -1, 3, 7, -2, 3])
    path = plot_tsne(CODES[:6], 20, labels, tmp_path / "a.png")
    _, places, written = places_in(path)
    assert written.tolist() == labels.tolist()
    groups = drawn[0].axes[0].collections
    for group, members in zip(groups, ([1, 4], [2, 5], [0, 3]), strict=True):
        np.testing.assert_array_equal(group.get_offsets(), places[members])
    colors = [tuple(group.get_facecolor()[0][:3]) for group in groups]
    assert colors[0] == (float(UNKNOWN),) * 3
    assert len(set(colors)) == 3
    (legend,) = drawn[0].legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["unknown", "3", "7"]


@pytest.mark.parametrize("classes, legends", [(40, 1), (41, 0)])
def test_names_as_many_classes_as_can_be_read(
    tmp_path, circle, drawn, classes, legends
):
    labels = np.arange(60) % classes
    plot_tsne(CODES, 20, labels, tmp_path / "a.png")
    assert len(drawn[0].axes[0].collections) == classes
    assert len(drawn[0].legends) == legends


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"codes": CODES[:3], "labels": LABELS[:3]}, r"codes.shape=\(3, 3\)"),
        ({"codes": SIGNS}, "codes.dtype=float64"),
        ({"bits": 25}, r"codes.shape=\(60, 3\)"),
        ({"labels": LABELS[:5]}, r"labels.shape=\(5,\)"),
        ({"labels": LABELS / 2}, "labels.dtype=float64"),
        ({"labels": np.eye(60, dtype=int)}, r"labels.shape=\(60, 60\)"),
        ({"most": 3}, "most=3"),
        ({"most": 10.0}, "most=10.0"),
    ],
)
def test_refuses(tmp_path, circle, wrong, message):
    arguments = {"codes": CODES, "bits": 20, "labels": LABELS, **wrong}
    with pytest.raises(ValueError, match=f"Received: .*{message}$"):
        plot_tsne(path=tmp_path / "a.png", **arguments)
    assert not circle and not list(tmp_path.iterdir())
