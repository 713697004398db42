"""From a set of images to the batches that a network takes."""

import os
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from hashnet_tf.datasets.images.decoded_images import cached
from hashnet_tf.datasets.images.file_images import FileImages
from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.pixels.decoding import decode_image
from hashnet_tf.datasets.pixels.framing import (
    frame_image,
    keep_image,
    vary_image,
)
from hashnet_tf.datasets.pixels.pillow import check_paths
from hashnet_tf.datasets.pixels.undecodable import (
    named,
    refusals,
    undecodable_named,
)
from hashnet_tf.datasets.sampling import (
    BatchSampler,
    chained,
    check_shard,
    epoch_seeds,
    sampled,
    shuffled,
    untuned,
)


def ordered_batches(
    images: ImageSet,
    size: tuple[int, int],
    batch_size: int = 128,
    framing: str = "whole",
) -> tf.data.Dataset:
    """Streams a set's images in order, framed as at test, for encoding.

    Args:
        images: `ImageSet`.
        size: `(height, width)` of the network.
        batch_size: Positive int.
        framing: Str, as in `hashnet_tf.datasets.pixels.framing.frame_image`:
            that of the model, or its bits are others.

    Returns:
        `tf.data.Dataset` of uint8 `[<= batch_size, height, width, channels]`.

    Example:

    >>> import hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> batches = hn.datasets.ordered_batches(queries, (16, 16))
    >>> next(iter(batches)).shape
    TensorShape([128, 16, 16, 3])
    """

    def framed(position, image):
        return frame_image(_decoded(image), size, framing)

    stream = images.encoded().map(framed, num_parallel_calls=tf.data.AUTOTUNE)
    return untuned(stream.batch(batch_size).prefetch(2))


def varied_batches(
    images: ImageSet,
    size: tuple[int, int],
    batch_size: int,
    seed: int,
    framing: str = "whole",
    augmentation: str = "none",
) -> tf.data.Dataset:
    """Streams a set's images in order, each with a random change.

    Args:
        images: `ImageSet`.
        size: `(height, width)` of the network.
        batch_size: Positive int.
        seed: Int; with its position it decides the change of an image.
        framing: As in `training_batches`.
        augmentation: As in `training_batches`.

    Returns:
        `tf.data.Dataset` of uint8 `[<= batch_size, height, width, channels]`.

    Example:

    >>> import hashnet_tf as hn
    >>> from hashnet_tf.datasets.batches import varied_batches
    >>> queries = hn.datasets.load("digits").query
    >>> batches = varied_batches(queries, (16, 16), 50, 0, "modern")
    >>> next(iter(batches)).shape
    TensorShape([50, 16, 16, 3])
    """

    def varied(position, image):
        kept = keep_image(_decoded(image), size, framing)
        place = tf.stack([seed, position])
        return vary_image(kept, size, place, framing, augmentation)

    stream = images.encoded().map(varied, num_parallel_calls=tf.data.AUTOTUNE)
    return untuned(stream.batch(batch_size).prefetch(2))


