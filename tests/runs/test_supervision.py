"""Runs that learn from pairs, end to end."""

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.runs import Run, TrainingConfig, train
from hashnet_tf.runs.fitting import fit_head
from hashnet_tf.runs.supervision import PairSupervision, supervision_of
from hashnet_tf.tools.main import parse
from hashnet_tf.tools.main import run as run_arguments

TOPICS, ITEMS, WIDTH = 6, 240, 12
RNG = np.random.default_rng(0)
TOPIC = RNG.integers(0, TOPICS, ITEMS)
# What tells topics apart is small beside what does not.
ROWS = 0.4 * RNG.normal(size=(TOPICS, WIDTH))[TOPIC]
ROWS = np.hstack([ROWS + 0.1 * RNG.normal(size=ROWS.shape), ROWS])
ROWS[:, WIDTH:] = RNG.normal(size=(ITEMS, WIDTH))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Vectors with ids, the same with labels, and pairs of one topic each."""
    folder = tmp_path_factory.mktemp("pairs")
    for name in ("x", "labelled"):
        np.save(folder / f"{name}.npy", ROWS.astype("float32"))
        np.save(folder / f"{name}_ids.npy", [f"item {i}" for i in range(ITEMS)])
    np.save(folder / "labelled_labels.npy", TOPIC)
    rows = []
    while len(rows) < 500:
        one, other = RNG.integers(0, ITEMS, 2)
        if TOPIC[one] == TOPIC[other] and one != other:
            rows.append(f"item {one},item {other}\n")
    (folder / "clicks.csv").write_text("".join(rows))
    return folder


@pytest.fixture(scope="module")
def settings(files):
    return {
        "data": f"vectors:{files / 'x.npy'}",
        "pairs": str(files / "clicks.csv"),
        "bits": 16,
        "batch_size": 32,
        "epochs": 15,
        "learning_rate": 1e-2,
        "beta": 1.0,
    }


@pytest.fixture(scope="module")
def trained(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "pairs"
    return train(TrainingConfig(**settings), folder)


def test_pairs_teach_topics(trained):
    """Judged by the topics, which no training has seen."""
    codes = trained.encode(ROWS)
    report = hn.retrieval.evaluate(
        codes[:60], codes[60:], TOPIC[:60], TOPIC[60:], bits=16
    )
    untrained = hn.shallow.ITQ(16).fit(ROWS).encode(ROWS)
    before = hn.retrieval.evaluate(
        untrained[:60], untrained[60:], TOPIC[:60], TOPIC[60:], bits=16
    )
    assert before.map < 0.4
    assert report.map > 0.9


def test_partners_are_measured(trained):
    report = trained.evaluate()
    dataset = trained.dataset
    assert report.queries == len(dataset.query) == 20
    # Anything of the topic comes before what is of none, and few are partners.
    assert report.map > 3 * (dataset.database.labels.sum() / 20 / 220)
    expected = hn.runs.expectation.Expectation(**trained.report["expectation"])
    assert expected.by_pairs and expected.queries == 20
    assert expected.database == expected.held_out == len(dataset.database)
    text = expected.text()
    assert "were paired with it" in text
    assert "are in no pair of the training" in text
    names = {*dataset.query.names}
    for pair in dataset.pairs:
        assert not names & {dataset.train.names[row] for row in pair[:2]}


@pytest.mark.slow
def test_a_killed_training_goes_on(settings, trained, tmp_path, monkeypatch):
    config = TrainingConfig(**{**settings, "epochs": 3})
    whole = train(config, tmp_path / "whole")
    folder = tmp_path / "killed"
    saved = hn.callbacks.LastCheckpoint.on_epoch_end

    def killed(self, epoch, logs=None):
        saved(self, epoch, logs)
        if epoch == 0:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(hn.callbacks.LastCheckpoint, "on_epoch_end", killed)
        with pytest.raises(KeyboardInterrupt):
            train(config, folder)
    so_far = Run(folder).so_far()
    assert so_far.encode(ROWS).shape == (ITEMS, 2)
    again = train(config, folder)
    assert np.array_equal(again.encode(ROWS), whole.encode(ROWS))
    last, expected = again.history[-1], whole.history[-1]
    assert last["J"] == pytest.approx(expected["J"], rel=1e-5)


def test_changed_pairs_are_refused(settings, files, tmp_path):
    copy = tmp_path / "clicks.csv"
    text = (files / "clicks.csv").read_text()
    copy.write_text(text)
    config = TrainingConfig(**{**settings, "pairs": str(copy), "epochs": 1})
    train(config, tmp_path / "run")
    lines = text.splitlines(keepends=True)
    # As many pairs of the same items, and another partner.
    lines[0], lines[1] = (
        f"{lines[0].split(',')[0]},{lines[1].split(',')[1]}",
        f"{lines[1].split(',')[0]},{lines[0].split(',')[1]}",
    )
    copy.write_text("".join(lines))
    with pytest.raises(ValueError, match="stay as they were.*train"):
        _ = Run(tmp_path / "run").dataset


def test_labels_measure_where_there_are_some(settings, files, tmp_path):
    config = TrainingConfig(
        **{**settings, "data": f"vectors:{files / 'labelled.npy'}"}
    )
    run = train(config, tmp_path / "run")
    report = run.evaluate()
    assert report.map > 0.9
    assert "share its label" not in run.report["protocol"]
    assert not run.report["expectation"]["by_pairs"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "dhn", "beta": None},
        {"class_weights": "dataset"},
        {"classes_per_batch": 4},
        {"similarity": "jaccard"},
        {"validation": 10},
        {"imbalance": 2.0},
        {"unseen_classes": 1},
    ],
)
def test_what_is_of_labels_is_refused(settings, wrong):
    name = next(iter(wrong))
    with pytest.raises(ValueError, match=rf"`{name}`.*pairs.*Received"):
        TrainingConfig(**{**settings, **wrong})


def test_a_map_takes_no_notice(settings, tmp_path):
    given = {n: settings[n] for n in ("data", "pairs", "bits")}
    run = train(TrainingConfig(method="itq", **given), tmp_path / "itq")
    assert run.evaluate().queries == 20
    assert run.evaluate_neighbors().queries == 20


def test_one_topic_tells_nothing_apart(settings):
    pairs = np.array([[0, 1, 1], [0, 2, 1], [1, 2, 1]])
    config = TrainingConfig(**{**settings, "batch_size": 2})
    with pytest.raises(ValueError, match="more than one thing.*3 pairs"):
        PairSupervision(config, pairs, 3)


def test_what_is_watched_are_items_of_similar_pairs(settings):
    rng = np.random.default_rng(1)
    pairs = np.column_stack(
        [rng.integers(0, 30, (80, 2)), rng.integers(-1, 2, 80)]
    )
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    given = PairSupervision(TrainingConfig(**settings), pairs, 30)
    labels = given.watched_labels.astype(int)
    similar = labels @ labels.T > 0
    wanted = {frozenset(pair[:2].tolist()) for pair in pairs if pair[2] == 1}
    for i, one in enumerate(given.watched):
        for j, other in enumerate(given.watched):
            assert similar[i, j] == (
                i == j or frozenset((one, other)) in wanted
            )


def test_labels_and_features_are_as_they_were(settings, files):
    """`fit_head` trains by labels, to the bit as a run does."""
    data = f"vectors:{files / 'labelled.npy'}"
    given = {**settings, "data": data, "pairs": None, "epochs": 2}
    config = TrainingConfig(**given)
    dataset = hn.datasets.load(**config.data_source())
    supervision = supervision_of(config, dataset)
    assert supervision.items_per_step == 32
    features = dataset.train.array()[:, None]
    head, _ = fit_head(config, features, dataset.train.labels)
    assert head.encode(ROWS).shape == (ITEMS, 2)


def run_command(argv):
    assert run_arguments(parse(["hashnet", *argv])) == 0


@pytest.fixture
def photographs(tmp_path):
    """Pictures of one colour each, and pairs of alike ones."""
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (4, 3))
    of = rng.integers(0, 4, 60)
    for number, colour in enumerate(of):
        pixels = colours[colour] + rng.integers(-9, 10, (16, 16, 3))
        pixels = np.clip(pixels, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    pairs = [
        f"{a}.png,{b}.png\n"
        for a in range(60)
        for b in rng.permutation(60)[:8]
        if a != b and of[a] == of[b]
    ]
    path = tmp_path / "same.csv"
    path.write_text("".join(pairs))
    return path, of


@pytest.mark.slow
def test_photographs_by_their_paths(photographs, tmp_path, capsys):
    path, of = photographs
    run_command(
        [
            "train",
            f"--data=pairs:{path}",
            f"--workdir={tmp_path / 'run'}",
            "--image_size=16",
            "--batch_size=16",
            "--epochs=8",
            "--bits=12",
            "--beta=1",
            "--learning_rate=1e-3",
        ]
    )
    run = Run(tmp_path / "run")
    codes = run.encode([tmp_path / f"{n}.png" for n in range(60)])
    report = hn.retrieval.evaluate(codes, codes, of, of, bits=12)
    assert report.map > 0.9
    capsys.readouterr()
    run_command(["evaluate", f"--workdir={tmp_path / 'run'}"])
    assert "were paired with it" in capsys.readouterr().out
    run_command(["datasets", "describe", f"pairs:{path}"])
    assert "similar)" in capsys.readouterr().out
