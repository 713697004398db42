from hashnet_tf.datasets.sources import LAYOUTS
from hashnet_tf.datasets.sources.pool import Pool


def test_every_layout_reads_its_stand_in(request):
    for name, read in LAYOUTS.items():
        assert read.__name__ == f"read_{name}"
        folder = request.getfixturevalue(f"{name}_folder")
        pool = read(str(folder))
        assert isinstance(pool, Pool)
        assert pool.in_test is None or len(pool.in_test) == len(pool.images)
        again = read(str(folder)).images
        assert again.names == pool.images.names
        assert again.fingerprint() == pool.images.fingerprint()
