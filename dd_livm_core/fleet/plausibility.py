"""What no station, rig or weather can be: checked before anything is rendered."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dd_livm_core.fleet.profile import Profile

MAX_AREA_M2 = 500_000.0
MAX_MODULES = 100_000
_AROUND_M = 60.0
_MOST_LEAN_DEG = 75.0
"""Further out, the ground runs away towards the horizon."""
_HALF_INFRARED_PX, _HALF_VISIBLE_PX = (320, 256), (640, 512)


def problems(profile: "Profile") -> Iterator[tuple[str, str]]:
    """Yield (key, what is wrong with it)."""
    yield from _range_problems(profile)
    yield from _module_problems(profile)
    yield from _row_problems(profile)
    yield from _camera_problems(profile)
    if sum(profile.defects.weights.values()) <= 0 < profile.defects.share:
        yield "defects.weights", "all zero, but defects.share is not"


def _module_problems(profile: "Profile") -> Iterator[tuple[str, str]]:
    module = profile.pv_module
    if module.width_m > module.height_m:
        yield "pv_module.width_m", "the short side is longer than height_m"
    if module.frame_width_m > module.width_m / 8:
        yield "pv_module.frame_width_m", "frames cover a quarter of the PV module"
    if module.substrings > module.cells_across:
        yield "pv_module.substrings", "more bypass diodes than columns of cells"


def _row_problems(profile: "Profile") -> Iterator[tuple[str, str]]:
    rows = profile.rows
    flattest = profile.tilted(max(rows.tilt_deg - rows.tracker_swing_deg, 0.0))
    along_m, up_m = flattest.module_size_m
    table_m = rows.modules_up * (up_m + rows.module_gap_m)
    least_m = rows.pitch_m - rows.pitch_jitter_m - rows.table_jitter_m
    if least_m < table_m and rows.count > 1:
        yield "rows.pitch_m", f"rows overlap: {least_m:.2f} m apart, {table_m:.2f} m deep"
    # A row holds at least one table.
    length_m = max(rows.length_m, rows.modules_per_table * (along_m + rows.module_gap_m))
    if (rows.count * rows.pitch_m + _AROUND_M) * (length_m + _AROUND_M) > MAX_AREA_M2:
        yield "rows.count", f"the station and its surroundings cover more than {MAX_AREA_M2:.0f} m²"
    if rows.count * rows.modules_up * length_m / along_m > MAX_MODULES:
        yield "rows.count", f"the station has more than {MAX_MODULES} PV modules"


def _camera_problems(profile: "Profile") -> Iterator[tuple[str, str]]:
    flight, infrared, visible = profile.flight, profile.infrared_camera, profile.visible_camera
    if flight.height_m.low < 5:
        yield "flight.height_m", "below 5 m nothing can be flown over PV modules"
        return
    if flight.height_m.high > 2 * flight.height_m.low:
        yield "flight.height_m", "one mission flies at most twice as high as another"
    ratio = visible.focal_px / infrared.focal_px
    if ratio < 1:
        yield "visible_camera.focal_px", f"shorter than the infrared camera's: ratio {ratio:.2f}"
    turn = math.radians(max(abs(flight.rig_rotation_deg.low), abs(flight.rig_rotation_deg.high)))
    skew_s = abs(flight.time_skew_s) + 3 * flight.time_skew_jitter_s
    apart_m = flight.speed_m_s * skew_s + flight.baseline_m
    moved_px = flight.rig_offset_px.high + apart_m * visible.focal_px / flight.height_m.low
    for axis, half_px in enumerate(_HALF_VISIBLE_PX):
        near, far = _HALF_INFRARED_PX[axis], _HALF_INFRARED_PX[1 - axis]
        reach_px = ratio * (near * math.cos(turn) + far * math.sin(turn)) + moved_px
        if reach_px > half_px:
            shown = f"{reach_px:.0f} of {half_px} visible pixels from the centre"
            yield "visible_camera.focal_px", f"the infrared view leaves the visible one: {shown}"
            break
    for name, camera, half in (
        ("infrared", infrared, _HALF_INFRARED_PX),
        ("visible", visible, _HALF_VISIBLE_PX),
    ):
        radius2 = (half[0] ** 2 + half[1] ** 2) / camera.focal_px**2
        # Beyond this the lens would fold the picture back onto itself.
        if 1 + 3 * camera.k1 * 1.5 * radius2 <= 0.1:
            yield f"{name}_camera.k1", "the lens folds the corners of the picture"
        lean_deg = math.degrees(math.atan(math.sqrt(radius2)))
        lean_deg += profile.terrain.slope_deg + 3 * math.sqrt(2) * flight.tilt_jitter_deg
        if lean_deg > _MOST_LEAN_DEG:
            shown = f"{lean_deg:.0f}° from the vertical, more than {_MOST_LEAN_DEG:.0f}°"
            yield f"{name}_camera.focal_px", f"with slope and jitter the view reaches {shown}"
    least_px, most_px = (
        size * infrared.focal_px / height
        for size, height in (
            (min(profile.module_size_m), flight.height_m.high),
            (max(profile.module_size_m), flight.height_m.low),
        )
    )
    if least_px < 6:
        yield "flight.height_m", f"a PV module covers {least_px:.1f} infrared pixels, less than 6"
    if most_px > 2 * _HALF_INFRARED_PX[1]:
        yield (
            "flight.height_m",
            f"a PV module covers {most_px:.0f} infrared pixels, the whole frame",
        )


LIMITS = {
    "weather.irradiance_w_m2": (0, 1600), "weather.wind_m_s": (0, 60),
    "weather.ambient_c": (-60, 60), "weather.sky_below_ambient_k": (0, 80),
    "weather.sun_elevation_deg": (0, 90), "weather.sun_azimuth_deg": (-360, 720),
    "weather.haze": (0, 0.9), "weather.clouds": (0, 0.9), "visible_camera.exposure": (0.05, 20),
    "visible_camera.warmth": (-0.8, 0.8), "visible_camera.motion_blur_px": (0, 20),
    "flight.heading_deg": (-360, 360), "flight.rig_rotation_deg": (-45, 45),
    "look_alikes.junction_box_k": (0, 20),
}  # fmt: skip


def _range_problems(profile: "Profile") -> Iterator[tuple[str, str]]:
    for key, (low, high) in LIMITS.items():
        table, name = key.split(".")
        span = getattr(getattr(profile, table), name)
        if span.low < low or span.high > high:
            yield key, f"outside {low} to {high}"
