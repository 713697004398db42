"""What a set of codes retrieves, with the rule behind each number."""

import dataclasses
import textwrap


@dataclasses.dataclass(frozen=True)
class RetrievalReport:
    """Retrieval quality of database codes for query codes.

    Attributes:
        bits: Length K of the codes.
        at: R of the MAPs; the size of the database where that is smaller than
            the R asked for.
        queries: Number of queries.
        database: Number of database items.
        unlabelled_queries: Queries without any label.
        queries_without_relevant: Queries to which nothing in the database is
            relevant, the unlabelled ones among them.
        map: Mean over all queries of the tie-aware AP@R.
        map_file_order: MAP@R by the rule of the released Caffe script.
        precision_radius2: Mean over all queries of the share of relevant
            items within Hamming distance 2.
        empty_balls: Share of the queries with no item within distance 2.
        rules: Dict from the name of a number to its rule, in words.

    Example:

    >>> from hashnet_tf.retrieval import RetrievalReport
    >>> report = RetrievalReport(
    ...     bits=8, at=3, queries=2, database=3, unlabelled_queries=0,
    ...     queries_without_relevant=1, map=0.5, map_file_order=1.0,
    ...     precision_radius2=0.25, empty_balls=0.5, rules={},
    ... )
    >>> report.as_dict()["map_file_order"]
    1.0
    >>> print(report.table().splitlines()[1])
    MAP@3             0.5000
    """

    bits: int
    at: int
    queries: int
    database: int
    unlabelled_queries: int
    queries_without_relevant: int
    map: float
    map_file_order: float
    precision_radius2: float
    empty_balls: float
    rules: dict

    def as_dict(self):
        """Returns the report as plain Python values, ready for JSON."""
        return dataclasses.asdict(self)

    def table(self):
        """Returns the numbers and their rules as text for a terminal."""
        numbers = {
            "map": f"MAP@{self.at}",
            "map_file_order": "  in file order",
            "precision_radius2": "P@H<=2",
            "empty_balls": "empty balls",
        }
        lines = [
            f"{self.bits} bits, {self.queries:,} queries,"
            f" {self.database:,} in the database"
        ]
        for field, name in numbers.items():
            lines.append(f"{name:<18}{getattr(self, field):.4f}")
            rule = self.rules.get(field, "")
            lines += textwrap.wrap(
                rule, 78, initial_indent="    ", subsequent_indent="    "
            )
        for field in ("unlabelled_queries", "queries_without_relevant"):
            if count := getattr(self, field):
                lines.append(f"{field.replace('_', ' ')}: {count:,}")
        return "\n".join(lines)
