"""Missions over a simulated station: flight, pairs, labels, truth."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.files import Shot, write_jpeg, write_radiometric_tiff
from dd_livm_core.fleet.truth import TrueHotspot, true_hotspots
from dd_livm_core.fleet.layout import Layout, generator, lay_out
from dd_livm_core.fleet.profile import Profile, Span
from dd_livm_core.fleet.rig import Camera, View, infrared_to_visible, look_down, similarity
from dd_livm_core.fleet.sensors import (
    InfraredSampler,
    expose,
    infrared_noise,
    to_grey,
    window_of,
)
from dd_livm_core.fleet.station import Station, sun_over
from dd_livm_core.fleet.thermal import Conditions, apparent_c
from dd_livm_core.records import DEFECT_CLASSES, Mission

INFRARED_PX, VISIBLE_PX = (640, 512), (1280, 1024)
_METRES_PER_DEGREE = 111_320.0


def _draw(span: Span, rng: np.random.Generator) -> float:
    return float(rng.uniform(span.low, span.high))


@dataclass(frozen=True)
class Pose:
    """Where one pair was taken: along and across the rows in metres, and heading."""

    along_m: float
    across_m: float
    heading_deg: float
    flight_sign: int


@dataclass(frozen=True)
class RenderedPair:
    """One pair and its truth. ``homography`` maps infrared to visible pixels."""

    pair_id: str
    infrared: NDArray[np.float32] | NDArray[np.uint8]
    visible: NDArray[np.uint8]
    shot: Shot
    homography: NDArray[np.float64]
    homography_residual_px: float
    views: tuple[View, View]
    panel_mask: NDArray[np.bool_]
    temperature_c: NDArray[np.float32]
    excess_k: NDArray[np.float32]
    hotspots: list[TrueHotspot]
    module_px: tuple[float, float]
    sources: dict[int, tuple[str, str]] = field(default_factory=dict)


class SimulatedMission:
    """One flight over one station: everything that its pairs share.

    Parameters
    ----------
    profile
        The station.
    number
        Mission number, from 0.
    pairs
        How many pairs are flown.
    seed
        Of the fleet. The same seed gives the same pairs, whoever renders them in which order.
    """

    def __init__(self, profile: Profile, number: int, pairs: int, seed: int) -> None:
        self.profile, self.number, self.seed = profile, number, seed
        self.mission_id = f"flight{number + 1:02d}"
        rng = generator(seed, profile.site_id, self.mission_id)
        weather, flight = profile.weather, profile.flight
        ambient = _draw(weather.ambient_c, rng)
        self.conditions = Conditions(
            round(_draw(weather.irradiance_w_m2, rng), 1), round(_draw(weather.wind_m_s, rng), 2),
            round(ambient, 1), ambient - _draw(weather.sky_below_ambient_k, rng),
        )  # fmt: skip
        sun = sun_over(profile, _draw(weather.sun_elevation_deg, rng), _draw(weather.sun_azimuth_deg, rng))  # fmt: skip
        self.haze = _draw(weather.haze, rng)
        self.height_m = _draw(flight.height_m, rng)
        self.heading_deg = _draw(flight.heading_deg, rng)
        self.rig_rotation_deg = _draw(flight.rig_rotation_deg, rng)
        angle, length = rng.uniform(0, 2 * np.pi), _draw(flight.rig_offset_px, rng)
        self.rig_offset_px = (float(length * np.cos(angle)), float(length * np.sin(angle)))
        self.baseline_turn = rng.uniform(0, 2 * np.pi)
        self.started_at = datetime(2025, 5, 4, 10, tzinfo=UTC) + timedelta(days=int(rng.integers(0, 120)), minutes=int(rng.integers(0, 240)))  # fmt: skip
        self.layout: Layout = lay_out(profile, seed)
        self.station = Station(profile, self.layout, self.conditions, sun, seed, self.mission_id)
        self.fixed_pattern = rng.standard_normal(INFRARED_PX[::-1], dtype=np.float32)
        self.fixed_pattern += rng.standard_normal((1, INFRARED_PX[0]), dtype=np.float32)
        self.infrared_camera = Camera(*INFRARED_PX, profile.infrared_camera.focal_px, (319.5, 255.5), profile.infrared_camera.k1)  # fmt: skip
        centre = (639.5 + self.rig_offset_px[0], 511.5 + self.rig_offset_px[1])
        self.visible_camera = Camera(*VISIBLE_PX, profile.visible_camera.focal_px, centre, profile.visible_camera.k1)  # fmt: skip
        self.poses = self._fly(pairs, rng)

    def record(self) -> Mission:
        """Return the mission's record."""
        return Mission(
            mission_id=self.mission_id, site_id=self.profile.site_id, drone=self.profile.flight.drone,
            infrared_camera=self.profile.infrared_camera.model,
            visible_camera=self.profile.visible_camera.model,
            irradiance_w_m2=self.conditions.irradiance_w_m2, wind_m_s=self.conditions.wind_m_s,
            ambient_c=self.conditions.ambient_c, flight_height_m=round(self.height_m, 1),
            started_at=self.started_at, simulated=True,
        )  # fmt: skip

    def _fly(self, pairs: int, rng: np.random.Generator) -> list[Pose]:
        """Cover the station in parallel lines, to and fro."""
        keep = 1 - self.profile.flight.overlap
        frame = np.array(INFRARED_PX) / self.profile.infrared_camera.focal_px * self.height_m
        turn = np.radians(self.heading_deg)
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        size = np.array(self.layout.size_m)
        corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * size @ axes.T
        low, high = corners.min(axis=0), corners.max(axis=0)
        start = low + frame * keep * rng.uniform(0.1, 0.9, 2)
        x = np.arange(start[0], high[0], frame[0] * keep)
        y = np.arange(start[1], high[1], frame[1] * keep)
        spots: list[Pose] = []
        for line, across in enumerate(y):
            sign = 1 if line % 2 == 0 else -1
            for along in x[::sign]:
                place = np.array([along, across]) @ axes
                if (place > -0.15 * frame).all() and (place < size + 0.15 * frame).all():
                    spots.append(Pose(float(place[0]), float(place[1]), self.heading_deg, sign))
        if not spots:
            spots = [Pose(float(size[0] / 2), float(size[1] / 2), self.heading_deg, 1)]
        return [spots[(i * len(spots)) // pairs if pairs <= len(spots) else i % len(spots)] for i in range(pairs)]  # fmt: skip

    # --- one pair -----------------------------------------------------------------------------

    def _views(self, pose: Pose, rng: np.random.Generator) -> tuple[View, View, float, float]:
        """Place both cameras; the visible one fires later and hangs a few centimetres aside."""
        flight = self.profile.flight
        heading = pose.heading_deg + rng.normal(0, flight.heading_jitter_deg)
        pitch, roll = rng.normal(0, flight.tilt_jitter_deg, 2)
        slope = self.profile.terrain.slope_deg
        height = self.height_m * (1 + rng.normal(0, 0.01))
        place = np.array([pose.along_m, pose.across_m, height]) + np.r_[rng.normal(0, 1.2, 2), 0]
        skew_s = flight.time_skew_s + rng.normal(0, flight.time_skew_jitter_s)
        turn = np.radians(heading)
        ahead = (
            np.array([np.cos(turn), np.sin(turn), 0]) * pose.flight_sign * flight.speed_m_s * skew_s
        )
        aside = np.array([np.cos(turn + self.baseline_turn), np.sin(turn + self.baseline_turn), 0]) * flight.baseline_m  # fmt: skip
        lean = pitch + slope
        # A leaning camera looks past the point below it; step back so that the aim stays.
        place[1] -= height * np.tan(np.radians(slope))
        infrared = look_down(self.infrared_camera, place, heading, lean, roll)
        visible = look_down(self.visible_camera, place + ahead + aside, heading + self.rig_rotation_deg, lean, roll)  # fmt: skip
        return infrared, visible, pitch, roll

    def render(self, index: int) -> RenderedPair:
        """Render pair number ``index``."""
        pair_id = f"DJI_{index + 1:04d}"
        rng = generator(self.seed, self.profile.site_id, self.mission_id, index)
        infrared, visible, pitch, roll = self._views(self.poses[index], rng)
        step = self.layout.step_m
        seen = window_of(visible, step)
        colour = expose(self.station.draw_colour(seen), visible, step, seen, self.profile, self.haze, rng)  # fmt: skip
        window = window_of(infrared, step, margin_px=16)
        surface, excess, mask, owner = self.station.draw_thermal(window)
        sampler = InfraredSampler(infrared, step, window, self.profile.infrared_camera.blur_px)
        camera = self.profile.infrared_camera
        temperature = apparent_c(sampler.sample(surface), camera.emissivity, self.conditions.sky_c)
        resolved = sampler.sample(excess)
        homography, residual = infrared_to_visible(infrared, visible)
        module_px, rotation = self._module_px(infrared)
        hotspots = true_hotspots(resolved, sampler.nearest(owner), module_px, rotation)
        drift = camera.drift_k * np.sin(index / 23 + self.number)
        noisy = temperature + infrared_noise(temperature.shape, self.profile, drift, rng, self.fixed_pattern)  # fmt: skip
        return RenderedPair(
            pair_id, noisy if camera.radiometric else to_grey(noisy), colour,
            self._shot(index, infrared, pitch, roll), homography, residual, (infrared, visible),
            sampler.nearest(mask) > 0, temperature, resolved, hotspots, module_px,
            {h.defect: self._source(h.defect) for h in hotspots},
        )  # fmt: skip

    def _source(self, defect: int) -> tuple[str, str]:
        member = int(np.flatnonzero(self.layout.defect == defect)[0])
        look = self.station.look(member)
        return DEFECT_CLASSES[self.layout.defect_class[defect]], look.source if look else ""

    def _module_px(self, infrared: View) -> tuple[tuple[float, float], float]:
        """Return a PV module's size in infrared pixels at the centre, and the row's direction."""
        centre = infrared.plane(np.array([[319.5, 255.5]]))
        along, up = self.profile.module_size_m
        ends = infrared.project(centre + np.array([[-along / 2, 0], [along / 2, 0], [0, -up / 2], [0, up / 2]]))  # fmt: skip
        row = ends[1] - ends[0]
        size = (float(np.hypot(*row)), float(np.hypot(*(ends[3] - ends[2]))))
        return size, float(np.degrees(np.arctan2(row[1], row[0])))

    def _shot(self, index: int, infrared: View, pitch: float, roll: float) -> Shot:
        profile, pose = self.profile, self.poses[index]
        turn = np.radians(profile.rows.azimuth_deg)
        middle = np.array(self.layout.size_m) / 2
        along, across = pose.along_m - middle[0], pose.across_m - middle[1]
        east = along * np.cos(turn) - across * np.sin(turn)
        south = along * np.sin(turn) + across * np.cos(turn)
        north_m = _METRES_PER_DEGREE
        yaw = (profile.rows.azimuth_deg + pose.heading_deg + 180) % 360 - 180
        return Shot(
            self.started_at + timedelta(seconds=3 * index),
            profile.latitude_deg - south / north_m,
            profile.longitude_deg + east / (north_m * np.cos(np.radians(profile.latitude_deg))),
            350.0 + self.height_m, round(self.height_m, 2), round(-90 + pitch, 2), round(yaw, 2),
            round(roll, 2), profile.infrared_camera.model,
            round(profile.infrared_camera.focal_px * 0.012, 2),
        )  # fmt: skip

    def write(self, pair: RenderedPair, folder: Path) -> None:
        """Write a pair's two images."""
        name = self.infrared_name(pair.pair_id)
        if self.profile.infrared_camera.radiometric:
            write_radiometric_tiff(folder / name, pair.infrared.astype(np.float32), pair.shot)
        else:
            write_jpeg(folder / name, pair.infrared.astype(np.uint8), pair.shot, 92)
        camera = self.profile.visible_camera
        seen = Shot(**{**vars(pair.shot), "camera_model": camera.model, "focal_length_mm": round(camera.focal_px * 0.004, 2)})  # fmt: skip
        write_jpeg(folder / f"visible/{pair.pair_id}.jpg", pair.visible, seen, camera.jpeg_quality)

    def infrared_name(self, pair_id: str) -> str:
        """Return a pair's infrared file, relative to the mission folder."""
        suffix = "tif" if self.profile.infrared_camera.radiometric else "jpg"
        return f"infrared/{pair_id}.{suffix}"


def truth_row(pair: RenderedPair) -> dict[str, object]:
    """Return a pair's geometry: one row of ``truth.parquet``."""
    scale, rotation = similarity(pair.homography, (319.5, 255.5))
    centre = pair.homography @ np.array([319.5, 255.5, 1.0])
    offset = centre[:2] / centre[2] - np.array([639.5, 511.5])
    row: dict[str, object] = {
        "pair_id": pair.pair_id, "scale": scale, "rotation_deg": rotation,
        "offset_x_px": float(offset[0]), "offset_y_px": float(offset[1]),
        "homography_residual_px": pair.homography_residual_px,
        "module_along_px": pair.module_px[0], "module_across_px": pair.module_px[1],
    }  # fmt: skip
    row |= {f"h{i}{j}": float(pair.homography[i, j]) for i in range(3) for j in range(3)}
    for name, view in zip(("infrared", "visible"), pair.views, strict=True):
        row |= {f"{name}_k1": view.camera.k1, f"{name}_focal_px": view.camera.focal_px}
        row |= {
            f"{name}_cx_px": view.camera.centre_px[0],
            f"{name}_cy_px": view.camera.centre_px[1],
        }
        row[f"{name}_plane_homography"] = view.homography.ravel().tolist()
    return row
