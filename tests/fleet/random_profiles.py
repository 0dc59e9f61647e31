"""Stations that nobody wrote: profiles drawn at random, each value over its plausible range."""

import json
from pathlib import Path
from typing import get_args

import numpy as np

from dd_livm_core.fleet.profile import Surface
from dd_livm_core.records import DEFECT_CLASSES

SURFACES = get_args(Surface)
PLACES = ("second_surface", "row_start", "row_end", "lower_modules", "upper_modules")
Tables = dict[str, dict[str, object]]
"""A profile's TOML tables by name; the keys above the first table stand under the empty name."""


def draw_random_tables(rng: np.random.Generator) -> Tables:
    """Draw a station: PV modules, rows, land, weather, cameras, flight and defects.

    Some draws are no station, as where rows overlap: `load_profile` refuses them.
    """
    up = int(rng.integers(1, 5))
    landscape = bool(rng.random() < 0.5)
    width_m, height_m = rng.uniform(0.6, 1.35), rng.uniform(1.36, 2.4)
    tilt_deg = rng.uniform(0, 45)
    depth_m = up * ((width_m if landscape else height_m) + 0.05) * np.cos(np.radians(tilt_deg))
    pitch_jitter_m, table_jitter_m = float(rng.choice([0, 0.1, 1])), float(rng.choice([0, 0.3]))
    above_m = rng.uniform(10, 80)
    infrared_px = rng.uniform(450, 1200) * max(1, above_m / 35)
    visible_px = infrared_px * rng.uniform(1.1, 1.75)
    return {
        "": _draw_site(rng),
        "pv_module": _draw_pv_module(rng, width_m, height_m, landscape),
        "rows": _draw_rows(rng, up, tilt_deg, depth_m, pitch_jitter_m, table_jitter_m),
        "terrain": _draw_terrain(rng),
        "weather": _draw_weather(rng),
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
            "exposure": _draw_range(rng, 0.7, 2, 0.6),
            "sharpening": rng.uniform(0, 1.5),
            "noise": rng.uniform(0, 9),
            "jpeg_quality": int(rng.integers(60, 99)),
        },
        "flight": _draw_flight(rng, above_m),
        "defects": _draw_defects(rng),
    }


def write_profile(path: Path, tables: Tables) -> Path:
    """Write a station's tables as TOML, numbers to four decimals, and return the path."""
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]"] if name else []
        lines += [f"{key} = {_as_toml(value)}" for key, value in table.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_as_toml(item) for item in value) + "]"
    return json.dumps(round(value, 4) if isinstance(value, float) else value)


def _draw_range(rng: np.random.Generator, low: float, high: float, width: float) -> list[float]:
    start = rng.uniform(low, high)
    return [round(start, 3), round(min(start + rng.uniform(0, width), high), 3)]


def _draw_rgb(rng: np.random.Generator, low: int, high: int) -> list[int]:
    return [int(v) for v in rng.integers(low, high, 3)]


def _draw_site(rng: np.random.Generator) -> dict[str, object]:
    return {
        "site_id": f"unseen_{rng.integers(10**6):06d}",
        "city": "Nowhere",
        "mounting": str(rng.choice(["fixed_tilt", "tracker", "rooftop", "floating"])),
        "latitude_deg": rng.uniform(-60, 70),
        "longitude_deg": rng.uniform(-180, 180),
        "missions": 1,
    }


def _draw_pv_module(
    rng: np.random.Generator, width_m: float, height_m: float, landscape: bool
) -> dict[str, object]:
    return {
        "technology": str(rng.choice(["mono", "poly", "half_cell", "thin_film"])),
        "width_m": width_m,
        "height_m": height_m,
        "landscape": landscape,
        "cells_across": int(rng.integers(3, 13)),
        "cells_along": int(rng.integers(4, 41)),
        "substrings": int(rng.integers(1, 4)),
        "efficiency": rng.uniform(0.08, 0.24),
        "cell_rgb": _draw_rgb(rng, 10, 110),
        "frame_rgb": _draw_rgb(rng, 40, 230),
        "frame_width_m": float(rng.choice([0, 0.02, 0.035, 0.05])),
    }


