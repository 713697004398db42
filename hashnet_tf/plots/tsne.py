"""Codes in the plane."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hashnet_tf.plots._canvas import (
    UNKNOWN,
    color_and_marker,
    new_figure,
    save_figure,
)
from hashnet_tf.retrieval.codes import Codes, check_codes, unpack
from hashnet_tf.retrieval.labels import check_labels

# Fewer give t-SNE no neighbourhood to keep.
LEAST = 4
PERPLEXITY = 30
# Entries that a legend may hold and still be read.
NAMED = 40


def plot_tsne(
    codes: Codes,
    bits: int,
    labels: npt.ArrayLike,
    path: str | os.PathLike[str],
    seed: int = 0,
    most: int = 2000,
) -> Path:
    """Draws codes by t-SNE on their Hamming distances, one color a class.

    As Figure 6 of HashNet (ICCV 2017), which shows ten of ImageNet's classes.
    Distances between groups that lie far apart mean little in such a picture.
    A legend names up to 40 classes; color and marker together tell apart 70.

    Args:
        codes: uint8 `[n, ceil(bits / 8)]`, n >= 4.
        bits: Int, the length K of the codes.
        labels: Class ids, integer `[n]`, negative (grey) where unknown.
        path: Str or path of the PNG; beside it, as CSV, each drawn item's
            index in `codes`, its place x, y and its label.
        seed: Int, of the items drawn and of the places to begin with.
        most: Int >= 4; of more codes, as many are drawn at random.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If codes or labels are malformed or do not go together, or
            if `most` or the number of codes is below 4.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from hashnet_tf.retrieval import pack
    >>> from hashnet_tf.plots import plot_tsne
    >>> codes = pack(np.random.default_rng(0).normal(size=(20, 12)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot_tsne(codes, 12, [0, 1] * 10, f"{folder}/tsne.png").name
    'tsne.png'
    """
    codes, labels = _check(codes, bits, labels, most)
    index = np.arange(len(codes))
    if len(codes) > most:
        rng = np.random.default_rng(seed)
        index = np.sort(rng.choice(len(codes), most, replace=False))
    signs, drawn = unpack(codes[index], bits), labels[index]
    places = _embed(signs, seed)
    figure = new_figure(7.4, 5.6)
    axes = figure.subplots()
    _scatter(axes, places, drawn)
    axes.set(xticks=[], yticks=[])
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set_color("0.8")
    shown = f"{len(index):,}"
    if len(index) < len(codes):
        shown += f" of {len(codes):,}"
    axes.set_title(
        f"t-SNE of {shown} codes of {signs.shape[1]} bits", fontsize=12
    )
    rows = zip(index, *places.T, drawn, strict=True)
    return save_figure(figure, ["index", "x", "y", "label"], rows, path)


def _embed(signs, seed):
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    # A random start, for one from PCA needs two bits and codes that differ.
    tsne = TSNE(
        metric="hamming",
        init="random",
        perplexity=min(PERPLEXITY, (len(signs) - 1) / 3),
        random_state=seed,
    )
    # Its steps are so short that threads wait for one another: on a busy
    # machine one alone is ten times as fast.
    with threadpool_limits(1):
        return tsne.fit_transform(signs)


def _scatter(axes, places, labels):
    unknown = labels < 0
    if unknown.any():
        axes.scatter(
            *places[unknown].T, s=12, c=UNKNOWN, linewidths=0, label="unknown"
        )
    classes = np.unique(labels[~unknown])
    for i, label in enumerate(classes):
        color, marker = color_and_marker(i)
        axes.scatter(
            *places[labels == label].T,
            s=16,
            c=color,
            marker=marker,
            linewidths=0,
            alpha=0.8,
            label=str(label),
        )
    entries = len(classes) + bool(unknown.any())
    if entries <= NAMED:
        axes.figure.legend(
            loc="outside right upper",
            ncols=-(-entries // 20),
            frameon=False,
            fontsize=10,
            markerscale=1.6,
            handletextpad=0.2,
            title="class",
        )


def _check(codes, bits, labels, most):
    codes = check_codes(codes, bits)
    if len(codes) < LEAST:
        raise ValueError(
            f"t-SNE must have at least {LEAST} codes."
            f" Received: codes.shape={codes.shape}"
        )
    if not isinstance(most, (int, np.integer)) or most < LEAST:
        raise ValueError(
            f"`most` must be an integer >= {LEAST}. Received: most={most!r}"
        )
    labels = check_labels(labels, len(codes))
    if labels.ndim != 1:
        raise ValueError(
            "`labels` must be class ids [n], for a point has one color."
            f" Received: labels.shape={labels.shape}"
        )
    return codes, labels
