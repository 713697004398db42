import warnings

import pytest


@pytest.fixture(autouse=True)
def quiet_array_copies():
    # Keras 3.15 turns variables into arrays by a protocol that NumPy 2 warns
    # of, each time that it saves a model.
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "__array__ implementation", DeprecationWarning
        )
        yield
