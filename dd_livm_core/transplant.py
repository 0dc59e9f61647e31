"""Moving hotspots between PV modules: the same place on another module of the frame."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2

from dd_livm_core.hotspot_signal import HotspotSignal, window
from dd_livm_core.hotspots import Hotspot

_PITCH_TOLERANCE = 0.15
_MIN_CORRELATION = 0.08
_MAX_MODULES = 12
_MARGIN_PX = 3


@dataclass(frozen=True)
class Transplant:
    """One hotspot's window and how far it goes, in whole infrared pixels."""

    source: tuple[slice, slice]
    shift_xy_px: tuple[int, int]
    keep_original: bool

    @property
    def target(self) -> tuple[slice, slice]:
        """Return the window it lands on."""
        (rows, columns), (dx, dy) = self.source, self.shift_xy_px
        return slice(rows.start + dy, rows.stop + dy), slice(columns.start + dx, columns.stop + dx)


def module_steps_px(
    excess: NDArray[np.float32],
    panel_mask: NDArray[np.bool_],
    pv_module_width_px: float,
    pv_module_height_px: float,
) -> NDArray[np.float64]:
    """Return the steps from one PV module to its neighbours, from the frame's own periodicity.

    Peaks of the autocorrelation of the panels' pattern (module frames are cold lines) at a
    distance of about a PV module's width or height.

    Returns
    -------
    (n, 2) float64, n ≤ 2: dx, dy in pixels; empty where no period shows.
    """
    detail = excess - cv2.blur(excess, (15, 15))
    detail = np.where(panel_mask, np.clip(detail, -np.inf, np.std(detail[panel_mask])), 0)
    reach = int(1.3 * max(pv_module_width_px, pv_module_height_px)) + 1
    reach = min(reach, min(excess.shape) - 1)
    # Only shifts up to the reach are asked for: so much padding keeps them apart.
    padded = [next_fast_len(side + reach, real=True) for side in excess.shape]
    correlation = irfft2(np.abs(rfft2(detail.astype(np.float32), padded)) ** 2, padded)
    overlap = irfft2(np.abs(rfft2(panel_mask.astype(np.float32), padded)) ** 2, padded)
    correlation = correlation / np.maximum(overlap, 0.02 * overlap[0, 0])
    if correlation[0, 0] <= 0:
        return np.zeros((0, 2))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    near = (correlation[y, x] / correlation[0, 0]).astype(np.float32)
    # Along a straight frame everything resembles everything: a period has a valley half-way.
    valley = near[y // 2 + reach, x // 2 + reach] < 0.6 * near
    peak = (near >= cv2.dilate(near, np.ones((5, 5), np.uint8))) & valley & (y >= 0)
    steps: list[tuple[float, float]] = []
    distance = np.hypot(x, y)
    for pitch in (pv_module_width_px, pv_module_height_px):
        ring = peak & (np.abs(distance / pitch - 1) <= _PITCH_TOLERANCE)
        for dx, dy in steps:
            ring &= np.abs(x * dx + y * dy) < 0.5 * distance * np.hypot(dx, dy)
        best = np.where(ring, near, -np.inf)
        row, column = np.unravel_index(int(np.argmax(best)), best.shape)
        if best[row, column] >= _MIN_CORRELATION:
            steps.append((float(x[row, column]), float(y[row, column])))
    return np.array(steps).reshape(-1, 2)


def plan_transplant(
    separated: HotspotSignal,
    panel_mask: NDArray[np.bool_],
    steps_px: NDArray[np.floating[Any]],
    keep_original: bool,
    rng: np.random.Generator,
) -> tuple[Transplant, Hotspot] | None:
    """Choose a hotspot and a healthy place for it, a whole number of PV modules away.

    So it keeps its place on the PV module, its shape and its heat. None where there is no hotspot,
    no step, or no free place.
    """
    if not separated.hotspots or not len(steps_px):
        return None
    hotspot = separated.hotspots[int(rng.integers(len(separated.hotspots)))]
    rows, columns = window(hotspot.box_xywh_px)
    height, width = panel_mask.shape
    # A hotspot cut by the border would be pasted with a cut in the middle of a panel.
    if rows.start <= 0 or columns.start <= 0 or rows.stop >= height or columns.stop >= width:
        return None
    source = (
        slice(max(rows.start - _MARGIN_PX, 0), min(rows.stop + _MARGIN_PX, height)),
        slice(max(columns.start - _MARGIN_PX, 0), min(columns.stop + _MARGIN_PX, width)),
    )
    count = np.arange(-_MAX_MODULES, _MAX_MODULES + 1)
    offsets = (count[:, None] * steps_px[0])[:, None]
    if len(steps_px) > 1:
        offsets = offsets + (count[:, None] * steps_px[1])[None]
    offsets = np.unique(np.round(offsets.reshape(-1, 2)).astype(int), axis=0)
    for dx, dy in rng.permutation(offsets[np.any(offsets != 0, axis=1)]):
        plan = Transplant(source, (int(dx), int(dy)), keep_original)
        if _is_free(plan, hotspot, separated.occupied, panel_mask):
            return plan, hotspot
    return None


def _is_free(
    plan: Transplant,
    hotspot: Hotspot,
    occupied: NDArray[np.bool_],
    panel_mask: NDArray[np.bool_],
) -> bool:
    rows, columns = plan.target
    if rows.start < 0 or columns.start < 0:
        return False
    if rows.stop > panel_mask.shape[0] or columns.stop > panel_mask.shape[1]:
        return False
    if occupied[plan.target].any():
        return False
    x, y, w, h = hotspot.box_xywh_px
    dx, dy = plan.shift_xy_px
    landing = panel_mask[window((x + dx, y + dy, w, h))]
    return bool(landing[hotspot.mask].all())


def exchange(
    image: NDArray[np.uint8], plan: Transplant, feather_px: int = _MARGIN_PX
) -> NDArray[np.uint8]:
    """Carry a window of the visible image along; a moved hotspot leaves the target's panel behind.

    Parameters
    ----------
    image
        (H, W, C) uint8 on the infrared grid.

    Returns
    -------
    A changed copy.
    """
    result = image.copy()
    rows, columns = plan.source
    weight = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    weight[feather_px:-feather_px, feather_px:-feather_px] = 1
    weight = cv2.blur(weight, (feather_px, feather_px))[..., None]
    source, target = image[plan.source].astype(np.float32), image[plan.target].astype(np.float32)
    result[plan.target] = np.rint(target + weight * (source - target))
    if not plan.keep_original:
        result[plan.source] = np.rint(source + weight * (target - source))
    return result


def shift_signal(signal: NDArray[np.float32], plan: Transplant) -> NDArray[np.float32]:
    """Return the signal with the hotspot at its new place, and only there if it moved."""
    result = signal.copy()
    moved = signal[plan.source]
    if not plan.keep_original:
        result[plan.source] = 0
    result[plan.target] += moved
    return result
