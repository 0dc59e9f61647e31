"""Cuts training crops out of frames: other scales, turns, gains, gradients, blur and noise, and painted hotspots."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.base_model.frame_channels import MODULE_PX, frame_channels
from dd_livm_core.base_model.painting import paint_hotspots
from dd_livm_core.base_model.targets import DenseTargets, dense_targets

Floats = NDArray[np.float32]
Boxes = NDArray[np.float64]

CROP_PX = 256
"""Side of a crop: nine PV modules, so that each has neighbours to be compared with."""
SHARE_AT_SIZE, SIZE_SPREAD = 0.6, 0.35
"""Share of the crops on the grid of `MODULE_PX`, and by how much its logarithm varies there, either way. Chosen."""
ANY_SIZE_PX = (7.0, 110.0)
"""Short side of a PV module in the other crops: from those the first look is learnt."""
SCALES = (0.1, 3.5)
SHARE_ON_HOTSPOT = 0.6
"""Share of the crops that are drawn round a hotspot, where the frame has one. Chosen."""
TURN_DEG = 4.0
"""Standard deviation of turns beside the quarter turns."""


@dataclass(frozen=True)
class TrainingFrame:
    """An infrared frame with what is known of it.

    Attributes
    ----------
    plant
        Frames are drawn by plant, so that none outweighs the others.
    values
        float32 (H, W), °C or grey.
    panel, ignored
        bool (H, W).
    sure_xywh_px, doubtful_xywh_px
        Boxes (N, 4).
    module_short_px
        NaN where it is not known.
    """

    plant: str
    values: Floats
    panel: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    sure_xywh_px: Boxes
    doubtful_xywh_px: Boxes
    module_short_px: float


def draw_crop(
    frame: TrainingFrame, rng: np.random.Generator, *, painted_share: float
) -> tuple[Floats, DenseTargets]:
    """Return the channels of one crop of a frame, float32 (3, `CROP_PX`, `CROP_PX`), and its targets.

    Parameters
    ----------
    painted_share
        Share of the crops into which hotspots are painted.
    """
    placed = _draw_placement(frame, rng)
    size = CROP_PX, CROP_PX
    source = frame.values
    if placed.scale < 0.7:  # against aliasing
        source = _blur(source, 0.4 / placed.scale)
    values = cv2.warpAffine(
        source, placed.matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    outside = cv2.warpAffine(
        np.ones(frame.values.shape, np.uint8), placed.matrix, size, flags=cv2.INTER_NEAREST
    )
    panel, ignored = (
        cv2.warpAffine(mask.astype(np.uint8), placed.matrix, size, flags=cv2.INTER_NEAREST) > 0
        for mask in (frame.panel, frame.ignored)
    )
    ignored = ignored | (outside == 0)
    sure, doubtful = (placed.boxes(b) for b in (frame.sure_xywh_px, frame.doubtful_xywh_px))
    values = _change_gain(np.asarray(values, np.float32), rng)
    module_px = frame.module_short_px * placed.scale
    if rng.random() < painted_share:
        size_px = module_px if np.isfinite(module_px) else MODULE_PX
        more = paint_hotspots(values, panel & ~ignored, size_px, placed.turn_deg, rng)
        sure, doubtful = np.concatenate([sure, more.sure]), np.concatenate([doubtful, more.faint])
    log_module = float(np.log(module_px / MODULE_PX))
    channels = frame_channels(_disturb(values, rng))
    return channels, dense_targets(panel, ignored, sure, doubtful, log_module)


@dataclass(frozen=True)
class _Placement:
    """Where a crop lies: the matrix (2, 3) from the frame to the crop, its scale, and its turn in degrees."""

    matrix: NDArray[np.float32]
    scale: float
    turn_deg: float

    def boxes(self, boxes_xywh_px: Boxes) -> Boxes:
        """Return the boxes whose centres lie in the crop, on its grid; sides follow quarter turns only."""
        centres = boxes_xywh_px[:, :2] + boxes_xywh_px[:, 2:] / 2
        moved = centres @ self.matrix[:, :2].T + self.matrix[:, 2]
        lying = round(self.turn_deg / 90) % 2 == 1
        sides = boxes_xywh_px[:, [3, 2] if lying else [2, 3]] * self.scale
        kept = ((moved >= 0) & (moved < CROP_PX)).all(axis=1)
        return np.concatenate([moved - sides / 2, sides], axis=1)[kept].astype(np.float64)


def _draw_placement(frame: TrainingFrame, rng: np.random.Generator) -> _Placement:
    """Draw where a crop lies, how large it shows the PV modules and how it is turned."""
    height, width = frame.values.shape
    known = frame.module_short_px if np.isfinite(frame.module_short_px) else MODULE_PX
    if rng.random() < SHARE_AT_SIZE:
        wanted_px = MODULE_PX * np.exp(rng.uniform(-SIZE_SPREAD, SIZE_SPREAD))
    else:
        wanted_px = np.exp(rng.uniform(*np.log(ANY_SIZE_PX)))
    scale = float(np.clip(wanted_px / known, *SCALES))
    boxes = frame.sure_xywh_px
    if len(boxes) and rng.random() < SHARE_ON_HOTSPOT:
        box = boxes[rng.integers(len(boxes))]
        centre = box[:2] + box[2:] / 2 + rng.normal(0, CROP_PX / 6 / scale, 2)
    else:
        centre = rng.uniform(0, 1, 2) * (width, height)
    half = np.minimum(CROP_PX / 2 / scale, np.array([width, height]) / 2)
    centre = np.clip(centre, half, np.array([width, height]) - half)
    quarters = rng.integers(4) if rng.random() < 0.5 else 2 * rng.integers(2)
    turn_deg = float(90 * quarters + (rng.normal(0, TURN_DEG) if rng.random() < 0.5 else 0))
    turn = np.radians(turn_deg)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    if rng.random() < 0.5:
        linear = np.diag([-1, 1]) @ linear
    shift = CROP_PX / 2 - linear @ centre
    matrix = np.concatenate([linear, shift[:, None]], axis=1).astype(np.float32)
    return _Placement(matrix, scale, turn_deg)


def _change_gain(values: Floats, rng: np.random.Generator) -> Floats:
    """Return values of about 0 to 1 under another gain curve, as cameras and palettes have them."""
    low, high = float(values.min()), float(values.max())  # percentiles would cut small hotspots off
    shares = (values - low) / max(high - low, 1e-6)
    if rng.random() < 0.5:
        shares = np.sign(shares) * np.abs(shares) ** np.exp(rng.normal(0, 0.25))
    if rng.random() < 0.3:
        shares = np.clip(shares, rng.uniform(-0.1, 0.05), rng.uniform(0.9, 1.2))
    return np.asarray(shares, np.float32)


def _disturb(values: Floats, rng: np.random.Generator) -> Floats:
    """Return values with a gradient over the frame, blur, noise and JPEG's traces, each now and then."""
    if rng.random() < 0.4:
        down, across = np.mgrid[0:CROP_PX, 0:CROP_PX] / CROP_PX
        slope = rng.normal(0, 0.25) * across + rng.normal(0, 0.25) * down
        values = (values + slope).astype(np.float32)
    if rng.random() < 0.4:
        values = _blur(values, rng.uniform(0.3, 1.0))
    if rng.random() < 0.5:
        noise = rng.normal(0, rng.uniform(0, 0.03), values.shape)
        values = (values + noise).astype(np.float32)
    if rng.random() < 0.3:
        low, high = float(values.min()), float(values.max())
        grey = (values - low) / max(high - low, 1e-6) * 255
        quality = int(rng.uniform(40, 95))
        _, packed = cv2.imencode(".jpg", grey.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
        read = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
        assert read is not None
        values = (read / 255.0).astype(np.float32)
    return values


def _blur(values: Floats, sigma_px: float) -> Floats:
    """Return values blurred by a Gaussian."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px), np.float32)
