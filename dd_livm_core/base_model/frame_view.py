"""Looks at one infrared frame with the base model: its panels, the size of its PV modules, and its hotspots.

The network is used twice: on the frame made smaller, to see how large its PV modules are; then on the grid on which
they are `MODULE_PX` wide, as in training. The size itself comes from the lattice of frames inside the panels, where
one of its periods is near what the network says.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from dd_livm_core.base_model.frame_channels import MODULE_PX, frame_channels
from dd_livm_core.base_model.network import STRIDE_PX, BaseNetwork, DenseMaps
from dd_livm_core.base_model.targets import UNIT_PX
from dd_livm_core.labels.boxes import iou, xyxy_of_xywh
from dd_livm_core.panels.lattice import panel_lattice

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

FIRST_SCALES = (0.25, 0.5)
"""Of the first look: PV modules of 20 to 160 px are 5 to 80 px there."""
SCALES = (0.2, 1.6)
"""Least and most of the second look: beyond, it takes long and shows nothing more."""
GRID_PX = 16
"""Sides of the network's input are multiples of it."""
LEAST_PANEL_PX = 50
"""Fewer pixels of the map tell no size."""
NEAR = 1.35
"""A period of the lattice is the PV module's side where it is within this factor of what the network says. Chosen."""
LEAST_SCORE, MOST_HOTSPOTS = 0.02, 300
"""Lower scores are noise; no frame shows more."""
NMS_IOU, NMS_INSIDE = 0.3, 0.7
"""A hotspot that overlaps a surer one by so much, or lies in one by so much of its area, is the same."""


@dataclass(frozen=True)
class FrameView:
    """What the base model sees in a frame.

    Attributes
    ----------
    panel_mask
        bool (H, W).
    pv_module_short_px
        Short side of a PV module, px; None where there are no panels.
    boxes_xywh_px
        float64 (N, 4) hotspots by falling score.
    scores
        float64 (N,), 0 to 1.
    """

    panel_mask: Mask
    pv_module_short_px: float | None
    boxes_xywh_px: NDArray[np.float64]
    scores: NDArray[np.float64]


def view_frame(network: BaseNetwork, values: Floats) -> FrameView:
    """Return what the base model sees in a frame, float32 (H, W), °C or grey; the network is in evaluation mode."""
    known = np.isfinite(values)
    level = float(np.median(values[known])) if known.any() else 0.0
    values = np.where(known, values, level).astype(np.float32)
    first = [_look(network, values, scale) for scale in FIRST_SCALES]
    sizes_px = [size for look in first if (size := look.module_px()) is not None]
    if not sizes_px:
        first.append(_look(network, values, 1.0))
        sizes_px = [size for look in first[-1:] if (size := look.module_px()) is not None]
    scale = _scale_for(sizes_px)
    look = _look(network, values, scale)
    mask = look.panel_mask()
    size_px = _refine(look.module_px(), values, mask)
    if size_px is not None and not _within(size_px * scale, MODULE_PX, NEAR):
        again = _scale_for([size_px])
        if not _within(again, scale, 1.1):
            look = _look(network, values, again)
            mask = look.panel_mask()
            size_px = _refine(look.module_px(), values, mask) or size_px
    boxes, scores = look.hotspots()
    return FrameView(mask, size_px, boxes, scores)


def _within(value: float, wanted: float, factor: float) -> bool:
    """Return whether a positive value is within a factor of another."""
    return wanted / factor <= value <= wanted * factor


def _scale_for(sizes_px: list[float]) -> float:
    """Return the scale at which PV modules are `MODULE_PX` wide, by the geometric mean of sizes; 1 without any."""
    if not sizes_px:
        return 1.0
    size_px = float(np.exp(np.mean(np.log(sizes_px))))
    return float(np.clip(MODULE_PX / size_px, *SCALES))


def _refine(size_px: float | None, values: Floats, mask: Mask) -> float | None:
    """Return the period of the lattice next to the network's size, or the network's size where none is near."""
    lattice = panel_lattice(values, mask)
    if size_px is None or lattice is None:
        return size_px
    periods = [p for p in (lattice.along_px, lattice.across_px) if p and _within(p, size_px, NEAR)]
    return min(periods, key=lambda p: abs(np.log(p / size_px)), default=size_px)


@dataclass(frozen=True)
class _Look:
    """The maps of a frame of a shape, seen at a scale (across, down)."""

    maps: DenseMaps
    shape: tuple[int, int]
    scale_xy: tuple[float, float]

    def panel_mask(self) -> Mask:
        """Return the pixels of panels, bool of the frame's shape."""
        share = torch.sigmoid(self.maps.panel[0]).numpy()
        size = self.shape[1], self.shape[0]
        return np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR) > 0.5)

    def module_px(self) -> float | None:
        """Return the PV module's short side in pixels of the frame, or None where there are too few panels."""
        on = self.maps.panel[0] > 0
        if int(on.sum()) < LEAST_PANEL_PX:
            return None
        log_module = float(self.maps.log_module[0][on].median())
        return float(np.exp(log_module)) * MODULE_PX / self.scale_xy[0]

    def hotspots(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return boxes (N, 4) x, y, width, height in pixels of the frame and scores (N,), by falling score."""
        share = torch.sigmoid(self.maps.centre)
        peak = (functional.max_pool2d(share, 3, 1, 1) == share) & (share >= LEAST_SCORE)
        down, across = torch.where(peak[0])
        scores = share[0][down, across]
        order = torch.argsort(scores, descending=True, stable=True)[:MOST_HOTSPOTS]
        down, across, scores = down[order], across[order], scores[order]
        sides = UNIT_PX * torch.exp(
            torch.stack([self.maps.log_width[0], self.maps.log_height[0]])[:, down, across]
        )
        centres = (torch.stack([across, down]) + 0.5) * STRIDE_PX
        boxes = torch.cat([centres - sides / 2, sides]).T.numpy().astype(np.float64)
        boxes /= np.tile(self.scale_xy, 2)
        kept = _suppress(boxes)
        return boxes[kept], scores.numpy().astype(np.float64)[kept]


def _suppress(boxes_xywh: NDArray[np.float64]) -> list[int]:
    """Return the numbers of the boxes that are not the same as one before them."""
    corners = xyxy_of_xywh(boxes_xywh)
    overlap = iou(corners, corners)
    areas = boxes_xywh[:, 2] * boxes_xywh[:, 3]
    shared = overlap * (areas[:, None] + areas[None]) / (1 + overlap)
    inside = shared / np.maximum(np.minimum(areas[:, None], areas[None]), 1e-9)
    same = (overlap > NMS_IOU) | (inside > NMS_INSIDE)
    kept: list[int] = []
    for number in range(len(boxes_xywh)):
        if not same[number, kept].any():
            kept.append(number)
    return kept


@torch.no_grad()
def _look(network: BaseNetwork, values: Floats, scale: float) -> _Look:
    """Return the maps of a frame at about a scale; sides become multiples of `GRID_PX`."""
    height, width = values.shape
    rows, columns = (
        max(2 * GRID_PX, round(side * scale / GRID_PX) * GRID_PX) for side in (height, width)
    )
    how = cv2.INTER_AREA if rows < height else cv2.INTER_CUBIC
    resized = np.asarray(cv2.resize(values, (columns, rows), interpolation=how), np.float32)
    channels = torch.from_numpy(frame_channels(resized))[None]
    maps = network(channels.contiguous(memory_format=torch.channels_last))
    return _Look(maps, (height, width), (columns / width, rows / height))
