"""Segment the hotspots of an infrared frame and measure each one."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.hotspots.limits import HotspotLimits
from dd_livm_core.hotspots.outlines import Region, box_xywh_px, regions
from dd_livm_core.panels.baseline import robust_spread
from dd_livm_core.panels.excess import require_same_shape
from dd_livm_core.panels.module_level import subtract_module_level, subtract_sharpening_rims
from dd_livm_core.panels.module_map import pv_module_map
from dd_livm_core.panels.pv_module_px import PvModulePx
from dd_livm_core.records import HotspotShape

Floats = NDArray[np.floating[Any]]
REFERENCE_IRRADIANCE_W_M2 = 1000.0
"""Irradiance of standard test conditions."""
_EDGE = 0.1
"""Width of the panels' outer edge, in short sides of a PV module, that is left out of spreads and levels."""


@dataclass(frozen=True)
class FlightFacts:
    """What is known of a flight, for areas in m² and excess temperatures at 1000 W/m².

    Attributes
    ----------
    pv_module_width_m
        Short side of a PV module in metres.
    irradiance_w_m2, irradiance_exponent
        G and β in ΔT · (1000/G)^β.
    """

    pv_module_width_m: float | None = None
    irradiance_w_m2: float | None = None
    irradiance_exponent: float = 1.0


