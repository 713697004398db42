import contextlib
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

import hashnet_tf as hn
from hashnet_tf.tools import main


@dataclasses.dataclass
class Ended:
    """How a command ended: its exit code and what it wrote where."""

    code: int
    out: str
    err: str


def run_command(*words):
    """Runs `hashnet` with these words as the console script does."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main.run(main.parse(["hashnet", *map(str, words)]))
        except SystemExit as exit:
            code = exit.code
    return Ended(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def hashnet():
    return run_command


@pytest.fixture
def fails(hashnet):
    """Function that runs a command that must fail, with one line that says why.

    Returns the line.
    """

    def run(*words, code=2):
        ended = hashnet(*words)
        assert ended.code == code, ended
        assert ended.err.endswith("\n")
        (line,) = ended.err.splitlines()
        name = words[0] if words and words[0] in main.COMMANDS else None
        assert line.startswith(
            f"hashnet {name}: error: " if name else "hashnet: "
        )
        return line

    return run


@pytest.fixture(scope="session", autouse=True)
def tiny_by_name(tiny_backbone):
    """Lets every test here ask for "tiny"."""


@pytest.fixture(scope="session")
def flags():
    """Flags of a training of one epoch, but for the folder."""
    return [
        "--data=digits",
        "--backbone=tiny",
        "--image_size=8",
        "--train_per_class=20",
        "--batch_size=50",
        "--epochs=1",
        "--bits=12",
        "--learning_rate=0.001",
    ]


@pytest.fixture(scope="session")
def trained(hashnet, flags, tmp_path_factory):
    """The run of `hashnet train`, and how that ended."""
    workdir = tmp_path_factory.mktemp("tools") / "run"
    ended = hashnet("train", f"--workdir={workdir}", *flags)
    return hn.runs.Run(workdir), ended


@pytest.fixture(scope="session")
def measured(hashnet, trained):
    """The run after `hashnet evaluate`, and how that ended."""
    run, _ = trained
    return run, hashnet("evaluate", f"--workdir={run.path}", "--at=100")


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """A folder of the first 40 queries of the digits, in two folders."""
    folder = tmp_path_factory.mktemp("photos")
    images = hn.datasets.load("digits").query.first(40)
    for i, pixels in enumerate(images.images):
        path = folder / "ab"[i % 2] / f"{i:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.squeeze(pixels)).save(path)
    return folder
