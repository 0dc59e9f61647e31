"""The rig: scale and rotation from infrared to visible, which a mission's pairs share."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.structure import Complex, correlate, grey, orientation_field, peaks

Floats = NDArray[np.float64]

COARSE_WIDTH_PX = 160
VIEW_RATIOS = np.geomspace(0.85, 3.2, 67)
"""Visible field of view over infrared field of view, as drones have them."""
ROTATIONS_DEG = (-3.0, -1.5, 0.0, 1.5, 3.0)
MARGIN = 0.2
"""Share of the infrared frame by which it may stick out of the visible one."""
BLOCKS = (3, 4)
BLOCK_REACH_PX = 7
"""How far a block is searched: below half a panel's short side, so that it cannot slip by a period."""


@dataclass(frozen=True)
class RigGeometry:
    """Similarity without offset: visible = scale · R(rotation) · infrared + t."""

    scale: float
    rotation_deg: float

    def linear(self) -> Floats:
        """Return scale times rotation, (2, 2)."""
        angle = np.radians(self.rotation_deg)
        c, s = np.cos(angle), np.sin(angle)
        return self.scale * np.array([[c, -s], [s, c]])


def similarity(
    rig: RigGeometry, centre_in_visible: Floats, infrared_shape: tuple[int, ...]
) -> Floats:
    """Return the (3, 3) matrix that sends the infrared frame's centre to a visible point."""
    centre = np.array([(infrared_shape[1] - 1) / 2, (infrared_shape[0] - 1) / 2])
    matrix = np.eye(3)
    matrix[:2, :2] = rig.linear()
    matrix[:2, 2] = centre_in_visible - rig.linear() @ centre
    return matrix


def on_infrared_grid(
    visible: NDArray[np.uint8] | NDArray[np.float32], matrix: Floats, size_px: tuple[int, int]
) -> NDArray[np.generic]:
    """Resample a visible image at the pixels of a (width, height) infrared grid; area-averaged when shrinking."""
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    source = cv2.GaussianBlur(visible, (0, 0), 0.35 * shrink) if shrink > 1.3 else visible
    return np.asarray(
        cv2.warpAffine(
            source,
            matrix[:2],
            size_px,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )
    )


