"""What a source of images, or vectors, holds."""

import dataclasses
from typing import TYPE_CHECKING, Any

# Without it the sources can be listed before TensorFlow is loaded.
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hashnet_tf.datasets.images.image_set import ImageSet
    from hashnet_tf.datasets.retrieval_dataset import RetrievalDataset
    from hashnet_tf.datasets.sources.walking import Account


@dataclasses.dataclass(frozen=True)
class Pool:
    """What a source holds.

    Attributes:
        images: `ImageSet` of all its images.
        in_test: Boolean `[n]`, which of them the source calls its test (or
            validation) part, or None where it has none.
        class_names: List of str, or None where they are not known.
        notes: Tuple of str, what was missing or left out while it was read
            ("46,152 of 269,648 images are not there").
        account: `Account` of all that was met where folders were walked, or
            None where a file lists the images.
        pairs: int64 `[m, 3]`, rows of two images and s_ij, or None where the
            source gives none.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.datasets import ArrayImages
    >>> from hashnet_tf.datasets.sources.pool import Pool
    >>> images = ArrayImages(np.zeros((6, 8, 8), np.uint8), [0, 1] * 3)
    >>> pool = Pool(images, in_test=None, class_names=["cat", "dog"])
    >>> dataset = pool.parts("pets", "By hand.", [0, 1], [2, 3], [0, 1, 4, 5])
    >>> len(dataset.train), len(dataset.query), len(dataset.database)
    (2, 2, 4)
    """

    images: "ImageSet"
    in_test: "np.ndarray | None" = None
    class_names: list[str] | None = None
    notes: tuple[str, ...] = ()
    account: "Account | None" = None
    pairs: "npt.NDArray[np.int64] | None" = None

    def parts(
        self,
        name: str,
        protocol: str,
        train: "npt.ArrayLike",
        query: "npt.ArrayLike",
        database: "npt.ArrayLike",
        **settings: Any,
    ) -> "RetrievalDataset":
        """Returns the data set of three subsets.

        Args:
            name: As in `RetrievalDataset`.
            protocol: As in `RetrievalDataset`.
            train: Rising positions in `images`.
            query: Rising positions in `images`.
            database: Rising positions in `images`.
            **settings: What else `RetrievalDataset` takes.

        Returns:
            `RetrievalDataset`.
        """
        from hashnet_tf.datasets.retrieval_dataset import RetrievalDataset

        return RetrievalDataset(
            name=name,
            protocol=protocol,
            train=self.images.subset(train),
            query=self.images.subset(query),
            database=self.images.subset(database),
            class_names=self.class_names,
            remarks=self.notes,
            account=self.account,
            **settings,
        )
