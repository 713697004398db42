"""Slow, obvious versions of what the package computes from histograms."""

import itertools

import numpy as np
import pytest

from hashnet_tf.retrieval.histogram import Histograms


class Slow:
    """Rankings as plain lists of grades, and what is read off them."""

    @staticmethod
    def orders(distances, grades):
        """Yields the grades in every order that ties allow."""
        groups = [
            [g for d, g in zip(distances, grades, strict=True) if d == level]
            for level in sorted(set(distances))
        ]
        for order in itertools.product(*map(itertools.permutations, groups)):
            yield list(itertools.chain(*order))

    @staticmethod
    def random_orders(distances, grades, count, seed):
        """Yields `count` orders drawn at random."""
        rng = np.random.default_rng(seed)
        distances, grades = np.asarray(distances), np.asarray(grades)
        for _ in range(count):
            shuffled = rng.permutation(len(distances))
            order = np.argsort(distances[shuffled], kind="stable")
            yield grades[shuffled][order].tolist()

    @staticmethod
    def average_precision(ranked, at):
        relevant = sum(grade > 0 for grade in ranked)
        found, total = 0, 0.0
        for place, grade in enumerate(ranked[:at], start=1):
            if grade:
                found += 1
                total += found / place
        return total / min(at, relevant) if relevant else 0.0

    @staticmethod
    def precision(ranked, at):
        return sum(grade > 0 for grade in ranked[:at]) / at

    @staticmethod
    def ndcg(ranked, at):
        def dcg(grades):
            return sum(
                (2**grade - 1) / np.log2(place + 1)
                for place, grade in enumerate(grades[:at], start=1)
            )

        best = dcg(sorted(ranked, reverse=True))
        return dcg(ranked) / best if best else 0.0

    @staticmethod
    def histograms(distances, grades, bits):
        """Returns the `Histograms` of one query."""
        distances, grades = np.asarray(distances), np.asarray(grades)
        counts = [np.sum(distances == d) for d in range(bits + 1)]
        relevant = [
            np.sum((distances == d) & (grades > 0)) for d in range(bits + 1)
        ]
        gains = [
            np.sum(2.0 ** grades[distances == d] - 1) for d in range(bits + 1)
        ]
        by_grade = [
            np.sum(grades == g) for g in range(int(grades.max(initial=0)) + 1)
        ]
        return Histograms(
            np.array([counts]),
            np.array([relevant]),
            np.array([gains]),
            np.array([by_grade]),
            0,
        )


@pytest.fixture(scope="session")
def slow():
    return Slow


@pytest.fixture(scope="session", params=range(30))
def small_case(request):
    """Distances, grades, bits: a few items with ties, hits or none."""
    rng = np.random.default_rng(request.param)
    bits = int(rng.choice([1, 7, 12, 64, 128, 256]))
    n = int(rng.integers(1, 7))
    levels = rng.choice(bits + 1, size=min(3, bits + 1), replace=False)
    grades = rng.integers(0, 4, n) * (rng.random(n) < rng.choice([0, 0.4, 1]))
    return rng.choice(levels, size=n).tolist(), grades.tolist(), bits
