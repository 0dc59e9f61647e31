"""The flight of a simulated mission: lines over the station, and the pose of each camera at each pair."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.cameras.file_writers import Shot
from dd_livm_core.fleet.cameras.views import Camera, View, look_down
from dd_livm_core.fleet.profile import Profile, Span

INFRARED_PX, VISIBLE_PX = (640, 512), (1280, 1024)
"""Width and height of the frames."""
SECONDS_BETWEEN_PAIRS = 3
_METRES_PER_DEGREE = 111_320.0
"""Of latitude: a 360th of the equator's 40,075 km."""
_SEA_LEVEL_TO_GROUND_M = 350.0
"""Every station lies as high; nothing depends on it."""
_INFRARED_PITCH_MM, _VISIBLE_PITCH_MM = 0.012, 0.004
"""Distance between a sensor's pixels: 12 µm is usual for microbolometers, 4 µm chosen."""
_FULL_FRAME_MM = 36.0
"""Width of 35 mm film."""
_HEIGHT_JITTER, _PLACE_JITTER_M = 0.01, 1.2
"""Deviations of height (as a share) and place against the plan: chosen."""
_CUT_AT_DEVIATIONS = 3
"""Of tilt and time jitter, so that `plausibility` can bound them."""
_MAY_LEAVE_STATION = 0.15
"""Share of a frame by which its centre may lie beside the station."""


def draw_uniform(span: Span, rng: np.random.Generator) -> float:
    """Draw a number from a profile's range, all equally likely."""
    return float(rng.uniform(span.low, span.high))


@dataclass(frozen=True)
class Waypoint:
    """Planned place of a pair, in metres along and across the rows; ``direction`` of flight is 1 or -1."""

    along_m: float
    across_m: float
    direction: int


@dataclass(frozen=True)
class Exposure:
    """Both cameras at the moment of one pair, and the drone's pose: place, height, and angles before the slope."""

    infrared: View
    visible: View
    along_m: float
    across_m: float
    height_m: float
    heading_deg: float
    pitch_deg: float
    roll_deg: float


