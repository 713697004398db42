"""What is measured: of a run, of code sets, of files of any program."""

import contextlib
import os
import pathlib
import typing

import numpy as np

from hashnet_tf._files import read_back, write_json
from hashnet_tf._output import say
from hashnet_tf.methods import METHODS
from hashnet_tf.plots import (
    plot_code_histogram,
    plot_neighbor_report,
    plot_precision_at,
    plot_precision_recall,
    plot_training,
)
from hashnet_tf.retrieval import (
    NeighborReport,
    RetrievalReport,
    evaluate,
    evaluate_neighbors,
)
from hashnet_tf.retrieval.evaluation import USUAL_AT
from hashnet_tf.runs.code_set import CodeSet
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.expectation import expectation

if typing.TYPE_CHECKING:
    import keras

    from hashnet_tf.runs.encoders import FeatureEncoder
    from hashnet_tf.runs.run import Run

    # A frozen network and what encodes its features.
    Backbone = tuple[keras.Model, FeatureEncoder]

Path = os.PathLike[str] | str

PARTS = ("query", "database")
# What a report may hold.
MEASURED = ("retrieval", "expectation", "neighbors")


def measure(
    run: "Run",
    config: TrainingConfig,
    at: int | None,
    empty_ball: str,
    features: Path | None,
    backbone: "keras.Model | None",
) -> RetrievalReport:
    """Measures a run as `Run.evaluate` tells, which calls it."""
    dataset = run.dataset
    for part in PARTS:
        # Before minutes are spent on codes that cannot be measured.
        _ = getattr(dataset, part).labels
    frozen = None
    if config.freeze_backbone and (features or backbone):
        frozen = _with_encoder(run, config, backbone)
    elif config.freeze_backbone:
        # The codes are set beside its features, where it is still there.
        frozen = _backbone_of(run, config)
    sets, features_of = _encoded(
        run, config, features or run.features_path, frozen
    )
    query, database = sets
    if at is None:
        at = dataset.at or USUAL_AT
    report = evaluate_code_sets(query, database, at, empty_ball)
    expected = expectation(dataset, query, database, features_of)
    _write_report(
        run,
        query.model_digest,
        {
            "retrieval": report.as_dict(),
            "expectation": expected and expected.as_dict(),
        },
    )
    return report


def measure_neighbors(
    run: "Run", config: TrainingConfig, features: Path
) -> NeighborReport:
    """Measures a run as `Run.evaluate_neighbors` tells, which calls it."""
    if not config.freeze_backbone:
        raise ValueError(
            "The neighbours are those by the features of a frozen backbone."
            f" Received: freeze_backbone={config.freeze_backbone}"
        )
    (query, database), features_of = _encoded(
        run, config, features, _with_encoder(run, config, None)
    )
    report = evaluate_neighbors(
        query.codes,
        database.codes,
        features_of["query"],
        features_of["database"],
        bits=query.bits,
    )
    _write_report(run, query.model_digest, {"neighbors": report.as_dict()})
    return report


def _backbone_of(run: "Run", config: TrainingConfig) -> "Backbone | None":
    """Returns the frozen backbone of a run, or None where its weights are not.

    The network that was trained holds them too, so that all but its features
    can be measured.
    """
    try:
        return _with_encoder(run, config, None)
    except (ValueError, OSError) as error:
        say(f"Measured without the float features. {error}")
        return None


def _with_encoder(
    run: "Run", config: TrainingConfig, backbone: "keras.Model | None"
) -> "Backbone":
    """Returns the frozen backbone of a run, and what encodes its features."""
    # Their import would make code sets wait for Keras.
    from hashnet_tf.runs.encoders import FeatureEncoder
    from hashnet_tf.runs.networks import build_backbone

    backbone = backbone or build_backbone(config, run.dataset.train)
    return backbone, FeatureEncoder(run.model, backbone)


def _encoded(
    run: "Run",
    config: TrainingConfig,
    features: Path,
    frozen: "Backbone | None",
) -> tuple[list[CodeSet], dict[str, np.ndarray]]:
    """Returns the two code sets, and the features where those were taken."""
    encoder, features_of = run.encoder, {}
    if frozen is not None:
        from hashnet_tf.runs.features import frozen_features

        backbone, encoder = frozen
        for part in PARTS:
            images = getattr(run.dataset, part)
            features_of[part] = frozen_features(
                backbone, images, features, framing=config.framing
            )[:, 0]
    code_sets = [
        run.encode_part(part, encoder=encoder, features=features_of.get(part))
        for part in PARTS
    ]
    return code_sets, features_of


