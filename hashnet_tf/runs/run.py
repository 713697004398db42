"""A run: one training on disk, and what can be done with it."""

import dataclasses
import functools
import os
import pathlib
import typing

from hashnet_tf._files import read_back
from hashnet_tf.datasets.sources.reading import placed
from hashnet_tf.runs.config import TrainingConfig
from hashnet_tf.runs.folder import (
    RunPaths,
    check_trained,
    read_config,
    read_history,
    read_report,
)

# Keras is imported where it is used: an error in a path is told at once.
if typing.TYPE_CHECKING:
    import keras
    import numpy as np

    from hashnet_tf.datasets import RetrievalDataset
    from hashnet_tf.export import ExportReport
    from hashnet_tf.models import HashNet
    from hashnet_tf.retrieval import NeighborReport, RetrievalReport
    from hashnet_tf.runs.code_set import CodeSet
    from hashnet_tf.runs.data import RunData
    from hashnet_tf.runs.encoders import (
        Encoder,
        FeatureEncoder,
        Images,
        KerasEncoder,
    )
    from hashnet_tf.runs.search import Neighbours

Path = os.PathLike[str] | str


class Run(RunPaths):
    """A training and its folder, the run directory.

    `hashnet_tf.runs.train` makes one; `Run(directory)` opens it again. The
    model and the data set are loaded when they are first used, once.

    | path | holds |
    |---|---|
    | `config.json` | the settings, as `TrainingConfig` |
    | `data.json` | which images the parts were, and which were left out |
    | `model.keras` | the trained HashNet, from images to g |
    | `checkpoints/` | the state that a killed training goes on from |
    | `features/` | with a frozen backbone: what it gave, once |
    | `logs/` | `records.jsonl`, g before and after, TensorBoard |
    | `codes/query`, `codes/database` | code sets |
    | `report.json` | the measurements |
    | `figures/`, `export/` | what they say |
    | `digests.json` | in each folder, by which damage is found out |

    Args:
        directory: Str or path of the folder. Nothing is read or written yet.
        data: `RunData` of another run on the same data, or None to load them.
        data_at: Str or path of where the data lie now, if they have moved.

    Attributes:
        path: `pathlib.Path` of the folder. What ends in `_path` is in it.

    Example:

    >>> import hashnet_tf as hn
    >>> run = hn.runs.Run("runs/digits")
    >>> run.model_path.name
    'model.keras'
    """

    def __init__(
        self,
        directory: Path,
        data: "RunData | None" = None,
        data_at: Path | None = None,
    ):
        super().__init__(directory)
        self._given = data
        self._data_at = data_at
        self._data: RunData | None = None

    @property
    def config(self) -> TrainingConfig:
        """The settings of the training.

        Raises:
            ValueError: If the folder holds no run.
        """
        config = read_config(self)
        if self._data_at is not None:
            moved = placed(config.data, os.fspath(self._data_at))
            config = dataclasses.replace(config, data=moved)
        return config

    @functools.cached_property
    def model(self) -> "HashNet":
        """The trained `HashNet`, from images to g, not compiled.

        Raises:
            ValueError: If the run is not trained.
        """
        self.check_trained()
        import keras

        with read_back(
            self.model_path, "delete it, and `hashnet train` writes it again"
        ):
            model = keras.saving.load_model(self.model_path, compile=False)
        return typing.cast("HashNet", model)

    @functools.cached_property
    def encoder(self) -> "KerasEncoder":
        """The trained model as an `Encoder`.

        Raises:
            ValueError: If the run is not trained.
        """
        self.check_trained()
        from hashnet_tf.runs.encoders import KerasEncoder

        return KerasEncoder(self.model)

    @property
    def dataset(self) -> "RetrievalDataset":
        """The data set of the run, without what it left out.

        Raises:
            ValueError: If the data have gone or changed since the training.
        """
        return self.load_data().dataset

    @property
    def history(self) -> list[dict[str, float]]:
        """What the training measured: a dict an epoch, as `read_records`.

        Empty where the hash layer was fitted at once.

        Raises:
            ValueError: If no epoch is done.
        """
        return read_history(self)

    @property
    def report(self) -> dict[str, typing.Any]:
        """The content of `report.json`, which `evaluate` writes.

        Raises:
            ValueError: If the run is not measured.
        """
        return read_report(self)

    def evaluate(
        self,
        at: int | None = None,
        empty_ball: str = "zero",
        features: Path | None = None,
        backbone: "keras.Model | None" = None,
    ) -> "RetrievalReport":
        """Encodes the queries and the database and measures the retrieval.

        Writes the two code sets, which are made only once, and `report.json`.

        Args:
            at: Int R >= 1 of MAP@R; None takes that of the data set's
                protocol, or 5,000 where it names none.
            empty_ball: As in `hashnet_tf.retrieval.evaluate`.
            features: Str or path of a folder for the features of a frozen
                backbone, which several runs may share: the backbone sees each
                image once for all of them. The codes are the same, though
                features from another kind of device may move a bit whose z is
                all but 0. None: the run's own, or no features where the weights
                of the frozen backbone have gone.
            backbone: The frozen backbone as `build_backbone` gives it, or None
                to build it where `features` want it.

        Returns:
            `hashnet_tf.retrieval.RetrievalReport`.

        Raises:
            ValueError: If the run is not trained, its data have no labels, or
                they or, with `features`, its backbone's weights have gone or
                changed.

        Example:

        ```python
        report = hn.runs.Run("runs/digits").evaluate(at=1000)
        print(report.map, report.queries)
        ```
        """
        config = self.config
        self.check_trained()
        from hashnet_tf.runs.evaluation import measure

        return measure(self, config, at, empty_ball, features, backbone)

    def evaluate_neighbors(
        self, features: Path | None = None
    ) -> "NeighborReport":
        """Measures what codes keep of the features; writes as `evaluate` does.

        Args:
            features: As in `evaluate`; None for the run's own folder.

        Raises:
            ValueError: As `evaluate`, or if the backbone is not frozen.
        """
        config = self.config
        self.check_trained()
        from hashnet_tf.runs.evaluation import measure_neighbors

        return measure_neighbors(self, config, features or self.features_path)

    def so_far(self) -> "Run":
        """Returns what a training that is not done has reached, as a run.

        Returns:
            `Run` in `so_far/` of the folder, with the network of the last whole
            epoch; one that is done is returned itself.

        Raises:
            ValueError: If no epoch is done.
        """
        if self.model_path.is_file():
            return self
        from hashnet_tf.runs.fitting import save_so_far

        return save_so_far(self)

    def encode(self, images: "Images") -> "np.ndarray":
        """Returns the packed codes of images.

        Args:
            images: uint8 array `[n, height, width, 3]` of the trained size, or
                the path of an image file, or a list of n of them, which are
                framed as in the training.

        Returns:
            uint8 array `[n, ceil(bits / 8)]`, the first bit in the highest
            place of the first byte.

        Raises:
            ValueError: If the run is not trained, or a file is no image.

        Example:

        ```python
        codes = hn.runs.Run("runs/cats").encode(["a.jpg", "b.png"])
        ```
        """
        encoder = self.encoder
        from hashnet_tf.runs.encoders import framed_pixels

        return encoder.encode(framed_pixels(images, encoder))

    def encode_part(
        self,
        part: str,
        directory: Path | None = None,
        encoder: "Encoder | FeatureEncoder | None" = None,
        features: "np.ndarray | None" = None,
    ) -> "CodeSet":
        """Encodes a part of the run's data set into a code set.

        Args:
            part: "train", "query" or "database".
            directory: Str or path of the code set; None for the run's own.
            encoder: `Encoder`; None for the trained model.
            features: float32 `[n, d]` of the images in order, for an encoder
                that takes them in place of pixels, or None.

        Returns:
            `CodeSet`; one that is there already is not made again.

        Raises:
            ValueError: If the run is not trained, or its data have changed.
        """
        config, encoder = self.config, encoder or self.encoder
        from hashnet_tf.runs.encoding import encode_images

        dataset = self.dataset
        return encode_images(
            encoder,
            getattr(dataset, part),
            directory or self.codes_path(part),
            source={**config.data_source(), "part": part},
            protocol=dataset.protocol,
            features=features,
            class_names=dataset.class_names,
            account=dataset.files,
        )

    def search(
        self, image: "Images", k: int = 10, codes: Path | None = None
    ) -> "Neighbours":
        """Finds the k nearest images of a code set for one image or several.

        With the LiteRT file that the run was exported to, where there is one,
        whose bits are the same: it is there in a second.

        Args:
            image: As `images` of `encode`; one image may be an array
                `[height, width, 3]`.
            k: Int >= 1.
            codes: Str or path of the code set; None for the run's database,
                which `evaluate` encodes.

        Returns:
            `Neighbours`, a row for each image.

        Raises:
            ValueError: If the run is not trained, the code set is not there or
                of another model, or a file is no image.

        Example:

        ```python
        found = hn.runs.Run("runs/cats").search("photo.jpg", k=5)
        print(found.table())
        found.draw("found.png")
        ```
        """
        self.check_trained()
        from hashnet_tf.runs.code_set import CodeSet

        code_set = CodeSet.load(codes or self.codes_path("database"))
        from hashnet_tf.runs.search import quick_encoder, search_images

        encoder = self.__dict__.get("encoder") or quick_encoder(self, code_set)
        return search_images(encoder or self.encoder, image, code_set, k)

    def export(
        self, *args: typing.Any, **options: typing.Any
    ) -> "ExportReport":
        """Writes the encoder in the formats to ship, and measures each.

        Args:
            *args: As `hashnet_tf.export.export_run` takes them after the run.
            **options: As in `hashnet_tf.export.export_run`.

        Returns:
            `hashnet_tf.export.ExportReport`.

        Raises:
            ValueError: If the run is not trained, or an argument is not such.

        Example:

        ```python
        print(hn.runs.Run("runs/cats").export(quantize=[None, "int8"]).table())
        ```
        """
        _ = self.config
        self.check_trained()
        # Only when called: the package itself needs nothing of the exports.
        from hashnet_tf.export import export_run

        return export_run(self, *args, **options)

    def draw(self) -> list[pathlib.Path]:
        """Draws losses and beta over steps, and |g| before and after.

        Returns:
            List of the paths of the PNGs, in `figures/`; empty where the hash
            layer was fitted at once.

        Raises:
            ValueError: If the training is not finished.
        """
        from hashnet_tf.runs.evaluation import draw_training

        return draw_training(self)

    def load_data(self, config: TrainingConfig | None = None) -> "RunData":
        """Returns the data set and its record, loaded the first time.

        Args:
            config: `TrainingConfig`, before the run has one written.

        Raises:
            ValueError: As `hashnet_tf.runs.data.run_data`.
        """
        if self._data is None:
            config = config or self.config
            from hashnet_tf.runs.data import run_data

            self._data = run_data(self, config, self._given)
        return self._data

    def check_trained(self) -> None:
        """Raises a ValueError if there is no trained model."""
        check_trained(self)
