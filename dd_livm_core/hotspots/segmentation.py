"""Segment the hotspots of an infrared frame and measure each one."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.errors import InputError
from dd_livm_core.hotspots.outlines import box_xywh_px, candidates
from dd_livm_core.hotspots.shapes import HotspotLimits
from dd_livm_core.panels.baseline import robust_spread
from dd_livm_core.panels.excess import require_same_shape
from dd_livm_core.records import HotspotShape

Floats = NDArray[np.floating[Any]]
REFERENCE_IRRADIANCE_W_M2 = 1000.0
LONG_OVER_SHORT_SIDE = 1.7
"""Of a PV module whose long side is not known."""


@dataclass(frozen=True)
class Hotspot:
    """One hotspot of one infrared frame.

    Parameters
    ----------
    box_xywh_px
        COCO box: the first pixel spans 0 to 1.
    mask
        (h, w) bool: its pixels within the box.
    shape
        Measured geometry, in units of the PV module.
    mean_excess_k, max_excess_k
        Over its pixels; None where the camera stores no temperature.
    mean_excess_sigma, max_excess_sigma
        The same in spreads of the panels: the only unit without radiometry.
    area_px, area_m2
        Area; None in m² without the size of a PV module.
    max_excess_at_1000_k
        Maximum scaled to 1000 W/m²; None with ``at_1000_missing`` saying why.
    """

    box_xywh_px: tuple[float, float, float, float]
    mask: NDArray[np.bool_]
    shape: HotspotShape
    mean_excess_k: float | None
    max_excess_k: float | None
    mean_excess_sigma: float
    max_excess_sigma: float
    area_px: int
    area_m2: float | None
    max_excess_at_1000_k: float | None
    at_1000_missing: str | None


def find_hotspots(
    excess: Floats,
    panel_mask: NDArray[np.bool_],
    pv_module_width_px: float,
    *,
    pv_module_height_px: float | None = None,
    radiometric: bool = True,
    pv_module_width_m: float | None = None,
    irradiance_w_m2: float | None = None,
    irradiance_exponent: float = 1.0,
    limits: HotspotLimits | None = None,
    by_pv_module: bool = True,
) -> list[Hotspot]:
    """Segment hotspots and measure each one.

    Every PV module is looked at by itself, over its own level where it is healthy, so that
    hotspots of neighbours stay apart; an open string is a hotspot for each of its PV modules.
    Their excess is over that level, too.

    Parameters
    ----------
    excess
        (H, W) float from :func:`dd_livm_core.panels.excess.excess_temperature`.
    panel_mask
        (H, W) bool.
    pv_module_width_px, pv_module_height_px
        Short and long side of a PV module; the long side defaults to 1.7 times the short one.
    radiometric
        Whether ``excess`` is in kelvin; if not, only the threshold in spreads holds.
    pv_module_width_m
        Short side in metres, for areas in m².
    irradiance_w_m2, irradiance_exponent
        For the excess at 1000 W/m²: ΔT · (1000/G)^exponent.
    limits
        Thresholds; defaults to :class:`HotspotLimits`.
    by_pv_module
        False saves the search for PV modules' frames, three quarters of the time: hotspots that
        touch are one then.

    Returns
    -------
    Hotspots by falling maximum; none on constant images.

    Raises
    ------
    InputError
        Shapes differ, or a PV module of no size.
    """
    limits = limits or HotspotLimits()
    values = np.nan_to_num(np.asarray(excess, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    require_same_shape(values, panel_mask, "find_hotspots")
    height_px = pv_module_height_px or LONG_OVER_SHORT_SIDE * pv_module_width_px
    if not (0 < pv_module_width_px < np.inf and 0 < height_px < np.inf):
        found = f"{pv_module_width_px} by {height_px}"
        raise InputError("the size of a PV module", found, "find_hotspots", "Register the pair.")
    mask = np.asarray(panel_mask, bool)
    faces = _faces(mask, pv_module_width_px)
    sigma = robust_spread(values[faces])
    module = (float(pv_module_width_px), float(height_px))
    hotspots = []
    segmented, over_normal = candidates(
        values, mask, faces, sigma, radiometric, module, limits, by_pv_module
    )
    for region in segmented:
        inside = over_normal[region.window][region.hot]
        mean, peak = float(inside.mean()), float(inside.max())
        normal, missing = at_reference_irradiance(
            peak if radiometric else None, irradiance_w_m2, irradiance_exponent
        )
        area_px = int(region.hot.sum())
        metre_px = pv_module_width_px / pv_module_width_m if pv_module_width_m else None
        hotspots.append(
            Hotspot(
                box_xywh_px=box_xywh_px(region.window),
                mask=region.hot,
                shape=region.shape,
                mean_excess_k=mean if radiometric else None,
                max_excess_k=peak if radiometric else None,
                mean_excess_sigma=mean / sigma if sigma > 0 else float("inf"),
                max_excess_sigma=peak / sigma if sigma > 0 else float("inf"),
                area_px=area_px,
                area_m2=area_px / metre_px**2 if metre_px else None,
                max_excess_at_1000_k=normal,
                at_1000_missing=missing,
            )
        )
    return sorted(hotspots, key=lambda hotspot: -hotspot.max_excess_sigma)


def at_reference_irradiance(
    excess_k: float | None, irradiance_w_m2: float | None, exponent: float = 1.0
) -> tuple[float | None, str | None]:
    """Return ΔT · (1000/G)^exponent, or None with the reason it cannot be given."""
    if excess_k is None:
        return None, "the camera stores no temperature"
    if irradiance_w_m2 is None:
        return None, "the mission holds no irradiance"
    if not irradiance_w_m2 > 0:
        return None, "no sun: irradiance is 0 W/m²"
    return excess_k * (REFERENCE_IRRADIANCE_W_M2 / irradiance_w_m2) ** exponent, None


def _faces(mask: NDArray[np.bool_], pv_module_width_px: float) -> NDArray[np.bool_]:
    """Return the panels without their outer frames, whose cold widens the spread; all if too thin."""
    reach = max(1, round(0.1 * pv_module_width_px))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return inner.astype(bool) if inner.any() else mask
