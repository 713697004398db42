"""Beta over the optimizer's steps."""

from hashnet_tf.schedules.beta_schedule import BetaSchedule, unit_gap
from hashnet_tf.schedules.square_root_beta import SquareRootBeta
from hashnet_tf.schedules.staged_beta import StagedBeta

__all__ = ["BetaSchedule", "SquareRootBeta", "StagedBeta", "unit_gap"]
