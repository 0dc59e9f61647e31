"""Looks at one infrared frame with the base model: its panels, the size of its PV modules, and its hotspots.

The network looks at the frame made smaller, to see its panels. The lattice of frames inside them tells how large its PV
modules are. Then the network looks again, on the grid on which they are `MODULE_PX` wide, as in training: at the size
that the network itself tells, it finds far fewer hotspots on plants that it was not trained on.
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
from dd_livm_core.panels.lattice import pv_module_short_px

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

FIRST_SCALES = (0.25, 0.5)
"""Of the first looks: PV modules of 20 to 160 px are 5 to 80 px there."""
SCALES = (0.2, 1.6)
"""Least and most of the second look: beyond, it takes long and shows nothing more."""
GRID_PX = 16
"""Sides of the network's input are multiples of it."""
LEAST_PANEL_PX = 50
"""Fewer pixels of the map tell no size."""
SAME_SIZE, MOST_LOOKS = 1.12, 3
"""A size within this factor of the one before is the same; more looks do not settle it. Chosen."""
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
    size_px = pv_module_short_px(values, _joint_mask(first)) or first[-1].module_px()
    for _ in range(MOST_LOOKS):
        scale = float(np.clip(MODULE_PX / size_px, *SCALES)) if size_px else 1.0
        look = _look(network, values, scale)
        mask = look.panel_mask()
        before, size_px = size_px, pv_module_short_px(values, mask) or size_px
        if before is None or size_px is None or _same(before, size_px):
            break
    boxes, scores = look.hotspots()
    return FrameView(mask, size_px if mask.any() else None, boxes, scores)


def _same(first_px: float, second_px: float) -> bool:
    """Return whether two sizes are within `SAME_SIZE` of each other."""
    return 1 / SAME_SIZE < first_px / second_px < SAME_SIZE


def _joint_mask(looks: list["_Look"]) -> Mask:
    """Return the pixels that several looks take for panels on average, bool (H, W)."""
    return np.asarray(np.mean([look.panel_share() for look in looks], axis=0) > 0.5)


@dataclass(frozen=True)
class _Look:
    """The maps of a frame of a shape, seen at a scale (across, down)."""

    maps: DenseMaps
    shape: tuple[int, int]
    scale_xy: tuple[float, float]

    def panel_share(self) -> Floats:
        """Return how sure each pixel is to be of a panel, 0 to 1, float32 of the frame's shape."""
        share = torch.sigmoid(self.maps.panel[0]).numpy()
        size = self.shape[1], self.shape[0]
        return np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def panel_mask(self) -> Mask:
        """Return the pixels of panels, bool of the frame's shape."""
        return self.panel_share() > 0.5

    def module_px(self) -> float | None:
        """Return the PV module's short side in pixels of the frame as the network sees it, or None without panels."""
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