class Flight:
    """The rig and the waypoints of one mission; the rig's scale and rotation stay the same for all pairs.

    Parameters
    ----------
    profile
        The station.
    size_m
        Size of the station along and across the rows.
    pairs
        How many pairs are taken.
    rng
        Draws what stays the same for the mission.
    """

    def __init__(
        self, profile: Profile, size_m: tuple[float, float], pairs: int, rng: np.random.Generator
    ) -> None:
        self.profile, self.size_m = profile, size_m
        plan = profile.flight
        self.height_m = draw_uniform(plan.height_m, rng)
        self.heading_deg = draw_uniform(plan.heading_deg, rng)
        self._rig_rotation_deg = draw_uniform(plan.rig_rotation_deg, rng)
        turn, length = rng.uniform(0, 2 * np.pi, 2), draw_uniform(plan.rig_offset_px, rng)
        shift = length * np.array([np.cos(turn[0]), np.sin(turn[0])])
        self._baseline_turn = float(turn[1])
        infrared, visible = profile.infrared_camera, profile.visible_camera
        middle = tuple((n - 1) / 2 for n in INFRARED_PX)
        self._infrared = Camera(
            *INFRARED_PX, infrared.focal_px, (middle[0], middle[1]), infrared.k1
        )
        aim = tuple((n - 1) / 2 + s for n, s in zip(VISIBLE_PX, shift, strict=True))
        self._visible = Camera(
            *VISIBLE_PX, visible.focal_px, (float(aim[0]), float(aim[1])), visible.k1
        )
        self.waypoints = self._plan_waypoints(pairs, rng)

    def _plan_waypoints(self, pairs: int, rng: np.random.Generator) -> list[Waypoint]:
        """Return so many waypoints on parallel lines over the station, to and fro.

        Out of more places, every n-th is kept; fewer are flown again from the start.
        """
        keep = 1 - self.profile.flight.overlap
        frame = np.array(INFRARED_PX) / self._infrared.focal_px * self.height_m
        turn = np.radians(self.heading_deg)
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        size, margin = np.array(self.size_m), _MAY_LEAVE_STATION * frame
        corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * size @ axes.T
        start = corners.min(axis=0) + frame * keep * rng.uniform(0.1, 0.9, 2)
        ahead = np.arange(start[0], corners[:, 0].max(), frame[0] * keep)
        lines = np.arange(start[1], corners[:, 1].max(), frame[1] * keep)
        spots = []
        for number, line in enumerate(lines):
            direction = 1 if number % 2 == 0 else -1
            for x in ahead[::direction]:
                place = np.array([x, line]) @ axes
                if (place > -margin).all() and (place < size + margin).all():
                    spots.append(Waypoint(float(place[0]), float(place[1]), direction))
        spots = spots or [Waypoint(float(size[0] / 2), float(size[1] / 2), 1)]
        thin = pairs <= len(spots)
        return [spots[i * len(spots) // pairs if thin else i % len(spots)] for i in range(pairs)]

    def expose(self, index: int, rng: np.random.Generator) -> Exposure:
        """Return the cameras' poses at a pair; the visible one fires later and hangs a few centimetres aside."""
        plan, waypoint = self.profile.flight, self.waypoints[index]
        heading = self.heading_deg + rng.normal(0, plan.heading_jitter_deg)
        pitch, roll = plan.tilt_jitter_deg * _draw_cut_normal(rng, 2)
        height = self.height_m * (1 + rng.normal(0, _HEIGHT_JITTER))
        wander_m = rng.normal(0, _PLACE_JITTER_M, 2)
        along, across = np.array([waypoint.along_m, waypoint.across_m]) + wander_m
        skew_s = plan.time_skew_s + plan.time_skew_jitter_s * _draw_cut_normal(rng, 1)[0]
        turn = np.radians(heading)
        moved = np.array([np.cos(turn), np.sin(turn), 0]) * waypoint.direction * plan.speed_m_s
        aside = turn + self._baseline_turn
        apart = np.array([np.cos(aside), np.sin(aside), 0]) * plan.baseline_m
        # Over a slope, the vertical axis leans against the plane of the PV modules.
        slope = self.profile.terrain.slope_deg
        place = np.array([along, across - height * np.tan(np.radians(slope)), height])
        lean = pitch + slope * np.cos(turn), roll - slope * np.sin(turn)
        infrared = look_down(self._infrared, place, heading, *lean)
        later = place + moved * skew_s + apart
        visible = look_down(self._visible, later, heading + self._rig_rotation_deg, *lean)
        return Exposure(
            infrared, visible, float(along), float(across), float(height), float(heading),
            float(pitch), float(roll),
        )  # fmt: skip

    def shots(
        self, index: int, exposure: Exposure, started_at: datetime, rng: np.random.Generator
    ) -> tuple[Shot, Shot]:
        """Return what the drone writes into the infrared and the visible file, its receiver's error included."""
        profile = self.profile
        turn = np.radians(profile.rows.azimuth_deg)
        error = rng.normal(0, profile.flight.position_error_m, 2)
        along, across = (
            np.array([exposure.along_m, exposure.across_m]) - np.array(self.size_m) / 2 + error
        )
        east = along * np.cos(turn) - across * np.sin(turn)
        south = along * np.sin(turn) + across * np.cos(turn)
        yaw = (profile.rows.azimuth_deg + exposure.heading_deg + 180) % 360 - 180
        east_degree = _METRES_PER_DEGREE * np.cos(np.radians(profile.latitude_deg))
        infrared, visible = profile.infrared_camera, profile.visible_camera
        shot = Shot(
            taken_at=started_at + timedelta(seconds=SECONDS_BETWEEN_PAIRS * index),
            latitude_deg=float(profile.latitude_deg - south / _METRES_PER_DEGREE),
            longitude_deg=float(profile.longitude_deg + east / east_degree),
            altitude_m=_SEA_LEVEL_TO_GROUND_M + exposure.height_m,
            relative_altitude_m=exposure.height_m,
            gimbal_pitch_deg=-90 + exposure.pitch_deg,
            gimbal_yaw_deg=float(yaw),
            gimbal_roll_deg=exposure.roll_deg,
            camera_model=infrared.model,
            focal_length_mm=infrared.focal_px * _INFRARED_PITCH_MM,
            focal_length_35mm=infrared.focal_px / INFRARED_PX[0] * _FULL_FRAME_MM,
        )
        return shot, replace(
            shot,
            camera_model=visible.model,
            focal_length_mm=visible.focal_px * _VISIBLE_PITCH_MM,
            focal_length_35mm=visible.focal_px / VISIBLE_PX[0] * _FULL_FRAME_MM,
        )


def _draw_cut_normal(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw standard normal numbers (count,), cut at three deviations."""
    cut = _CUT_AT_DEVIATIONS
    return np.asarray(np.clip(rng.standard_normal(count), -cut, cut))
