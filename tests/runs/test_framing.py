"""A run sees its images in one framing, from training to its codes."""

import numpy as np
import pytest

import hashnet_tf as hn


@pytest.mark.slow
@pytest.mark.parametrize("framing", ["modern", "paper"])
def test_a_run_is_trained_and_measured_in_its_framing(
    framing, config_of, tmp_path
):
    config = config_of(
        framing=framing, image_size=14, classes_per_batch=5, epochs=1
    )
    run = hn.runs.train(config, tmp_path)
    model = run.model
    assert model.framing == framing
    hn.runs.Run(tmp_path).evaluate(at=50)
    queries = hn.datasets.load(**config.data_source()).query
    pixels = hn.datasets.pixel_array(queries, (14, 14), framing)
    codes = hn.runs.CodeSet.load(run.codes_path("query")).codes
    np.testing.assert_array_equal(codes, model.encode(pixels))
    warped = hn.datasets.pixel_array(queries, (14, 14))
    assert (model.encode(warped) != codes).any()
    found = hn.runs.Run(tmp_path).search(pixels[:2], k=3)
    assert found.framing == framing


@pytest.mark.slow
def test_the_first_view_of_a_frozen_backbone_is_that_of_the_test(
    config_of, weights_file, tmp_path
):
    network = hn.models.backbone("tiny", (8, 8, 3), weights_file)
    queries = hn.datasets.load("digits").query.first(20)
    given = (network, queries, tmp_path)
    features = hn.runs.frozen_features(*given, views=3, framing="modern")
    pixels = hn.datasets.pixel_array(queries, (8, 8), "modern")
    expected = network.predict(pixels, verbose=0)
    np.testing.assert_allclose(features[:, 0], expected, rtol=1e-4, atol=1e-4)
    assert (features[:, 1] != features[:, 2]).any()
    assert (features[:, 0] != features[:, 1]).any()
    hn.runs.frozen_features(*given, views=3, framing="paper")
    assert len(list(tmp_path.iterdir())) == 2
    config = config_of(
        freeze_backbone=True,
        weights=weights_file,
        framing="paper",
        views=2,
        classes_per_batch=5,
        epochs=1,
    )
    run = hn.runs.train(config, tmp_path / "run")
    assert run.model.framing == "paper"
