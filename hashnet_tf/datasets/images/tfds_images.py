"""Images that TensorFlow Datasets has prepared."""

import hashlib
import os
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_datasets as tfds

from hashnet_tf.datasets.images.image_set import ImageSet
from hashnet_tf.datasets.sampling import shuffled, untuned

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

    builder: tfds.core.DatasetBuilder
    split: str
    chosen: np.ndarray

    def __init__(
        self,
        builder: tfds.core.DatasetBuilder,
        split: str,
        labels: npt.ArrayLike,
        chosen: npt.ArrayLike | None = None,
    ) -> None:
        if chosen is None:
            chosen = np.arange(len(np.asarray(labels)))
        chosen = np.asarray(chosen)
        super().__init__(labels, [f"{split}#{i}" for i in chosen])
        self.builder = builder
        self.split = split
        self.chosen = chosen
        self.shuffle_buffer = SHUFFLE_BUFFER

    def subset(self, indices: npt.ArrayLike) -> "TfdsImages":
        indices = np.asarray(indices)
        if (np.diff(indices) <= 0).any():
            raise ValueError(
                "A streamed set has one order: `indices` must rise."
                f" Received: indices={indices}"
            )
        return TfdsImages(
            self.builder, self.split, self.labels[indices], self.chosen[indices]
        )

    def reader(self) -> None:
        return None

    def encoded(self, order: tf.data.Dataset | None = None) -> tf.data.Dataset:
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

    def shuffled(
        self, seed: int, shard: tuple[int, int] | None = None
    ) -> tf.data.Dataset:
        return shuffled(
            self.encoded(), len(self), seed, shard, self.shuffle_buffer
        )

    def identities(self) -> list[str]:
        return [f"{self.builder.info.full_name} {name}" for name in self.names]

    def fingerprint(self) -> str:
        digest = self._digest_of_files()
        digest.update(np.ascontiguousarray(self.chosen).data)
        return digest.hexdigest()

    def fingerprints(self) -> list[str]:
        # A row has no state of its own: it changes with its split's files.
        files = self._digest_of_files().hexdigest()
        return [f"{files} {name}" for name in self.names]

    def _digest_of_files(self):
        digest = hashlib.sha256(self.builder.info.full_name.encode())
        for part in self.split.split("+"):
            for path in self.builder.info.splits[part].filepaths:
                digest.update(f"{path.name}\0{_state(path)}\n".encode())
        return digest


def _state(path: Any) -> str:
    try:
        # As of `FileImages`: the time of writing can be set.
        status = os.stat(path)
    except OSError:
        # In a bucket, which numbers no files.
        status = path.stat()
        return f"{status.length}\0{status.mtime}"
    return (
        f"{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}"
        f"\0{status.st_ino}"
    )


def read_split(
    builder: tfds.core.DatasetBuilder,
    split: str,
    decoders: tfds.decode.PartialDecoding,
) -> Any:
    """Streams a split in the order it was written.

    Args:
        builder: As in `TfdsImages`.
        split: As in `TfdsImages`.
        decoders: `tfds.decode.PartialDecoding`, what to read of a row.

    Returns:
        `tf.data.Dataset` of dicts.
    """
    # Its decorator hides the parameters from a type checker.
    rows = builder.as_dataset(
        split=split,  # pyright: ignore[reportCallIssue]
        shuffle_files=False,
        decoders=decoders,
        # TFDS would keep a small set's files in memory, asked or not.
        read_config=tfds.ReadConfig(
            interleave_cycle_length=1, try_autocache=False
        ),
    )
    return untuned(rows)
