import subprocess
import sys


def test_import_leaves_tfds_to_who_asks_for_it():
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, hashnet_tf.datasets; print(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "hashnet_tf.datasets.loading" in loaded
    assert "tensorflow_datasets" not in loaded