def _draw_rows(
    rng: np.random.Generator,
    up: int,
    tilt_deg: float,
    depth_m: float,
    pitch_jitter_m: float,
    table_jitter_m: float,
) -> dict[str, object]:
    rows = {
        "count": int(rng.integers(1, 11)),
        "length_m": rng.uniform(6, 140),
        "pitch_m": depth_m + pitch_jitter_m + table_jitter_m + rng.uniform(0.1, 6),
        "pitch_jitter_m": pitch_jitter_m,
        "table_jitter_m": table_jitter_m,
        "tracker_swing_deg": float(rng.choice([0, 0, rng.uniform(1, 20)])),
        "azimuth_deg": rng.uniform(-180, 180),
        "tilt_deg": tilt_deg,
        "flush": bool(rng.random() < 0.2),
        "clearance_m": rng.uniform(0, 3),
        "modules_up": up,
        "modules_per_table": int(rng.integers(1, 40)),
        "module_gap_m": rng.uniform(0, 0.04),
        "table_gap_m": rng.uniform(0.02, 3),
        "ragged": rng.uniform(0, 0.6),
    }
    return rows | ({"base_rgb": _draw_rgb(rng, 90, 220)} if rng.random() < 0.3 else {})


def _draw_terrain(rng: np.random.Generator) -> dict[str, object]:
    return {
        "surface": str(rng.choice(SURFACES)),
        "second_surface": str(rng.choice(SURFACES)),
        "second_share": rng.uniform(0, 1),
        "patch_m": rng.uniform(1, 60),
        "rgb": _draw_rgb(rng, 30, 220),
        "second_rgb": _draw_rgb(rng, 30, 220),
        "heating_k": rng.uniform(-8, 30),
        "second_heating_k": rng.uniform(-8, 30),
        "slope_deg": float(rng.choice([0, rng.uniform(0, 20)])),
        "tracks": int(rng.integers(0, 4)),
        "buildings": int(rng.integers(0, 6)),
        "puddles": float(rng.choice([0, rng.uniform(0, 0.2)])),
    }


def _draw_weather(rng: np.random.Generator) -> dict[str, object]:
    return {
        "irradiance_w_m2": _draw_range(rng, 400, 1100, 200),
        "wind_m_s": _draw_range(rng, 0, 9, 3),
        "ambient_c": _draw_range(rng, -15, 42, 10),
        "sun_elevation_deg": _draw_range(rng, 10, 85, 20),
        "sun_azimuth_deg": _draw_range(rng, 60, 300, 60),
        "haze": _draw_range(rng, 0, 0.2, 0.1),
        "clouds": [0, float(rng.choice([0, rng.uniform(0.1, 0.6)]))],
    }


def _draw_flight(rng: np.random.Generator, above_m: float) -> dict[str, object]:
    return {
        "height_m": [round(above_m, 2), round(above_m * rng.uniform(1, 1.3), 2)],
        "heading_deg": _draw_range(rng, -180, 180, 30),
        "heading_jitter_deg": rng.uniform(0, 5),
        "tilt_jitter_deg": rng.uniform(0, 3),
        "speed_m_s": rng.uniform(0, 9),
        "time_skew_s": rng.uniform(-0.1, 0.1),
        "rig_rotation_deg": _draw_range(rng, -4, 4, 2),
        "rig_offset_px": _draw_range(rng, 0, 40, 10),
    }


def _draw_defects(rng: np.random.Generator) -> dict[str, object]:
    return {
        "share": rng.uniform(0, 0.15),
        "weights": {name: round(rng.uniform(0, 5), 2) for name in DEFECT_CLASSES},
        "habits": [
            {
                "defect_class": str(rng.choice(DEFECT_CLASSES)),
                "near": str(rng.choice(PLACES)),
                "strength": round(rng.uniform(1.5, 20), 2),
            }
        ],
    }
