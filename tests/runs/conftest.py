import functools
import itertools
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn


class Killed(Exception):
    pass


@pytest.fixture(scope="session", autouse=True)
def tiny_by_name(tiny_backbone):
    """Lets every test here ask for "tiny"."""


@pytest.fixture
def killed():
    return Killed


@pytest.fixture(scope="session")
def config_of(config_of):
    """Makes settings of a training of two epochs on 200 digits."""
    return functools.partial(config_of, epochs=2)


@pytest.fixture(scope="session")
def trained(config_of, tmp_path_factory):
    """A run on the digits, trained in 3 epochs of 4 steps, not measured.

    All that is drawn in a training is in it: order, augmentation, dropout.
    """
    config = config_of(
        epochs=3, augmentation="shift_flip", dropout=0.5, hidden=8
    )
    workdir = tmp_path_factory.mktemp("runs") / "trained"
    return hn.runs.train(config, workdir)


@pytest.fixture(scope="session")
def measured(trained, tmp_path_factory):
    """The same run, measured at 100."""
    workdir = tmp_path_factory.mktemp("runs") / "measured"
    shutil.copytree(trained.path, workdir)
    run = hn.runs.Run(workdir)
    run.evaluate(at=100)
    return run


@pytest.fixture(scope="session")
def write_images():
    """Function that writes 8 by 8 PNGs of the names given."""

    def write(folder, names, seed=0):
        rng = np.random.default_rng(seed)
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path)

    return write


@pytest.fixture
def make_folder(tmp_path, write_images):
    """Makes class folders a, b and c of 12 images each, and names them."""
    numbers = itertools.count()

    def make():
        folder = tmp_path / f"classes_{next(numbers)}"
        write_images(
            folder, [f"{c}/{i:02}.png" for c in "abc" for i in range(12)]
        )
        return folder

    return make


@pytest.fixture
def make_lists(tmp_path, write_images):
    """Makes lists of 24 images of 3 labels, 16 of them to train on."""

    def make():
        folder = tmp_path / "lists"
        names = [f"{i:02}.png" for i in range(24)]
        write_images(folder, names)
        rng = np.random.default_rng(1)
        rows = rng.integers(0, 2, (24, 3))
        rows[rows.sum(axis=1) == 0, 0] = 1
        lines = [
            f"{name} {' '.join(map(str, row))}"
            for name, row in zip(names, rows, strict=True)
        ]
        parts = {"train": lines[:16], "query": lines[16:20], "database": lines}
        for part, chosen in parts.items():
            (folder / f"{part}.txt").write_text("\n".join(chosen), "utf-8")
        return folder, rows

    return make


@pytest.fixture(scope="session")
def model(tiny_backbone):
    """A HashNet of 12 bits on images of 8 pixels a side, balanced bits."""
    keras.utils.set_random_seed(0)
    model = hn.HashNet(tiny_backbone((8, 8, 3)), 12)
    kernel = np.random.default_rng(0).normal(size=(16, 12))
    model.hash_layer.set_weights([kernel, np.zeros(12)])
    return model


@pytest.fixture(scope="session")
def other_model(tiny_backbone):
    """The same with other weights."""
    keras.utils.set_random_seed(1)
    model = hn.HashNet(tiny_backbone((8, 8, 3)), 12)
    kernel = np.random.default_rng(1).normal(size=(16, 12))
    model.hash_layer.set_weights([kernel, np.zeros(12)])
    return model


@pytest.fixture(scope="session")
def queries():
    """The 200 query images of the digits."""
    return hn.datasets.load("digits").query


@pytest.fixture(scope="session")
def listing():
    """Function that lists the files in a folder, to any depth."""

    def of(folder):
        return sorted(
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file()
        )

    return of
