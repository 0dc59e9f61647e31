"""How the bundled stations differ, as a table: what makes a model fail between sites."""

import numpy as np

from dd_livm_core.fleet.cameras.flight import INFRARED_PX, Flight
from dd_livm_core.fleet.profile import Profile, Span
from dd_livm_core.fleet.profile_files import bundled_profiles
from dd_livm_core.fleet.station.layout import generator, lay_out
from dd_livm_core.records import DEFECT_CLASSES

HEAD = (
    "station", "ground", "classes, % (weeds, dust, breakage, open circuit, diode)", "habits",
    "sun from, °", "height, m", "visible over infrared", "rig offset, px", "row end in view, % of pairs",
)  # fmt: skip


def measure_row_end_share(profile: Profile, seed: int = 0, pairs: int = 200) -> float:
    """Return the percentage of infrared frames that show the end of a row."""
    layout = lay_out(profile, seed)
    corner, row = layout.corner_px, layout.modules.row
    middle = corner[:, 1] + layout.tile_px[1] / 2
    ends = []
    for number in np.unique(row):
        here = np.flatnonzero(row == number)
        for index in (here[corner[here, 0].argmin()], here[corner[here, 0].argmax()]):
            ends.append((corner[index, 0] + layout.tile_px[0] / 2, middle[index]))
    places = np.array(ends) * np.array(layout.step_m)
    flight = Flight(profile, layout.size_m, pairs, generator(seed, profile.site_id, "ends"))
    seen = 0
    for index in range(pairs):
        view = flight.expose(index, generator(seed, "ends", index)).infrared
        shown = view.project(places)
        seen += bool(((shown > 0) & (shown < np.array(INFRARED_PX))).all(axis=1).any())
    return 100 * seen / pairs


def _span(span: Span) -> str:
    return f"{span.low:g} to {span.high:g}"


def describe_stations() -> list[tuple[str, ...]]:
    """Return one row per bundled station, under ``HEAD``."""
    rows = []
    for profile in bundled_profiles():
        weights = [profile.defects.weights.get(name, 0.0) for name in DEFECT_CLASSES]
        habits = [f"{h.defect_class} at {h.near}, {h.strength:g}×" for h in profile.defects.habits]
        rows.append(
            (
                profile.site_id,
                f"{profile.terrain.surface}, {profile.terrain.second_surface}",
                " / ".join(f"{100 * w / sum(weights):.0f}" for w in weights),
                "; ".join(habits).replace("_", " ") or "none",
                _span(profile.weather.sun_azimuth_deg),
                _span(profile.flight.height_m),
                f"{profile.visible_camera.focal_px / profile.infrared_camera.focal_px:.2f}",
                _span(profile.flight.rig_offset_px),
                f"{measure_row_end_share(profile):.0f}",
            )
        )
    return rows
