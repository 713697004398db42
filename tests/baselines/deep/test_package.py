import subprocess
import sys

from hashnet_tf.baselines import deep


def test_index_is_complete():
    for name in deep.__all__:
        assert getattr(deep, name) is not None


def test_shallow_rivals_need_no_network():
    code = "import sys, hashnet_tf.baselines; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "hashnet_tf.baselines" in loaded
    assert not set(loaded) & {"keras", "tensorflow", "jax"}
