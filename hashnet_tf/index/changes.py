"""What a change of an index did."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Changes:
    """What became of the items that were given.

    Attributes:
        added: Int, whose names are new.
        refreshed: Int, whose names were there with another content.
        kept: Int, who were there as they are.
        refused: Dict from the name of a file that was left out to the reason.

    Example:

    >>> from hashnet_tf.index import Changes
    >>> Changes(added=2, kept=1, refused={"a.jpg": "no image"}).text()
    '2 added, 0 refreshed, 1 kept, 1 refused'
    """

    added: int = 0
    refreshed: int = 0
    kept: int = 0
    refused: dict[str, str] = dataclasses.field(default_factory=dict)

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(
            self.added + other.added,
            self.refreshed + other.refreshed,
            self.kept + other.kept,
            {**self.refused, **other.refused},
        )

    def text(self) -> str:
        """Returns the counts in one line."""
        return (
            f"{self.added:,} added, {self.refreshed:,} refreshed,"
            f" {self.kept:,} kept, {len(self.refused):,} refused"
        )