def _write_report(
    run: "Run", model_digest: str, measured: dict[str, typing.Any]
) -> None:
    """Writes what was measured beside what else is known of the model."""
    dataset, record = run.load_data()
    known: dict[str, typing.Any] = {}
    # One that is damaged is written anew.
    with contextlib.suppress(ValueError):
        there = run.report
        if there["model_digest"] == model_digest:
            known = {key: there[key] for key in MEASURED if key in there}
    write_json(
        run.report_path,
        {
            "data": dataset.name,
            "protocol": dataset.protocol,
            "training_images": len(dataset.train),
            "model_digest": model_digest,
            "undecodable": {
                part: record[part]["undecodable"] for part in PARTS
            },
            # None where the data have no labels.
            "retrieval": None,
            **known,
            **measured,
        },
        seal=True,
    )


def evaluate_code_sets(
    query: CodeSet,
    database: CodeSet,
    at: int = USUAL_AT,
    empty_ball: str = "zero",
) -> RetrievalReport:
    """Measures the retrieval of one code set's images from another's.

    Args:
        query: `CodeSet` with labels.
        database: `CodeSet` with labels.
        at: Int R >= 1 of MAP@R.
        empty_ball: As in `hashnet_tf.retrieval.evaluate`.

    Returns:
        `hashnet_tf.retrieval.RetrievalReport`.

    Raises:
        ValueError: If they were made by two encoders or decoders, or one has
            no labels.

    Example:

    ```python
    query, database = map(hn.runs.CodeSet.load, ["codes/query", "codes/all"])
    hn.runs.evaluate_code_sets(query, database, at=1000).map
    ```
    """
    query.check_digest(database.model_digest)
    query.check_decoder(database.decoder)
    for name, code_set in (("query", query), ("database", database)):
        if code_set.labels is None:
            raise ValueError(
                f"`{name}` must have labels, by which relevance is judged."
                f" Received: {name} of {len(code_set.ids)} codes without"
            )
    assert query.labels is not None and database.labels is not None
    return evaluate(
        query.codes,
        database.codes,
        query.labels,
        database.labels,
        bits=database.bits,
        at=at,
        empty_ball=empty_ball,
    )


def draw_training(run: "Run") -> list[pathlib.Path]:
    """Draws a training as `Run.draw` tells, which calls it."""
    if run.model_path.is_file() and METHODS[run.config.method].is_map:
        return []
    if not run.codes_after_path.exists():
        raise ValueError(
            "The training must be finished first (`hashnet train`)."
            f" Received: no {run.codes_after_path}"
        )
    codes = []
    for path in (run.codes_before_path, run.codes_after_path):
        with read_back(path, f"delete {run.path} to begin anew"):
            codes.append(np.load(path))
    return [
        plot_training(run.history, run.figures_path / "training.png"),
        plot_code_histogram(
            codes[0], codes[1], run.figures_path / "code_histogram.png"
        ),
    ]


def draw_report(
    report: RetrievalReport | NeighborReport, folder: Path
) -> list[pathlib.Path]:
    """Draws precision by recall and by the number of images found.

    Without labels: what is kept of the neighbours, of the distances, and how
    balanced the bits are.

    Args:
        report: `RetrievalReport` or `NeighborReport`.
        folder: Str or path of the folder of the figures.

    Returns:
        List of the paths of the PNGs.
    """
    if isinstance(report, NeighborReport):
        path = pathlib.Path(folder, "neighbors.png")
        return [plot_neighbor_report(report, path)]
    name, folder = f"{report.bits} bits", pathlib.Path(folder)
    paths = [
        plot_precision_recall(
            {name: report.precision_at_recall}, folder / "precision_recall.png"
        )
    ]
    # A small database has no precision at 100.
    if report.precision_at:
        paths.append(
            plot_precision_at(
                {name: report.precision_at}, folder / "precision_at.png"
            )
        )
    return paths
