import dataclasses
import json

import pytest

from hashnet_tf.reproduction import Result


def test_through_json(result_of):
    result = dataclasses.replace(result_of(3), seconds=None)
    values = json.loads(json.dumps(result.as_dict()))
    assert Result.from_dict(values) == result
    # What the file of a cell tells beside it does no harm.
    assert Result.from_dict({"method": "itq", **values}) == result


@pytest.mark.parametrize("name", ["protocol", "report", "peak_memory_mb"])
def test_refuses_what_lacks_a_part(name, result_of):
    values = result_of(0).as_dict()
    del values[name]
    with pytest.raises(ValueError, match=f"Received: one without {name}$"):
        Result.from_dict(values)


def test_one_that_was_written_before_more_was_told(result_of):
    values = result_of(0).as_dict()
    del values["bytes_per_item"], values["training"]
    assert Result.from_dict(values) == result_of(0)


def test_of_real_distances_through_json(real_result):
    values = json.loads(json.dumps(real_result.as_dict()))
    assert values["report"]["precision_radius2"] is None
    assert Result.from_dict(values) == real_result
