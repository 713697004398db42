import numpy as np
import pytest

from hashnet_tf.reproduction import job as peak_memory
from hashnet_tf.reproduction.job import forget_peak_memory, peak_memory_mb
from hashnet_tf.reproduction.processes import OwnProcess


@pytest.mark.slow
def test_counts_what_was_held_and_given_back():
    before = peak_memory_mb()
    # More than is free within the peak, however high that was.
    held = np.ones(int(before * 1e6) // 8 + 10**7)
    del held
    assert peak_memory_mb() > before + 80


@pytest.mark.slow
def test_a_new_process_does_not_inherit_it():
    held = np.ones(10**8, np.uint8)
    ours = peak_memory_mb()
    del held
    # What the libraries take is in both.
    with OwnProcess() as process:
        assert process.call(peak_memory_mb) < ours


@pytest.mark.skipif(
    not peak_memory.CLEAR_REFS.exists(), reason="needs /proc/self/clear_refs"
)
def test_forgets_what_was_given_back():
    held = np.ones(10**8)
    high = peak_memory_mb()
    del held
    forget_peak_memory()
    # 800 MB were given back.
    assert peak_memory_mb() < high - 700


@pytest.mark.parametrize("platform, unit", [("linux", 1024), ("darwin", 1)])
def test_without_proc(platform, unit, monkeypatch, tmp_path):
    monkeypatch.setattr(peak_memory, "STATUS", tmp_path / "none")
    monkeypatch.setattr(peak_memory.sys, "platform", platform)
    used = peak_memory.resource.getrusage(peak_memory.resource.RUSAGE_SELF)
    assert peak_memory_mb() == pytest.approx(used.ru_maxrss * unit / 1e6)
