"""Measures the defaults for a folder of photographs, and what they promise.

  python benchmarks/folder_defaults.py

Three folders, one folder a class, are made of CIFAR-10 and MIRFlickr, where
the folder HASHNET_TF_DATA has them and the weights of MobileNetV2. On each
`hashnet train` is run with its defaults, and with those of version 0.1, a small
network from random weights. Told is how many of the ten pictures found for a
new one are of its class: as the report of the run says it, and as it is with
further pictures of the same classes, none of which the run has seen, as many of
each class to be found as the run had held out. The mean over the seeds, which
draw the split and the weights.
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


def folders(data, out):
    """Returns by title a folder and one of further pictures."""
    rng = np.random.default_rng(0)
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
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    data = pathlib.Path(os.environ.get("HASHNET_TF_DATA", "../shared/data"))
    if not (data / WEIGHTS).is_file():
        print(f"Skipped: no {data / WEIGHTS}")
        return
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder)
        for title, (own, new) in folders(data, out).items():
            usual = hn.runs.photograph_settings(own)
            usual["weights"] = str(data / WEIGHTS)
            ways = {
                "as it is": usual,
                "version 0.1": {"method": "hashnet", "beta": 10.0},
            }
            for way, settings in ways.items():
                rows, start = [], time.perf_counter()
                for seed in range(arguments.seeds):
                    config = hn.runs.TrainingConfig(
                        f"folder:{own}", seed=seed, **settings
                    )
                    place = out / f"{own.parent.name}-{way}-{seed}"
                    run = hn.runs.train(config, place, out / "features")
                    run.evaluate(features=out / "features")
                    told = run.report["expectation"]
                    rows.append(
                        [
                            told["right"],
                            truth(run, new, place / "new"),
                            told["chance"],
                            told["by_features"] or np.nan,
                            told["error"],
                        ]
                    )
                seconds = (time.perf_counter() - start) / arguments.seeds
                mean = np.mean(rows, axis=0)
                apart = (np.array(rows)[:, 0] - np.array(rows)[:, 1]) / K
                told = ", ".join(f"{x:+.3f}" for x in apart)
                print(
                    f"RESULT {title}, {way}: of {K} {mean[0]:.2f} are right as"
                    f" told, {mean[1]:.2f} in truth (apart by {told} of the"
                    f" share, where two standard errors of what is told are"
                    f" {mean[4] / K:.3f});"
                    f" by chance {mean[2]:.2f}, by features {mean[3]:.2f};"
                    f" {seconds:.0f} s a run",
                    flush=True,
                )


if __name__ == "__main__":
    main()
