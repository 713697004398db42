"""What codes or distances retrieve, with the rule behind each number."""

import dataclasses
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from hashnet_tf.retrieval.presets import PRESETS, check_preset

RULES = {
    "map_all": "as tie-aware, with R the whole database",
    "map_best": "tie-aware rule, relevant items first among the tied",
    "map_worst": "tie-aware rule, relevant items last among the tied",
    "ndcg": (
        "NDCG@R, gain 2^(shared labels) - 1, expected value over all tie"
        " orders; a query without a relevant item scores 0"
    ),
    "precision_at": "precision@N, expected value over all tie orders",
    "ball_precision": {
        "zero": "mean over all queries; an empty ball scores 0",
        "skip": "mean over the queries whose ball is not empty",
    },
    "ball_recall": "mean over the queries with a relevant item",
    "empty_balls": "share of the queries with no item within the radius",
    "precision_at_recall": (
        "highest precision of a radius that reaches the recall; mean over the"
        " queries with a relevant item"
    ),
}
OF_BALLS = ("ball_precision", "ball_recall", "empty_balls")
NO_BALLS = "not measured: real distances have no Hamming balls"


@dataclasses.dataclass(frozen=True)
class RetrievalReport:
    """Retrieval quality of a database for queries.

    Attributes:
        bits: Length K of the codes; None where real distances were measured
            (`evaluate_distances`), which have no Hamming balls.
        at: R of the MAPs and of NDCG; the size of the database where that is
            smaller than the R asked for.
        queries: Number of queries.
        database: Number of database items.
        unlabelled_queries: Queries without any label.
        queries_without_relevant: Queries to which nothing in the database is
            relevant, the unlabelled ones among them.
        presets: Dict from a name in `hashnet_tf.retrieval.PRESETS` to MAP@R
            by its rule.
        map_best: MAP@R with ties in the best order.
        map_worst: MAP@R with ties in the worst order.
        map_all: MAP over the whole ranking.
        ndcg: Mean NDCG@R.
        precision_at: Dict from N to mean precision@N.
        empty_ball: "zero" or "skip", the rule of `ball_precision`; None
            without balls.
        ball_precision: List of K + 1, mean precision within each radius; as
            the next two empty without balls.
        ball_recall: List of K + 1, mean recall within each radius.
        empty_balls: List of K + 1, share of queries with no item within.
        precision_at_recall: Dict from recall to mean interpolated precision.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.retrieval import evaluate, pack
    >>> codes = pack(np.array([[1, 1, 1, 1], [1, 1, 1, -1], [-1] * 4]))
    >>> report = evaluate(codes, codes, [0, 0, 1], [0, 0, 1], bits=4)
    >>> print(report.table("tie-aware").splitlines()[1])
    MAP@3               1.0000
    """

    bits: int | None
    at: int
    queries: int
    database: int
    unlabelled_queries: int
    queries_without_relevant: int
    presets: dict[str, float]
    map_best: float
    map_worst: float
    map_all: float
    ndcg: float
    precision_at: dict[int, float]
    empty_ball: str | None
    ball_precision: list[float]
    ball_recall: list[float]
    empty_balls: list[float]
    precision_at_recall: dict[float, float]

    @property
    def map(self) -> float:
        """Float, MAP@R by our rule, "tie-aware"."""
        return self.presets["tie-aware"]

    @property
    def precision_radius2(self) -> float | None:
        """Float, P@H<=2, or None without balls."""
        return _within_2(self.ball_precision)

    @property
    def empty_radius2(self) -> float | None:
        """Float, share of queries with no item within 2, or None likewise."""
        return _within_2(self.empty_balls)

    def as_dict(self) -> dict[str, Any]:
        """Returns the report as plain Python values, ready for JSON."""
        rules = {name: self._rule(name) for name in RULES}
        rules["presets"] = {name: PRESETS[name].rule for name in self.presets}
        fields = dataclasses.asdict(self)
        for name in ("precision_at", "precision_at_recall"):
            # JSON has no numbers for keys.
            fields[name] = {str(k): v for k, v in fields[name].items()}
        derived = {
            "map": self.map,
            "precision_radius2": self.precision_radius2,
        }
        return {**derived, **fields, "rules": rules}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RetrievalReport":
        """Returns the report that `as_dict` gave, before or after JSON.

        Raises:
            ValueError: If it lacks what this version measures.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        if missing := [name for name in names if name not in values]:
            raise ValueError(
                "A report of another version must be measured anew (`hashnet"
                f" evaluate`). Received: one without {', '.join(missing)}"
            )
        fields = {name: values[name] for name in names}
        for name, number in (
            ("precision_at", int),
            ("precision_at_recall", float),
        ):
            fields[name] = {number(k): v for k, v in fields[name].items()}
        return cls(**fields)

    def table(self, preset: str | None = None) -> str:
        """Returns the numbers and their rules as text for a terminal.

        Args:
            preset: Str, the only MAP rule to show, or None for all of them.

        Raises:
            ValueError: If there is no such preset, or it was not measured.
        """
        shown = list(self.presets) if preset is None else [preset]
        for name in shown:
            check_preset(name)
            if name not in self.presets:
                raise ValueError(
                    f"The report must have been made with file_order=True."
                    f" Received: preset={name!r}"
                )
        ranked = "real distances" if self.bits is None else f"{self.bits} bits"
        lines = [
            f"{ranked}, {self.queries:,} queries,"
            f" {self.database:,} in the database"
        ]

        def add(name, value, rule):
            shown = "-" if value is None else f"{value:.4f}"
            lines.append(f"{name:<20}{shown}")
            lines.extend(
                textwrap.wrap(
                    rule, 78, initial_indent="    ", subsequent_indent="    "
                )
            )

        for name in shown:
            label = f"MAP@{self.at}"
            if name != "tie-aware":
                label = f"  {name}"
            add(label, self.presets[name], PRESETS[name].rule)
        add("  best tie order", self.map_best, RULES["map_best"])
        add("  worst tie order", self.map_worst, RULES["map_worst"])
        add("MAP@ALL", self.map_all, RULES["map_all"])
        add(f"NDCG@{self.at}", self.ndcg, RULES["ndcg"])
        add("P@H<=2", self.precision_radius2, self._rule("ball_precision"))
        add("  empty balls", self.empty_radius2, self._rule("empty_balls"))
        for rank in list(self.precision_at)[:1] + list(self.precision_at)[-1:]:
            add(f"P@{rank}", self.precision_at[rank], RULES["precision_at"])
        for field in ("unlabelled_queries", "queries_without_relevant"):
            if count := getattr(self, field):
                lines.append(f"{field.replace('_', ' ')}: {count:,}")
        return "\n".join(lines)

    def _rule(self, name: str) -> Any:
        """Returns the rule of `RULES` that a number was measured by."""
        if self.bits is None and name in OF_BALLS:
            return NO_BALLS
        rule = RULES[name]
        return rule[self.empty_ball] if isinstance(rule, dict) else rule


def _within_2(by_radius: Sequence[float]) -> float | None:
    """Returns the value at radius 2, or at K where that is less."""
    return by_radius[:3][-1] if by_radius else None
