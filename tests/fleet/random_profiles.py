"""Profiles of stations that nobody wrote: every value drawn over its plausible range."""

import json
from pathlib import Path
from typing import get_args

import numpy as np

from dd_livm_core.fleet.profile import Surface
from dd_livm_core.records import DEFECT_CLASSES

SURFACES = get_args(Surface)
PLACES = ("second_surface", "row_start", "row_end", "lower_modules", "upper_modules")
Tables = dict[str, dict[str, object]]


def _span(rng: np.random.Generator, low: float, high: float, width: float) -> list[float]:
    start = rng.uniform(low, high)
    return [round(start, 3), round(min(start + rng.uniform(0, width), high), 3)]


def random_tables(rng: np.random.Generator) -> Tables:
    """Draw a station: cameras, flight, tables, land and defects, each over its plausible range."""
    up = int(rng.integers(1, 5))
    landscape = bool(rng.random() < 0.5)
    width_m, height_m = rng.uniform(0.6, 1.35), rng.uniform(1.36, 2.4)
    tilt = rng.uniform(0, 45)
    deep_m = up * ((width_m if landscape else height_m) + 0.05) * np.cos(np.radians(tilt))
    pitch_jitter_m, table_jitter_m = float(rng.choice([0, 0.1, 1])), float(rng.choice([0, 0.3]))
    height = rng.uniform(10, 80)
    infrared_px = rng.uniform(450, 1200) * max(1, height / 35)
    visible_px = infrared_px * rng.uniform(1.1, 1.75)
    colour = lambda low, high: [int(v) for v in rng.integers(low, high, 3)]  # noqa: E731
    return {
        "": {
            "site_id": f"unseen_{rng.integers(10**6):06d}",
            "city": "Nowhere",
            "mounting": str(rng.choice(["fixed_tilt", "tracker", "rooftop", "floating"])),
            "latitude_deg": rng.uniform(-60, 70),
            "longitude_deg": rng.uniform(-180, 180),
            "missions": 1,
        },
        "pv_module": {
            "technology": str(rng.choice(["mono", "poly", "half_cell", "thin_film"])),
            "width_m": width_m,
            "height_m": height_m,
            "landscape": landscape,
            "cells_across": int(rng.integers(3, 13)),
            "cells_along": int(rng.integers(4, 41)),
            "substrings": int(rng.integers(1, 4)),
            "efficiency": rng.uniform(0.08, 0.24),
            "cell_rgb": colour(10, 110),
            "frame_rgb": colour(40, 230),
            "frame_width_m": float(rng.choice([0, 0.02, 0.035, 0.05])),
        },
        "rows": {
            "count": int(rng.integers(1, 11)),
            "length_m": rng.uniform(6, 140),
            "pitch_m": deep_m + pitch_jitter_m + table_jitter_m + rng.uniform(0.1, 6),
            "pitch_jitter_m": pitch_jitter_m,
            "table_jitter_m": table_jitter_m,
            "tracker_swing_deg": float(rng.choice([0, 0, rng.uniform(1, 20)])),
            "azimuth_deg": rng.uniform(-180, 180),
            "tilt_deg": tilt,
            "flush": bool(rng.random() < 0.2),
            "clearance_m": rng.uniform(0, 3),
            "modules_up": up,
            "modules_per_table": int(rng.integers(1, 40)),
            "module_gap_m": rng.uniform(0, 0.04),
            "table_gap_m": rng.uniform(0.02, 3),
            "ragged": rng.uniform(0, 0.6),
        }
        | ({"base_rgb": colour(90, 220)} if rng.random() < 0.3 else {}),
        "terrain": {
            "surface": str(rng.choice(SURFACES)),
            "second_surface": str(rng.choice(SURFACES)),
            "second_share": rng.uniform(0, 1),
            "patch_m": rng.uniform(1, 60),
            "rgb": colour(30, 220),
            "second_rgb": colour(30, 220),
            "heating_k": rng.uniform(-8, 30),
            "second_heating_k": rng.uniform(-8, 30),
            "slope_deg": float(rng.choice([0, rng.uniform(0, 20)])),
            "tracks": int(rng.integers(0, 4)),
            "buildings": int(rng.integers(0, 6)),
            "puddles": float(rng.choice([0, rng.uniform(0, 0.2)])),
        },
        "weather": {
            "irradiance_w_m2": _span(rng, 400, 1100, 200),
            "wind_m_s": _span(rng, 0, 9, 3),
            "ambient_c": _span(rng, -15, 42, 10),
            "sun_elevation_deg": _span(rng, 10, 85, 20),
            "sun_azimuth_deg": _span(rng, 60, 300, 60),
            "haze": _span(rng, 0, 0.2, 0.1),
            "clouds": [0, float(rng.choice([0, rng.uniform(0.1, 0.6)]))],
        },
        "infrared_camera": {
            "focal_px": infrared_px,
            "radiometric": bool(rng.random() < 0.5),
            "blur_px": rng.uniform(0, 1.5),
            "noise_k": rng.uniform(0, 0.2),
            "drift_k": rng.uniform(0, 1.5),
            "k1": rng.uniform(-0.12, 0.08),
        },
        "visible_camera": {
            "focal_px": visible_px,
            "k1": rng.uniform(-0.08, 0.08),
            "exposure": _span(rng, 0.7, 2, 0.6),
            "sharpening": rng.uniform(0, 1.5),
            "noise": rng.uniform(0, 9),
            "jpeg_quality": int(rng.integers(60, 99)),
        },
        "flight": {
            "height_m": [round(height, 2), round(height * rng.uniform(1, 1.3), 2)],
            "heading_deg": _span(rng, -180, 180, 30),
            "heading_jitter_deg": rng.uniform(0, 5),
            "tilt_jitter_deg": rng.uniform(0, 3),
            "speed_m_s": rng.uniform(0, 9),
            "time_skew_s": rng.uniform(-0.1, 0.1),
            "rig_rotation_deg": _span(rng, -4, 4, 2),
            "rig_offset_px": _span(rng, 0, 40, 10),
        },
        "defects": {
            "share": rng.uniform(0, 0.15),
            "weights": {name: round(rng.uniform(0, 5), 2) for name in DEFECT_CLASSES},
            "habits": [
                {
                    "defect_class": str(rng.choice(DEFECT_CLASSES)),
                    "near": str(rng.choice(PLACES)),
                    "strength": round(rng.uniform(1.5, 20), 2),
                }
            ],
        },
    }


def as_toml(value: object) -> str:
    """Return a value as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    return json.dumps(round(value, 4) if isinstance(value, float) else value)


def write_profile(path: Path, tables: Tables) -> Path:
    """Write a station's tables as a profile and return its path."""
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]"] if name else []
        lines += [f"{key} = {as_toml(value)}" for key, value in table.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
