"""CNNH: regression of codes that were found beforehand."""

import keras
import numpy as np
from keras import ops

from hashnet_tf.baselines.deep.class_loss import ClassLoss
from hashnet_tf.baselines.deep.signs import check_signs


@keras.saving.register_keras_serializable(package="hashnet_tf")
class CNNHLoss(ClassLoss):
    """Squared distance of g from the code of the image's classes.

    Stage 2 of "Supervised Hashing for Image Retrieval via Image Representation
    Learning" (Xia et al., AAAI 2014), with the codes h of its stage 1,
    `cnnh_codes`, and g = tanh(z):

        mean over images and bits of (g_ik - h_ik)^2

    The paper has a code for each training image and finds it by its index;
    here it is found by the image's classes, on which alone it depends.
    CNNH+, which predicts the classes too, is left out. The port
    swuxyj/DeepHash-pytorch takes |z - h| and, in stage 1, 0 for s = -1.

    An image whose classes never occur together in `members` adds 0.

    Args:
        members: `[U, C]` of zeros and ones, combinations of classes, none
            twice and none empty, as `cnnh_codes` gives.
        codes: `[U, K]` of -1 and +1, the code of each.
        name: Optional name.
        reduction: As in `keras.losses.Loss`.

    Call arguments:
        y_true: As `ClassLoss` takes them.
        y_pred: Float `[n, K]`, g.

    Raises:
        ValueError: If an argument or a shape is none of these.

    Example:

    >>> import numpy as np
    >>> from hashnet_tf.baselines.deep import CNNHLoss, cnnh_codes
    >>> labels = np.array([0, 1, 0, 2])
    >>> float(CNNHLoss(*cnnh_codes(labels, bits=16))(labels, np.zeros((4, 16))))
    1.0
    """

    def __init__(
        self,
        members,
        codes,
        name="cnnh_loss",
        reduction="sum_over_batch_size",
    ):
        codes = check_signs(codes, "codes")
        members = np.asarray(members)
        if (
            members.ndim != 2
            or len(members) != len(codes)
            or not np.isin(members, (0, 1)).all()
            or not members.any(axis=1).all()
            or len(np.unique(members, axis=0)) < len(members)
        ):
            raise ValueError(
                "`members` must hold one combination of classes for each of"
                f" the {len(codes)} codes, zeros and ones, none empty and none"
                f" twice. Received: members.shape={members.shape}"
            )
        super().__init__(members.shape[1], codes.shape[1], name, reduction)
        self.members = members.astype(np.uint8)
        self.codes = codes

    def images(self, membership, outputs):
        members = ops.cast(self.members, "float32")
        shared = ops.matmul(membership, ops.transpose(members))
        # The same set: all of either is shared.
        same = ops.logical_and(
            ops.equal(shared, ops.sum(membership, axis=1)[:, None]),
            ops.equal(shared, ops.sum(members, axis=1)[None, :]),
        )
        same = ops.cast(same, "float32")
        goal = ops.matmul(same, ops.cast(self.codes, "float32"))
        found = ops.sum(same, axis=1)
        return found * ops.mean(ops.square(outputs - goal), axis=1)

    def get_config(self):
        return {
            **super().get_config(),
            "members": self.members.tolist(),
            "codes": self.codes.tolist(),
        }
