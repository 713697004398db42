"""Images that TensorFlow Datasets has prepared."""

import hashlib

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.sampling import shuffled

SHUFFLE_BUFFER = 8192

# Of a row only its image, and that as it lies: boxes and masks stay unread.
IMAGE = tfds.decode.PartialDecoding(
    {"image": True}, decoders={"image": tfds.decode.SkipDecoding()}
)


class TfdsImages(ImageSet):
    """Some of the images of one or more splits, streamed from their files.

    TFDS gives no access by position to what it stores as TFRecord: a subset
    is the stream less what is not in it, and shuffling goes through a buffer
    of encoded images.

    Args:
        builder: `tfds.core.DatasetBuilder`, prepared.
        split: Str, in TFDS' notation: "train+test".
        labels: int32 `[n]`, of the images of the subset.
        chosen: Positions in the split, rising, or None for all.

    Raises:
        ValueError: By `subset`, if its indices do not rise.
    """

    def __init__(self, builder, split, labels, chosen=None):
        if chosen is None:
            chosen = np.arange(len(labels))
        chosen = np.asarray(chosen)
        super().__init__(labels, [f"{split}#{i}" for i in chosen])
        self.builder = builder
        self.split = split
        self.chosen = chosen

    def subset(self, indices):
        indices = np.asarray(indices)
        if (np.diff(indices) <= 0).any():
            raise ValueError(
                "A streamed set has one order: `indices` must rise."
                f" Received: indices={indices}"
            )
        return TfdsImages(
            self.builder, self.split, self.labels[indices], self.chosen[indices]
        )

    @property
    def shuffle_buffer(self):
        return SHUFFLE_BUFFER

    def reader(self):
        return None

    def encoded(self, order=None):
        if order is not None:
            raise ValueError(
                "A streamed set has one order; to be read in another it must"
                f" be cached. Received: order={order}"
            )
        total = self.builder.info.splits[self.split].num_examples
        position = np.full(total, -1, dtype=np.int64)
        position[self.chosen] = np.arange(len(self.chosen))
        position = tf.constant(position)
        stream = read_split(self.builder, self.split, IMAGE).enumerate()
        stream = stream.map(lambda i, row: (position[i], row["image"]))
        return stream.filter(lambda i, image: i >= 0)

    def shuffled(self, seed, shard=None):
        return shuffled(
            self.encoded(), len(self), seed, shard, self.shuffle_buffer
        )

    def identities(self):
        return [f"{self.builder.info.full_name} {name}" for name in self.names]

    def fingerprint(self):
        digest = self._digest_of_files()
        digest.update(self.chosen)
        return digest.hexdigest()

    def fingerprints(self):
        # A row has no state of its own: it changes with its split's files.
        files = self._digest_of_files().hexdigest()
        return [f"{files} {name}" for name in self.names]

    def _digest_of_files(self):
        digest = hashlib.sha256(self.builder.info.full_name.encode())
        for part in self.split.split("+"):
            for path in self.builder.info.splits[part].filepaths:
                status = path.stat()
                line = f"{path.name}\0{status.length}\0{status.mtime}\n"
                digest.update(line.encode())
        return digest


def read_split(builder, split, decoders):
    """Streams a split in the order it was written.

    Args:
        builder: As in `TfdsImages`.
        split: As in `TfdsImages`.
        decoders: `tfds.decode.PartialDecoding`, what to read of a row.

    Returns:
        `tf.data.Dataset` of dicts.
    """
    return builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders=decoders,
        # TFDS would keep a small set's files in memory, asked or not.
        read_config=tfds.ReadConfig(
            interleave_cycle_length=1, try_autocache=False
        ),
    )
