import pytest

from hashnet_tf.losses._likelihoods import check_alpha, slope


@pytest.mark.parametrize("bits", [1, 12, 64])
def test_by_default_the_logit_at_distance_zero_is_five(bits):
    assert slope(None, bits) * bits == pytest.approx(5)


@pytest.mark.parametrize("alpha", [0, -0.1, float("nan")])
def test_refuses_what_is_not_positive(alpha):
    with pytest.raises(ValueError, match=r"5 / bits\. Received: alpha="):
        check_alpha(alpha)


def test_takes_what_is_given():
    check_alpha(None)
    check_alpha(0.1)
    assert slope(0.1, 48) == 0.1
