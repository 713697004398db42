"""A training, from its settings to a run directory."""

import pathlib

import keras
import numpy as np

from hashnet_tf._files import written_beside
from hashnet_tf.callbacks import (
    Continuation,
    ContinuationMonitor,
    LastCheckpoint,
)
from hashnet_tf.datasets import PairSampler, pixel_array, training_batches
from hashnet_tf.runs.data import run_data
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
from hashnet_tf.runs.run_directory import RunDirectory

MONITORED = 500


def train(config, workdir, features=None, data=None):
    """Trains a HashNet into a run directory, or goes on with one.

    Whichever method trains it, what is saved and watched is the HashNet alone:
    a rival's loss and classifier are left behind, and J and L among the
    records are those of HashNet's Eq. 4 for every method.

    A run that was killed goes on from the end of its last whole epoch, with
    the same beta; one that is done is left as it is.

    Args:
        config: `TrainingConfig`.
        workdir: Str or path of the run directory.
        features: Str or path of a folder for the features of a frozen
            backbone, which several runs may share; None for the run's own.
        data: What `run_data` gave for a run on the same data, or None to load
            them.

    Returns:
        `RunDirectory`.

    Raises:
        ValueError: If the folder holds a run of other settings or of data that
            have changed, or the data, the weights or the batch size are not
            as they must be. A folder that is new is not made then.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> config = hn.runs.TrainingConfig(
    ...     data="digits", image_size=8, train_per_class=10, batch_size=50,
    ...     epochs=1,
    ... )
    >>> with tempfile.TemporaryDirectory() as workdir:
    ...     run = hn.runs.train(config, workdir)
    ...     run.model().bits  # doctest: +ELLIPSIS
    digits: 100 train, 200 query, 1597 database. ...
    48
    """
    run = RunDirectory(workdir)
    run.check_settings(config)
    if run.model_path.exists():
        print(f"{run.path} is trained already", flush=True)
        return run
    keras.utils.set_random_seed(config.seed)
    dataset, record = run_data(run, config, data)
    print(dataset.describe(), flush=True)
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
    head = build_head(config, backbone.output_shape[-1])
    # All that can be wrong has been looked at: from here on there is a run.
    run.write_settings(config)
    run.write_data_record(record)
    _tell_undecodable(run, record)
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
    _fit(model, run, config, batches, monitor, steps_per_epoch)
    if config.freeze_backbone:
        hashnet = head.on_top_of(backbone)
    elif config.is_rival:
        # Not as it was compiled: the file would need the rival's loss.
        trained = hashnet.get_weights()
        hashnet = head.on_top_of(backbone)
        hashnet.set_weights(trained)
    with written_beside(run.model_path) as beside:
        hashnet.save(beside)
    return run


def _tell_undecodable(run, record):
    for part, of_part in record.items():
        if count := len(of_part["undecodable"]):
            print(
                f"{count} undecodable {part} images are left out; they are"
                f" listed in {run.data_path}",
                flush=True,
            )


def _watched(config, images):
    """Returns the positions of the fixed sample that is watched."""
    order = np.random.default_rng(config.seed).permutation(len(images))
    return np.sort(order[:MONITORED])


def _pixel_sources(config, images, sampler):
    """Returns batches by a seed, and the watched sample: inputs and labels."""
    size = (config.image_size, config.image_size)
    watched = images.subset(_watched(config, images))

    def batches(seed):
        return training_batches(
            images,
            size,
            config.batch_size,
            seed,
            config.augmentation,
            config.cache_images,
            config.framing,
            sampler=sampler,
        )

    pixels = pixel_array(watched, size, config.framing)
    return batches, (pixels, watched.labels)


def _sampler(config, labels):
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

    def batches(seed):
        return feature_batches(
            features,
            images.labels,
            config.batch_size,
            seed,
            sampler,
        )

    return batches, (np.array(features[watched, 0]), images.labels[watched])


def _fit(model, run, config, batches, monitor, steps_per_epoch):
    checkpoint = LastCheckpoint(run.checkpoint_path)
    steps = checkpoint.restore(model)
    done = steps // steps_per_epoch
    if done:
        print(f"Going on after epoch {done}", flush=True)
    else:
        _save_codes(monitor, run.codes_before_path)
    schedule = build_schedule(config, steps_per_epoch * config.epochs)
    # An order of its own for what is left: else it would begin as the first.
    model.fit(
        batches(config.seed + done),
        shuffle=False,
        epochs=config.epochs,
        initial_epoch=done,
        callbacks=[
            # First, to see the beta that an epoch was trained with.
            monitor,
            Continuation(schedule, losses_until(run.records_path, steps)),
            Records(run.records_path, monitor),
            keras.callbacks.TensorBoard(run.logs_path, write_graph=False),
            checkpoint,
        ],
    )
    _save_codes(monitor, run.codes_after_path)


def _save_codes(monitor, path):
    with written_beside(path) as beside, beside.open("wb") as file:
        np.save(file, monitor.codes())
