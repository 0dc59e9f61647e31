"""One simulated mission: pairs, labels and truth, rendered in any order."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.files import Shot, write_jpeg, write_radiometric_tiff
from dd_livm_core.fleet.flight import INFRARED_PX, Exposure, Flight, draw
from dd_livm_core.fleet.layout import generator, lay_out
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.rig import View, infrared_to_visible
from dd_livm_core.fleet.sensors import InfraredSampler, expose, infrared_noise, to_grey, window_of
from dd_livm_core.fleet.station import Station
from dd_livm_core.fleet.sun import sun_over
from dd_livm_core.fleet.thermal import Conditions, apparent_c, glass_emissivity
from dd_livm_core.fleet.truth import TrueHotspot, true_hotspots
from dd_livm_core.records import DEFECT_CLASSES, Mission

_JPEG_QUALITY_INFRARED = 92


@dataclass(frozen=True)
class RenderedPair:
    """One pair and its truth.

    Parameters
    ----------
    infrared
        (512, 640): float32 in °C, or uint8 grey where the camera stores no temperature.
    visible
        (1024, 1280, 3) uint8 RGB.
    shots
        What the drone writes into the infrared and the visible file.
    exposure
        Both cameras.
    homography
        (3, 3) infrared → visible pixels, and what the lenses leave of it, in infrared pixels.
    panel_mask, temperature_c, excess_k
        (512, 640): PV modules, noise-free apparent temperature, heat of the defects in it.
    hotspots, sources
        Labels, and for each defect its class and what heats it.
    """

    pair_id: str
    infrared: NDArray[np.float32] | NDArray[np.uint8]
    visible: NDArray[np.uint8]
    shots: tuple[Shot, Shot]
    exposure: Exposure
    homography: NDArray[np.float64]
    homography_residual_px: float
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
        weather = profile.weather
        ambient_c = draw(weather.ambient_c, rng)
        self.conditions = Conditions(
            irradiance_w_m2=round(draw(weather.irradiance_w_m2, rng), 1),
            wind_m_s=round(draw(weather.wind_m_s, rng), 2),
            ambient_c=round(ambient_c, 1),
            sky_c=ambient_c - draw(weather.sky_below_ambient_k, rng),
        )
        azimuth = draw(weather.sun_azimuth_deg, rng)
        sun = sun_over(profile, draw(weather.sun_elevation_deg, rng), azimuth)
        self._haze = draw(weather.haze, rng)
        day, minute = int(rng.integers(120)), int(rng.integers(240))
        self.started_at = datetime(2025, 5, 4, 10, tzinfo=UTC) + timedelta(days=day, minutes=minute)
        self.layout = lay_out(profile, seed)
        self.station = Station(profile, self.layout, self.conditions, sun, seed)
        self.flight = Flight(profile, self.layout.size_m, pairs, rng)
        self._fixed_pattern = rng.standard_normal(INFRARED_PX[::-1], dtype=np.float32)
        self._fixed_pattern += rng.standard_normal((1, INFRARED_PX[0]), dtype=np.float32)

    def record(self) -> Mission:
        """Return the mission's record."""
        return Mission(
            mission_id=self.mission_id,
            site_id=self.profile.site_id,
            drone=self.profile.flight.drone,
            infrared_camera=self.profile.infrared_camera.model,
            visible_camera=self.profile.visible_camera.model,
            irradiance_w_m2=self.conditions.irradiance_w_m2,
            wind_m_s=self.conditions.wind_m_s,
            ambient_c=self.conditions.ambient_c,
            flight_height_m=round(self.flight.height_m, 1),
            started_at=self.started_at,
            simulated=True,
        )

    def render(self, index: int) -> RenderedPair:
        """Render pair number ``index``."""
        rng = generator(self.seed, self.profile.site_id, self.mission_id, index)
        exposure = self.flight.expose(index, rng)
        shots = self.flight.shots(index, exposure, self.started_at, rng)
        visible = self._photograph(exposure.visible, rng)
        infrared = exposure.infrared
        step, camera = self.layout.step_m, self.profile.infrared_camera
        window = window_of(infrared, step, margin_px=16)
        surface, excess, mask, owner = self.station.draw_thermal(window, infrared.position_m)
        sampler = InfraredSampler(infrared, step, window, camera.blur_px)
        emissivity = self._emissivity(infrared)
        seen_c, heat_k = sampler.sample(surface), sampler.sample(excess)
        temperature = apparent_c(seen_c, emissivity, self.conditions.sky_c)
        resolved = temperature - apparent_c(seen_c - heat_k, emissivity, self.conditions.sky_c)
        homography, residual = infrared_to_visible(infrared, exposure.visible)
        module_px = self._module_px(infrared)
        hotspots = true_hotspots(resolved, sampler.nearest(owner), module_px)
        drift_k = camera.drift_k * float(np.sin(index / 23 + self.number))
        seen = temperature + infrared_noise(camera, drift_k, self._fixed_pattern, rng)
        return RenderedPair(
            pair_id=f"DJI_{index + 1:04d}",
            infrared=seen if camera.radiometric else to_grey(seen),
            visible=visible,
            shots=shots,
            exposure=exposure,
            homography=homography,
            homography_residual_px=residual,
            panel_mask=sampler.nearest(mask) > 0,
            temperature_c=temperature,
            excess_k=resolved,
            hotspots=hotspots,
            module_px=module_px,
            sources={h.defect: self._source(h.defect) for h in hotspots},
        )

    def _photograph(self, view: View, rng: np.random.Generator) -> NDArray[np.uint8]:
        window = window_of(view, self.layout.step_m)
        scene = self.station.draw_colour(window, view.position_m, rng)
        maps = view.sampling_maps(self.layout.step_m, (window.x, window.y))
        return expose(scene, maps, self.profile.visible_camera, self._haze, rng)

    def _emissivity(self, view: View) -> NDArray[np.float32]:
        """Return the emissivity of tilted glass at each infrared pixel, (512, 640)."""
        tilt = np.radians(self.profile.rows.tilt_deg)
        normal = np.array([0.0, np.sin(tilt), np.cos(tilt)])
        w, h = INFRARED_PX
        nodes = np.stack(np.meshgrid(np.linspace(0, w - 1, 9), np.linspace(0, h - 1, 7)), axis=-1)
        plane = view.plane(nodes.reshape(-1, 2))
        ray = view.position_m - np.column_stack([plane, np.zeros(len(plane))])
        cosine = (ray @ normal / np.linalg.norm(ray, axis=1)).reshape(nodes.shape[:2])
        coarse = glass_emissivity(self.profile.infrared_camera.emissivity, np.clip(cosine, 0, 1))
        return np.asarray(cv2.resize(coarse.astype(np.float32), INFRARED_PX), dtype=np.float32)

    def _source(self, defect: int) -> tuple[str, str]:
        look = self.station.look(int(np.flatnonzero(self.layout.defect == defect)[0]))
        return DEFECT_CLASSES[self.layout.defect_class[defect]], look.source if look else ""

    def _module_px(self, infrared: View) -> tuple[float, float]:
        """Return a PV module's size along and across the row, in infrared pixels at the centre."""
        middle = np.array([infrared.camera.centre_px])
        along, up = (s / 2 for s in self.profile.module_size_m)
        arms = np.array([[-along, 0], [along, 0], [0, -up], [0, up]])
        left, right, top, bottom = infrared.project(infrared.plane(middle) + arms)
        return float(np.hypot(*(right - left))), float(np.hypot(*(bottom - top)))

    def write(self, pair: RenderedPair, folder: Path) -> None:
        """Write a pair's two images into the mission's folder."""
        camera = self.profile.infrared_camera
        target = folder / f"infrared/{pair.pair_id}.{camera.file_suffix}"
        if camera.radiometric:
            write_radiometric_tiff(target, pair.infrared.astype(np.float32), pair.shots[0])
        else:
            grey = pair.infrared.astype(np.uint8)
            write_jpeg(target, grey, pair.shots[0], _JPEG_QUALITY_INFRARED)
        quality = self.profile.visible_camera.jpeg_quality
        write_jpeg(folder / f"visible/{pair.pair_id}.jpg", pair.visible, pair.shots[1], quality)
