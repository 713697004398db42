import time

import pytest

from hashnet_tf.export.serving.client import Deadline


def test_counts_down_to_an_error(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    deadline = Deadline(5)
    assert deadline.remaining() == 5
    now = 104.5
    assert deadline.remaining() == 0.5
    now = 105.0
    with pytest.raises(TimeoutError, match="Received: timeout=5"):
        deadline.remaining()
