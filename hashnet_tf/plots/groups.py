"""A sheet of groups of images."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hashnet_tf.plots._canvas import check_image, new_figure, save_figure

# Characters of a title that fit above an image; a name is told by its ends.
FITTING = 20


def plot_groups(
    groups: Sequence[Sequence[np.ndarray]],
    titles: Sequence[Sequence[str]],
    path: str | os.PathLike[str],
) -> Path:
    """Draws one group a row, for example of near duplicates.

    The CSV file beside it holds one row an image: the group and the place in
    it, from 1 both, and the title. Above the image a long title is shortened
    in its midst, and a line break stands as `\\n`.

    Args:
        groups: Rows of images, uint8 `[h, w, 3]`; the rows' lengths and the
            images' sizes may differ.
        titles: As many rows of as many strings, shown above the images, for
            example the file names.
        path: Str or path of the PNG.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there is no group or one without images, if the titles
            do not go with them or if an image is not uint8 `[h, w, 3]`.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from hashnet_tf.plots import plot_groups
    >>> image = np.zeros((8, 8, 3), "uint8")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/sheet.png"
    ...     plot_groups([[image] * 2], [["a.jpg", "b.jpg"]], path).name
    'sheet.png'
    """
    _check(groups, titles)
    titles = [[_printable(title) for title in row] for row in titles]
    longest = max(len(row) for row in groups)
    figure = new_figure(1.3 * longest + 0.2, 1.35 * len(groups) + 0.2)
    panels = figure.subplots(len(groups), longest, squeeze=False)
    for row, images, names in zip(panels, groups, titles, strict=True):
        for axes in row:
            axes.set_axis_off()
        for axes, image, name in zip(row, images, names, strict=False):
            axes.imshow(image, interpolation="nearest")
            axes.set_title(
                _shortened(name), fontsize=8, pad=3, parse_math=False
            )
    return save_figure(
        figure,
        ["group", "place", "title"],
        (
            [group, place, name]
            for group, row in enumerate(titles, 1)
            for place, name in enumerate(row, 1)
        ),
        path,
    )


def _printable(title):
    # A file's name may hold bytes that are no text, and any control character.
    return "".join(
        letter if letter.isprintable() else repr(letter)[1:-1]
        for letter in title
    )


def _shortened(title):
    if len(title) <= FITTING:
        return title
    half = FITTING // 2
    return f"{title[: half - 1]}…{title[-half:]}"


def _check(groups, titles):
    lengths = [len(row) for row in groups]
    if not lengths or not min(lengths) or lengths != [len(r) for r in titles]:
        raise ValueError(
            "`groups` must hold a row of images or more, none of them empty,"
            " and `titles` one title for each image. Received: rows of lengths"
            f" {lengths} and of titles {[len(row) for row in titles]}"
        )
    for image in (image for row in groups for image in row):
        check_image(image)
