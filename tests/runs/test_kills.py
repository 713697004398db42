import io
import json
import pathlib
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

import hashnet_tf as hn

# Trains a run in a process of its own for each kill and one more, all of them
# forked behind the imports. A kill is a number of seconds that the processor
# has worked, whatever else it does; or the name of a file, how often it has
# been put in place by then, and whether the last time still is. What a training
# took is told.
TRAINS = """
import json, os, runpy, signal, sys, time
import tensorflow
import hashnet_tf as hn
import hashnet_tf.runs.fitting
from hashnet_tf.runs import TrainingConfig, train

fixtures, settings, workdir, kill = map(json.loads, sys.argv[1:])
hn.models.backbones.OWN["tiny"] = runpy.run_path(fixtures)["tiny"]
times, replace = 0, os.replace

def replace_or_die(source, target):
    global times
    name, last, still = kill
    times += os.path.basename(target) == name
    if times == last and not still:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
    if times == last:
        os.kill(os.getpid(), signal.SIGKILL)

def trained():
    begun = time.process_time()
    train(TrainingConfig(**settings), workdir)
    print("took", time.process_time() - begun, flush=True)
    os._exit(0)

child = os.fork()
if not child:
    if isinstance(kill, list):
        os.replace = replace_or_die
    elif kill is not None:
        # Its signal ends a process as SIGKILL does, nothing being said of it.
        signal.setitimer(signal.ITIMER_PROF, kill)
    trained()
_, status = os.waitpid(child, 0)
print("killed", os.WIFSIGNALED(status), flush=True)
if kill is not None:
    child = os.fork()
    if not child:
        trained()
    _, status = os.waitpid(child, 0)
sys.exit(status != 0)
"""


# Of each kind of training.
KILLS = 10


def train_and_kill(config, workdir, kill=None):
    """Returns the lines "took" and "killed" of a training, as words."""
    fixtures = pathlib.Path(__file__).parents[1] / "conftest.py"
    words = [str(fixtures), config.as_dict(), str(workdir), kill]
    ended = subprocess.run(
        [sys.executable, "-c", TRAINS, *map(json.dumps, words)],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    lines = map(str.split, ended.stdout.splitlines())
    return [
        words for words in lines if words and words[0] in ("took", "killed")
    ]


def arrays(file):
    """All arrays of a file of weights by their names."""
    found = {}
    with h5py.File(file) as opened:
        opened.visititems(
            lambda name, item: found.update(
                {name: item[()]} if isinstance(item, h5py.Dataset) else {}
            )
        )
    return found


def state(run):
    """All that a training leaves, but for what holds times."""
    with zipfile.ZipFile(run.model_path) as archive:
        model = arrays(io.BytesIO(archive.read("model.weights.h5")))
    left = {f"model {name}": values for name, values in model.items()}
    left |= arrays(run.checkpoint_path)
    for path in (run.codes_before_path, run.codes_after_path):
        left[path.name] = np.load(path)
    left["records"] = np.array(run.records_path.read_text("utf-8"))
    files = [
        path for path in run.path.rglob("*") if "tfevents" not in path.name
    ]
    left["files"] = np.array(
        sorted(str(path.relative_to(run.path)) for path in files)
    )
    return left


@pytest.mark.slow
@pytest.mark.longest
@pytest.mark.parametrize("kind", ["pixels", "features"])
def test_kills_at_any_moment_change_no_bit(
    kind, config_of, weights_file, tmp_path
):
    settings = {"augmentation": "shift_flip", "dropout": 0.5, "hidden": 8}
    if kind == "features":
        settings |= dict(freeze_backbone=True, weights=weights_file, views=2)
    config = config_of(epochs=4, **settings)
    (_, took), _ = train_and_kill(config, tmp_path / "unbroken")
    expected = state(hn.runs.Run(tmp_path / "unbroken"))
    rng = np.random.default_rng(0)
    kills = [
        ("g_before.npy", 1, False),
        ("last.weights.h5", int(rng.integers(1, 4)), False),
        ("last.weights.h5", int(rng.integers(1, 4)), True),
        ("g_after.npy", 1, True),
        ("model.keras", 1, False),
    ]
    # By the clock, over the whole of a training. Another may take less than
    # the first, and end before its kill comes: it is equal, but no kill.
    kills += (rng.uniform(0, float(took), 15)).tolist()
    killed = 0
    for number, kill in enumerate(kills):
        run = hn.runs.Run(tmp_path / f"{number}")
        lines = train_and_kill(config, run.path, kill)
        killed += ["killed", "True"] in lines
        left = state(run)
        assert left.keys() == expected.keys()
        for name, values in left.items():
            np.testing.assert_array_equal(values, expected[name], f"{kill}")
        if killed == KILLS:
            return
    raise AssertionError(f"{killed} trainings of {len(kills)} were killed")
