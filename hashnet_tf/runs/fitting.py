"""The training of a run: batches, network, loss, callbacks, `fit`."""

import pathlib
import typing
from collections.abc import Callable, Iterable

import keras
import numpy as np

from hashnet_tf._files import only_writer, read_back, sealed, write_json
from hashnet_tf._output import keras_verbose, say
from hashnet_tf.callbacks import (
    Continuation,
    ContinuationMonitor,
    LastCheckpoint,
)
from hashnet_tf.datasets import ImageSet, pixel_array, training_batches
from hashnet_tf.datasets.pixels.undecodable import undecodable_named
from hashnet_tf.datasets.retrieval_dataset import PARTS
from hashnet_tf.models import HashNet
from hashnet_tf.runs._callbacks import Finite, LastMeasured, Reseeded
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.data import Record
from hashnet_tf.runs.features import feature_batches, training_features
from hashnet_tf.runs.forecast import tell_forecast
from hashnet_tf.runs.networks import (
    build_backbone,
    build_head,
    build_optimizer,
    build_schedule,
    standardize,
)
from hashnet_tf.runs.records import Records, losses_until
from hashnet_tf.runs.run import Path, Run
from hashnet_tf.runs.supervision import (
    LabelSupervision,
    Supervision,
    supervision_of,
)

if typing.TYPE_CHECKING:
    import tensorflow as tf


def fit_run(
    run: Run, config: TrainingConfig, features: Path | None = None
) -> None:
    """Trains a run that is not trained yet; `hashnet_tf.runs.train` calls it.

    Args:
        run: `Run`, new or killed.
        config: `TrainingConfig`.
        features: As in `hashnet_tf.runs.train`.

    Raises:
        ValueError: As `hashnet_tf.runs.train`.
    """
    keras.utils.set_random_seed(config.seed)
    dataset, record = run.load_data(config)
    say(dataset.describe())
    images = dataset.train
    supervision = supervision_of(config, dataset)
    steps = supervision.steps_per_epoch * config.epochs
    backbone = build_backbone(config, images)
    cache = pathlib.Path(features or run.features_path)
    # What goes on has been told.
    if not run.checkpoint_path.exists():
        tell_forecast(
            config, backbone, images, steps, supervision.items_per_step, cache
        )
    if config.freeze_backbone:
        given = training_features(config, backbone, images, cache)
        batches, watched = _feature_sources(supervision, given)
    else:
        say(
            f"All of {config.backbone} is trained: {steps} steps of"
            f" {supervision.items_per_step} images. First they are read"
        )
        batches, watched = _pixel_sources(supervision, images)
    hashnet = head = _head(config, backbone.output_shape[-1])
    if config.freeze_backbone:
        standardize(head, given)
    else:
        hashnet = head.on_top_of(backbone)
    model, monitor = _compiled(supervision, hashnet, watched)

    def begin() -> None:
        write_begun(run, config, record)

    # Images that are not kept in memory are read again each epoch.
    with undecodable_named(images):
        _fit_into(run, supervision, model, monitor, batches, begin)
    if config.freeze_backbone:
        hashnet = head.on_top_of(backbone)
    elif config.is_rival:
        # Not as it was compiled: the file would need the rival's loss.
        trained = hashnet.get_weights()
        hashnet = head.on_top_of(backbone)
        hashnet.set_weights(trained)
    with sealed(run.model_path) as beside:
        hashnet.save(beside)


def fit_head(
    config: TrainingConfig, features: np.ndarray, labels: np.ndarray
) -> tuple[HashNet, dict[str, typing.Any]]:
    """Trains a HashNet on the features of a frozen backbone, in memory.

    To the last bit as `fit_run` does on the same features, without a run
    directory: nothing is saved and nothing is measured before the end, which
    takes most of the time of a small training.

    Args:
        config: `TrainingConfig` with `freeze_backbone`.
        features: float32 `[n, views, d]`, what `frozen_features` gives for the
            training images.
        labels: Class ids `[n]` or a zero-or-one matrix `[n, L]`.

    Returns:
        `HashNet` from features `[n, d]` to g, and a dict of what
        `ContinuationMonitor` measures of it: `J`, `L`, `gap` and others.

    Raises:
        ValueError: If there are fewer items than a batch holds, the labels are
            not as the method needs them, or the loss does not stay finite.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> from hashnet_tf.runs.fitting import fit_head
    >>> features = np.random.default_rng(0).normal(size=(200, 1, 5))
    >>> config = hn.runs.TrainingConfig(
    ...     "digits", weights="a.h5", freeze_backbone=True, bits=12, epochs=2
    ... )
    >>> head, measured = fit_head(
    ...     config, features.astype("float32"), np.arange(200) % 3
    ... )
    >>> head.encode(features[:, 0]).shape, 0 < measured["gap"] < 1
    ((200, 2), True)
    """
    supervision = LabelSupervision(config, labels)
    batches, watched = _feature_sources(supervision, features)
    head = _head(config, features.shape[-1])
    standardize(head, features)
    model, monitor = _compiled(supervision, head, watched)
    last = LastMeasured(monitor, config.epochs)
    model.fit(
        batches(range(config.epochs)),
        shuffle=False,
        epochs=config.epochs,
        steps_per_epoch=supervision.steps_per_epoch,
        verbose=0,
        callbacks=[last, *_callbacks(supervision)],
    )
    return head, last.record


