"""Finds profiles of stations, rigs and weathers that cannot be, before anything is rendered."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dd_livm_core.fleet.profile import InfraredCamera, Profile, VisibleCamera

MAX_AREA_M2 = 500_000.0
"""8 million cells in each of the land's maps (0.25 m): about 100 MB for all three in float32."""
MAX_MODULES = 100_000
"""Every block looks through all PV modules; the largest bundled station has 7,680."""
_AROUND_M = 60.0
"""The land's maps reach 30 m beyond the station on every side (`station.land.MARGIN_M`)."""
_LOWEST_FLIGHT_M = 5.0
_MOST_LEAN_DEG = 75.0
"""Farther from the vertical the ground runs away towards the horizon, and with it the raster to be drawn."""
_LEAST_MODULE_PX = 6.0
"""Chosen: on fewer pixels most defects stay below the 5 px that a label needs (`missions.truth`)."""
_LEAST_MAGNIFICATION = 0.1
"""Of the lens at the corner against the centre, d(r + k1·r³)/dr; at 0 it folds the picture back onto itself."""
_BEYOND_CORNER = 1.5
"""Share of the corner's squared radius up to which the lens must not fold: scenery is drawn beyond the frame."""
_CUT_AT_DEVIATIONS = 3
"""`Flight.expose` cuts its normal jitters there."""
_HALF_INFRARED_PX, _HALF_VISIBLE_PX = (320, 256), (640, 512)
"""Half of the frames' width and height (`cameras.flight` has them whole)."""


def problems(profile: "Profile") -> Iterator[tuple[str, str]]:
    """Yield the dotted key of each implausible value, and what is wrong with it."""
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
    flattest = profile.with_tilt(max(rows.tilt_deg - rows.tracker_swing_deg, 0.0))
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
    height = profile.flight.height_m
    if height.low < _LOWEST_FLIGHT_M:
        yield "flight.height_m", "below 5 m nothing can be flown over PV modules"
        return
    if height.high > 2 * height.low:
        yield "flight.height_m", "one mission flies at most twice as high as another"
    yield from _overlap_problems(profile)
    yield from _lens_problems(profile, "infrared_camera", profile.infrared_camera)
    yield from _lens_problems(profile, "visible_camera", profile.visible_camera)
    yield from _resolution_problems(profile)


def _overlap_problems(profile: "Profile") -> Iterator[tuple[str, str]]:
    """Yield how the infrared frame may reach beyond the visible one."""
    flight, visible = profile.flight, profile.visible_camera
    ratio = visible.focal_px / profile.infrared_camera.focal_px
    if ratio < 1:
        yield "visible_camera.focal_px", f"shorter than the infrared camera's: ratio {ratio:.2f}"
    turn = math.radians(max(abs(flight.rig_rotation_deg.low), abs(flight.rig_rotation_deg.high)))
    skew_s = abs(flight.time_skew_s) + _CUT_AT_DEVIATIONS * flight.time_skew_jitter_s
    apart_m = flight.speed_m_s * skew_s + flight.baseline_m
    moved_px = flight.rig_offset_px.high + apart_m * visible.focal_px / flight.height_m.low
    for axis, half_px in enumerate(_HALF_VISIBLE_PX):
        near, far = _HALF_INFRARED_PX[axis], _HALF_INFRARED_PX[1 - axis]
        reach_px = ratio * (near * math.cos(turn) + far * math.sin(turn)) + moved_px
        if reach_px > half_px:
            shown = f"{reach_px:.0f} of {half_px} visible pixels from the centre"
            yield "visible_camera.focal_px", f"the infrared view leaves the visible one: {shown}"
            break


def _lens_problems(
    profile: "Profile", table: str, camera: "InfraredCamera | VisibleCamera"
) -> Iterator[tuple[str, str]]:
    """Yield what one camera cannot show: a folding lens, or ground near the horizon."""
    half = _HALF_INFRARED_PX if table == "infrared_camera" else _HALF_VISIBLE_PX
    radius2 = (half[0] ** 2 + half[1] ** 2) / camera.focal_px**2
    if 1 + 3 * camera.k1 * _BEYOND_CORNER * radius2 <= _LEAST_MAGNIFICATION:
        yield f"{table}.k1", "the lens folds the corners of the picture"
    # Pitch and roll jitter, both at their cut.
    jitter_deg = _CUT_AT_DEVIATIONS * math.sqrt(2) * profile.flight.tilt_jitter_deg
    lean_deg = math.degrees(math.atan(math.sqrt(radius2)))
    lean_deg += profile.terrain.slope_deg + jitter_deg
    if lean_deg > _MOST_LEAN_DEG:
        shown = f"{lean_deg:.0f}° from the vertical, more than {_MOST_LEAN_DEG:.0f}°"
        yield f"{table}.focal_px", f"with slope and jitter the view reaches {shown}"


def _resolution_problems(profile: "Profile") -> Iterator[tuple[str, str]]:
    """Yield whether a PV module is too small or too large in the infrared frame."""
    focal_px, height_m = profile.infrared_camera.focal_px, profile.flight.height_m
    least_px = min(profile.module_size_m) * focal_px / height_m.high
    most_px = max(profile.module_size_m) * focal_px / height_m.low
    if least_px < _LEAST_MODULE_PX:
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
"""What the ends of a range may be, by its key: generous, to refuse typing errors and what no physics allows."""


def _range_problems(profile: "Profile") -> Iterator[tuple[str, str]]:
    for key, (low, high) in LIMITS.items():
        table, name = key.split(".")
        span = getattr(getattr(profile, table), name)
        if span.low < low or span.high > high:
            yield key, f"outside {low} to {high}"
