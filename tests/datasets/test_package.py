import pathlib
import re
import subprocess
import sys

import pytest

from hashnet_tf import datasets

# What takes seconds to import.
HEAVY = {"keras", "matplotlib", "sklearn", "tensorflow", "tensorflow_datasets"}


def loaded_by(code, *arguments):
    """Names of the modules that are there when `code` has run."""
    code += "\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_what_is_wrong_with_a_word_is_told_without_tensorflow():
    code = """
import hashnet_tf as hn

hn.datasets.protocols()
for word in (
    "folder:/no/such/dir",
    "lists:/no/such/dir",
    "npz:/no/such/file",
    "cifar10-54k:/no/such/dir",
    "coco-lists",
    "nonsense",
):
    try:
        hn.datasets.load(word)
    except ValueError as error:
        assert "Received: " in str(error), error
    else:
        raise AssertionError(word)
"""
    loaded = loaded_by(code)
    assert "hashnet_tf.datasets.loading" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("kind", ["folder", "lists", "npz"])
def test_what_lies_in_files_is_loaded_without_tensorflow(sources, kind):
    code = """
import sys
import hashnet_tf as hn

dataset = hn.datasets.load(sys.argv[1])
dataset.describe()
assert dataset.database.fingerprint() and dataset.train.names
"""
    loaded = loaded_by(code, sources[kind][0])
    assert not loaded & HEAVY


def test_tfds_is_left_to_what_reads_it():
    package = pathlib.Path(datasets.__file__).parent
    importing = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(
            r"^ *(from|import) .*(tfds|tensorflow_datasets)",
            path.read_text("utf-8"),
            re.MULTILINE,
        )
    }
    # Which `Source` names by a text, and no other file imports.
    assert importing == {"images/tfds_images.py", "sources/tfds.py"}
