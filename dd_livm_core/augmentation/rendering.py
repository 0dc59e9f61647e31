"""Brings one frame to drawn weather: its hotspots, its light, its labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.augmentation.signal import HotspotSignal, extent, foot, separate, window_around
from dd_livm_core.heat.diffusion import transient_excess, weather_transfer
from dd_livm_core.heat.laminate import CELL_CONDUCTANCE_W_K, loss_coefficient, source_ratio
from dd_livm_core.hotspots.limits import HotspotLimits
from dd_livm_core.panels.pv_module_px import PvModulePx

_GAMMA = 2.2
"""Exponent between encoded values and light: that of sRGB, to a good approximation."""
_DARKEST = 0.02
"""Least share of the light that passes a cloud."""
_DECAY_LENGTHS = 6
"""Heat dies out as e^(−x/λ): this many λ from the last hotspot, a window's edge is as good as the frame's."""


@dataclass(frozen=True)
class Rendering:
    """What drawn weather changes in one frame.

    Attributes
    ----------
    change
        (H, W) float32, to be added to the excess, in its unit.
    light
        Factor on the visible image's linear light.
    keep_box
        (N,) bool: False for the boxes whose hotspot fell below the threshold.
    """

    change: NDArray[np.float32]
    light: float
    keep_box: NDArray[np.bool_]


@dataclass(frozen=True)
class FlightFrame:
    """One frame and what is known of its flight.

    Attributes
    ----------
    excess
        (H, W) float32, finite: kelvin when radiometric, else spreads of the panels.
    panel_mask
        (H, W) bool.
    boxes
        (N, 4 or more) float: left, top, right, bottom as shares of the image's width and height, as Albumentations
        keeps them.
    pixel_m
        Side of a pixel on the PV modules in metres.
    pv_module
        Size of a PV module.
    """

    excess: NDArray[np.float32]
    panel_mask: NDArray[np.bool_]
    boxes: NDArray[np.floating[Any]]
    irradiance_w_m2: float
    wind_m_s: float
    pixel_m: float
    pv_module: PvModulePx
    radiometric: bool

    def boxes_px(self) -> NDArray[np.floating[Any]]:
        """Return the boxes in pixels, (N, 4) float."""
        height, width = self.excess.shape
        return self.boxes[:, :4] * (width, height, width, height)


def render(
    frame: FlightFrame, params: Mapping[str, Any], exposure_compensation: float
) -> Rendering:
    """Return what drawn weather changes in a frame.

    Parameters
    ----------
    params
        Plain numbers, as :meth:`dd_livm_core.augmentation.weather.HotspotWeather.get_params` draws them.
    exposure_compensation
        Share of the change of light (in stops) that the camera's exposure levels out, 0 to 1.
    """
    separated = separate(
        frame.excess,
        frame.panel_mask,
        frame.pv_module,
        radiometric=frame.radiometric,
        boxes_xyxy_px=frame.boxes_px(),
    )
    signal = _change_wind(params, frame, _scale_sources(params, frame, separated))
    limits = HotspotLimits()
    least = limits.threshold_k if frame.radiometric else limits.threshold_sigma
    fell = _fell_below_threshold(frame.boxes_px(), separated.signal, signal, least)
    return Rendering(
        change=signal - separated.signal,
        light=_brightness(params, frame) ** (1 - exposure_compensation),
        keep_box=~fell,
    )


def relight(image: NDArray[np.uint8], light: float) -> NDArray[np.uint8]:
    """Multiply the linear light of an image, uint8 of any shape, by a factor and encode it again."""
    linear = (np.arange(256) / 255) ** _GAMMA * light
    table = np.clip(np.rint(255 * linear ** (1 / _GAMMA)), 0, 255).astype(np.uint8)
    return table[image]


def _scale_sources(
    params: Mapping[str, Any], frame: FlightFrame, separated: HotspotSignal
) -> NDArray[np.float32]:
    """Scale every hotspot with irradiance: β = 1 for open circuits, the drawn one for resistive heating.

    Returns the signal (H, W) float32, unchanged at night.
    """
    if frame.irradiance_w_m2 <= 0:
        return separated.signal
    change = (frame.irradiance_w_m2, params["irradiance_w_m2"])
    open_ratio, resistive = (
        source_ratio(*change),
        source_ratio(*change, params["irradiance_exponent"]),
    )
    ratio = np.full(separated.signal.shape, resistive, np.float32)
    for hotspot in separated.hotspots:
        if hotspot.shape in ("stripe", "block"):
            ratio[foot(hotspot.box_xywh_px)] = open_ratio
    return separated.signal * ratio


def _change_wind(
    params: Mapping[str, Any], frame: FlightFrame, signal: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Bring the hotspots' signal, (H, W) float32, to the drawn wind, and let a cloud pass.

    Returns the new signal; at night, without heat from the sun, the old one.
    """
    if frame.irradiance_w_m2 <= 0:
        return signal
    before, after = loss_coefficient(frame.wind_m_s), loss_coefficient(params["wind_m_s"])
    sheet = (frame.pixel_m, CELL_CONDUCTANCE_W_K)
    reach_m = _DECAY_LENGTHS * np.sqrt(CELL_CONDUCTANCE_W_K / min(before, after))
    near = extent(signal > 0, int(np.ceil(reach_m / frame.pixel_m)))
    if near is None:
        return signal
    steady = weather_transfer(signal[near], *sheet, before, after)
    if params["cloud_share"] is not None:
        share, elapsed_s = params["cloud_share"], params["cloud_elapsed_s"]
        fading = transient_excess(steady, np.zeros_like(steady), *sheet, after, elapsed_s)
        steady = share * steady + (1 - share) * fading
    changed = np.zeros_like(signal)
    changed[near] = steady
    return changed


def _fell_below_threshold(
    boxes_px: NDArray[np.floating[Any]],
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    least: float,
) -> NDArray[np.bool_]:
    """Return which boxes held signal above the threshold ``least`` before and hold none after, (N,) bool."""
    fell = np.zeros(len(boxes_px), bool)
    for k, box in enumerate(boxes_px):
        inside = window_around(box)
        if before[inside].size:
            fell[k] = before[inside].max() >= least > after[inside].max()
    return fell


def _brightness(params: Mapping[str, Any], frame: FlightFrame) -> float:
    """Return the drawn light over that when the frame was taken; 1 at night."""
    if frame.irradiance_w_m2 <= 0:
        return 1.0
    share = 1.0 if params["cloud_share"] is None else params["cloud_share"]
    return float(max(share, _DARKEST) * params["irradiance_w_m2"] / frame.irradiance_w_m2)
