"""Looks that stay apart for color-blind readers, by color and by marker."""

# Okabe and Ito, "Color Universal Design" (2008), but for the yellow, which is
# faint on white; then three darker ones.
COLORS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#882255",
    "#999933",
    "#5E3C99",
)
# Seven to ten colors, so that a pair comes again only after 70.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
UNKNOWN = "0.72"


def color_and_marker(index):
    """Gives the look of one class or one curve.

    Args:
        index: Int >= 0.

    Returns:
        Color and marker, two strings; a pair comes again after 70.

    Example:

    >>> from hashnet_tf.retrieval.figures.palette import color_and_marker
    >>> color_and_marker(10)
    ('#0072B2', 'D')
    """
    return COLORS[index % len(COLORS)], MARKERS[index % len(MARKERS)]
