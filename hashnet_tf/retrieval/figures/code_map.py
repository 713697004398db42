"""Codes laid out in the plane by t-SNE."""

from pathlib import Path

import numpy as np

from hashnet_tf.retrieval.codes import unpack
from hashnet_tf.retrieval.figures.canvas import new_figure, save_png
from hashnet_tf.retrieval.figures.curves import COLORS, MARKERS
from hashnet_tf.retrieval.figures.number_file import save_numbers


def plot_code_map(codes, bits, labels, path, seed=0, most=2000):
    """Draws codes by t-SNE on Hamming distances, a colour a class.

    As Figure 6 of HashNet (ICCV 2017), with t-SNE of van der Maaten & Hinton
    ("Visualizing data using t-SNE", JMLR 2008) as scikit-learn has it.

    Args:
        codes: uint8 `[n, ceil(bits / 8)]`, n >= 5.
        bits: Int, length K of the codes.
        labels: Class ids `[n]`, negative where unlabelled (grey).
        path: Str or path of the PNG; the places go into a .csv beside it.
        seed: Int, of the sample and the start.
        most: Positive int; of more codes a sample is drawn.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If there are fewer than 5 codes, or labels are no ids of
            as many.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> from hashnet_tf.retrieval import pack, plot_code_map
    >>> codes = pack(np.random.default_rng(0).normal(size=(20, 8)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/map.png"
    ...     plot_code_map(codes, 8, np.arange(20) % 2, path).name
    'map.png'
    """
    path = Path(path)
    signs, labels = unpack(codes, bits), np.asarray(labels)
    if len(signs) < 5 or labels.shape != (len(signs),):
        raise ValueError(
            "A map needs at least 5 codes and a class id for each. Received:"
            f" {len(signs)} codes, labels.shape={labels.shape}"
        )
    chosen = np.arange(len(signs))
    if len(signs) > most:
        chosen = np.random.default_rng(seed).choice(chosen, most, replace=False)
        chosen.sort()
    from sklearn.manifold import TSNE

    places = TSNE(
        perplexity=min(30, (len(chosen) - 1) / 3),
        metric="hamming",
        init="random",
        random_state=seed,
    ).fit_transform(signs[chosen])
    labels = labels[chosen]
    figure = new_figure(5.6, 4.8)
    axes = figure.subplots()
    for index, label in enumerate(np.unique(labels[labels >= 0])):
        same = labels == label
        axes.scatter(
            *places[same].T,
            s=9,
            color=COLORS[index % len(COLORS)],
            marker=MARKERS[index // len(COLORS) % len(MARKERS)],
            label=str(label),
        )
    axes.scatter(*places[labels < 0].T, s=6, color="0.75", zorder=0)
    axes.set_xticks([])
    axes.set_yticks([])
    classes = len(np.unique(labels[labels >= 0]))
    if 0 < classes <= 20:
        figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    save_numbers(
        path,
        ["position", "x", "y", "label"],
        zip(chosen.tolist(), *places.T.tolist(), labels.tolist(), strict=True),
    )
    return save_png(figure, path)
