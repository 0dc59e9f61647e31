"""What drawn weather does to one frame: its hotspots, its light, its labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.augmentation.signal import HotspotSignal, extent, foot, separate
from dd_livm_core.heat.diffusion import transient_excess, weather_transfer
from dd_livm_core.heat.laminate import CELL_CONDUCTANCE_W_K, loss_coefficient, source_ratio
from dd_livm_core.hotspots.shapes import HotspotLimits

_GAMMA = 2.2


@dataclass(frozen=True)
class Rendering:
    """What one call does to all its targets."""

    change: NDArray[np.float32]
    light: float
    keep_box: NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """One call's data and what is known of its flight."""

    excess: NDArray[np.float32]
    panel_mask: NDArray[np.bool_]
    boxes: NDArray[np.floating[Any]]
    irradiance_w_m2: float
    wind_m_s: float
    pixel_m: float
    pv_module_width_px: float
    pv_module_height_px: float
    radiometric: bool

    def boxes_px(self) -> NDArray[np.floating[Any]]:
        """Return the boxes in pixels; Albumentations keeps them as shares of the image."""
        height, width = self.excess.shape
        return self.boxes[:, :4] * (width, height, width, height)


def render(scene: Scene, params: Mapping[str, Any], exposure_compensation: float) -> Rendering:
    """Bring a frame's hotspots to the drawn weather; ``params`` are plain numbers."""
    separated = separate(
        scene.excess,
        scene.panel_mask,
        scene.pv_module_width_px,
        pv_module_height_px=scene.pv_module_height_px,
        radiometric=scene.radiometric,
        boxes_xyxy_px=scene.boxes_px(),
    )
    signal = _new_weather(params, scene, _new_sources(params, scene, separated))
    limits = HotspotLimits()
    least = limits.threshold_k if scene.radiometric else limits.threshold_sigma
    sunk = _sunk(scene.boxes_px(), separated.signal, signal, least)
    return Rendering(
        change=signal - separated.signal,
        light=_brightness(params, scene) ** (1 - exposure_compensation),
        keep_box=~sunk,
    )


def relight(image: NDArray[np.uint8], light: float) -> NDArray[np.uint8]:
    """Multiply linear light and encode again; a table serves all pixels."""
    linear = (np.arange(256) / 255) ** _GAMMA * light
    table = np.clip(np.rint(255 * linear ** (1 / _GAMMA)), 0, 255).astype(np.uint8)
    return table[image]


def _new_sources(
    params: Mapping[str, Any], scene: Scene, separated: HotspotSignal
) -> NDArray[np.float32]:
    """Scale every hotspot's source with irradiance: β = 1 for open circuits, more for resistances."""
    if scene.irradiance_w_m2 <= 0:
        return separated.signal
    change = (scene.irradiance_w_m2, params["irradiance_w_m2"])
    open_ratio, resistive = (
        source_ratio(*change),
        source_ratio(*change, params["irradiance_exponent"]),
    )
    ratio = np.full(separated.signal.shape, resistive, np.float32)
    for hotspot in separated.hotspots:
        if hotspot.shape in ("stripe", "block"):
            ratio[foot(hotspot.box_xywh_px)] = open_ratio
    return separated.signal * ratio


def _new_weather(
    params: Mapping[str, Any], scene: Scene, signal: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Bring the hotspots' signal to the drawn wind, and let a cloud pass."""
    # At night there is no heat from the sun whose spread could be told.
    if scene.irradiance_w_m2 <= 0:
        return signal
    before, after = loss_coefficient(scene.wind_m_s), loss_coefficient(params["wind_m_s"])
    sheet = (scene.pixel_m, CELL_CONDUCTANCE_W_K)
    # Heat dies out as e^(−x/λ): six λ from the last hotspot a window's edge is as good as the frame's.
    reach_m = 6 * np.sqrt(CELL_CONDUCTANCE_W_K / min(before, after))
    near = extent(signal > 0, int(np.ceil(reach_m / scene.pixel_m)))
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


def _sunk(
    boxes_px: NDArray[np.floating[Any]],
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    least: float,
) -> NDArray[np.bool_]:
    """Tell which boxes held a hotspot above the threshold and hold none now."""
    sunk = np.zeros(len(boxes_px), bool)
    for k, (x0, y0, x1, y1) in enumerate(boxes_px):
        inside = slice(max(int(y0), 0), int(np.ceil(y1))), slice(max(int(x0), 0), int(np.ceil(x1)))
        if before[inside].size:
            sunk[k] = before[inside].max() >= least > after[inside].max()
    return sunk


def _brightness(params: Mapping[str, Any], scene: Scene) -> float:
    """Return how much more light falls on the scene than when it was photographed."""
    if scene.irradiance_w_m2 <= 0:
        return 1.0
    share = 1.0 if params["cloud_share"] is None else params["cloud_share"]
    return float(max(share, 0.02) * params["irradiance_w_m2"] / scene.irradiance_w_m2)