def training_batches(
    images: ImageSet,
    size: tuple[int, int],
    batch_size: int,
    seed: int,
    augmentation: str = "none",
    cache: str = "auto",
    framing: str = "whole",
    shard: tuple[int, int] | None = None,
    sampler: BatchSampler | None = None,
    epochs: Iterable[int] | None = None,
) -> tf.data.Dataset:
    """Streams shuffled, changed and labelled batches, one epoch at a time.

    The last batch of an epoch is dropped where it is not full: a batch's
    pairs, and so its class balance, go with its size. The same seed, with the
    same global seed of TensorFlow, gives the same batches, cached or not and
    on however many cores.

    Args:
        images: `ImageSet`.
        size: `(height, width)` of the network.
        batch_size: Int >= 2, of each worker's batches.
        seed: Int, for order and changes.
        augmentation: As in `augment_image`, for framing "whole".
        cache: Whether to keep the decoded images in memory: "always", "never"
            or "auto", if they fit into half of what is available.
        framing: As in `hashnet_tf.datasets.pixels.framing.frame_image`, as in
            training.
        shard: `(index, count)`: which of how many workers reads. Together they
            read all images in an epoch, but for what fills no batch, and none
            of them twice. None: there is one.
        sampler: `PairSampler` of `images.labels`, or another `BatchSampler`,
            that draws batches of `batch_size`; None for a plain shuffle.
        epochs: Numbers of the epochs to stream one behind the other, for `fit`
            with `steps_per_epoch`: order and changes of each come from `seed`
            and its number, so that a training goes on as if unbroken. None:
            one epoch, another each time.

    Returns:
        `tf.data.Dataset` of `(images, labels)`: uint8
        `[batch_size, height, width, channels]`, and float32 labels
        `[batch_size]` or `[batch_size, L]`; as many batches for each worker.

    Raises:
        ValueError: If there are fewer images than a batch of each worker
            holds, the sampler's batches are of another size, or it is to draw
            from a stream that is not cached.

    Example:

    >>> import hashnet_tf as hn
    >>> train = hn.datasets.load("digits").train
    >>> batches = hn.datasets.training_batches(train, (16, 16), 50, seed=0)
    >>> len(batches)
    20
    """
    _, count = check_shard(shard)
    if sampler is None and not 1 < batch_size <= len(images) // count:
        raise ValueError(
            "`batch_size` must be from 2 to the number of training images of"
            f" a worker, {len(images) // count}."
            f" Received: batch_size={batch_size}"
        )
    if sampler is not None and sampler.batch_size != batch_size:
        raise ValueError(
            "`sampler` must draw batches of `batch_size`. Received:"
            f" sampler.batch_size={sampler.batch_size}, batch_size={batch_size}"
        )
    labels = tf.constant(np.asarray(images.labels, dtype=np.float32))

    def keep(position, image):
        return position, keep_image(_decoded(image), size, framing)

    images = cached(images, keep, cache)
    read = images.reader()
    steps = len(images) // batch_size if sampler is None else len(sampler)
    steps //= count
    seeds = [seed] if epochs is None else epoch_seeds(seed, epochs)

    def each_epoch(stream: Callable[[int], tf.data.Dataset]) -> tf.data.Dataset:
        return chained([stream(s).take(steps * batch_size) for s in seeds])

    if sampler is not None:
        stream = sampled(sampler, seed, shard, epochs)
        if read is None:
            stream = images.encoded(stream)
    elif read is None:
        # Once for all epochs, for it is traced.
        encoded = images.encoded()
        buffer = images.shuffle_buffer
        stream = each_epoch(
            lambda s: shuffled(encoded, len(images), s, shard, buffer)
        )
    else:
        stream = each_epoch(lambda s: images.order(s, shard))
    draws = each_epoch(
        lambda s: tf.data.Dataset.random(s, rerandomize_each_iteration=True)
    )

    def finish(item, draw):
        # Reading in a step of its own would cost a tenth of the time.
        position, image = item if read is None else (item, read(item))
        position, kept = keep(position, image)
        # Two workers draw the same, of other images.
        place = tf.stack([draw, position])
        varied = vary_image(kept, size, place, framing, augmentation)
        return varied, labels[position]

    stream = tf.data.Dataset.zip(stream, draws)
    stream = stream.map(finish, num_parallel_calls=tf.data.AUTOTUNE)
    stream = stream.batch(batch_size, drop_remainder=True)
    total = steps * len(seeds)
    # A filtered stream does not know its length; Keras' progress wants it.
    known = tf.data.experimental.assert_cardinality(total)
    return untuned(stream.take(total).apply(known).prefetch(2))


def pixel_array(
    images: ImageSet, size: tuple[int, int], framing: str = "whole"
) -> np.ndarray:
    """Decodes and frames a small set of images.

    Args:
        images: `ImageSet`.
        size: `(height, width)`.
        framing: As in `ordered_batches`.

    Returns:
        uint8 array `[n, height, width, channels]`, in order.

    Example:

    >>> import hashnet_tf as hn
    >>> queries = hn.datasets.load("digits").query
    >>> hn.datasets.pixel_array(queries.first(5), (16, 16)).shape
    (5, 16, 16, 3)
    """
    batches = ordered_batches(images, size, framing=framing)
    with undecodable_named(images):
        arrays = [*batches.as_numpy_iterator()]
    return np.concatenate(
        [np.zeros((0, *size, images.channels), np.uint8), *arrays]
    )


def file_batches(
    paths: Iterable[os.PathLike[str] | str],
    size: tuple[int, int],
    framing: str = "whole",
    batch_size: int = 32,
) -> Iterator[np.ndarray]:
    """Decodes and frames image files anywhere, as at test, some at a time.

    Args:
        paths: Paths of n JPEG, PNG, WebP or BMP files.
        size: `(height, width)` of the network.
        framing: As in `ordered_batches`.
        batch_size: Positive int.

    Yields:
        uint8 arrays `[<= batch_size, height, width, 3]`, in the order of the
        paths; none where there is no path.

    Raises:
        ValueError: If `paths` is one path, or a file is no image.
        FileNotFoundError: If a file is missing; then none is decoded.
        OSError: If a file cannot be read.

    Example:

    >>> import pathlib, tempfile, numpy as np
    >>> from PIL import Image
    >>> from hashnet_tf.datasets.batches import file_batches
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "black.png")
    ...     Image.fromarray(np.zeros((9, 7, 3), "uint8")).save(path)
    ...     [batch.shape for batch in file_batches([path], (16, 20))]
    [(1, 16, 20, 3)]
    """
    names = check_paths(paths)
    images = FileImages("", names, np.full(len(names), -1, np.int32))
    batches = ordered_batches(images, size, batch_size, framing)
    iterator = batches.as_numpy_iterator()
    while True:
        try:
            batch = next(iterator, None)
        except tf.errors.OpError as error:
            if refused := refusals(images):
                raise ValueError(
                    "`paths` must be images that can be decoded: JPEG, PNG,"
                    f" WebP or BMP. Received: {named(images, refused)}"
                ) from error
            raise
        if batch is None:
            return
        yield batch


def _decoded(image: tf.Tensor) -> tf.Tensor:
    return decode_image(image) if image.dtype == tf.string else image
