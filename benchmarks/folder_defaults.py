"""Measures the defaults for a folder of photographs, and what they promise.

  python benchmarks/folder_defaults.py

Three folders, one folder a class, are made of CIFAR-10 and MIRFlickr, where
the folder HASHNET_TF_DATA has them and the weights of MobileNetV2. On each
`hashnet train` is run with its defaults, and with those of version 0.1, a small
network from random weights. Told is how many of the ten pictures found for a
new one are of its class: as the report of the run says it, and as it is with
further pictures of the same classes, none of which the run has seen, as many of
each class to be found as the run had held out. The mean over the seeds, which
draw the folders, the split and the weights.
"""

import argparse
import dataclasses
import os
import pathlib
import tarfile
import tempfile
import time

import numpy as np

import hashnet_tf as hn
from hashnet_tf.runs.expectation import K, held_out
from hashnet_tf.runs.expectation import expectation as measured

WEIGHTS = "weights/mobilenet_v2_imagenet_no_top.weights.h5"
# A column of MIRFlickr's lists and what it is called here: the strict readings
# of what can be told apart.
MIRFLICKR = {
    4: "bird",
    6: "car",
    10: "dog",
    14: "flower",
    15: "food",
    21: "night",
    26: "portrait",
    33: "sunset",
}
# Pictures a class that are new to the run.
FURTHER = 80


def unpacked(archive, data):
    """Returns the folder that an archive is unpacked into, once."""
    place = pathlib.Path(tempfile.gettempdir(), "hashnet_tf_folders")
    if not (place / archive).is_dir():
        with tarfile.open(data / f"{archive}.tar.gz") as members:
            members.extractall(place / archive, filter="data")
    return place / archive


def cifar(root, part, classes, count, rng):
    """Returns the paths of some pictures of each of the first classes."""
    found = {}
    for folder in sorted((root / "cifar10" / part).iterdir())[:classes]:
        paths = sorted(folder.iterdir())
        found[folder.name] = [paths[i] for i in rng.permutation(len(paths))]
    return {name: paths[:count] for name, paths in found.items()}


def mirflickr(root, rng):
    """Returns the paths of the pictures of one of some labels alone."""
    found = {name: [] for name in MIRFLICKR.values()}
    for part in ("train", "query", "database"):
        text = (root / "mirflickr25k" / f"{part}.txt").read_text("utf-8")
        for line in text.splitlines():
            path, *labels = line.split()
            ones = [n for i, n in MIRFLICKR.items() if labels[i] == "1"]
            if len(ones) == 1:
                found[ones[0]].append(root / "mirflickr25k" / path)
    return {
        name: [paths[i] for i in rng.permutation(len(paths))]
        for name, paths in found.items()
    }


def laid(paths, folder):
    """Lays pictures into a folder a class, by links; returns the folder."""
    for name, some in paths.items():
        (folder / name).mkdir(parents=True)
        for path in some:
            (folder / name / f"{path.parent.name}_{path.name}").symlink_to(path)
    return folder


def folders(data, out, seed):
    """Returns by title a folder and one of further pictures, drawn."""
    rng = np.random.default_rng(seed)
    small, flickr = (
        unpacked(name, data) for name in ("cifar10_jpeg", "mirflickr25k_96px")
    )
    found = {}
    for classes, count in ((10, 300), (5, 60)):
        own = cifar(small, "train", classes, count, rng)
        new = cifar(small, "test", classes, FURTHER, rng)
        found[f"CIFAR-10, {classes} classes of {count}"] = own, new
    all_of = mirflickr(flickr, rng)
    found[f"MIRFlickr, {len(all_of)} classes of 150"] = (
        {name: paths[:150] for name, paths in all_of.items()},
        {name: paths[150 : 150 + FURTHER] for name, paths in all_of.items()},
    )
    return {
        title: (
            laid(own, out / str(i) / "own"),
            laid(new, out / str(i) / "new"),
        )
        for i, (title, (own, new)) in enumerate(found.items())
    }


def truth(run, new, out):
    """Returns how many of ten are right among pictures that are all new."""
    held = len(held_out(run.dataset)) // len(run.dataset.class_names)
    there = hn.datasets.load(
        f"folder:{new}", query_per_class=FURTHER - held, held_out=0
    )
    # All of its database is new, so that nothing of it counts as trained on.
    there = dataclasses.replace(there, train=run.dataset.train)
    query, database = (
        hn.runs.encode_images(run.encoder, getattr(there, part), out / part)
        for part in ("query", "database")
    )
    found = measured(there, query, database, {})
    assert found is not None
    return found.right


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--earlier", type=int, default=1, help="of them, by version 0.1 too"
    )
    arguments = parser.parse_args()
    data = pathlib.Path(os.environ.get("HASHNET_TF_DATA", "../shared/data"))
    if not (data / WEIGHTS).is_file():
        print(f"Skipped: no {data / WEIGHTS}")
        return
    measurements: dict[tuple[str, str], list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seeds):
            out = pathlib.Path(folder, str(seed))
            for title, (own, new) in folders(data, out, seed).items():
                usual = hn.runs.photograph_settings(own)
                usual["weights"] = str(data / WEIGHTS)
                ways = {"as it is": usual}
                if seed < arguments.earlier:
                    earlier = {"method": "hashnet", "beta": 10.0}
                    ways["version 0.1"] = earlier
                for way, settings in ways.items():
                    place = out / f"{own.parent.name}-{way}"
                    row = once(own, new, settings, seed, place)
                    measurements.setdefault((title, way), []).append(row)
    for (title, way), rows in measurements.items():
        told(title, way, np.array(rows))


def once(own, new, settings, seed, place):
    """Trains on one folder; returns what is promised, and what is true."""
    start = time.perf_counter()
    config = hn.runs.TrainingConfig(f"folder:{own}", seed=seed, **settings)
    run = hn.runs.train(config, place)
    run.evaluate()
    found = run.report["expectation"]
    seconds = time.perf_counter() - start
    return [
        found["right"],
        truth(run, new, place / "new"),
        found["chance"],
        found["by_features"] or np.nan,
        found["error"],
        seconds,
    ]


def told(title, way, rows):
    """Prints the mean over the draws, and how far apart promise and truth."""
    right, true, chance, features, error, seconds = rows.mean(axis=0)
    apart = (rows[:, 0] - rows[:, 1]) / K
    each = ", ".join(f"{x:+.3f}" for x in apart)
    print(
        f"RESULT {title}, {way}, {len(rows)} draws: of {K} {right:.2f} are"
        f" right as told, {true:.2f} in truth (apart by {apart.mean():+.3f} of"
        f" the share in the mean, {each} each, where two standard errors of"
        f" what is told are {error / K:.3f}); by chance {chance:.2f}, by"
        f" features {features:.2f}; {seconds:.0f} s a run",
        flush=True,
    )


if __name__ == "__main__":
    main()
