"""Chooses the hidden layer and the dropout of `HashEncoder` on validation.

  python benchmarks/estimator_defaults.py

Of each set of `embeddings.py` it takes the part that is learned from there, at
most 5,000 rows of it, so that nothing that the tables measure is seen. A
quarter of them, drawn anew by each seed, is held out, and ranked among itself
by the codes that the others taught (`HashEncoder.score`, MAP of 64 bits).
Training is of 1,000 steps at most, half of the usual, to spare time.

The rule: the combination with the least rank in the mean of the sets wins, by
the mean of the seeds in each, to three places. It takes the place of what was
the default before, if its MAP is higher in the mean of the sets by every seed.

What was measured is not measured again where --out is the same.
"""

import argparse
import itertools
import json
import pathlib
import tempfile
import time

import numpy as np
from embeddings import SETS, parts

import hashnet_tf as hn
from hashnet_tf._files import write_json

BITS = 64
HIDDEN, DROPOUT = (0, 256, 512, 1024), (0.0, 0.25, 0.5)
BEFORE = "512, 0.5"
ROWS, HELD_OUT, STEPS = 5_000, 0.25, 1_000


def scores(vectors, seed):
    """Yields each combination by its name, and its MAP."""
    _, learned, _ = parts(vectors)
    # Of another draw than that of the training itself.
    drawn = np.random.default_rng([seed, 1]).permutation(learned)[:ROWS]
    held, some = np.split(drawn, [int(HELD_OUT * len(drawn))])
    x, y = vectors.values, vectors.labels
    epochs = STEPS * hn.HashEncoder().batch_size // len(some)
    for hidden, dropout in itertools.product(HIDDEN, DROPOUT):
        encoder = hn.HashEncoder(
            BITS,
            hidden=hidden,
            dropout=dropout,
            epochs=epochs,
            random_state=seed,
        )
        encoder.fit(x[some], y[some])
        yield f"{hidden}, {dropout:g}", encoder.score(x[held], y[held])


def chosen(found):
    """Prints the table, and which combination the rule takes.

    Args:
        found: Dict from a set to a dict from a combination to the MAP of each
            seed.
    """
    names = list(next(iter(found.values())))
    values = np.array([[found[s][name] for name in names] for s in found])
    means = values.mean(axis=2).round(3)
    spread = (values.max(axis=2) - values.min(axis=2)) / 2
    ranks = 1 + (means[:, :, None] < means[:, None, :]).sum(axis=2)
    print(f"| hidden, dropout | {' | '.join(found)} | mean rank |")
    print("|---" * (len(found) + 2) + "|")
    for place, name in enumerate(names):
        told = (
            f"{mean:.3f} +- {half:.3f}"
            for mean, half in zip(
                means[:, place], spread[:, place], strict=True
            )
        )
        print(f"| {name} | {' | '.join(told)} | {ranks[:, place].mean():.2f} |")
    best = int(ranks.mean(axis=0).argmin())
    before = names.index(BEFORE)
    gains = (values[:, best] - values[:, before]).mean(axis=0)
    taken = names[best] if (gains > 0).all() else BEFORE
    print(
        f"RESULT {names[best]} has the least mean rank, and beside {BEFORE} a"
        f" MAP that is higher by {', '.join(f'{gain:+.4f}' for gain in gains)},"
        f" a number a seed: {taken} is taken"
    )


def main():
    """Measures what is missing, and chooses."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    usual = pathlib.Path(tempfile.gettempdir(), "hashnet_tf_embeddings")
    parser.add_argument("--out", type=pathlib.Path, default=usual)
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    found = {}
    for seed, (name, read) in itertools.product(
        range(given.seeds), SETS.items()
    ):
        kept = given.out / f"defaults-{name}-{seed}.json"
        if not kept.is_file():
            vectors = read(given.out / "features")
            if vectors is None:
                continue
            start, told = time.process_time(), {}
            for combination, value in scores(vectors, seed):
                told[combination] = value
                print(
                    f"{name}, seed {seed}: {combination}: {value:.4f}",
                    flush=True,
                )
            print(f"{time.process_time() - start:.0f} s of a core", flush=True)
            write_json(kept, told)
        for combination, value in json.loads(kept.read_text("utf-8")).items():
            of_set = found.setdefault(name, {})
            of_set.setdefault(combination, []).append(value)
    if found:
        chosen(found)


if __name__ == "__main__":
    main()
