import json

import numpy as np
import pytest

from hashnet_tf.runs import Records, read_records


class Monitor:
    """Stands for the `ContinuationMonitor`, which measures before it."""

    def __init__(self, step):
        self.records = [{"step": step, "beta": 1.0, "J": 1.4, "bit_means": [0]}]


def epoch(records, step, **logs):
    records.on_epoch_begin(0)
    records.monitor.records.append({"step": step})
    records.on_epoch_end(0, logs)


def test_a_line_an_epoch_behind_the_state_before(tmp_path):
    path = tmp_path / "logs" / "records.jsonl"
    records = Records(str(path), Monitor(0))
    records.on_epoch_begin(0)
    assert read_records(path) == [{"step": 0, "beta": 1.0, "J": 1.4}]
    epoch(records, 4, loss=np.float32(0.5), beta=2.0)
    epoch(records, 8, loss=0.25, beta=3.0, note="text", none=None)
    assert read_records(str(path)) == [
        {"step": 0, "beta": 1.0, "J": 1.4},
        {"step": 4, "loss": 0.5, "beta": 2.0},
        {"step": 8, "loss": 0.25, "beta": 3.0},
    ]
    lines = path.read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 4, 8]
    left = sorted(file.name for file in path.parent.iterdir())
    assert left == ["digests.json", path.name]


@pytest.mark.parametrize("resumed_at, kept", [(0, [0]), (4, [0, 4])])
def test_a_resumed_training_keeps_the_steps_before_it(
    resumed_at, kept, tmp_path
):
    path = tmp_path / "records.jsonl"
    records = Records(path, Monitor(0))
    for step in (4, 8):
        epoch(records, step, loss=1.0)
    resumed = Records(path, Monitor(resumed_at))
    epoch(resumed, resumed_at + 4, loss=2.0)
    rows = read_records(path)
    assert [row["step"] for row in rows] == [*kept, resumed_at + 4]
    assert [row.get("loss") for row in rows[1:]] == [1.0] * (len(kept) - 1) + [
        2.0
    ]


def test_without_a_file_there_are_no_records(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_records(tmp_path / "records.jsonl")
