"""A hash layer that is learned, without labels, from what is indexed."""

import json
import typing

import numpy as np
import numpy.typing as npt

from hashnet_tf.index.item_file import Item, ItemFile
from hashnet_tf.index.own_encoder import identity
from hashnet_tf.retrieval.codes import pack

if typing.TYPE_CHECKING:
    from hashnet_tf.export import LiteRTEncoder

# Pictures that a map is learned from at most: in seconds, and of more the
# codes hardly gain.
SAMPLE = 4096
# Times as many pictures as were learned from: worth to learn anew.
GROWN = 4
# Items that are coded anew at once.
BATCH = 1024

Reals = npt.NDArray[np.floating]


class Fit(typing.NamedTuple):
    """What a hash layer was learned from.

    Attributes:
        pictures: Int, how many.
        drawn: Int, how many of the bits are of random directions, since there
            were too few pictures to learn them.
    """

    pictures: int
    drawn: int = 0

    def text(self, bits: int, unit: str = "pictures") -> str:
        """Returns it as a sentence.

        Args:
            bits: Int, length of the codes.
            unit: Str, what it was learned from.
        """
        told = (
            f"{bits - self.drawn} bits are learned from {self.pictures:,}"
            f" {unit}"
        )
        if self.drawn:
            told += (
                f"; {self.drawn} are random, for want of more {unit}: refit"
                " when there are"
            )
        return told


def learn_map(
    features: Reals, bits: int, seed: int = 0
) -> tuple[Reals, Reals, int]:
    """Learns the linear map whose signs are the codes, by ITQ.

    z = (x - mean) P, as a kernel P and a bias -mean P, with P of
    `hashnet_tf.shallow.ITQ`. Where there are fewer pictures or features than
    bits, the rest of P is drawn from N(0, 1), as by
    `hashnet_tf.shallow.LSH`.

    Args:
        features: Real `[n, d]`.
        bits: Int K >= 1.
        seed: Int.

    Returns:
        `(kernel, bias, drawn)`, real `[d, K]` and `[K]`, and how many columns
        were drawn.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.index.fitting import learn_map
    >>> features = np.random.default_rng(0).normal(size=(9, 16))
    >>> kernel, bias, drawn = learn_map(features, bits=12)
    >>> kernel.shape, bias.shape, drawn
    ((16, 12), (12,), 4)
    """
    # Where used: scikit-learn takes a second to load.
    from hashnet_tf.shallow import ITQ

    features = np.asarray(features, np.float32)
    n, d = features.shape
    learned = min(bits, d, n - 1)
    mean, columns = features.mean(axis=0, dtype=np.float64), []
    if learned > 0:
        itq = ITQ(learned, seed=seed).fit(features)
        mean = itq.mean_
        columns.append(itq.projection_)
    if drawn := bits - learned:
        rng = np.random.default_rng(seed)
        columns.append(rng.normal(size=(d, drawn)))
    kernel = np.concatenate(columns, axis=1)
    return kernel, -mean @ kernel, drawn


def noted_fit(file: ItemFile) -> Fit | None:
    """Returns what the hash layer of an index was learned from, if it was."""
    noted = file.noted("fitted")
    return None if noted is None else Fit(**json.loads(noted))


def awaits_fit(file: ItemFile) -> bool:
    """Tells whether a hash layer is to be learned and has not been yet."""
    return bool(file.noted("fit")) and noted_fit(file) is None


def sample_of(given: list[str], seed: int = 0) -> list[str]:
    """Returns at most `SAMPLE` of some strings, drawn, in their order.

    Args:
        given: Strs.
        seed: Int.

    Example:

    >>> from hashnet_tf.index.fitting import sample_of
    >>> sample_of(["b", "a"])
    ['b', 'a']
    """
    drawn = np.random.default_rng(seed).permutation(len(given))
    return [given[place] for place in np.sort(drawn[:SAMPLE])]


def outgrown(file: ItemFile) -> str | None:
    """Returns a sentence where there are several times as many as were learned.

    Args:
        file: `ItemFile`.
    """
    told = noted_fit(file)
    if told is None or told.pictures >= SAMPLE:
        return None
    count = len(file.contents())
    if count < GROWN * told.pictures:
        return None
    return (
        f"The codes were learned from {told.pictures:,} pictures, and there are"
        f" {count:,} now"
    )


def fit(
    file: ItemFile, encoder: "LiteRTEncoder", keep_features: bool, seed: int = 0
) -> "tuple[Fit, LiteRTEncoder]":
    """Learns the hash layer anew, and codes all pictures anew by it.

    In one transaction, from the features that are kept: of a process that is
    killed meanwhile nothing has changed.

    Args:
        file: `ItemFile`, all of whose items are pictures with features.
        encoder: `hashnet_tf.export.LiteRTEncoder` with features.
        keep_features: Whether they stay.
        seed: Int, of the sample and of ITQ.

    Returns:
        `Fit` and the new encoder.
    """
    with file.changing():
        features = _features(file, sample_of(file.contents(), seed))
        kernel, bias, random = learn_map(features, encoder.bits, seed)
        told = Fit(len(features), random)
        encoder = encoder.with_hash_layer(kernel, bias)
        # As the encoder has them.
        kernel, bias = (a.astype(np.float32) for a in (kernel, bias))
        for items in _in_batches(file):
            values = _features(file, [item.digest for item in items])
            codes = pack(values.astype(np.float64) @ kernel + bias)
            file.put(
                [
                    item._replace(code=code.tobytes())
                    for item, code in zip(items, codes, strict=True)
                ]
            )
        file.encoder = identity(encoder)
        file.note("content", encoder.content)
        file.note("fitted", json.dumps(told._asdict()))
        file.note("mean", features.mean(axis=0).tobytes())
        if not keep_features:
            file.forget_features()
    return told, encoder


def _in_batches(file: ItemFile) -> typing.Iterator[list[Item]]:
    # What is coded anew gets a new id, behind all that there are now.
    last = file.newest()
    done = 0
    while done < last:
        rows = [row for row in file.items(done, BATCH) if row[0] <= last]
        done = rows[-1][0]
        yield [item for _, item in rows]


def _features(
    file: ItemFile, digests: typing.Iterable[str | None]
) -> npt.NDArray[np.float32]:
    """Returns the features of contents, one row each."""
    digests = list(digests)
    kept = file.pictures(digests)
    rows = []
    for digest in digests:
        picture = kept.get(digest or "")
        if picture is None or picture.features is None:
            raise ValueError(
                "To learn its codes anew an index needs the features of all"
                " pictures, as it keeps them with keep_features=True."
                f" Received: {file.path} without those of {digest}"
            )
        rows.append(np.frombuffer(picture.features, np.float16))
    return np.stack(rows).astype(np.float32)