def coarse_peaks(
    infrared: NDArray[np.float32],
    visible: NDArray[np.float32],
    rig: RigGeometry,
    *,
    width_px: int = COARSE_WIDTH_PX,
    count: int = 6,
) -> list[tuple[Floats, float]]:
    """Return candidate positions of the infrared centre in the visible frame, with scores, best first."""
    step = infrared.shape[1] / width_px
    size = (width_px, round(infrared.shape[0] / step))
    shrunk = np.asarray(cv2.resize(infrared, size, interpolation=cv2.INTER_AREA), np.float32)
    template = orientation_field(shrunk)
    scene, inside, to_visible = _scene(visible, rig, step, size)
    score = correlate(template, scene, inside)
    apart = max(3, width_px // 40)
    corner = np.array([(size[0] - 1) / 2, (size[1] - 1) / 2])
    return [
        (to_visible[:2, :2] @ (np.array([x, y]) + corner) + to_visible[:2, 2], value)
        for x, y, value in peaks(score, count, apart)
    ]


def _scene(
    visible: NDArray[np.float32], rig: RigGeometry, step: float, size: tuple[int, int]
) -> tuple[Complex, NDArray[np.float32], Floats]:
    """Resample the visible frame, turned and scaled, with a margin; return its field and the way back."""
    height, width = visible.shape
    linear = rig.linear() * step
    extent = np.abs(np.linalg.inv(linear)) @ np.array([width, height])
    out = np.maximum(np.ceil(extent + 2 * MARGIN * np.array(size)), np.array(size) + 8).astype(int)
    to_visible = np.eye(3)
    to_visible[:2, :2] = linear
    to_visible[:2, 2] = np.array([(width - 1) / 2, (height - 1) / 2]) - linear @ ((out - 1) / 2)
    resampled = on_infrared_grid(visible, to_visible, (int(out[0]), int(out[1])))
    inside = np.asarray(
        on_infrared_grid(np.ones_like(visible), to_visible, (int(out[0]), int(out[1]))), np.float32
    )
    field = orientation_field(np.asarray(resampled, np.float32))
    field[cv2.erode((inside > 0.99).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0] = 0
    return field, (inside > 0.99).astype(np.float32), to_visible


def block_shifts(
    infrared: NDArray[np.float32], visible: NDArray[np.float32], matrix: Floats
) -> tuple[Floats, Floats, Floats]:
    """Measure how far blocks of the infrared frame lie from where ``matrix`` puts them.

    Returns
    -------
    centres (N, 2) and shifts (N, 2) in infrared pixels, weights (N,).
    """
    height, width = infrared.shape
    warped = np.asarray(on_infrared_grid(visible, matrix, (width, height)), np.float32)
    inside = np.asarray(
        on_infrared_grid(np.ones_like(visible), matrix, (width, height)), np.float32
    )
    template, scene = orientation_field(infrared), orientation_field(warped)
    scene[cv2.erode((inside > 0.99).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0] = 0
    reach = BLOCK_REACH_PX
    centres, shifts, weights = [], [], []
    for y0, y1 in _cuts(height, BLOCKS[0], reach):
        for x0, x1 in _cuts(width, BLOCKS[1], reach):
            area = scene[y0 - reach : y1 + reach, x0 - reach : x1 + reach]
            block = template[y0:y1, x0:x1]
            score = correlate(block, area, np.ones(area.shape, np.float32))
            y, x = np.unravel_index(int(np.argmax(score)), score.shape)
            best = peaks(score, 1, reach) if 0 < y < 2 * reach and 0 < x < 2 * reach else []
            if best and best[0][2] > 0.1:
                centres.append([(x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2])
                shifts.append([best[0][0] - reach, best[0][1] - reach])
                weights.append(best[0][2])
    return np.array(centres).reshape(-1, 2), np.array(shifts).reshape(-1, 2), np.array(weights)


def _cuts(length: int, parts: int, margin: int) -> list[tuple[int, int]]:
    edges = np.linspace(margin, length - margin, parts + 1).astype(int)
    return list(pairwise(edges.tolist()))


def fit_similarity(centres: Floats, shifts: Floats, weights: Floats) -> Floats | None:
    """Fit a small similarity to block shifts, robustly (iterated reweighting); (2, 3) or None if too few."""
    if len(centres) < 4:
        return None
    ones, zeros = np.ones(len(centres)), np.zeros(len(centres))
    x, y = centres.T
    design = np.concatenate([np.stack([x, -y, ones, zeros], 1), np.stack([y, x, zeros, ones], 1)])
    target = (centres + shifts).T.ravel()
    weight = np.tile(weights, 2)
    for _ in range(8):
        solution, *_ = np.linalg.lstsq(design * weight[:, None], target * weight, rcond=None)
        error = np.linalg.norm((design @ solution - target).reshape(2, -1), axis=0)
        weight = np.tile(weights / (1 + (error / 0.7) ** 2), 2)
    a, b, tx, ty = solution
    return np.array([[a, -b, tx], [b, a, ty]])


def estimate_rig(
    views: Sequence[tuple[NDArray[np.float32], NDArray[np.uint8]]],
) -> tuple[RigGeometry, float]:
    """Find the scale and rotation that suit a sample of a mission's pairs best, and their mean score.

    Coarse: every field-of-view ratio and a few rotations, by the best correlation at any shift, summed over the
    sample so that one pair's repeating rows cannot decide. Fine: block shifts, median over the sample.
    """
    sample = [(infrared, grey(visible)) for infrared, visible in views]
    best, _ = _search(sample, VIEW_RATIOS, (0.0,))
    ratio = sample[0][1].shape[1] / (sample[0][0].shape[1] * best.scale)
    best, best_score = _search(sample, ratio * np.array([0.98, 1.0, 1.02]), ROTATIONS_DEG)
    for _ in range(2):
        refined = [r for r in (_refined_rig(*pair, best) for pair in sample) if r is not None]
        if not refined:
            break
        best = RigGeometry(
            float(np.median([r.scale for r in refined])),
            float(np.median([r.rotation_deg for r in refined])),
        )
    return best, best_score


def _search(
    sample: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]],
    ratios: Floats,
    rotations_deg: Sequence[float],
) -> tuple[RigGeometry, float]:
    """Return the geometry with the best mean correlation over the sample, and that mean."""
    best, best_score = RigGeometry(1.0, 0.0), -1.0
    for ratio in ratios:
        for rotation in rotations_deg:
            scores, rig = [], best
            for infrared, visible in sample:
                rig = RigGeometry(visible.shape[1] / (infrared.shape[1] * float(ratio)), rotation)
                found = coarse_peaks(infrared, visible, rig, width_px=COARSE_WIDTH_PX // 2, count=1)
                scores.append(found[0][1] if found else 0.0)
            if np.mean(scores) > best_score:
                best, best_score = rig, float(np.mean(scores))
    return best, best_score


def _refined_rig(
    infrared: NDArray[np.float32], visible: NDArray[np.float32], rig: RigGeometry
) -> RigGeometry | None:
    found = coarse_peaks(infrared, visible, rig, count=1)
    if not found:
        return None
    matrix = similarity(rig, found[0][0], infrared.shape)
    for _ in range(4):
        step = fit_similarity(*block_shifts(infrared, visible, matrix))
        if step is None:
            return None
        matrix = matrix @ np.vstack([step, [0, 0, 1]])
    scale = float(np.sqrt(np.linalg.det(matrix[:2, :2])))
    return RigGeometry(scale, float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))))
