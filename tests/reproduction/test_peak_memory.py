import numpy as np
import pytest

from hashnet_tf.reproduction import job as peak_memory
from hashnet_tf.reproduction.job import peak_memory_mb
from hashnet_tf.reproduction.processes import in_own_process


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
    assert in_own_process(peak_memory_mb) < ours


@pytest.mark.parametrize("platform, unit", [("linux", 1024), ("darwin", 1)])
def test_without_proc(platform, unit, monkeypatch, tmp_path):
    monkeypatch.setattr(peak_memory, "STATUS", tmp_path / "none")
    monkeypatch.setattr(peak_memory.sys, "platform", platform)
    used = peak_memory.resource.getrusage(peak_memory.resource.RUSAGE_SELF)
    assert peak_memory_mb() == pytest.approx(used.ru_maxrss * unit / 1e6)
