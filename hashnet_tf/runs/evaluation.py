"""The measurement of a run."""

from hashnet_tf._files import write_json
from hashnet_tf.retrieval.evaluation import USUAL_AT
from hashnet_tf.runs.code_set import evaluate_code_sets
from hashnet_tf.runs.data import run_data
from hashnet_tf.runs.encoders import FeatureEncoder
from hashnet_tf.runs.encoding import encode_images
from hashnet_tf.runs.features import frozen_features
from hashnet_tf.runs.networks import build_backbone
from hashnet_tf.runs.run_directory import RunDirectory

PARTS = ("query", "database")


def evaluate_run(
    workdir,
    at=None,
    empty_ball="zero",
    features=None,
    data=None,
    backbone=None,
):
    """Encodes a run's queries and database and measures the retrieval.

    Writes the two code sets, which are made only once, and `report.json`.

    Args:
        workdir: Str or path of the run directory.
        at: Int R >= 1 of MAP@R; None takes that of the data set's protocol,
            or 5,000 where it names none.
        empty_ball: As in `hashnet_tf.retrieval.evaluate`.
        features: Str or path of a folder for the features of a frozen
            backbone, which several runs may share: the backbone sees each
            image once for all of them. The codes are the same, though
            features from another kind of device may move a bit whose z is all
            but 0. None, or a backbone that is not frozen: the run encodes the
            images themselves.
        data: What `run_data` gave for a run on the same data, or None to load
            them.
        backbone: The frozen backbone as `build_backbone` gives it, or None to
            build it where `features` want it.

    Returns:
        `hashnet_tf.retrieval.RetrievalReport`.

    Raises:
        ValueError: If the run is not trained, or its data or, with
            `features`, its backbone's weights have gone or changed.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> config = hn.runs.TrainingConfig(
    ...     data="digits", image_size=8, train_per_class=10, batch_size=50,
    ...     epochs=1,
    ... )
    >>> with tempfile.TemporaryDirectory() as workdir:
    ...     run = hn.runs.train(config, workdir)
    ...     report = hn.runs.evaluate_run(workdir, at=100)
    ...     report.queries, report.at  # doctest: +ELLIPSIS
    digits: 100 train, 200 query, 1597 database. ...
    Encoding 200 images
    ...
    (200, 100)
    """
    run = RunDirectory(workdir)
    config, model = run.config(), run.model()
    dataset, record = run_data(run, config, data)
    encoder, features_of = model, _no_features
    if config.freeze_backbone and features is not None:
        backbone = backbone or build_backbone(config)
        encoder = FeatureEncoder(model, backbone)
        features_of = _features_by(backbone, features, config.framing)
    query, database = (
        encode_images(
            encoder,
            getattr(dataset, part),
            run.codes_path(part),
            source={**config.data_source(), "part": part},
            protocol=dataset.protocol,
            features=features_of(getattr(dataset, part)),
        )
        for part in PARTS
    )
    if at is None:
        at = dataset.at or USUAL_AT
    report = evaluate_code_sets(query, database, at, empty_ball)
    write_json(
        run.report_path,
        {
            "data": dataset.name,
            "protocol": dataset.protocol,
            "training_images": len(dataset.train),
            "model_digest": query.manifest["model_digest"],
            "undecodable": {
                part: record[part]["undecodable"] for part in PARTS
            },
            "retrieval": report.as_dict(),
        },
    )
    return report


def _no_features(images):
    return None


def _features_by(backbone, folder, framing):
    """Returns a function from images to their features."""

    def features_of(images):
        views = frozen_features(backbone, images, folder, framing=framing)
        return views[:, 0]

    return features_of
