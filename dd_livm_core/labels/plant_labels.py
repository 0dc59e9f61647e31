"""Reads hotspots, panels and PV module sizes that people drew on infrared frames without a visible image.

One ``labels.json`` describes the frames of several plants. It is richer than COCO: a hotspot is sure or doubtful, and
parts of a frame may be left out of every count.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dd_livm_core.errors import InputError

Mask = NDArray[np.bool_]
Polygon = list[tuple[float, float]]
LABELS_FILE = "labels.json"


class DrawnHotspot(BaseModel):
    """One hotspot, in pixels of the picture as displayed; ``doubtful`` ones are neither asked for nor false."""

    model_config = ConfigDict(frozen=True)

    x: float
    y: float
    w: float = Field(gt=0)
    h: float = Field(gt=0)
    certainty: Literal["sure", "doubtful"]


class DrawnFrame(BaseModel):
    """What was drawn on one frame.

    Attributes
    ----------
    file
        Path of the image below the folder of the labels.
    site
        Name of the plant.
    width, height
        Of the picture as displayed, px.
    module_short_px, module_long_px
        Sides of a PV module, px; None where nobody could tell.
    panel_polygons
        Outlines of the panels.
    ignore_polygons
        Parts of the frame in which nothing is asked for and nothing is false.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    site: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    module_short_px: float | None = Field(None, gt=0)
    module_long_px: float | None = Field(None, gt=0)
    panel_polygons: list[Polygon] | None = None
    ignore_polygons: list[Polygon] | None = None
    hotspots: list[DrawnHotspot] = []

    def boxes_xywh_px(self, certainty: str) -> NDArray[np.float64]:
        """Return the boxes of one certainty, float64 (N, 4)."""
        boxes = [(h.x, h.y, h.w, h.h) for h in self.hotspots if h.certainty == certainty]
        return np.asarray(boxes, np.float64).reshape(-1, 4)

    def panel_mask(self) -> Mask:
        """Return the pixels of panels, bool (height, width)."""
        return paint_polygons(self.panel_polygons or [], (self.height, self.width))

    def ignored_mask(self) -> Mask:
        """Return the pixels that are left out of every count, bool (height, width)."""
        return paint_polygons(self.ignore_polygons or [], (self.height, self.width))


@dataclass(frozen=True)
class DrawnPlants:
    """The frames of a folder of plants, in the order of their file."""

    folder: Path
    frames: tuple[DrawnFrame, ...]

    @property
    def plants(self) -> tuple[str, ...]:
        """Return the names of the plants, sorted."""
        return tuple(sorted({frame.site for frame in self.frames}))


def paint_polygons(polygons: list[Polygon], shape: tuple[int, int]) -> Mask:
    """Return the pixels inside any of the polygons, bool of ``shape`` (height, width)."""
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        if len(polygon) > 2:
            cv2.fillPoly(mask, [np.asarray(polygon, np.int32)], (1,))
    return mask.astype(bool)


def read_drawn_plants(folder: Path) -> DrawnPlants:
    """Read the labels of a folder of plants, ``labels.json`` in it.

    Raises
    ------
    InputError
        There are none, they are not of this form, or a frame's image lies outside the folder or is missing.
    """
    path = folder / LABELS_FILE
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8-sig"))
        frames = tuple(DrawnFrame.model_validate(frame) for frame in content["frames"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise InputError(
            "labels of plants: a list `frames` with file, site, width, height, panel_polygons and hotspots",
            str(error)[:300],
            path,
            "Name a folder that holds such a labels.json.",
        ) from error
    for frame in frames:
        image = (folder / frame.file).resolve()
        if not image.is_relative_to(folder.resolve()) or not image.is_file():
            raise InputError("an image inside the folder", frame.file, path, "Mend the labels.")
    return DrawnPlants(folder, frames)
