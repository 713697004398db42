import numpy as np
import pytest

import hashnet_tf as hn


@pytest.mark.slow
def test_models_alone_let_keras_load_a_trained_model(
    hashnet, images, loaded_apart, tmp_path
):
    # With them must come all else that the file of a compiled model holds.
    model = hashnet(bits=48)
    model.compile(
        hn.optimizers.default_optimizer(1e-3, steps=10),
        hn.losses.WeightedPairwiseLoss(),
    )
    model.fit(images, np.arange(21), verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    imports = "import keras, hashnet_tf as hn; hn.HashNet"
    told = "model.bits, model.loss.name, type(model.optimizer).__name__"
    printed = loaded_apart(imports, path, told)
    assert printed == ["48", "weighted_pairwise_loss", "LayerwiseAdam"]
