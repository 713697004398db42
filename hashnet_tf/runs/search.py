"""The nearest images of a run's database to given ones."""

import dataclasses

import numpy as np

from hashnet_tf.datasets import pixel_array
from hashnet_tf.plots import plot_neighbours
from hashnet_tf.retrieval import search
from hashnet_tf.retrieval.labels import relevance
from hashnet_tf.runs.code_set import CodeSet
from hashnet_tf.runs.encoders import as_encoder
from hashnet_tf.runs.encoding import open_images
from hashnet_tf.runs.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """What was found for some images.

    Attributes:
        distances: uint16 `[q, k]`, in bits, rising.
        indices: int64 `[q, k]`, places in the code set.
        code_set: `CodeSet` that was searched.
        codes: uint8 `[q, ceil(bits / 8)]`, of the images asked with.
        framing: Str, as in `HashNet`, of the encoder.
    """

    distances: np.ndarray
    indices: np.ndarray
    code_set: CodeSet
    codes: np.ndarray
    framing: str = "whole"

    def label(self, index):
        """Returns the label of a found image as text, "" if not known."""
        labels = self.code_set.labels
        if labels is None:
            return ""
        if labels.ndim == 2:
            return ",".join(map(str, np.flatnonzero(labels[index])))
        return str(labels[index]) if labels[index] >= 0 else ""

    def table(self, row=0):
        """Returns the images found for one query as text for a terminal."""
        lines = ["rank  distance  label  image"]
        for rank, (distance, index) in enumerate(
            zip(self.distances[row], self.indices[row], strict=True), start=1
        ):
            lines.append(
                f"{rank:4}  {distance:8}  {self.label(index):5}"
                f"  {self.code_set.ids[index]}"
            )
        return "\n".join(lines)

    def draw(self, images, path, labels=None):
        """Draws the images asked with, each beside what was found for it.

        Args:
            images: List of uint8 `[height, width, 3]`.
            path: Str or path of the PNG.
            labels: Their labels, or None where they are not known.

        Returns:
            The path, a `pathlib.Path`.

        Raises:
            ValueError: If the images found are not there any more.
        """
        size = images[0].shape[:2]
        q, k = self.indices.shape
        # A subset of a stream comes in the stream's own order.
        wanted, places = np.unique(self.indices, return_inverse=True)
        pixels = pixel_array(self._images(wanted), size, self.framing)
        found = [
            [pixels[place] for place in row] for row in places.reshape(q, k)
        ]
        right = None
        if labels is not None and self.code_set.labels is not None:
            judged = [
                relevance(labels[i : i + 1], self.code_set.labels[row])[0]
                for i, row in enumerate(self.indices)
            ]
            right = np.stack(judged)
        titles = [[f"{distance}" for distance in row] for row in self.distances]
        return plot_neighbours(images, found, right, titles, path)

    def _images(self, indices):
        source = self.code_set.manifest["images"]
        if source is None:
            raise ValueError(
                "A code set must tell where its images are."
                f" Received: images={source} in its manifest"
            )
        there = open_images(source)
        # By name, for files that are no images may have been left out.
        places = {name: place for place, name in enumerate(there.names)}
        names = [self.code_set.ids[index] for index in indices]
        if gone := [name for name in names if name not in places]:
            raise ValueError(
                "The images of a code set must be where they were encoded."
                f" Received: no {gone[0]} in {source}"
            )
        return there.subset([places[name] for name in names])


def search_images(encoder, images, code_set, k=10):
    """Finds the k nearest images of a code set for each of some images.

    Args:
        encoder: `HashNet` on images, or any encoder (see `KerasEncoder`).
        images: uint8 `[q, height, width, 3]` of the size that it takes,
            framed as `encoder.framing` tells.
        code_set: `CodeSet`.
        k: Int >= 1.

    Returns:
        `Neighbours`.

    Raises:
        ValueError: If the code set was made by another encoder.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> model = hn.HashNet(hn.models.backbone("small_cnn", (16, 16, 3)), 12)
    >>> queries = hn.datasets.load("digits").query
    >>> images = hn.datasets.pixel_array(queries.first(2), (16, 16))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     code_set = hn.runs.encode_images(model, queries, f"{folder}/q")
    ...     found = hn.runs.search_images(model, images, code_set, k=3)
    ...     found.indices.shape  # doctest: +ELLIPSIS
    Encoding 200 images
    ...
    (2, 3)
    """
    encoder = as_encoder(encoder)
    code_set.check_digest(encoder.model_digest)
    query_codes = encoder.encode(images)
    distances, indices = search(query_codes, code_set.codes, k)
    return Neighbours(
        distances, indices, code_set, query_codes, encoder.framing
    )


def search_run(workdir, images, k=10, codes=None):
    """Finds the k nearest images of a code set for each of some images.

    Args:
        workdir: Str or path of the run directory.
        images: uint8 `[q, height, width, 3]` of the trained size, framed as
            the run's `framing` tells.
        k: Int >= 1.
        codes: Str or path of the code set; None for the run's database.

    Returns:
        `Neighbours`.

    Raises:
        ValueError: If the run is not trained, or the code set is not there or
            of another model.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> config = hn.runs.TrainingConfig(
    ...     data="digits", image_size=8, train_per_class=10, batch_size=50,
    ...     epochs=1,
    ... )
    >>> queries = hn.datasets.load("digits").query.first(2)
    >>> images = hn.datasets.pixel_array(queries, (8, 8))
    >>> with tempfile.TemporaryDirectory() as workdir:
    ...     run = hn.runs.train(config, workdir)
    ...     report = hn.runs.evaluate_run(workdir)
    ...     found = hn.runs.search_run(workdir, images, k=3)
    ...     found.indices.shape  # doctest: +ELLIPSIS
    digits: 100 train, 200 query, 1597 database. ...
    (2, 3)
    """
    run = RunDirectory(workdir)
    code_set = CodeSet.load(codes or run.codes_path("database"))
    return search_images(run.model(), images, code_set, k)