def save_so_far(run: Run) -> Run:
    """Makes a run of what a training that is not done has reached.

    Args:
        run: `Run`, which a process may be training.

    Returns:
        `Run` in `so_far/` of the run's folder, with the network of the last
        whole epoch in place of a trained one.

    Raises:
        ValueError: If no epoch is done, or its weights are damaged.
    """
    config = run.config
    if not run.checkpoint_path.exists():
        raise ValueError(
            "One epoch must be done before it can be measured (`hashnet"
            f" train`). Received: no {run.checkpoint_path}"
        )
    dataset, record = run.load_data()
    backbone = build_backbone(config, dataset.train)
    head = build_head(config, backbone.output_shape[-1])
    hashnet = head if config.freeze_backbone else head.on_top_of(backbone)
    model = supervision_of(config, dataset).model(hashnet)
    with read_back(run.checkpoint_path, "delete it to begin anew"):
        # Uncompiled, for the optimizer's state is not wanted.
        model.load_weights(run.checkpoint_path)
    if config.freeze_backbone:
        hashnet = head.on_top_of(backbone)
    there = Run(run.path / "so_far", run.load_data())
    with only_writer(there.path):
        write_json(there.config_path, config.as_dict(), seal=True)
        write_json(there.data_path, record, seal=True)
        with sealed(there.model_path) as beside:
            hashnet.save(beside)
    return there


def write_begun(run: Run, config: TrainingConfig, record: Record) -> None:
    """Writes what a run is made of, and says how many images it leaves out."""
    write_json(run.config_path, config.as_dict(), seal=True)
    write_json(run.data_path, record, seal=True)
    for part in PARTS:
        if count := len(record[part]["undecodable"]):
            say(
                f"{count} undecodable {part} images are left out; they are"
                f" listed in {run.data_path}"
            )


# From numbers of epochs to the batches of these; and inputs with their labels.
Sources = tuple[
    Callable[[Iterable[int]], "tf.data.Dataset"],
    tuple[np.ndarray, np.ndarray],
]


def _pixel_sources(supervision: Supervision, images: ImageSet) -> Sources:
    """Returns batches of epochs, and the watched sample: inputs, labels."""
    config = supervision.config
    size = (config.image_size, config.image_size)

    def batches(epochs):
        items = training_batches(
            images.relabelled(supervision.item_labels),
            size,
            supervision.items_per_step,
            config.seed,
            config.augmentation,
            config.cache_images,
            config.framing,
            sampler=supervision.sampler,
            epochs=epochs,
        )
        return supervision.batches(items, epochs)

    watched = images.subset(supervision.watched)
    pixels = pixel_array(watched, size, config.framing)
    return batches, (pixels, supervision.watched_labels)


def _feature_sources(supervision: Supervision, features: np.ndarray) -> Sources:
    """Does for features what `_pixel_sources` does for images."""

    def batches(epochs):
        items = feature_batches(
            features,
            supervision.item_labels,
            supervision.items_per_step,
            supervision.config.seed,
            supervision.sampler,
            epochs,
        )
        return supervision.batches(items, epochs)

    watched = np.array(features[supervision.watched, 0])
    return batches, (watched, supervision.watched_labels)


def _head(config: TrainingConfig, width: int) -> HashNet:
    if config.freeze_backbone:
        # Alike by a seed, whether the backbone was built before or not.
        keras.utils.set_random_seed(config.seed)
    return build_head(config, width)


def _compiled(
    supervision: Supervision,
    hashnet: HashNet,
    watched: tuple[np.ndarray, np.ndarray],
) -> tuple[typing.Any, ContinuationMonitor]:
    """Returns the model to fit, and what watches its HashNet."""
    config, (inputs, known) = supervision.config, watched
    monitor = ContinuationMonitor(
        inputs, known, supervision.watched_loss, hashnet=hashnet
    )
    model = supervision.model(hashnet)
    steps = supervision.steps_per_epoch * config.epochs
    optimizer = build_optimizer(config, steps)
    model.compile(optimizer=optimizer, loss=supervision.loss)
    # Else the step is traced twice, the first time to make its variables.
    model.optimizer.build(model.trainable_variables)
    return model, monitor


def _callbacks(supervision, losses=()):
    """Returns those without which a training is another."""
    config = supervision.config
    steps = supervision.steps_per_epoch * config.epochs
    return [
        Continuation(build_schedule(config, steps), losses),
        # Behind it, to tell the beta of the step.
        Finite(),
        Reseeded(config.seed),
    ]


def _fit_into(run, supervision, model, monitor, batches, begin):
    config, steps_per_epoch = supervision.config, supervision.steps_per_epoch
    checkpoint = LastCheckpoint(run.checkpoint_path)
    steps = checkpoint.restore(model)
    done = steps // steps_per_epoch
    # One epoch at least, where only the end is left to write.
    stream = batches(range(min(done, config.epochs - 1), config.epochs))
    # All that can be wrong has been looked at: from here on there is a run.
    begin()
    if done:
        say(f"Going on after epoch {done}")
    else:
        say(f"Computing g of {len(monitor.images)} images before training")
        _save_codes(monitor, run.codes_before_path)
    losses = losses_until(run.records_path, steps)
    model.fit(
        stream,
        shuffle=False,
        epochs=config.epochs,
        initial_epoch=done,
        steps_per_epoch=steps_per_epoch,
        verbose=keras_verbose(),
        callbacks=[
            # First, to see the beta that an epoch was trained with.
            monitor,
            *_callbacks(supervision, losses),
            Records(run.records_path, monitor),
            keras.callbacks.TensorBoard(run.logs_path, write_graph=False),
            checkpoint,
        ],
    )
    _save_codes(monitor, run.codes_after_path)


def _save_codes(monitor: ContinuationMonitor, path: pathlib.Path) -> None:
    with sealed(path) as beside, beside.open("wb") as file:
        np.save(file, monitor.codes())
