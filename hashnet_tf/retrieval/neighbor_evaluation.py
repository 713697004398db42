"""How well codes keep the neighbours of the features: a measure without labels.

What it needs is the features that the codes were made of.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hashnet_tf.retrieval.codes import Codes, check_count
from hashnet_tf.retrieval.hamming import check_pair, distances

NEIGHBORS = 10
RANKS = (10, 50, 100, 300, 1000)
# Of the cosine distance, which is from 0 to 2.
BINS = 20
# Pairs of a query and an item that are in memory at once.
PAIRS = 2**24
# Codes whose bits are in memory at once.
ROWS = 2**16

Reals = npt.NDArray[np.floating]


class DistortionBin(NamedTuple):
    """The pairs of a query and an item that lie about as far from each other.

    Attributes:
        cosine_distance: Float, the middle of the bin.
        pairs: Int, how many there are.
        mean: Float, of their Hamming distances, in bits.
        deviation: Float, the standard deviation of these.
    """

    cosine_distance: float
    pairs: int
    mean: float
    deviation: float


@dataclasses.dataclass(frozen=True)
class NeighborReport:
    """What codes keep of the features that they were made of.

    Attributes:
        bits: Int, length K of the codes.
        queries: Int, how many.
        database: Int, how many items.
        neighbors: Int k, how many of the nearest by features are looked for.
        recall_at: Dict from R to the share of these among the first R by code.
            Ranked by features, the first R have all that are among them in
            front: so `recall_at[k]` is recall@k by the codes alone, and
            `recall_at[R]` is recall@k with R re-ranked.
        distortion: List of `DistortionBin`, by rising cosine distance; a bin
            without pairs is left out.
        ones: List of K floats, the share of the database with a 1 in each bit.
        bit_correlation: Float, the mean absolute correlation of two bits over
            the database; 0 where no two bits change.
        collisions: Float, the share of the database whose code another item
            has too.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> x = np.random.default_rng(0).normal(size=(300, 8))
    >>> codes = hn.retrieval.pack(x)
    >>> report = hn.retrieval.evaluate_neighbors(codes, codes, x, x, bits=8)
    >>> print(report.text().splitlines()[0])
    8 bits, 300 queries, 300 in the database, without labels
    """

    bits: int
    queries: int
    database: int
    neighbors: int
    recall_at: dict[int, float]
    distortion: list[DistortionBin]
    ones: list[float]
    bit_correlation: float
    collisions: float

    @property
    def balance(self) -> float:
        """Float, the mean share of ones of a bit; .5 is best."""
        return float(np.mean(self.ones))

    @property
    def worst_bit(self) -> float:
        """Float, the share of ones of the bit that is farthest from .5."""
        return max(self.ones, key=lambda share: abs(share - 0.5))

    def as_dict(self) -> dict[str, Any]:
        """Returns the report as plain Python values, ready for JSON."""
        fields = dataclasses.asdict(self)
        # JSON has no numbers for keys, and no tuples with names.
        fields["recall_at"] = {str(r): v for r, v in self.recall_at.items()}
        fields["distortion"] = [row._asdict() for row in self.distortion]
        return fields

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "NeighborReport":
        """Returns the report that `as_dict` gave, before or after JSON."""
        fields = dict(values)
        fields["recall_at"] = {
            int(r): v for r, v in fields["recall_at"].items()
        }
        fields["distortion"] = [
            DistortionBin(**row) for row in fields["distortion"]
        ]
        return cls(**fields)

    def text(self) -> str:
        """Returns the numbers and what they mean as text for a terminal."""
        k = self.neighbors
        lines = [
            f"{self.bits} bits, {self.queries:,} queries,"
            f" {self.database:,} in the database, without labels",
            f"Share of the {k} nearest by features among the first R by code,"
            f" which is recall@{k} with R re-ranked by features:",
        ]
        for rank, value in self.recall_at.items():
            alone = " (the codes alone)" if rank == k else ""
            lines.append(f"  R = {rank:<6,} {value:.4f}{alone}")
        lines.append("Hamming distance of pairs by their cosine distance:")
        lines += [
            f"  {row.cosine_distance:.2f}  {row.mean:6.1f} +-"
            f" {row.deviation:.1f} bits  ({row.pairs:,} pairs)"
            for row in self.distortion
        ]
        lines += [
            f"Ones a bit: {self.balance:.3f} in the mean, {self.worst_bit:.3f}"
            " the farthest from half",
            f"Correlation of two bits: {self.bit_correlation:.3f} in the mean",
            f"Items that share their code with another: {self.collisions:.2%}",
        ]
        return "\n".join(lines)


def evaluate_neighbors(
    query_codes: Codes,
    database_codes: Codes,
    query_features: npt.ArrayLike,
    database_features: npt.ArrayLike,
    bits: int | None = None,
    neighbors: int = NEIGHBORS,
    ranks: Iterable[int] = RANKS,
) -> NeighborReport:
    """Measures what codes keep of the features that they were made of.

    No label is needed. With N_k(i) the k items that are nearest to query i by
    the cosine of the centred features, and r_i(j) the rank of item j by the
    Hamming distance from it,

        recall@R = 1 / (q k) sum_i sum_{j in N_k(i)} P(r_i(j) <= R)

    where P is over all orders of items at one distance, as everywhere here.
    Features are centred by the mean of the database: those of a network behind
    a ReLU have one direction in common.

    Args:
        query_codes: uint8 `[q, ceil(bits / 8)]`.
        database_codes: uint8 `[n, ceil(bits / 8)]`.
        query_features: Real `[q, d]`.
        database_features: Real `[n, d]`, a memory map perhaps.
        bits: Int, length K of the codes, or None for 8 a byte.
        neighbors: Int k >= 1; a smaller database caps it.
        ranks: Ints R >= 1; those above the database's size are left out.

    Returns:
        `NeighborReport`.

    Raises:
        ValueError: If queries or database are empty, codes are not packed or of
            two widths, features are not finite, one row a code and of one
            width, or `neighbors` or `ranks` are no positive integers.

    Example:

    >>> import numpy as np, hashnet_tf as hn
    >>> x = np.random.default_rng(0).normal(size=(500, 32))
    >>> itq = hn.shallow.ITQ(bits=24).fit(x)
    >>> codes = itq.encode(x)
    >>> report = hn.retrieval.evaluate_neighbors(
    ...     codes[:50], codes[50:], x[:50], x[50:]
    ... )
    >>> 0.2 < report.recall_at[10] < report.recall_at[100] < 1
    True
    """
    query_codes, database_codes, bits = check_pair(
        query_codes, database_codes, bits
    )
    q, n = len(query_codes), len(database_codes)
    asked = _checked(query_features, q, "query_features")
    there = _checked(database_features, n, "database_features")
    if asked.shape[1] != there.shape[1]:
        raise ValueError(
            "`query_features` and `database_features` must be of one width."
            f" Received: query_features.shape={asked.shape},"
            f" database_features.shape={there.shape}"
        )
    k = min(check_count(neighbors, "neighbors"), n)
    known = [rank for rank in ranks if check_count(rank, "ranks") <= n]
    mean = there.mean(axis=0, dtype=np.float64)
    asked, there = centred_unit(asked, mean), centred_unit(there, mean)
    sums = _Sums(k, known, bits)
    step = max(1, PAIRS // n)
    for start in range(0, q, step):
        rows = slice(start, start + step)
        sums.add(
            asked[rows] @ there.T, distances(query_codes[rows], database_codes)
        )
    ones, correlation = _of_bits(database_codes, bits)
    _, counts = np.unique(database_codes, axis=0, return_counts=True)
    return NeighborReport(
        bits=bits,
        queries=q,
        database=n,
        neighbors=k,
        recall_at={
            rank: float(total / (q * k))
            for rank, total in zip(known, sums.found, strict=True)
        },
        distortion=sums.distortion(),
        ones=ones.tolist(),
        bit_correlation=correlation,
        collisions=float(counts[counts > 1].sum() / n),
    )


class _Sums:
    """What is summed over the queries."""

    def __init__(self, k: int, ranks: list[int], bits: int) -> None:
        self.found = np.zeros(len(ranks))
        self._k, self._ranks, self._bits = k, ranks, bits
        # How many pairs, their Hamming distances and the squares of these.
        self._moments = np.zeros((3, BINS))

    def add(self, cosines: Reals, hamming: npt.NDArray[np.uint16]) -> None:
        """Adds some queries, `[rows, n]` both."""
        for cosine, distance in zip(cosines, hamming, strict=True):
            nearest = np.argpartition(-cosine, self._k - 1)[: self._k]
            counts = np.bincount(distance, minlength=self._bits + 1)
            nearer = np.cumsum(counts) - counts
            at = distance[nearest]
            for place, rank in enumerate(self._ranks):
                within = (rank - nearer[at]) / counts[at]
                self.found[place] += within.clip(0, 1).sum()
            bins = ((1 - cosine) * (BINS / 2)).clip(0, BINS - 1).astype(int)
            values = distance.astype(float)
            for place, weights in enumerate((None, values, values**2)):
                self._moments[place] += np.bincount(bins, weights, BINS)

    def distortion(self) -> list[DistortionBin]:
        """Returns the bins that hold pairs."""
        rows = []
        for place, (pairs, total, squares) in enumerate(self._moments.T):
            if pairs:
                mean = total / pairs
                variance = max(squares / pairs - mean**2, 0.0)
                middle = (place + 0.5) * 2 / BINS
                rows.append(
                    DistortionBin(
                        round(middle, 6),
                        int(pairs),
                        float(mean),
                        float(variance**0.5),
                    )
                )
        return rows


def _checked(features: npt.ArrayLike, count: int, name: str) -> Reals:
    features = np.asarray(features)
    if features.ndim != 2 or len(features) != count or not features.shape[1]:
        raise ValueError(
            f"`{name}` must be [{count}, d], one row a code."
            f" Received: {name}.shape={features.shape}"
        )
    if not np.isfinite(features).all():
        raise ValueError(f"`{name}` must be finite. Received: NaN or infinity")
    return features


def centred_unit(features: Reals, mean: Reals) -> npt.NDArray[np.float32]:
    """Returns centred rows of unit length; what is zero stays zero.

    Args:
        features: `[n, d]`.
        mean: `[d]`.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval.neighbor_evaluation import centred_unit
    >>> centred_unit(np.array([[4.0, 1], [1, 1]]), np.array([1.0, 1]))
    array([[1., 0.],
           [0., 0.]], dtype=float32)
    """
    centred = features.astype(np.float32) - mean.astype(np.float32)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.maximum(norms, np.finfo(np.float32).tiny)


def _of_bits(codes: Codes, bits: int) -> tuple[Reals, float]:
    """Returns the share of ones of each bit, and the mean |correlation|."""
    both = np.zeros((bits, bits))
    for start in range(0, len(codes), ROWS):
        rows = np.unpackbits(codes[start : start + ROWS], axis=1, count=bits)
        # Sums of so few ones are exact in float32.
        rows = rows.astype(np.float32)
        both += rows.T @ rows
    both /= len(codes)
    ones = np.diagonal(both).copy()
    change = np.flatnonzero((ones > 0) & (ones < 1))
    if len(change) < 2:
        return ones, 0.0
    share = ones[change]
    spread = np.sqrt(share * (1 - share))
    covariance = both[np.ix_(change, change)] - np.outer(share, share)
    correlations = np.abs(covariance / np.outer(spread, spread))
    off_diagonal = ~np.eye(len(change), dtype=bool)
    return ones, float(correlations[off_diagonal].mean())