@dataclass(frozen=True)
class Hotspot:
    """One hotspot of one infrared frame.

    Attributes
    ----------
    box_xywh_px
        COCO box: the first pixel spans 0 to 1.
    mask
        (h, w) bool: its pixels within the box.
    shape
        Name of its outline's shape.
    mean_excess_k, max_excess_k
        Over its pixels, above what is normal for its PV module; None where the camera stores no temperature.
    mean_excess_sigma, max_excess_sigma
        The same in spreads of the panels: the only unit without radiometry.
    area_px, area_m2
        Number of its pixels, and their area; None in m² where the size of a PV module in metres is not known.
    max_excess_at_1000_k
        Maximum scaled to 1000 W/m²; None where ``at_1000_missing`` says why.
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
    pv_module: PvModulePx,
    *,
    radiometric: bool = True,
    flight: FlightFacts | None = None,
    limits: HotspotLimits | None = None,
    by_pv_module: bool = True,
) -> list[Hotspot]:
    """Segment the hotspots of a frame and measure each one.

    Every PV module is looked at by itself, above its own level where it is healthy. Hotspots of neighbours therefore
    stay separate, and an open string is one hotspot for each of its PV modules. Their excess is above that level, too.

    Parameters
    ----------
    excess
        (H, W) float from :func:`dd_livm_core.panels.excess.excess_temperature`.
    panel_mask
        (H, W) bool.
    pv_module
        Size of a PV module.
    radiometric
        Whether ``excess`` is in kelvin; if not, only the thresholds in spreads hold.
    flight
        For areas in m² and the excess at 1000 W/m²; by default nothing is known.
    limits
        Thresholds; defaults to :class:`HotspotLimits`.
    by_pv_module
        False takes all panels for one PV module: hotspots that touch are then one, and the search for frames, three
        quarters of the time, is saved.

    Returns
    -------
    Hotspots by falling maximum; none on constant images.

    Raises
    ------
    InputError
        Shapes differ.
    """
    limits, flight = limits or HotspotLimits(), flight or FlightFacts()
    values = np.nan_to_num(np.asarray(excess, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    require_same_shape(values, panel_mask, "find_hotspots")
    mask = np.asarray(panel_mask, bool)
    faces = _inner_panels(mask, pv_module)
    sigma = within = robust_spread(values[faces])
    warm = max(limits.wide_sigma * sigma, limits.threshold_k if radiometric else 0.0)
    if warm <= 0:
        return []
    pv_modules = mask.astype(np.int32)
    if by_pv_module:
        pv_modules = pv_module_map(values, mask, pv_module)
        values, levels, spread = subtract_module_level(values, pv_modules, faces, warm)
        if radiometric:
            within = spread
        else:
            # Plain images keep bright rims of sharpening and compression that the spread within does not show.
            values = subtract_sharpening_rims(values, pv_modules, levels, pv_module.short)
    thresholds = _Thresholds(
        hot=max(limits.threshold_sigma * within, warm),
        wide=max(limits.wide_sigma * within, warm),
        cold=-max(limits.hidden_sigma * within, limits.hidden_k if radiometric else 0.0),
    )
    hotspots = [
        _measure(region, values, sigma, radiometric, pv_module, flight)
        for region in _segment(values, pv_modules, pv_module, thresholds, limits)
    ]
    return sorted(hotspots, key=lambda hotspot: -hotspot.max_excess_sigma)


def at_reference_irradiance(
    excess_k: float | None, irradiance_w_m2: float | None, exponent: float = 1.0
) -> tuple[float | None, str | None]:
    """Return ΔT · (1000/G)^exponent in K and None, or None and the reason why it is not known."""
    if excess_k is None:
        return None, "the camera stores no temperature"
    if irradiance_w_m2 is None:
        return None, "the mission holds no irradiance"
    if not irradiance_w_m2 > 0:
        return None, "no sun: irradiance is 0 W/m²"
    return excess_k * (REFERENCE_IRRADIANCE_W_M2 / irradiance_w_m2) ** exponent, None


@dataclass(frozen=True)
class _Thresholds:
    """Least excess of a hot pixel, the lower one in stripes and blocks, and the highest of a leaf or frame."""

    hot: float
    wide: float
    cold: float


def _segment(
    values: NDArray[np.float32],
    pv_modules: NDArray[np.int32],
    pv_module: PvModulePx,
    thresholds: _Thresholds,
    limits: HotspotLimits,
) -> list[Region]:
    """Return the hotspots above the thresholds.

    Large stripes and blocks are looked for at their lower threshold first; at the other one, hotspots of any shape
    that overlap none of them. ``pv_modules`` is 0 off the panels.
    """

    def is_wide(region: Region) -> bool:
        large = bool(region.outline.sum() >= limits.wide_area * pv_module.area_px2)
        return large and region.shape in ("stripe", "block")

    def is_large(region: Region) -> bool:
        return bool(region.hot.sum() >= max(limits.min_area * pv_module.area_px2, 2))

    panels = pv_modules > 0
    cold = panels & (values <= thresholds.cold)
    passes = [(thresholds.hot, is_large)]
    if thresholds.wide < thresholds.hot:
        passes.insert(0, (thresholds.wide, is_wide))
    found: list[Region] = []
    taken = np.zeros(panels.shape, bool)
    for least, accept in passes:
        hot = panels & (values >= least)
        for region in regions(values, hot, cold, pv_modules, pv_module, limits):
            if accept(region) and not (taken[region.window] & region.hot).any():
                taken[region.window] |= region.hot
                found.append(region)
    return found


def _measure(
    region: Region,
    values: NDArray[np.float32],
    sigma: float,
    radiometric: bool,
    pv_module: PvModulePx,
    flight: FlightFacts,
) -> Hotspot:
    """Measure one hotspot; ``values`` is the excess above what is normal, ``sigma`` the spread of the panels."""
    inside = values[region.window][region.hot]
    mean, peak = float(inside.mean()), float(inside.max())
    at_reference, missing = at_reference_irradiance(
        peak if radiometric else None, flight.irradiance_w_m2, flight.irradiance_exponent
    )
    area_px = int(region.hot.sum())
    px_per_m = pv_module.short / flight.pv_module_width_m if flight.pv_module_width_m else None
    return Hotspot(
        box_xywh_px=box_xywh_px(region.window),
        mask=region.hot,
        shape=region.shape,
        mean_excess_k=mean if radiometric else None,
        max_excess_k=peak if radiometric else None,
        mean_excess_sigma=mean / sigma if sigma > 0 else float("inf"),
        max_excess_sigma=peak / sigma if sigma > 0 else float("inf"),
        area_px=area_px,
        area_m2=area_px / px_per_m**2 if px_per_m else None,
        max_excess_at_1000_k=at_reference,
        at_1000_missing=missing,
    )


def _inner_panels(mask: NDArray[np.bool_], pv_module: PvModulePx) -> NDArray[np.bool_]:
    """Return the panels without their outer frames, whose cold widens the spread; all if they are too thin."""
    reach = max(1, round(_EDGE * pv_module.short))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return inner.astype(bool) if inner.any() else mask
