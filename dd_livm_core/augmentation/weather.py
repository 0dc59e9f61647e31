"""Hotspot-driven augmentation: real hotspots rendered again under other weather, by exact diffusion."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from albumentations import DualTransform
from numpy.typing import NDArray
from pydantic import Field, model_validator

from dd_livm_core.augmentation.rendering import FlightFrame, Rendering, relight, render
from dd_livm_core.panels.pv_module_px import PvModulePx

Range = tuple[float, float]


class HotspotWeather(DualTransform):  # type: ignore[misc]
    """Render the hotspots of an excess image again under drawn irradiance, wind and passing cloud.

    Only the hotspots change; sensor noise and the healthy panel stay as recorded. The steady
    transfer is exact (:func:`dd_livm_core.heat.diffusion.weather_transfer`), also for a camera-blurred image.
    The visible image takes the light that the irradiance implies, less what exposure levels out.
    Boxes of hotspots that fall below the threshold are dropped.

    Parameters
    ----------
    irradiance_range_w_m2, wind_range_m_s
        Weather to draw.
    irradiance_exponent_range
        Exponent β of irradiance for points and patches; stripes and blocks (open circuit, bypass) have β = 1.
    cloud_probability, cloud_share_range, cloud_elapsed_range_s
        Passing cloud: its share of the irradiance, and the time since it came.
    exposure_compensation
        Share of the change of light (in stops) that the camera's exposure levels out.
    observed_irradiance_range_w_m2, observed_wind_range_m_s
        Weather of the flight, drawn where the metadata do not hold it.
    pv_module_width_m, pv_module_width_px
        Short side of a PV module, used where the metadata do not hold ``pixel_m`` or ``pv_module_width_px``.
    metadata_key
        Key of an optional mapping in the call: ``irradiance_w_m2``, ``wind_m_s``, ``pixel_m``,
        ``pv_module_width_px``, ``pv_module_height_px``, ``radiometric``.
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

    All draws are plain numbers made before the data are read, so a replay applies the same weather to any image.
    Ranges outside their bounds raise pydantic's ``ValidationError``.
    """

    class InitSchema(DualTransform.InitSchema):  # type: ignore[misc]
        """Bounds of the parameters."""

        irradiance_range_w_m2: Range
        wind_range_m_s: Range
        irradiance_exponent_range: Range
        cloud_probability: float = Field(ge=0, le=1)
        cloud_share_range: Range
        cloud_elapsed_range_s: Range
        exposure_compensation: float = Field(ge=0, le=1)
        observed_irradiance_range_w_m2: Range
        observed_wind_range_m_s: Range
        pv_module_width_m: float = Field(gt=0.2, le=5)
        pv_module_width_px: float = Field(gt=0)
        metadata_key: str

        @model_validator(mode="after")
        def _check_ranges(self) -> "HotspotWeather.InitSchema":
            """Refuse ranges that fall, or that leave what is physical."""
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
        exposure_compensation: float = 0.7,
        observed_irradiance_range_w_m2: Range = (600.0, 1000.0),
        observed_wind_range_m_s: Range = (0.0, 5.0),
        pv_module_width_m: float = 1.05,
        pv_module_width_px: float = 32.0,
        metadata_key: str = "weather",
        p: float = 0.5,
    ) -> None:
        super().__init__(p=p)
        self.irradiance_range_w_m2 = irradiance_range_w_m2
        self.wind_range_m_s = wind_range_m_s
        self.irradiance_exponent_range = irradiance_exponent_range
        self.cloud_probability = cloud_probability
        self.cloud_share_range = cloud_share_range
        self.cloud_elapsed_range_s = cloud_elapsed_range_s
        self.exposure_compensation = exposure_compensation
        self.observed_irradiance_range_w_m2 = observed_irradiance_range_w_m2
        self.observed_wind_range_m_s = observed_wind_range_m_s
        self.pv_module_width_m = pv_module_width_m
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
        return {
            "irradiance_w_m2": uniform(*self.irradiance_range_w_m2),
            "wind_m_s": uniform(*self.wind_range_m_s),
            "irradiance_exponent": uniform(*self.irradiance_exponent_range),
            "observed_irradiance_w_m2": uniform(*self.observed_irradiance_range_w_m2),
            "observed_wind_m_s": uniform(*self.observed_wind_range_m_s),
            "cloud_share": uniform(*self.cloud_share_range) if cloudy else None,
            "cloud_elapsed_s": uniform(*self.cloud_elapsed_range_s) if cloudy else None,
        }

    def apply_with_params(
        self, params: dict[str, Any], *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Render once, then change every target by it."""
        rendering = render(self._flight_frame(params, kwargs), params, self.exposure_compensation)
        result: dict[str, Any] = super().apply_with_params(
            {**params, "rendering": rendering}, **kwargs
        )
        return result

    def apply(self, img: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """Return the changed excess (float) or visible image (uint8)."""
        rendering: Rendering = params["rendering"]
        if img.dtype == np.uint8:
            return relight(img, rendering.light)
        change = rendering.change if img.ndim == 2 else rendering.change[..., None]
        changed: NDArray[Any] = np.nan_to_num(img, nan=0.0, posinf=0.0, neginf=0.0) + change
        return changed.astype(img.dtype, copy=False)

    def apply_to_mask(self, mask: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """Return the mask as it is: the panels do not move."""
        return mask

    def apply_to_bboxes(self, bboxes: NDArray[Any], *args: Any, **params: Any) -> NDArray[Any]:
        """Return the boxes whose hotspot is still above the threshold."""
        rendering: Rendering = params["rendering"]
        kept: NDArray[Any] = bboxes[rendering.keep_box]
        return kept

    def _flight_frame(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> FlightFrame:
        """Return one call's data, with drawn or configured values where its metadata hold none."""
        image = np.asarray(data["image"], np.float32)
        excess = np.nan_to_num(image.reshape(image.shape[:2]), nan=0.0, posinf=0.0, neginf=0.0)
        mask, boxes = data.get("panel_mask"), data.get("bboxes")
        known = {k: v for k, v in (data.get(self.metadata_key) or {}).items() if v is not None}
        width_px = float(known.get("pv_module_width_px", self.pv_module_width_px))
        height_px = known.get("pv_module_height_px")
        pv_module = (
            PvModulePx(width_px, float(height_px))
            if height_px
            else PvModulePx.from_short_side(width_px)
        )
        return FlightFrame(
            excess=excess,
            panel_mask=np.ones(excess.shape, bool)
            if mask is None
            else np.asarray(mask).reshape(excess.shape) > 0,
            boxes=np.zeros((0, 4)) if boxes is None or not len(boxes) else np.asarray(boxes, float),
            irradiance_w_m2=float(known.get("irradiance_w_m2", params["observed_irradiance_w_m2"])),
            wind_m_s=float(known.get("wind_m_s", params["observed_wind_m_s"])),
            pixel_m=float(known.get("pixel_m", self.pv_module_width_m / width_px)),
            pv_module=pv_module,
            radiometric=bool(known.get("radiometric", True)),
        )
