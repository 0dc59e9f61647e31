"""What drawn weather does to one frame: its hotspots, its light, its labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.heat import (
    CELL_CONDUCTANCE_W_K,
    loss_coefficient,
    source_ratio,
    transient_excess,
    weather_transfer,
)
from dd_livm_core.hotspot_signal import HotspotSignal, extent, foot, separate
from dd_livm_core.hotspots import HotspotLimits
from dd_livm_core.transplant import Transplant, module_steps_px, plan_transplant, shift_signal

_GAMMA = 2.2


@dataclass(frozen=True)
class Rendering:
    """What one call does to all its targets."""

    change: NDArray[np.float32]
    light: float
    transplant: Transplant | None
    keep_box: NDArray[np.bool_]
    new_box: NDArray[np.floating[Any]] | None


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
    module_steps_px: Any

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
    plan, emptied, new_box = _transplant(params, scene, separated)
    signal = _new_sources(params, scene, separated)
    if plan is not None:
        signal = shift_signal(signal, plan)
    signal = _new_weather(params, scene, signal)
    limits = HotspotLimits()
    least = limits.threshold_k if scene.radiometric else limits.threshold_sigma
    sunk = _sunk(scene.boxes_px(), separated.signal, signal, least)
    return Rendering(
        change=signal - separated.signal,
        light=_brightness(params, scene) ** (1 - exposure_compensation),
        transplant=plan,
        keep_box=~sunk & ~emptied,
        new_box=new_box,
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


def _transplant(
    params: Mapping[str, Any], scene: Scene, separated: HotspotSignal
) -> tuple[Transplant | None, NDArray[np.bool_], NDArray[np.floating[Any]] | None]:
    """Return the move, which boxes it empties, and the box it makes."""
    emptied = np.zeros(len(scene.boxes), bool)
    if params["transplant_seed"] is None or not separated.hotspots:
        return None, emptied, None
    steps = scene.module_steps_px
    if steps is None:
        size = (scene.pv_module_width_px, scene.pv_module_height_px)
        steps = module_steps_px(scene.excess, scene.panel_mask, *size)
    rng = np.random.default_rng(params["transplant_seed"])
    steps = np.asarray(steps, float).reshape(-1, 2)
    plan, hotspot = plan_transplant(
        separated, scene.panel_mask, steps, params["keep_original"], rng
    ) or (None, None)
    if plan is None or hotspot is None:
        return None, emptied, None
    if not len(scene.boxes):
        return plan, emptied, None
    owner = _label_of(hotspot.box_xywh_px, scene.boxes_px())
    # A hotspot without its own label would arrive without a class.
    if owner is None:
        return None, emptied, None
    height, width = scene.excess.shape
    dx, dy = plan.shift_xy_px
    new_box = scene.boxes[owner].copy()
    new_box[:4] += np.array([dx / width, dy / height] * 2)
    emptied[owner] = not plan.keep_original
    if new_box[:4].min() < 0 or new_box[:4].max() > 1:
        return None, np.zeros(len(scene.boxes), bool), None
    return plan, emptied, new_box


def _label_of(
    box_xywh_px: tuple[float, float, float, float], boxes_px: NDArray[np.floating[Any]]
) -> int | None:
    """Return the one labelled box that names a hotspot: IoU ≥ 0.5, and no other box touches it."""
    x, y, w, h = box_xywh_px
    overlap_x = np.minimum(boxes_px[:, 2], x + w) - np.maximum(boxes_px[:, 0], x)
    overlap_y = np.minimum(boxes_px[:, 3], y + h) - np.maximum(boxes_px[:, 1], y)
    shared = np.clip(overlap_x, 0, None) * np.clip(overlap_y, 0, None)
    touching = np.flatnonzero(shared > 0)
    if len(touching) != 1:
        return None
    box = boxes_px[touching[0]]
    union = (box[2] - box[0]) * (box[3] - box[1]) + w * h - shared[touching[0]]
    return int(touching[0]) if shared[touching[0]] >= 0.5 * union else None


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
