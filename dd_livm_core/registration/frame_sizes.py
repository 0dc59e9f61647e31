"""Frames of one mission that differ in size: which decide, and how the others are brought to theirs.

Pairs with the same sizes share a rig. Pairs whose frames are plain rescalings of those are brought to their size first,
and what is found is taken back; pairs of any other sizes are registered among themselves.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.candidates import PairView
from dd_livm_core.registration.placement import Alignment
from dd_livm_core.registration.rig import Floats

SAME_SHAPE = 0.01
"""Aspect ratios that differ by less than this share are the same: rounding of a rescaled frame's sides."""


@dataclass(frozen=True)
class FrameSizes:
    """The sizes (H, W) of a pair's infrared and visible frame."""

    infrared: tuple[int, int]
    visible: tuple[int, int]

    @classmethod
    def of(cls, view: PairView) -> "FrameSizes":
        """Return the sizes of a pair's frames."""
        return cls(
            (view.infrared.shape[0], view.infrared.shape[1]),
            (view.visible.shape[0], view.visible.shape[1]),
        )

    def is_rescaling_of(self, other: "FrameSizes") -> bool:
        """Return whether both frames have the aspect ratios of the other sizes' frames."""
        return all(
            abs(own[0] * wanted[1] / (own[1] * wanted[0]) - 1) < SAME_SHAPE
            for own, wanted in (
                (self.infrared, other.infrared),
                (self.visible, other.visible),
            )
        )


def most_common_sizes(views: Sequence[PairView]) -> FrameSizes | None:
    """Return the sizes that most of the pairs have, the larger ones where two are as common; None without pairs."""
    counts = Counter(FrameSizes.of(view) for view in views)
    if not counts:
        return None
    return max(counts, key=lambda sizes: (counts[sizes], sizes.infrared, sizes.visible))


def bring_to_size(view: PairView, sizes: FrameSizes) -> PairView:
    """Return a pair with both frames resampled to these sizes; itself where it has them."""
    if FrameSizes.of(view) == sizes:
        return view
    return replace(
        view,
        infrared=np.asarray(_resize(view.infrared, sizes.infrared), np.float32),
        visible=np.asarray(_resize(view.visible, sizes.visible), np.uint8),
    )


def take_back(alignment: Alignment, own: FrameSizes, sizes: FrameSizes) -> Alignment:
    """Return an alignment that was found at ``sizes`` for frames of their own sizes."""
    if own == sizes:
        return alignment
    into = _rescaling(own.infrared, sizes.infrared)
    back = _rescaling(sizes.visible, own.visible)
    x, y = alignment.offset_px
    return replace(
        alignment,
        matrix=back @ alignment.matrix @ into,
        scale=alignment.scale * float(into[0, 0] * back[0, 0]),
        offset_px=(x * float(back[0, 0]), y * float(back[1, 1])),
    )


def _resize(
    image: NDArray[np.float32] | NDArray[np.uint8], shape: tuple[int, int]
) -> NDArray[np.generic]:
    """Return an image resampled to (H, W), averaged where it gets smaller."""
    way = cv2.INTER_AREA if shape[1] < image.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, shape[::-1], interpolation=way))


def _rescaling(before: tuple[int, int], after: tuple[int, int]) -> Floats:
    """Return the (3, 3) matrix from pixels of a frame (H, W) to those of the same frame at another size."""
    y, x = after[0] / before[0], after[1] / before[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])
