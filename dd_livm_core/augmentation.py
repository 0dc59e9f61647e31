"""Hotspot-driven augmentation: real hotspots re-rendered under other weather, by exact diffusion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from albumentations import DualTransform
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dd_livm_core.heat import (
    CELL_CONDUCTANCE_W_K,
    loss_coefficient,
    source_ratio,
    transient_excess,
    weather_transfer,
)
from dd_livm_core.hotspot_signal import HotspotSignal, foot, separate
from dd_livm_core.hotspots import HotspotLimits
from dd_livm_core.transplant import (
    Transplant,
    exchange,
    module_steps_px,
    plan_transplant,
    shift_signal,
)

Range = tuple[float, float]
_GAMMA = 2.2


@dataclass(frozen=True)
class _Rendering:
    """What one call does to all its targets."""

    change: NDArray[np.float32]
    light: float
    transplant: Transplant | None
    keep_box: NDArray[np.bool_]
    new_box: NDArray[np.floating[Any]] | None


@dataclass(frozen=True)
class _Scene:
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


class HotspotWeather(DualTransform):  # type: ignore[misc]
    """Re-render the hotspots of an excess image under drawn irradiance, wind and passing cloud.

    Only the hotspots change; sensor noise and the healthy panel stay as recorded. The steady
    transfer is exact (:func:`dd_livm_core.heat.weather_transfer`), also for a camera-blurred image.
    Some hotspots move, or are copied, to the same place on another PV module, in both images. The
    visible image takes the light that the irradiance implies, less what exposure levels out.
    Boxes of hotspots that sink below the threshold are dropped; boxes of copies are added.

    Parameters
    ----------
    irradiance_range_w_m2, wind_range_m_s
        Weather to draw.
    irradiance_exponent_range
        β of points and patches; stripes and blocks (open circuit, bypass) have β = 1.
    cloud_probability, cloud_share_range, cloud_elapsed_range_s
        Passing cloud: its share of the irradiance, and the time since it came.
    transplant_probability, keep_original_probability
        Of moving a hotspot, and of leaving the original where it was.
    exposure_compensation
        Share of the change of light (in stops) that the camera's exposure levels out.
    observed_irradiance_range_w_m2, observed_wind_range_m_s
        Drawn where the metadata do not know the weather of the flight.
    pixel_m, pv_module_width_px
        Used where the metadata do not give them.
    metadata_key
        Key of an optional mapping in the call: ``irradiance_w_m2``, ``wind_m_s``, ``pixel_m``,
        ``pv_module_width_px``, ``pv_module_height_px``, ``radiometric``, ``module_steps_px``.
        Absent values, or None, are drawn or defaulted as above. At night (0 W/m²) the
        weather stays as it was.

    Targets
    -------
    image
        (H, W) or (H, W, 1) float32 excess; NaN counts as no excess.
    visible
        (H, W, 3) uint8 on the same grid.
    panel_mask
        (H, W), unchanged; without it every pixel is panel.
    bboxes
        In a ``Compose`` with ``bbox_params``.

    All draws are plain numbers made before the data are seen, so a replay applies the
    same weather to any image.
    """

    class InitSchema(DualTransform.InitSchema):  # type: ignore[misc]
        """Bounds of the configuration."""

        irradiance_range_w_m2: Range
        wind_range_m_s: Range
        irradiance_exponent_range: Range
        cloud_probability: float = Field(ge=0, le=1)
        cloud_share_range: Range
        cloud_elapsed_range_s: Range
        transplant_probability: float = Field(ge=0, le=1)
        keep_original_probability: float = Field(ge=0, le=1)
        exposure_compensation: float = Field(ge=0, le=1)
        observed_irradiance_range_w_m2: Range
        observed_wind_range_m_s: Range
        pixel_m: float = Field(gt=0, le=1)
        pv_module_width_px: float = Field(gt=0)
        metadata_key: str

        @model_validator(mode="after")
        def _ordered(self) -> "HotspotWeather.InitSchema":
            limits = {
                "irradiance_range_w_m2": (1, 1600),
                "wind_range_m_s": (0, 30),
                "irradiance_exponent_range": (1, 2),
                "cloud_share_range": (0, 1),
                "cloud_elapsed_range_s": (0, 3600),
                "observed_irradiance_range_w_m2": (1, 1600),
                "observed_wind_range_m_s": (0, 30),
            }
            for name, (least, most) in limits.items():
                low, high = getattr(self, name)
                if not least <= low <= high <= most:
                    raise ValueError(f"{name}: {low}, {high} is not within {least} to {most}")
            return self

    def __init__(
        self,
        irradiance_range_w_m2: Range = (400.0, 1100.0),
        wind_range_m_s: Range = (0.0, 8.0),
        irradiance_exponent_range: Range = (1.0, 1.6),
        cloud_probability: float = 0.15,
        cloud_share_range: Range = (0.2, 0.7),
        cloud_elapsed_range_s: Range = (10.0, 300.0),
        transplant_probability: float = 0.3,
        keep_original_probability: float = 0.5,
        exposure_compensation: float = 0.7,
        observed_irradiance_range_w_m2: Range = (600.0, 1000.0),
        observed_wind_range_m_s: Range = (0.0, 5.0),
        pixel_m: float = 0.03,
        pv_module_width_px: float = 32.0,
        metadata_key: str = "hotspot_metadata",
        p: float = 0.5,
    ) -> None:
        super().__init__(p=p)
        self.irradiance_range_w_m2 = irradiance_range_w_m2
        self.wind_range_m_s = wind_range_m_s
        self.irradiance_exponent_range = irradiance_exponent_range
        self.cloud_probability = cloud_probability
        self.cloud_share_range = cloud_share_range
        self.cloud_elapsed_range_s = cloud_elapsed_range_s
        self.transplant_probability = transplant_probability
        self.keep_original_probability = keep_original_probability
        self.exposure_compensation = exposure_compensation
        self.observed_irradiance_range_w_m2 = observed_irradiance_range_w_m2
        self.observed_wind_range_m_s = observed_wind_range_m_s
        self.pixel_m = pixel_m
        self.pv_module_width_px = pv_module_width_px
        self.metadata_key = metadata_key

    @property
    def targets(self) -> dict[str, Callable[..., Any]]:
        """Return which method changes which target."""
        changed = {"visible": self.apply, "panel_mask": self.apply_to_mask}
        return {**super().targets, **changed}

    def get_params(self) -> dict[str, Any]:
        """Draw the weather: numbers only, whatever the image."""
        uniform = self.py_random.uniform
        cloudy = self.py_random.random() < self.cloud_probability
        transplanted = self.py_random.random() < self.transplant_probability
        return {
            "irradiance_w_m2": uniform(*self.irradiance_range_w_m2),
            "wind_m_s": uniform(*self.wind_range_m_s),
            "irradiance_exponent": uniform(*self.irradiance_exponent_range),
            "observed_irradiance_w_m2": uniform(*self.observed_irradiance_range_w_m2),
            "observed_wind_m_s": uniform(*self.observed_wind_range_m_s),
            "cloud_share": uniform(*self.cloud_share_range) if cloudy else None,
            "cloud_elapsed_s": uniform(*self.cloud_elapsed_range_s) if cloudy else None,
            "transplant_seed": self.py_random.getrandbits(32) if transplanted else None,
            "keep_original": self.py_random.random() < self.keep_original_probability,
        }

    def apply_with_params(
        self, params: dict[str, Any], *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Render once, then hand every target its part."""
        rendering = self._render(params, kwargs)
        result: dict[str, Any] = super().apply_with_params(
            {**params, "rendering": rendering}, **kwargs
        )
        return result

    def apply(self, img: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """Change the excess (float) or the visible image (uint8)."""
        rendering: _Rendering = params["rendering"]
        if img.dtype == np.uint8:
            lit = _relight(img, rendering.light)
            return exchange(lit, rendering.transplant) if rendering.transplant else lit
        change = rendering.change if img.ndim == 2 else rendering.change[..., None]
        changed: NDArray[Any] = np.nan_to_num(img, nan=0.0, posinf=0.0, neginf=0.0) + change
        return changed.astype(img.dtype, copy=False)

    def apply_to_mask(self, mask: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """Leave masks as they are: the panels do not move."""
        return mask

    def apply_to_keypoints(
        self, keypoints: NDArray[Any], *args: Any, **params: Any
    ) -> NDArray[Any]:
        """Leave keypoints as they are."""
        return keypoints

    def apply_to_bboxes(self, bboxes: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """Drop boxes whose hotspot sank below the threshold, shift or add those of transplants."""
        rendering: _Rendering = params["rendering"]
        kept = bboxes[rendering.keep_box]
        if rendering.new_box is None:
            return kept
        return np.vstack([kept, rendering.new_box[None].astype(bboxes.dtype)])

    def _render(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> _Rendering:
        scene = self._scene(params, data)
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
        least = (
            HotspotLimits().threshold_k if scene.radiometric else HotspotLimits().threshold_sigma
        )
        keep_box = ~_sunk(scene.boxes_px(), separated.signal, signal, least) & ~emptied
        return _Rendering(
            change=signal - separated.signal,
            light=_brightness(params, scene) ** (1 - self.exposure_compensation),
            transplant=plan,
            keep_box=keep_box,
            new_box=new_box,
        )

    def _scene(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> _Scene:
        image = np.asarray(data["image"], np.float32)
        excess = np.nan_to_num(image.reshape(image.shape[:2]), nan=0.0, posinf=0.0, neginf=0.0)
        mask, boxes = data.get("panel_mask"), data.get("bboxes")
        known = {k: v for k, v in (data.get(self.metadata_key) or {}).items() if v is not None}
        width_px = float(known.get("pv_module_width_px", self.pv_module_width_px))
        return _Scene(
            excess=excess,
            panel_mask=np.ones(excess.shape, bool)
            if mask is None
            else np.asarray(mask).reshape(excess.shape) > 0,
            boxes=np.zeros((0, 4)) if boxes is None or not len(boxes) else np.asarray(boxes, float),
            irradiance_w_m2=float(known.get("irradiance_w_m2", params["observed_irradiance_w_m2"])),
            wind_m_s=float(known.get("wind_m_s", params["observed_wind_m_s"])),
            pixel_m=float(known.get("pixel_m", self.pixel_m)),
            pv_module_width_px=width_px,
            pv_module_height_px=float(known.get("pv_module_height_px", 1.7 * width_px)),
            radiometric=bool(known.get("radiometric", True)),
            module_steps_px=known.get("module_steps_px"),
        )


def _new_sources(
    params: Mapping[str, Any], scene: _Scene, separated: HotspotSignal
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
    params: Mapping[str, Any], scene: _Scene, signal: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Bring the hotspots' signal to the drawn wind, and let a cloud pass."""
    # At night there is no heat from the sun whose spread could be told.
    if scene.irradiance_w_m2 <= 0 or not signal.any():
        return signal
    before, after = loss_coefficient(scene.wind_m_s), loss_coefficient(params["wind_m_s"])
    sheet = (scene.pixel_m, CELL_CONDUCTANCE_W_K)
    steady = weather_transfer(signal, *sheet, before, after)
    if params["cloud_share"] is None:
        return np.asarray(steady, np.float32)
    share, elapsed_s = params["cloud_share"], params["cloud_elapsed_s"]
    fading = transient_excess(steady, np.zeros_like(steady), *sheet, after, elapsed_s)
    return np.asarray(share * steady + (1 - share) * fading, np.float32)


def _transplant(
    params: Mapping[str, Any], scene: _Scene, separated: HotspotSignal
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


def _brightness(params: Mapping[str, Any], scene: _Scene) -> float:
    """Return how much more light falls on the scene than when it was photographed."""
    if scene.irradiance_w_m2 <= 0:
        return 1.0
    share = 1.0 if params["cloud_share"] is None else params["cloud_share"]
    return float(max(share, 0.02) * params["irradiance_w_m2"] / scene.irradiance_w_m2)


def _relight(image: NDArray[np.uint8], light: float) -> NDArray[np.uint8]:
    """Multiply linear light and encode again; a table serves all pixels."""
    linear = (np.arange(256) / 255) ** _GAMMA * light
    table = np.clip(np.rint(255 * linear ** (1 / _GAMMA)), 0, 255).astype(np.uint8)
    return table[image]
