"""A drawn frame with one bypassed substring, and the transform that brings it to other weather."""

import albumentations as A
import numpy as np

from dd_livm_core.augmentation.weather import HotspotWeather
from dd_livm_core.panels.pv_module_px import PvModulePx

WIDTH, HEIGHT = 20, 34
PV_MODULE = PvModulePx(WIDTH, HEIGHT)
BOX = (61.0, 25.0, 7.0, 34.0)
"""COCO box of the stripe below."""
KNOWN = {
    "irradiance_w_m2": 800.0,
    "wind_m_s": 2.0,
    "pixel_m": 0.05,
    "pv_module_width_px": WIDTH,
    "pv_module_height_px": HEIGHT,
    "radiometric": True,
}


def stripe_frame(kelvin: float = 8.0, noise: float = 0.15) -> dict[str, object]:
    """Return a frame with two rows of ten PV modules and one bypassed substring."""
    rng = np.random.default_rng(3)
    excess = np.zeros((130, 240), np.float32)
    mask = np.zeros(excess.shape, np.uint8)
    visible = np.full((*excess.shape, 3), 90, np.uint8)
    for top in (25, 75):
        mask[top : top + HEIGHT, 20:220] = 1
        visible[top : top + HEIGHT, 20:220] = (30, 40, 70)
        for k in range(11):
            excess[top : top + HEIGHT, 20 + k * WIDTH - (k == 10) : 21 + k * WIDTH] = -3
        excess[[top, top + HEIGHT - 1], 20:220] = -3
    excess[25:59, 61:68] += kelvin
    visible[40:45, 62:66] = (60, 140, 40)
    excess += rng.normal(0, noise, excess.shape).astype(np.float32)
    excess *= mask
    return {
        "image": excess, "visible": visible, "panel_mask": mask, "bboxes": [BOX], "classes": ["diode"],
        "weather": KNOWN,
    }  # fmt: skip


def compose(seed: int = 0, **settings_: object) -> A.Compose:
    fixed = {"cloud_probability": 0.0, "p": 1.0, **settings_}
    return A.Compose(
        [HotspotWeather(**fixed)],
        bbox_params=A.BboxParams(format="coco", label_fields=["classes"]),
        additional_targets={"visible": "image", "panel_mask": "mask"},
        seed=seed,
    )


def at(irradiance: float, wind: float, **more: object) -> dict[str, object]:
    return {
        "irradiance_range_w_m2": (irradiance, irradiance), "wind_range_m_s": (wind, wind),
        "irradiance_exponent_range": (1.0, 1.0), **more,
    }  # fmt: skip


def hot(frame: dict) -> float:
    return float(np.median(frame["image"][30:54, 63:66]))
