"""Holds one labelled defect, and checks what a label file says of one."""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.errors import InputError
from dd_livm_core.labels.boxes import xyxy_of_xywh
from dd_livm_core.records import DEFECT_CLASSES, HOTSPOT_SHAPES, DefectClass, HotspotShape

Box = tuple[float, float, float, float]
"""x, y, width, height."""
MAX_COORDINATE_PX = 1e6
"""Far beyond any frame: a larger number in a label file is no coordinate."""

OUTSIDE_BY_PX = 1.0
"""So far a label's box may reach beyond the frame: labelling tools round to whole pixels."""
LEAST_INSIDE_PX = 0.5
"""Width and height that at least lie in the frame: less is no pixel, and training cannot cut it to the frame."""


@dataclass(frozen=True)
class Label:
    """One labelled defect.

    Attributes
    ----------
    box_xywh_px
        x, y, width, height in pixels of the labelled image, which is the infrared one for labels in ``data/``.
    hotspot_shape
        None where it is not known.
    """

    box_xywh_px: Box
    defect_class: DefectClass
    hotspot_shape: HotspotShape | None = None


def label_boxes_xyxy_px(labels: Sequence[Label]) -> NDArray[np.float64]:
    """Return the corners x0, y0, x1, y1 of labels' boxes, float64 (N, 4), in the pixels of the labels."""
    return xyxy_of_xywh([label.box_xywh_px for label in labels])


def lies_in_frame(label: Label, width_px: float, height_px: float) -> bool:
    """Return whether a label's box lies in the frame, so that it can be trained on.

    It reaches beyond the frame by `OUTSIDE_BY_PX` at most, and `LEAST_INSIDE_PX` of each side lie within.
    """
    x, y, width, height = label.box_xywh_px
    ends = ((x, x + width, width_px), (y, y + height, height_px))
    return all(
        low >= -OUTSIDE_BY_PX
        and high <= end + OUTSIDE_BY_PX
        and min(high, end) - max(low, 0.0) >= LEAST_INSIDE_PX
        for low, high, end in ends
    )


def check_label(
    box_xywh_px: Box,
    name: object,
    shape: object,
    path: Path | str,
    todo: str,
) -> Label:
    """Return a label of what a label file says.

    Parameters
    ----------
    name, shape
        Of the defect's class and of the hotspot's shape, None where the file tells no shape. Only letters and
        digits count, without capitals, accents and the s of a plural: ``Open Circuits`` is ``open_circuit``.
    path, todo
        For the error: the label file, and what the user can do.

    Raises
    ------
    InputError
        The class or the shape is unknown, or the box has no area or no finite numbers.
    """
    defect_class = next((known for known in DEFECT_CLASSES if _fold(known) == _fold(name)), None)
    hotspot_shape = next((known for known in HOTSPOT_SHAPES if _fold(known) == _fold(shape)), None)
    if defect_class is None:
        raise InputError(f"a class of {', '.join(DEFECT_CLASSES)}", repr(name), path, todo)
    if shape is not None and hotspot_shape is None:
        raise InputError(f"a shape of {', '.join(HOTSPOT_SHAPES)}", repr(shape), path, todo)
    finite = all(math.isfinite(v) and abs(v) < MAX_COORDINATE_PX for v in box_xywh_px)
    if not finite or min(box_xywh_px[2:]) <= 0:
        raise InputError("a box with positive sides", f"{box_xywh_px}", path, todo)
    return Label(box_xywh_px, defect_class, hotspot_shape)


def _fold(name: object) -> object:
    """Return the letters of a name that tell classes and shapes apart; what is no text is returned itself."""
    if not isinstance(name, str):
        return name
    plain = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]|[\u0300-\u036f]", "", plain).removesuffix("s")
