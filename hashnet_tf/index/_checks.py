"""What names and labels must be."""

import collections.abc

# Of many that are wrong.
SHOWN = 10


def check_names(names: collections.abc.Sequence[str]) -> list[str]:
    """Returns names as a list.

    Args:
        names: One str, or many.

    Raises:
        ValueError: If one is no str, empty, no UTF-8 or given twice.

    Example:

    >>> from hashnet_tf.index._checks import check_names
    >>> check_names("a"), check_names(("b", "c"))
    (['a'], ['b', 'c'])
    """
    names = [names] if isinstance(names, str) else list(names)
    if wrong := [n for n in names if not isinstance(n, str) or not n]:
        raise ValueError(
            f"Names must be strings that are not empty. Received: {wrong[:3]}"
        )
    if len(set(names)) < len(names):
        seen: set[str] = set()
        twice = [n for n in names if n in seen or seen.add(n)]
        raise ValueError(
            f"Each name must be given once. Received: {twice[:SHOWN]} again"
        )
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"Names must be UTF-8. Received: {name!r}"
            ) from error
    return names


def check_labels(
    names: collections.abc.Sequence[str],
    labels: collections.abc.Sequence[str | None] | None,
) -> list[str | None]:
    """Returns a label of each name.

    Args:
        names: Strs.
        labels: As many strs or Nones, or None of all.

    Raises:
        ValueError: If they are others or not as many.

    Example:

    >>> from hashnet_tf.index._checks import check_labels
    >>> check_labels(["a", "b"], None)
    [None, None]
    """
    if labels is None:
        return [None] * len(names)
    labels = list(labels)
    if len(labels) != len(names):
        raise ValueError(
            "Each name needs a label, or none has one."
            f" Received: {len(names)} names and {len(labels)} labels"
        )
    if wrong := [x for x in labels if x is not None and not isinstance(x, str)]:
        raise ValueError(
            f"Labels must be strings or None. Received: {wrong[:3]}"
        )
    return labels
