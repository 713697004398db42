"""The training of a run: batches, network, loss, callbacks, `fit`."""

import math
import pathlib
import typing

import keras
import numpy as np

from hashnet_tf._files import only_writer, read_back, sealed, write_json
from hashnet_tf._output import keras_verbose, say
from hashnet_tf._types import ops
from hashnet_tf.callbacks import (
    Continuation,
    ContinuationMonitor,
    LastCheckpoint,
)
from hashnet_tf.datasets import (
    ImageSet,
    PairSampler,
    pixel_array,
    training_batches,
)
from hashnet_tf.datasets.pixels.undecodable import undecodable_named
from hashnet_tf.datasets.retrieval_dataset import PARTS
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.data import Record
from hashnet_tf.runs.features import feature_batches, frozen_features
from hashnet_tf.runs.networks import (
    build_backbone,
    build_head,
    build_loss,
    build_optimizer,
    build_pairwise_loss,
    build_schedule,
    build_training_model,
)
from hashnet_tf.runs.records import Records, losses_until
from hashnet_tf.runs.run import Path, Run

MONITORED = 500


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
    steps_per_epoch = len(images) // config.batch_size
    if not steps_per_epoch:
        raise ValueError(
            "`batch_size` must be at most the number of training images,"
            f" {len(images)}. Received: batch_size={config.batch_size}"
        )
    steps = steps_per_epoch * config.epochs
    loss = watched_loss = build_loss(config, images.labels)
    if config.is_rival:
        watched_loss = build_pairwise_loss(config, images.labels)
    sampler = _sampler(config, images.labels)
    backbone = build_backbone(config)
    if not config.freeze_backbone:
        say(
            f"All of {config.backbone} is trained: {steps} steps of"
            f" {config.batch_size} images. First they are read"
        )
    head = build_head(config, backbone.output_shape[-1])
    if config.freeze_backbone:
        cache = pathlib.Path(features or run.features_path)
        hashnet = head
        batches, watched = _feature_sources(
            config, images, backbone, cache, sampler
        )
    else:
        hashnet = head.on_top_of(backbone)
        batches, watched = _pixel_sources(config, images, sampler)
    monitor = ContinuationMonitor(*watched, watched_loss, hashnet=hashnet)
    model = build_training_model(config, hashnet, images.labels)
    model.compile(optimizer=build_optimizer(config, steps), loss=loss)

    def begin() -> None:
        write_json(run.config_path, config.as_dict(), seal=True)
        write_json(run.data_path, record, seal=True)
        _tell_undecodable(run, record)

    # Images that are not kept in memory are read again each epoch.
    with undecodable_named(images):
        _fit(model, run, config, batches, monitor, steps_per_epoch, begin)
    if config.freeze_backbone:
        hashnet = head.on_top_of(backbone)
    elif config.is_rival:
        # Not as it was compiled: the file would need the rival's loss.
        trained = hashnet.get_weights()
        hashnet = head.on_top_of(backbone)
        hashnet.set_weights(trained)
    with sealed(run.model_path) as beside:
        hashnet.save(beside)


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
    backbone = build_backbone(config)
    head = build_head(config, backbone.output_shape[-1])
    hashnet = head if config.freeze_backbone else head.on_top_of(backbone)
    model = build_training_model(config, hashnet, dataset.train.labels)
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


def _tell_undecodable(run: Run, record: Record) -> None:
    for part in PARTS:
        if count := len(record[part]["undecodable"]):
            say(
                f"{count} undecodable {part} images are left out; they are"
                f" listed in {run.data_path}"
            )


def _watched(config: TrainingConfig, images: ImageSet) -> np.ndarray:
    """Returns the positions of the fixed sample that is watched."""
    order = np.random.default_rng(config.seed).permutation(len(images))
    return np.sort(order[:MONITORED])


def _pixel_sources(config, images, sampler):
    """Returns batches of epochs, and the watched sample: inputs, labels."""
    size = (config.image_size, config.image_size)
    watched = images.subset(_watched(config, images))

    def batches(epochs):
        return training_batches(
            images,
            size,
            config.batch_size,
            config.seed,
            config.augmentation,
            config.cache_images,
            config.framing,
            sampler=sampler,
            epochs=epochs,
        )

    pixels = pixel_array(watched, size, config.framing)
    return batches, (pixels, watched.labels)


def _sampler(config: TrainingConfig, labels: np.ndarray) -> PairSampler | None:
    classes = config.classes_per_batch
    if classes is None:
        return None
    return PairSampler(
        labels, classes, config.batch_size // classes, config.seed
    )


def _feature_sources(config, images, backbone, cache, sampler):
    """Does for features what `_pixel_sources` does for images."""
    features = frozen_features(
        backbone,
        images,
        cache,
        config.augmentation,
        config.views,
        config.seed,
        config.framing,
    )
    watched = _watched(config, images)

    def batches(epochs):
        return feature_batches(
            features,
            images.labels,
            config.batch_size,
            config.seed,
            sampler,
            epochs,
        )

    return batches, (np.array(features[watched, 0]), images.labels[watched])


def _fit(model, run, config, batches, monitor, steps_per_epoch, begin):
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
    schedule = build_schedule(config, steps_per_epoch * config.epochs)
    # Else the step is traced twice, the first time to make its variables.
    model.optimizer.build(model.trainable_variables)
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
            Continuation(schedule, losses_until(run.records_path, steps)),
            # Behind it, to tell the beta of the step.
            _Finite(),
            _Reseeded(config.seed),
            Records(run.records_path, monitor),
            keras.callbacks.TensorBoard(run.logs_path, write_graph=False),
            checkpoint,
        ],
    )
    _save_codes(monitor, run.codes_after_path)


class _Finite(keras.callbacks.Callback):
    """Ends a training whose loss is no number any more."""

    def on_train_batch_end(
        self, batch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        logs = logs or {}
        if not math.isfinite(logs["loss"]):
            model: typing.Any = self.model
            step = int(ops.convert_to_tensor(model.optimizer.iterations))
            raise ValueError(
                "The loss must stay finite: train into another folder with a"
                " lower --learning_rate. What the last whole epoch gave stays"
                f" in checkpoints/. Received: loss={logs['loss']} by step"
                f" {step}, in {logs['beta']:.4g} as beta"
            )


class _Reseeded(keras.callbacks.Callback):
    """Lets what is random in a network come from the seed and the epoch.

    Keras counts the draws of a layer such as Dropout on through a process, and
    saves no count: a resumed training would draw others than an unbroken one.
    """

    # Keras knows it as None, which it is before training.
    model: typing.Any

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, typing.Any] | None = None
    ) -> None:
        states = [
            variable
            for variable in self.model.variables
            if variable.name == "seed_generator_state"
        ]
        for place, state in enumerate(states):
            seeds = np.random.SeedSequence([self._seed, epoch, place])
            state.assign(seeds.generate_state(state.shape[0]))


def _save_codes(monitor: ContinuationMonitor, path: pathlib.Path) -> None:
    with sealed(path) as beside, beside.open("wb") as file:
        np.save(file, monitor.codes())
