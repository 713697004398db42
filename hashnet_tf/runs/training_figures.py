"""The figures of a training."""

import numpy as np

from hashnet_tf.retrieval.figures import plot_code_histogram, plot_training
from hashnet_tf.runs.records import read_records
from hashnet_tf.runs.run_directory import RunDirectory


def draw_training(workdir):
    """Draws losses and beta over steps, and |g| before and after.

    Args:
        workdir: Str or path of the run directory of a finished training.

    Returns:
        List of the paths of the PNGs.

    Raises:
        ValueError: If the training is not finished.

    Example:

    >>> import tempfile, hashnet_tf as hn
    >>> config = hn.runs.TrainingConfig(
    ...     data="digits", image_size=8, train_per_class=10, batch_size=50,
    ...     epochs=1,
    ... )
    >>> with tempfile.TemporaryDirectory() as workdir:
    ...     run = hn.runs.train(config, workdir)
    ...     figures = hn.runs.draw_training(workdir)
    ...     [path.name for path in figures]  # doctest: +ELLIPSIS
    digits: 100 train, 200 query, 1597 database. ...
    ['training.png', 'code_histogram.png']
    """
    run = RunDirectory(workdir)
    if not run.codes_after_path.exists():
        raise ValueError(
            "The training must be finished first (`hashnet train`)."
            f" Received: no {run.codes_after_path}"
        )
    return [
        plot_training(
            read_records(run.records_path), run.figures_path / "training.png"
        ),
        plot_code_histogram(
            np.load(run.codes_before_path),
            np.load(run.codes_after_path),
            run.figures_path / "code_histogram.png",
        ),
    ]
