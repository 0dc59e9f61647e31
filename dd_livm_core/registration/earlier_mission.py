"""What an earlier mission of the same drone and cameras tells of the next one's rig and offsets."""

from dataclasses import dataclass

import numpy as np

from dd_livm_core.registration.frame_sizes import FrameSizes
from dd_livm_core.registration.offset_mixture import OffsetPrior
from dd_livm_core.registration.rig import Floats, RigGeometry

SAME_SCALE, SAME_TURN_DEG = 0.01, 0.5
"""How far a rig that a few pairs give may lie from an earlier one's and be the same: about three times its error."""


@dataclass(frozen=True)
class EarlierMission:
    """The rig of an earlier mission, and where its pairs lay.

    Attributes
    ----------
    sizes
        Of its frames.
    offsets_px
        (N, 2), of its pairs that are sure: the infrared frame's centre from the visible frame's, visible px.
    """

    rig: RigGeometry
    sizes: FrameSizes
    offsets_px: Floats

    def rig_at(self, sizes: FrameSizes) -> RigGeometry | None:
        """Return its rig for frames of other sizes; None where these are no rescaling of its own."""
        if not sizes.is_rescaling_of(self.sizes):
            return None
        visible = sizes.visible[1] / self.sizes.visible[1]
        infrared = sizes.infrared[1] / self.sizes.infrared[1]
        return RigGeometry(self.rig.scale * visible / infrared, self.rig.rotation_deg)

    def has_rig(self, rig: RigGeometry, sizes: FrameSizes) -> bool:
        """Return whether a rig that was found is this one: another drone of the model has its cameras elsewhere."""
        own = self.rig_at(sizes)
        return (
            own is not None
            and abs(rig.scale / own.scale - 1) < SAME_SCALE
            and abs(rig.rotation_deg - own.rotation_deg) < SAME_TURN_DEG
        )

    def offsets_at(self, sizes: FrameSizes) -> OffsetPrior:
        """Return its offsets in infrared px of frames of these sizes; none where these are no rescaling of its own."""
        if not sizes.is_rescaling_of(self.sizes) or not len(self.offsets_px):
            return OffsetPrior()
        infrared = np.linalg.solve(self.rig.linear(), self.offsets_px.T).T
        return OffsetPrior(np.asarray(infrared * sizes.infrared[1] / self.sizes.infrared[1]))
