import dataclasses

import numpy as np
import pytest

from hashnet_tf.methods import METHODS
from hashnet_tf.reproduction import Result, Row, processes
from hashnet_tf.reproduction import plots as figures
from hashnet_tf.retrieval import evaluate, evaluate_distances, pack


@pytest.fixture(scope="session", autouse=True)
def tiny_by_name(tiny_backbone):
    """Lets every test here ask for "tiny"."""


@pytest.fixture(scope="session", autouse=True)
def in_this_process():
    """Spares the start of a process for each cell; list of what was called."""
    called = []

    class Here(processes.OwnProcess):
        def call(self, work, *arguments):
            called.append((work, *arguments))
            return work(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "OwnProcess", Here)
        yield called


@pytest.fixture(scope="session", autouse=True)
def few_points():
    """Spares the t-SNE of a thousand codes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "POINTS", 60)
        yield


@pytest.fixture(scope="session")
def result_of():
    """Makes the result of codes by chance, another for each seed."""

    def make(seed, bits=16, seconds=1.5, peak_memory_mb=100.0):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 3, 120)
        codes = pack(rng.normal(size=(120, bits)))
        report = evaluate(codes[:20], codes, labels[:20], labels, bits, at=50)
        return Result(
            f"Drawn by hand; seed {seed}.",
            {"train": 9, "query": 20, "database": 120},
            "pixels",
            report,
            seconds,
            peak_memory_mb,
        )

    return make


@pytest.fixture(scope="session")
def row_of(result_of):
    """Makes a row of two seeds."""

    def make(method, bits=16, paper=None, seeds=(0, 1)):
        results = {seed: result_of(seed, bits) for seed in seeds}
        return Row(METHODS[method], bits, results, paper)

    return make


@pytest.fixture(scope="session")
def real_result(result_of):
    """Result of distances by chance, in 1,280 floats an item."""
    rng = np.random.default_rng(9)
    labels = rng.integers(0, 3, 120)
    distances = rng.normal(size=(20, 120))
    report = evaluate_distances(distances, labels[:20], labels, at=50)
    return dataclasses.replace(result_of(0), report=report, bytes_per_item=5120)
